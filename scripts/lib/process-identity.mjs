/**
 * Which process wrote a note on disk, and whether that very one still lives. A number alone does not say: numbers are given
 * out again, and in a restarted container the first process has the same one as before. Plain Node >= 20, no dependencies.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * @typedef {{pid: number, host: string, started: string | null}} Identity  host: machine, its start, and where pids are
 *   counted; started: when the process began, as its system writes it, null where the system does not say
 */

/** @type {Identity | undefined} */
let own

/** This process. */
export function ownIdentity() {
  own ??= { pid: process.pid, host: hostIdentity(), started: startOf(process.pid) }
  return own
}

/**
 * 'alive' and 'dead' are certain; 'unknown' is a process of another machine or container, or of a system that does not say
 * when a process began. Our own number counts as dead here: whoever asks knows what it wrote itself.
 * @param {Identity} identity
 * @returns {'alive' | 'dead' | 'unknown'}
 */
export function stateOf(identity) {
  if (identity.host !== ownIdentity().host) return 'unknown'
  if (identity.pid === process.pid || !hasProcess(identity.pid)) return 'dead'
  const started = startOf(identity.pid)
  if (started === null || identity.started === null) return 'unknown'
  return started === identity.started ? 'alive' : 'dead'
}

/** Whether some process has this number now. @param {number} pid */
export function hasProcess(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {{code?: string}} */ (error).code === 'EPERM'
  }
}

/** @param {number} pid @returns {string | null} */
function startOf(pid) {
  if (process.platform === 'linux') {
    try {
      // The name in brackets may hold anything, brackets too; the start is the 20th field after it.
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ')[19] ?? null
    } catch {
      return null
    }
  }
  if (process.platform === 'win32') return null
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000, env: { ...process.env, LC_ALL: 'C' } })
  return status === 0 && stdout.trim() ? stdout.trim() : null
}

function hostIdentity() {
  if (process.platform !== 'linux') return hostname()
  try {
    // One start of one machine, and one counting of processes on it: containers count for themselves.
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
