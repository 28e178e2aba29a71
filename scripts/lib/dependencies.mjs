/** npm's part of set-up: installed once, and again only when the lock file or the machine changed. */
import { existsSync, readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { readJson, writeWhole } from './files.mjs'
import { Problem } from './problem.mjs'
import { lastLines, run } from './run.mjs'

/** The stamp lies inside node_modules, so that deleting that folder deletes the claim too. @param {string} root */
const stampPath = (root) => join(root, 'node_modules', '.amc-setup.json')

/**
 * Installs the locked dependencies unless they are there. An install made by hand with npm counts when npm's own record
 * of it agrees with the lock file.
 * @param {{root: string, say: (text: string) => void, install?: typeof npmCi}} options
 * @returns {Promise<import('./steps.mjs').Outcome>}
 */
export async function ensureDependencies({ root, say, install = npmCi }) {
  const wanted = stampOf(root)
  if (readJson(stampPath(root))?.stamp === wanted) return { skipped: 'installed and unchanged' }
  if (agreesWithLock(root)) {
    writeWhole(stampPath(root), JSON.stringify({ stamp: wanted }))
    return { skipped: 'installed before' }
  }
  say('  installing dependencies with npm (a few minutes the first time)')
  await install(root)
  writeWhole(stampPath(root), JSON.stringify({ stamp: wanted }))
  return { did: 'installed' }
}

/** @param {string} root */
export function stampOf(root) {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}`
}

/**
 * npm writes node_modules/.package-lock.json as its last act, so an interrupted install has none. It must hold every
 * package of the lock file that is not optional, in the same version.
 * @param {string} root
 */
export function agreesWithLock(root) {
  const locked = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (!locked || !installed) return false
  const sibling = Object.keys(locked).find((path) => path.startsWith('node_modules/node-') && fits(locked[path]))
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '') return true
    const there = installed[path]
    if (!there) return (entry.optional === true || entry.devOptional === true || entry.peer === true) && path !== sibling
    return there.version === entry.version && existsSync(join(root, path))
  })
}

/** Whether an optional package is meant for this machine. @param {{os?: string[], cpu?: string[]}} entry */
function fits(entry) {
  return Boolean(entry.os?.includes(process.platform) && entry.cpu?.includes(process.arch))
}

/** @param {string} root */
async function npmCi(root) {
  const { command, args, shell } = npmCommand()
  const result = await run(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, shell, timeoutMs: 40 * 60_000 })
  if (result.code === 0) return
  if (result.code === 127) throw new Problem('npm was not found.', 'It comes with Node: install a current Node from https://nodejs.org, then run the same command again.')
  throw new Problem(`npm could not install the dependencies:\n${lastLines(result, 6).replaceAll(/^/gm, '    ')}`, 'Check the network (npm follows its own proxy and registry settings) and run the same command again.')
}

/** npm itself: the one that runs us, the one beside this Node, or the one on PATH. */
function npmCommand() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  const script = [process.env['npm_execpath'], beside].find((path) => path?.endsWith('npm-cli.js') && existsSync(path))
  if (script) return { command: process.execPath, args: [script], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}
