/** Files written whole or not at all, and hashes of them. Plain Node >= 20, no dependencies. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { hasProcess } from './process-identity.mjs'

let counter = 0

/** Leftovers older than this belong to no set-up that is still at work, whatever process has their number now. */
const FORGOTTEN_MS = 24 * 3_600_000

/** Temporary folders that this very process is filling. @type {Set<string>} */
const filling = new Set()

/** A name beside `path` that no other process uses; same file system, so that a rename is atomic. @param {string} path */
export function temporaryBeside(path) {
  counter += 1
  return `${path}.tmp-${process.pid}-${counter}`
}

/** Brings what was written to a file to the disk, so that a name given to it afterwards never shows a torn one. @param {string} path */
export function syncFile(path) {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes text so that a reader sees the old file or the whole new one, after a loss of power too. @param {string} path @param {string | Buffer} data */
export function writeWhole(path, data) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = temporaryBeside(path)
  try {
    writeFileSync(temporary, data)
    syncFile(temporary)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Parsed JSON, or null when the file is absent or torn: both mean "do it again". @param {string} path @returns {any} */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** @param {string} path @returns {Promise<string>} lower-case hex */
export async function sha256File(path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

/**
 * One hash over the names and contents of files; folders are walked. Paths that do not exist count as absent, so making
 * one later changes the hash. The result does not depend on where the tree lies or in what order files are listed.
 * @param {string} base
 * @param {readonly string[]} paths relative to base
 * @param {(path: string) => boolean} [wanted]
 */
export function contentHash(base, paths, wanted = () => true) {
  const files = [...new Set(paths.flatMap((path) => listFiles(join(base, path))))]
    .map((path) => relative(base, path).split(sep).join('/'))
    .filter(wanted)
    .sort()
  const hash = createHash('sha256')
  for (const file of files) {
    const data = readFileSync(join(base, file))
    hash.update(`${file}\0${data.length}\0`).update(data)
  }
  return hash.digest('hex')
}

/** Every file under a path, itself when it is a file, none when it is absent. @param {string} path @returns {string[]} */
export function listFiles(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return [path]
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? /** @type {any} */ (entry).path, entry.name))
}

/**
 * Fills a folder under a temporary name and gives it its name when everything is in it, so that a folder that exists is
 * complete. An older or torn one is replaced; leftovers of interrupted attempts are removed first.
 * @param {string} folder
 * @param {(temporary: string) => Promise<void>} fill
 */
export async function makeFolderWhole(folder, fill) {
  removeLeftovers(folder)
  const temporary = temporaryBeside(folder)
  mkdirSync(temporary, { recursive: true })
  filling.add(temporary)
  try {
    await fill(temporary)
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
    renameSync(temporary, folder)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  } finally {
    filling.delete(temporary)
  }
}

/**
 * Sizes of all files under a folder, none when there is none. It may change while it is read: what vanishes counts nothing.
 * @param {string} folder
 */
export function fileSizes(folder) {
  try {
    return listFiles(folder).map((path) => sizeOf(path) ?? 0)
  } catch {
    return []
  }
}

/** Size of a file that can be seen by us, else null. @param {string} path */
export function sizeOf(path) {
  try {
    return statSync(path).size
  } catch {
    return null // absent, or in a folder of another person
  }
}

/** Temporary folders of processes that no longer live; those of a living process are its own. @param {string} folder */
function removeLeftovers(folder) {
  const parent = dirname(folder)
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    const match = /\.tmp-(\d+)-\d+$/.exec(name)
    const path = join(parent, name)
    if (!match || !path.startsWith(`${folder}.tmp-`) || filling.has(path)) continue
    const pid = Number(match[1])
    const forgotten = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > FORGOTTEN_MS
    // Our own number in a folder that we do not fill: a process before us had it, in a container that was started again.
    if (pid === process.pid || !hasProcess(pid) || forgotten) rmSync(path, { recursive: true, force: true })
  }
}
