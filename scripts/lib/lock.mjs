/** One set-up at a time in a source tree: two at once would install over each other. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isAlive } from './files.mjs'

/**
 * Runs `work` while holding the lock file; waits for a living holder, takes over from a dead one.
 * @template T
 * @param {string} path
 * @param {(text: string) => void} say
 * @param {() => Promise<T>} work
 * @param {{pollMs?: number}} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, say, work, { pollMs = 500 } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  while (!take(path)) {
    const holder = holderOf(path)
    if (holder === null || !isAlive(holder)) {
      rmSync(path, { force: true })
      continue
    }
    if (!told) say(`Another set-up (process ${holder}) is at work in this folder; waiting for it.`)
    told = true
    await wait(pollMs)
  }
  const release = () => rmSync(path, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/** Process in the lock file; null when the file vanished or was cut off. @param {string} path */
function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
