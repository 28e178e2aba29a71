/**
 * The TensorFlow runtime: on Linux x64 the libraries of TensorFlow's own pinned wheels and an addon compiled here;
 * elsewhere, or where pip or a compiler is missing, the package's own download. Plain Node >= 20, no dependencies.
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { addonPlace, ensureAddon, findCompiler, placeAddon, tfjsFolder, tryAddon } from './addon.mjs'
import { contentHash, readJson, writeWhole } from './files.mjs'
import { Problem } from './problem.mjs'
import { lastLines, run, which } from './run.mjs'
import { CPU_WHEELS, CUDA_WHEELS, TENSORFLOW } from './tensorflow-pins.mjs'
import { ensureLibraries, findPip, howToInstall, isWhole, librariesFolder } from './wheels.mjs'

/**
 * @typedef {{tensorflow: string, flavour: 'cpu' | 'cuda' | 'package', cacheDir: string | null, whyNotGpu: string | null,
 *   key: string, addonBytes: number}} Note  what is in place, beside the addon; src/main/compute/backend.ts reads it
 */

/** @param {string} root */
const notePath = (root) => join(tfjsFolder(root), 'lib', 'amc-runtime.json')

/**
 * Makes sure that TensorFlow loads and computes. A second call only looks at file sizes (milliseconds).
 * @param {{root: string, cache: string, node: string, say: (text: string) => void, env?: NodeJS.ProcessEnv}} options
 * @returns {Promise<{skipped: boolean, note: Note}>}
 */
export async function ensureTensorFlow({ root, cache, node, say, env = process.env }) {
  const wantsGpu = env['AMC_TENSORFLOW'] !== 'cpu' && mayHaveGpu(env)
  const key = runtimeKey(root, cache, node, wantsGpu)
  const before = readNote(root)
  if (before?.key === key && isInPlace(root, before)) return { skipped: true, note: before }
  const made = canUseWheels() ? await fromWheels({ root, cache, node, say, env, wantsGpu }) : await fromPackage({ root, node, say, why: unsupported() })
  const note = { ...made, key, addonBytes: statSync(addonPlace(root)).size }
  writeWhole(notePath(root), JSON.stringify(note, null, 1))
  return { skipped: false, note }
}

/** @param {string} root @returns {Note | null} */
export function readNote(root) {
  return readJson(notePath(root))
}

/** Whether what the note says is still there, without loading it. @param {string} root @param {Note} note */
function isInPlace(root, note) {
  const size = statSync(addonPlace(root), { throwIfNoEntry: false })?.size
  return size !== undefined && size === note.addonBytes && (note.cacheDir === null || isWhole(note.cacheDir))
}

/** @param {string} root @param {string} cache @param {string} node @param {boolean} wantsGpu */
function runtimeKey(root, cache, node, wantsGpu) {
  const pins = contentHash(root, ['scripts/lib/tensorflow-pins.mjs', 'scripts/lib/addon.mjs', 'node_modules/@tensorflow/tfjs-node-gpu/package.json', 'node_modules/@tensorflow/tfjs-node-gpu/binding'])
  return [pins.slice(0, 16), process.platform, process.arch, wantsGpu ? 'gpu' : 'cpu', cache, node].join(' ')
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
 * @param {{root: string, cache: string, node: string, say: (text: string) => void, env: NodeJS.ProcessEnv, wantsGpu: boolean}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromWheels({ root, cache, node, say, env, wantsGpu }) {
  const compiler = findCompiler(env)
  const pip = await findPip(env)
  const haveCpu = isWhole(librariesFolder(cache, 'cpu', TENSORFLOW, CPU_WHEELS)) || existsSync(join(cache, 'wheels'))
  if (!compiler || (!pip && !haveCpu)) {
    const missing = !compiler && !pip ? 'both' : compiler ? 'pip' : 'compiler'
    const words = { both: 'neither Python 3 with pip nor a C++ compiler was found', pip: 'Python 3 with pip was not found', compiler: 'no C++ compiler was found' }[missing]
    return fromPackage({ root, node, say, why: words, cure: howToInstall(missing) })
  }
  const gpu = wantsGpu ? await probeGpu(env) : { name: null, why: env['AMC_TENSORFLOW'] === 'cpu' ? 'AMC_TENSORFLOW=cpu asks for the CPU.' : 'No NVIDIA driver is installed here (nvidia-smi was not found).' }
  const shared = { root, cache, node, say, pip, compiler }
  let whyNotGpu = gpu.why
  if (gpu.name) {
    say(`  found ${gpu.name}: fetching TensorFlow with CUDA, about 3 GB`)
    try {
      return await fromWheelsOf({ ...shared, flavour: 'cuda', wheels: CUDA_WHEELS, whyNotGpu: null })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      // A machine with a GPU that cannot be used is still a machine: compute on the CPU, and say why.
      whyNotGpu = `The CUDA build did not work here: ${error.message.split('\n', 1)[0]}`
      say(`  ${whyNotGpu} Using the CPU.`)
    }
  }
  return fromWheelsOf({ ...shared, flavour: 'cpu', wheels: CPU_WHEELS, whyNotGpu })
}

/**
 * @param {{root: string, cache: string, node: string, say: (text: string) => void, pip: import('./wheels.mjs').Pip | null, compiler: string,
 *   flavour: 'cpu' | 'cuda', wheels: readonly import('./tensorflow-pins.mjs').Wheel[], whyNotGpu: string | null}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromWheelsOf({ root, cache, node, say, pip, compiler, flavour, wheels, whyNotGpu }) {
  const { folder } = await ensureLibraries({ cache, flavour, version: TENSORFLOW, wheels, pip, say })
  const addon = await ensureAddon({ root, cache, libraries: folder, compiler })
  if (addon.compiled) say('  compiled the addon')
  placeAddon(root, addon.file)
  const trial = await tryAddon(root, node)
  if (!trial.ok) throw new Problem(`TensorFlow ${TENSORFLOW} (${flavour}) is in place but does not run: ${trial.reason}`, `Delete ${folder} and run \`npm run setup\` again.`)
  if (flavour === 'cuda' && !trial.gpu) throw new Problem('TensorFlow with CUDA loads but finds no GPU it can use; the driver may be too old for CUDA 12.')
  return { tensorflow: trial.version ?? TENSORFLOW, flavour, cacheDir: folder, whyNotGpu }
}

/**
 * The npm package's own way: prebuilt addon and library from the hosts its authors chose (TensorFlow 2.9).
 * @param {{root: string, node: string, say: (text: string) => void, why: string, cure?: string}} options
 * @returns {Promise<Omit<Note, 'key' | 'addonBytes'>>}
 */
async function fromPackage({ root, node, say, why, cure = '' }) {
  const present = existsSync(addonPlace(root)) ? await tryAddon(root, node) : null
  if (!present?.ok) {
    say(`  ${why}; trying the download of the tfjs-node package itself`)
    const folder = tfjsFolder(root)
    // Its build step calls node-pre-gyp by name, which lies among our dependencies.
    const path = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(process.platform === 'win32' ? ';' : ':')
    const result = await run(node, [join(folder, 'scripts', 'install.js'), 'cpu', 'download'], { cwd: folder, timeoutMs: 10 * 60_000, env: { ...process.env, PATH: path } })
    if (result.code !== 0 || !existsSync(addonPlace(root))) {
      throw new Problem(`TensorFlow cannot be set up: ${why}, and the package's own download did not work either:\n${lastLines(result, 3).replaceAll(/^/gm, '    ')}`, cure || 'Linux x64 with glibc is what this version was tried on; see docs/decisions for other systems.')
    }
  }
  const trial = present?.ok ? present : await tryAddon(root, node)
  if (!trial.ok) throw new Problem(`The TensorFlow that the package itself downloads does not run here: ${trial.reason}`, cure)
  return { tensorflow: trial.version ?? 'unknown', flavour: 'package', cacheDir: null, whyNotGpu: trial.gpu ? null : `The package's own download for the CPU is in use, because ${why}.` }
}

