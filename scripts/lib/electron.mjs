/**
 * Electron's binary, fetched when it is first wanted. Where it cannot be had (no network to its host, no build for this
 * machine) that is remembered for a day, so that the next start does not wait again; `npm run setup` tries anew at once.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeWhole } from './files.mjs'
import { lastLines, run } from './run.mjs'

const PLAIN_REASON = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|timed? ?out|fetch failed|HTTPError|403|404|certificate|ENOSPC|EACCES/i

/** A machine that was offline yesterday may be online today. */
const REMEMBERED_MS = 24 * 3_600_000

/**
 * @typedef {{binary: string, why: null, fetched: boolean} | {binary: null, why: string, fetched: boolean}} Found
 */

/**
 * @param {{root: string, cache: string, node: string, tell: import('./steps.mjs').Teller, env?: NodeJS.ProcessEnv, retry?: boolean,
 *   download?: typeof runInstaller, reach?: typeof canReach, now?: () => number}} options
 * @returns {Promise<Found>}
 */
export async function ensureElectron({ root, cache, node, tell, env = process.env, retry = false, download = runInstaller, reach = canReach, now = Date.now }) {
  const given = env['ELECTRON_OVERRIDE_DIST_PATH']
  if (given) {
    const binary = join(given, binaryName())
    if (existsSync(binary)) return { binary, why: null, fetched: false }
    return { binary: null, why: `ELECTRON_OVERRIDE_DIST_PATH names ${given}, where there is no Electron.`, fetched: false }
  }
  const present = installedElectron(root)
  if (present) return { binary: present, why: null, fetched: false }
  const version = readJson(join(root, 'node_modules', 'electron', 'package.json'))?.version
  if (!version) return { binary: null, why: 'The electron package is not among the installed dependencies.', fetched: false }
  const memory = join(cache, `electron-${version}-${process.platform}-${process.arch}.json`)
  const remembered = readJson(memory)
  const isFresh = Math.abs(now() - Number(remembered?.at ?? 0)) < REMEMBERED_MS
  if (remembered?.why && isFresh && !retry) return { binary: null, why: remembered.why, fetched: false }
  const why = await tell.during(`fetching Electron ${version} (about 110 MB)`, async () => (await reach(version, env)) ?? (await download(root, node, env)))
  const binary = why === null ? installedElectron(root) : null
  if (binary) {
    rmSync(memory, { force: true })
    return { binary, why: null, fetched: true }
  }
  const reason = `Electron ${version} could not be had: ${(why ?? 'its installer left no binary').replace(/\.$/, '')}.`
  writeWhole(memory, JSON.stringify({ why: reason, at: now() }))
  return { binary: null, why: reason, fetched: true }
}

function binaryName() {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return process.platform === 'win32' ? 'electron.exe' : 'electron'
}

/** The binary that the package itself would start, when it is whole and of the package's version. @param {string} root */
export function installedElectron(root) {
  const folder = join(root, 'node_modules', 'electron')
  try {
    const version = readFileSync(join(folder, 'dist', 'version'), 'utf8').trim().replace(/^v/, '')
    if (version !== readJson(join(folder, 'package.json'))?.version) return null
    // Written by the installer as its last act.
    const binary = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim())
    return existsSync(binary) ? binary : null
  } catch {
    return null
  }
}

/**
 * A quick look whether the download host answers at all, because the installer itself waits long. Through a proxy only
 * the installer knows the way, so then it decides.
 * @param {string} version
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | null>} the reason why not
 */
async function canReach(version, env) {
  if (['HTTPS_PROXY', 'https_proxy', 'ELECTRON_GET_USE_PROXY', 'ELECTRON_MIRROR', 'npm_config_electron_mirror'].some((name) => env[name])) return null
  try {
    const answer = await fetch(`https://github.com/electron/electron/releases/download/v${version}/SHASUMS256.txt`, { method: 'HEAD', signal: AbortSignal.timeout(8_000) })
    return answer.ok ? null : `its download host answers ${answer.status}`
  } catch {
    return 'its download host cannot be reached from here'
  }
}

/** @param {string} root @param {string} node @param {NodeJS.ProcessEnv} env @returns {Promise<string | null>} the reason why not */
async function runInstaller(root, node, env) {
  const folder = join(root, 'node_modules', 'electron')
  const result = await run(node, [join(folder, 'install.js')], { cwd: folder, env, timeoutMs: 10 * 60_000 })
  if (result.code === 0) return null
  if (/ENOSPC|No space left/i.test(result.stderr)) return 'the disk is full'
  if (result.code === 124) return 'its download took longer than ten minutes'
  const line = lastLines(result, 20).split('\n').find((text) => PLAIN_REASON.test(text))
  return line?.trim() ?? lastLines(result, 1)
}

/** Whether a window can be shown here. @param {NodeJS.ProcessEnv} env */
export function hasDisplay(env = process.env, platform = process.platform) {
  if (platform !== 'linux') return true
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
}
