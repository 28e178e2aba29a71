/** npm's part of set-up: installed once, and again only when the lock file or the machine changed. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { delimiter, dirname, join } from 'node:path'
import { readJson, writeWhole } from './files.mjs'
import { pinnedNode } from './node-binary.mjs'
import { Problem, commonProblem } from './problem.mjs'
import { lastLines, run } from './run.mjs'

/** The stamp lies inside node_modules, so that deleting that folder deletes the claim too. @param {string} root */
const stampPath = (root) => join(root, 'node_modules', '.amc-setup.json')

/**
 * Installs the locked dependencies unless they are there. An install made by hand with npm counts when npm's own record
 * of it agrees with the lock file.
 * @param {{root: string, tell: import('./steps.mjs').Teller, install?: typeof npmCi}} options
 * @returns {Promise<import('./steps.mjs').Outcome>}
 */
export async function ensureDependencies({ root, tell, install = npmCi }) {
  const wanted = stampOf(root)
  if (readJson(stampPath(root))?.stamp === wanted) return { skipped: 'installed and unchanged' }
  if (lacking(root).length > 0) {
    const total = lacking(root).filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)).length
    const work = (/** @type {string} */ node) => tell.during('installing dependencies with npm (a few minutes the first time)', () => install(root, node), () => `${countPackages(root)} of about ${total} packages`)
    await work(process.execPath)
    // npm passes over optional packages whose authors name a newer Node than the one it runs on; ours run on the pinned one.
    const pinned = pinnedNode(root)
    if (lacking(root).length > 0 && pinned) await withCopy(root, pinned, work)
    const lost = lacking(root)
    if (lost.length > 0) {
      throw new Problem(
        `npm ended well but left out ${lost.length} of the packages needed here: ${lost.slice(0, 5).map((path) => path.replace(/^.*node_modules\//, '')).join(', ')}${lost.length > 5 ? ' …' : ''}.`,
        'A setting of npm may leave them out (omit, production, os, cpu, libc: see `npm config ls -l`). Change it, then run the same command again.',
      )
    }
    writeWhole(stampPath(root), JSON.stringify({ stamp: wanted }))
    return { did: 'installed' }
  }
  writeWhole(stampPath(root), JSON.stringify({ stamp: wanted }))
  return { skipped: 'installed before' }
}

/** @param {string} root */
export function stampOf(root) {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}`
}

/**
 * What this machine needs of the lock file and does not have in that version. npm writes node_modules/.package-lock.json as
 * its last act, so after an interrupted install everything is lacking. Optional packages are needed where they name this
 * machine, and only there.
 * @param {string} root
 * @returns {string[]} paths as in the lock file
 */
export function lacking(root) {
  const locked = readJson(join(root, 'package-lock.json'))?.packages ?? {}
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages ?? {}
  return Object.entries(locked).filter(([path, entry]) => {
    if (path === '' || entry.link) return false
    const there = installed[path]
    if (!there) return !isOptional(entry) || namesThisMachine(entry)
    return there.version !== entry.version || !existsSync(join(root, path))
  }).map(([path]) => path)
}

/** @typedef {{version?: string, link?: boolean, optional?: boolean, devOptional?: boolean, peer?: boolean, os?: string | string[], cpu?: string | string[], libc?: string | string[]}} Entry */

/** @param {Entry} entry */
function isOptional(entry) {
  return entry.optional === true || entry.devOptional === true || entry.peer === true
}

/** Whether a package says that it is meant for this system and processor. @param {Entry} entry */
function namesThisMachine({ os, cpu, libc }) {
  if (os === undefined || cpu === undefined) return false
  const holds = (/** @type {string | string[]} */ list, /** @type {string} */ value) => [list].flat().includes(value)
  return holds(os, process.platform) && holds(cpu, process.arch) && (libc === undefined || holds(libc, isGlibc() ? 'glibc' : 'musl'))
}

function isGlibc() {
  return Boolean(/** @type {{header?: {glibcVersionRuntime?: string}}} */ (process.report?.getReport() ?? {}).header?.glibcVersionRuntime)
}

/** How many packages are unpacked so far. npm makes all folders first and fills them afterwards. @param {string} root */
function countPackages(root) {
  const names = (/** @type {string} */ folder) => {
    try {
      return readdirSync(folder)
    } catch {
      return [] // not made yet, or replaced in this moment
    }
  }
  const modules = join(root, 'node_modules')
  const packages = names(modules).flatMap((name) => (name.startsWith('@') ? names(join(modules, name)).map((part) => join(name, part)) : [name]))
  return packages.filter((name) => existsSync(join(modules, name, 'package.json'))).length
}

/** npm empties node_modules first, so the Node in it is copied out of the way. @param {string} root @param {string} node @param {(node: string) => Promise<void>} work */
async function withCopy(root, node, work) {
  const copy = join(root, '.cache', 'npm-node', process.platform === 'win32' ? 'node.exe' : 'node')
  mkdirSync(dirname(copy), { recursive: true })
  copyFileSync(node, copy)
  try {
    await work(copy)
  } finally {
    rmSync(dirname(copy), { recursive: true, force: true })
  }
}

/** @param {string} root @param {string} node what npm itself runs on */
async function npmCi(root, node) {
  const { command, args, shell } = npmCommand(node)
  // Named, because NODE_ENV=production and npm's own settings would leave parts out or run scripts.
  const wanted = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  // An npm that is a script of its own looks for its Node on PATH.
  const env = { ...process.env, PATH: [dirname(node), process.env['PATH'] ?? ''].join(delimiter) }
  const result = await run(command, [...args, ...wanted], { cwd: root, shell, env, timeoutMs: 40 * 60_000 })
  if (result.code === 0) return
  if (result.code === 127) throw new Problem('npm was not found.', 'It comes with Node: install a current Node from https://nodejs.org, then run the same command again.')
  const what = 'npm could not install the dependencies'
  throw commonProblem(what, result, [join(root, 'node_modules'), "npm's own cache (`npm config get cache`)"]) ??
    new Problem(`${what}:\n${lastLines(result, 6).replaceAll(/^/gm, '    ')}`, 'Check the network (npm follows its own proxy and registry settings) and run the same command again.')
}

/** npm itself: the one that runs us, the one beside this Node, or the one on PATH. @param {string} node */
function npmCommand(node) {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  const script = [process.env['npm_execpath'], beside].find((path) => path?.endsWith('npm-cli.js') && existsSync(path))
  if (script) return { command: node, args: [script], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}
