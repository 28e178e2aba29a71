/**
 * One set-up at a time in a source tree: two at once would install over each other. A lock that a killed set-up left is taken
 * over, by exactly one of those who wait for it. Plain Node >= 20, no dependencies.
 */
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { temporaryBeside } from './files.mjs'
import { ownIdentity, stateOf } from './process-identity.mjs'

/**
 * @typedef {import('./process-identity.mjs').Identity & {nonce: string, what: string}} Holder  nonce: this holding of the
 *   lock and no other; what: the command, for people
 */

/** Nonces of the locks that this very process holds. @type {Set<string>} */
const held = new Set()

const TOUCH_MS = 5_000

/**
 * Runs `work` while holding the lock file. Waits for a living holder and says who it is; takes over from a dead one. A
 * holder that cannot be looked at (another machine or container) counts as dead when its file was not touched for
 * `silentMs`, measured by our own clock.
 * @template T
 * @param {string} path
 * @param {(text: string) => void} say
 * @param {() => Promise<T>} work
 * @param {{pollMs?: number, silentMs?: number, sayEveryMs?: number}} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, say, work, { pollMs = 500, silentMs = 30_000, sayEveryMs = 30_000 } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  /** @type {Holder} */
  const self = { ...ownIdentity(), nonce: randomUUID(), what: process.argv.slice(1, 2).map((file) => basename(file)).join('') }
  const began = performance.now()
  const seen = { mark: '', since: began }
  let saidAt = -Infinity
  while (!create(path, self)) {
    const there = look(path)
    if (there === null) continue // released in this moment
    const now = performance.now()
    if (there.mark !== seen.mark) Object.assign(seen, { mark: there.mark, since: now })
    if (isOver(there.holder, now - seen.since, silentMs) && takeOver(path, there.holder.nonce, self)) break
    if (now - saidAt >= sayEveryMs) {
      const waited = saidAt > 0 ? ` (${Math.round((now - began) / 1000)} s so far)` : ''
      say(`Another set-up (${describe(there.holder)}) is at work in this folder; waiting for it${waited}.`)
      saidAt = now
    }
    await wait(pollMs)
  }
  held.add(self.nonce)
  const touching = setInterval(() => touch(path, self.nonce), TOUCH_MS)
  const release = () => {
    held.delete(self.nonce)
    if (look(path)?.holder.nonce === self.nonce) rmSync(path, { force: true })
  }
  process.once('exit', release)
  try {
    return await work()
  } finally {
    clearInterval(touching)
    process.removeListener('exit', release)
    release()
  }
}

/** @param {Holder} holder @param {number} silence how long its file has not changed, ms @param {number} silentMs */
function isOver(holder, silence, silentMs) {
  if (held.has(holder.nonce)) return false
  const state = stateOf(holder)
  return state === 'dead' || (state === 'unknown' && silence >= silentMs)
}

/**
 * Puts our own lock in the place of a dead one. Only who made the file named after the dead holding may do so, and looks
 * once more before; so two that wait never both enter.
 * @param {string} path @param {string} nonce @param {Holder} self
 */
function takeOver(path, nonce, self) {
  const right = entitlement(path, nonce, self)
  if (right === null) return false
  const won = look(path)?.holder.nonce === nonce
  if (won) {
    const temporary = temporaryBeside(path)
    writeFileSync(temporary, JSON.stringify(self))
    renameSync(temporary, path)
  }
  // Late comers who still think of the dead one find another lock in its place, so the rights are not needed any more.
  for (const name of readdirSync(dirname(path))) if (name.startsWith(`${basename(path)}.after-`)) rmSync(join(dirname(path), name), { force: true })
  return won
}

/**
 * The file that gives us alone the right to replace this holding; null when another living process has it. The right of
 * one that died over it passes on in the same way.
 * @param {string} path @param {string} nonce @param {Holder} self @returns {string | null}
 */
function entitlement(path, nonce, self) {
  const file = `${path}.after-${nonce.replace(/[^\w-]/g, '_')}`
  /** @type {Holder} */
  const mine = { ...self, nonce: randomUUID() }
  if (create(file, mine)) return file
  const other = look(file)
  if (other === null || other.holder.nonce === nonce) return null
  return stateOf(other.holder) === 'dead' ? entitlement(path, other.holder.nonce, self) : null
}

/** Makes the file with its whole content, or says that there is one. @param {string} path @param {Holder} holder */
function create(path, holder) {
  const temporary = temporaryBeside(path)
  try {
    writeFileSync(temporary, JSON.stringify(holder))
    try {
      linkSync(temporary, path)
    } catch (error) {
      const code = /** @type {{code?: string}} */ (error).code
      if (code === 'EEXIST') return false
      // Some file systems know no links; there the content may be seen a moment after the name.
      if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES'].includes(code ?? '')) throw error
      writeFileSync(path, JSON.stringify(holder), { flag: 'wx' })
    }
    return true
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

/**
 * Who holds the file, and a mark that changes whenever it is touched; null when there is none. A cut-off file has a holder
 * of no known place.
 * @param {string} path @returns {{holder: Holder, mark: string} | null}
 */
function look(path) {
  try {
    const text = readFileSync(path, 'utf8')
    return { holder: readHolder(text), mark: `${text} ${statSync(path).mtimeMs}` }
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code === 'ENOENT') return null
    throw error
  }
}

/** @param {string} text @returns {Holder} */
function readHolder(text) {
  try {
    const found = JSON.parse(text)
    if (typeof found?.nonce === 'string' && Number.isInteger(found.pid)) return found
  } catch {
    // Written in part, or by something else.
  }
  return { pid: 0, host: '', started: null, nonce: `unreadable-${text.slice(0, 40)}`, what: '' }
}

/** @param {string} path @param {string} nonce */
function touch(path, nonce) {
  try {
    if (look(path)?.holder.nonce === nonce) utimesSync(path, new Date(), new Date())
  } catch {
    // A missed touch costs nothing: the next one comes soon.
  }
}

/** @param {Holder} holder */
function describe({ pid, host, what }) {
  if (pid === 0) return 'its lock file is cut off'
  return `process ${pid}${what ? `, ${what}` : ''}${host === ownIdentity().host ? '' : ', on another machine or in another container'}`
}
