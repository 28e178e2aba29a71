/**
 * Which Node runs the program. The engine, TensorFlow and all tools run under the pinned Node 24 that comes as an npm
 * package; only the launchers themselves run under whatever Node >= 20 the person has.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.mjs'

/** First Node that runs TypeScript sources without a flag. */
const TYPES_STRIPPED_SINCE = [22, 18]

/**
 * @param {string} root
 * @param {{platform?: string, arch?: string, version?: string, execPath?: string}} [host]
 * @returns {string | null} path of a Node that can run the program, null when there is none yet
 */
export function findNode(root, host = {}) {
  const { platform = process.platform, arch = process.arch, version = process.versions.node, execPath = process.execPath } = host
  const folder = platform === 'win32' ? 'win' : platform
  const file = platform === 'win32' ? 'node.exe' : 'node'
  const pinned = join(root, 'node_modules', `node-${folder}-${arch}`, 'bin', file)
  if (existsSync(pinned)) return pinned
  return isAtLeast(version, TYPES_STRIPPED_SINCE) ? execPath : null
}

/** @param {string} root */
export function requireNode(root) {
  const found = findNode(root)
  if (found) return found
  throw new Problem(
    `There is no Node 24 for ${process.platform} ${process.arch} among the dependencies.`,
    'Run `npm run setup`. If that does not help, install Node 24 yourself (https://nodejs.org) and start with it.',
  )
}

/** Refuses a Node that is too old even for the launcher. */
export function checkLauncherNode(version = process.versions.node) {
  if (isAtLeast(version, [20, 0])) return
  throw new Problem(`This is Node ${version}; Node 20 or newer is needed.`, 'Install a current Node from https://nodejs.org, then run the same command again.')
}

/** @param {string} version @param {readonly number[]} wanted major, minor */
function isAtLeast(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1])
}
