/**
 * The TensorFlow runtime: on Linux x64 the libraries of TensorFlow's own pinned wheels and an addon compiled here;
 * elsewhere, or where pip or a compiler is missing, the package's own download. Plain Node >= 20, no dependencies.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { addonPlace, ensureAddon, findCompiler, isCompiled, placeAddon, tfjsFolder, tryAddon } from './addon.mjs'
import { contentHash, readJson, sizeOf, writeWhole } from './files.mjs'
import { Problem, commonProblem } from './problem.mjs'
import { lastLines, run, which } from './run.mjs'
import { CPU_WHEELS, CUDA_WHEELS, TENSORFLOW } from './tensorflow-pins.mjs'
import { ensureLibraries, findPip, howToInstall, isOldPip, isWhole, librariesFolder, wheelByHand } from './wheels.mjs'

/**
 * @typedef {{tensorflow: string, flavour: 'cpu' | 'cuda' | 'package', cacheDir: string | null, whyNotGpu: string | null,
 *   key: string, addonBytes: number}} Note  what is in place, beside the addon; src/main/compute/backend.ts reads it
 */

/** @param {string} root */
const notePath = (root) => join(tfjsFolder(root), 'lib', 'amc-runtime.json')

/**
 * What the machine offers and what set-up does to it, so that tests can put something else in its place.
 * @typedef {typeof TOOLS} Tools
 */
const TOOLS = { findCompiler, findPip, probeGpu, ensureLibraries, ensureAddon, placeAddon, tryAddon, packageDownload, canUseWheels, mayHaveGpu }

/**
 * Makes sure that TensorFlow loads and computes. A second call only looks at file sizes (milliseconds).
 * @param {{root: string, cache: string, node: string, tell: import('./steps.mjs').Teller, env?: NodeJS.ProcessEnv, tools?: Tools}} options
 * @returns {Promise<{skipped: boolean, note: Note}>}
 */
export async function ensureTensorFlow({ root, cache, node, tell, env = process.env, tools = TOOLS }) {
  const wantsGpu = env['AMC_TENSORFLOW'] !== 'cpu' && tools.mayHaveGpu(env)
  const key = runtimeKey(root, node, wantsGpu)
  const before = readNote(root)
  if (before?.key === key && isInPlace(root, before)) return { skipped: true, note: before }
  const shared = { root, cache, node, tell, env, tools }
  const made = tools.canUseWheels() ? await fromWheels({ ...shared, wantsGpu }) : await fromPackage({ ...shared, why: unsupported() })
  const note = { ...made, key, addonBytes: sizeOf(addonPlace(root)) ?? 0 }
  writeWhole(notePath(root), JSON.stringify(note, null, 1))
  return { skipped: false, note }
}

/** @param {string} root @returns {Note | null} */
export function readNote(root) {
  return readJson(notePath(root))
}

/** Whether what the note says is still there, without loading it. @param {string} root @param {Note} note */
function isInPlace(root, note) {
  const size = sizeOf(addonPlace(root))
  return size !== null && size === note.addonBytes && (note.cacheDir === null || isWhole(note.cacheDir))
}

/**
 * The cache's place is no part of it: a tree that works with libraries in one cache goes on with them when the next start
 * would use another.
 * @param {string} root @param {string} node @param {boolean} wantsGpu
 */
function runtimeKey(root, node, wantsGpu) {
  const pins = contentHash(root, ['scripts/lib/tensorflow-pins.mjs', 'scripts/lib/addon.mjs', 'scripts/native', 'node_modules/@tensorflow/tfjs-node-gpu/package.json', 'node_modules/@tensorflow/tfjs-node-gpu/binding'])
  return [pins.slice(0, 16), process.platform, process.arch, wantsGpu ? 'gpu' : 'cpu', node].join(' ')
}

function canUseWheels() {
  return process.platform === 'linux' && process.arch === 'x64' && isGlibcAtLeast(2, 27)
}

function unsupported() {
  if (process.platform === 'linux' && process.arch === 'x64') return 'the pinned wheels need glibc 2.27 or newer'
  return `the pinned wheels are for Linux x64, this is ${process.platform} ${process.arch}`
}

/** @param {number} major @param {number} minor */
function isGlibcAtLeast(major, minor) {
  const report = /** @type {{header?: {glibcVersionRuntime?: string}}} */ (process.report?.getReport() ?? {})
  const [found = 0, part = 0] = (report.header?.glibcVersionRuntime ?? '0').split('.').map(Number)
  return found > major || (found === major && part >= minor)
}

/** Cheap sign of an NVIDIA driver; `nvidia-smi -L` decides. @param {NodeJS.ProcessEnv} env */
function mayHaveGpu(env) {
  return existsSync('/dev/nvidiactl') || which('nvidia-smi', env) !== null
}

/**
 * What nvidia-smi sees.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{name: string | null, why: string | null}>}
 */
export async function probeGpu(env = process.env) {
  const command = which('nvidia-smi', env)
  if (!command) return { name: null, why: 'No NVIDIA driver is installed here (nvidia-smi was not found).' }
  const result = await run(command, ['--query-gpu=name', '--format=csv,noheader'], { env, timeoutMs: 20_000 })
  const name = result.stdout.split('\n', 1)[0]?.trim()
  if (result.code === 0 && name) return { name, why: null }
  return { name: null, why: `nvidia-smi sees no GPU: ${lastLines(result, 1) || `it ended with code ${result.code}`}` }
}

/**
 * @typedef {{root: string, cache: string, node: string, tell: import('./steps.mjs').Teller, env: NodeJS.ProcessEnv, tools: Tools}} Shared
 * @param {Shared & {wantsGpu: boolean}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromWheels({ wantsGpu, ...shared }) {
  const { root, cache, env, tell, tools } = shared
  const compiler = tools.findCompiler(env)
  const pip = await tools.findPip(env)
  const libraries = librariesFolder(cache, 'cpu', TENSORFLOW, CPU_WHEELS)
  // What is in the cache needs neither: machines without a network, and those whose compiler was removed.
  const haveLibraries = isWhole(libraries) || CPU_WHEELS.every((wheel) => wheelByHand(cache, wheel))
  const haveAddon = isWhole(libraries) && isCompiled({ root, cache, libraries })
  const noPip = !haveLibraries && (!pip || isOldPip(pip))
  const noCompiler = !compiler && !haveAddon
  if (noPip || noCompiler) {
    const old = noPip && pip ? `pip ${pip.version} is too old (20.3 or newer is needed)` : null
    const words = [old ?? (noPip ? 'Python 3 with pip was not found' : ''), noCompiler ? 'no C++ compiler was found' : ''].filter(Boolean).join(' and ')
    const cures = [old ? `Renew pip: \`${[pip?.command, ...(pip?.args ?? [])].join(' ')} install --user --upgrade pip\`.` : '', noCompiler || !old ? howToInstall(noPip && !old ? (noCompiler ? 'both' : 'pip') : 'compiler') : ''].filter(Boolean)
    return fromPackage({ ...shared, why: words, cure: cures.join(' ') })
  }
  const gpu = wantsGpu ? await tools.probeGpu(env) : { name: null, why: env['AMC_TENSORFLOW'] === 'cpu' ? 'AMC_TENSORFLOW=cpu asks for the CPU.' : 'No NVIDIA driver is installed here (nvidia-smi was not found).' }
  let whyNotGpu = gpu.why
  if (gpu.name) {
    tell.say(`  found ${gpu.name}: fetching TensorFlow with CUDA, about 3 GB`)
    try {
      return await fromWheelsOf({ ...shared, pip, compiler, flavour: 'cuda', wheels: CUDA_WHEELS, whyNotGpu: null })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      // A machine with a GPU that cannot be used is still a machine: compute on the CPU, and say why.
      whyNotGpu = `The CUDA build did not work here: ${error.message.split('\n', 1)[0]}`
      tell.say(`  ${whyNotGpu} Using the CPU.`)
    }
  }
  return fromWheelsOf({ ...shared, pip, compiler, flavour: 'cpu', wheels: CPU_WHEELS, whyNotGpu })
}

/**
 * @param {Shared & {pip: import('./wheels.mjs').Pip | null, compiler: string | null,
 *   flavour: 'cpu' | 'cuda', wheels: readonly import('./tensorflow-pins.mjs').Wheel[], whyNotGpu: string | null}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromWheelsOf({ root, cache, node, tell, tools, pip, compiler, flavour, wheels, whyNotGpu }) {
  const { folder } = await tools.ensureLibraries({ cache, flavour, version: TENSORFLOW, wheels, pip, tell })
  const wanted = { root, cache, libraries: folder, compiler, tell }
  /** @param {{file: string}} addon */
  const place = (addon) => {
    tools.placeAddon(root, addon.file)
    return tell.during('trying TensorFlow', () => tools.tryAddon(root, node))
  }
  const addon = await tools.ensureAddon(wanted)
  let trial = await place(addon)
  // One from the cache may be torn, or made for a system that was renewed since: compiled anew it gets a second chance.
  if (!trial.ok && !addon.compiled && compiler) trial = await place(await tools.ensureAddon({ ...wanted, anew: true }))
  if (!trial.ok) throw new Problem(`TensorFlow ${TENSORFLOW} (${flavour}) is in place but does not run: ${trial.reason}`, `Delete ${folder} and run \`npm run setup\` again.`)
  if (flavour === 'cuda' && !trial.gpu) throw new Problem('TensorFlow with CUDA loads but finds no GPU it can use; the driver may be too old for CUDA 12.')
  return { tensorflow: trial.version ?? TENSORFLOW, flavour, cacheDir: folder, whyNotGpu }
}

/**
 * The npm package's own way: prebuilt addon and library from the hosts its authors chose (TensorFlow 2.9).
 * @param {Shared & {why: string, cure?: string}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromPackage({ root, node, tell, tools, why, cure = '' }) {
  const present = existsSync(addonPlace(root)) ? await tools.tryAddon(root, node) : null
  if (!present?.ok) {
    const result = await tell.during(`${why}; trying the download of the tfjs-node package itself`, () => tools.packageDownload(root, node))
    if (result.code !== 0 || !existsSync(addonPlace(root))) {
      const what = `TensorFlow cannot be set up: ${why}, and the package's own download did not work either`
      throw commonProblem(what, result, [tfjsFolder(root)]) ??
        new Problem(`${what}:\n${lastLines(result, 3).replaceAll(/^/gm, '    ')}`, cure || 'Linux x64 with glibc is what this version was tried on; see docs/decisions for other systems.')
    }
  }
  const trial = present?.ok ? present : await tools.tryAddon(root, node)
  if (!trial.ok) throw new Problem(`The TensorFlow that the package itself downloads does not run here: ${trial.reason}`, cure)
  return { tensorflow: trial.version ?? 'unknown', flavour: 'package', cacheDir: null, whyNotGpu: trial.gpu ? null : `The package's own download for the CPU is in use, because ${why}.` }
}

/** @param {string} root @param {string} node */
function packageDownload(root, node) {
  const folder = tfjsFolder(root)
  // Its build step calls node-pre-gyp by name, which lies among our dependencies.
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  return run(node, [join(folder, 'scripts', 'install.js'), 'cpu', 'download'], { cwd: folder, timeoutMs: 10 * 60_000, env: { ...process.env, PATH: path } })
}
