/** Files written whole or not at all, and hashes of them. Plain Node >= 20, no dependencies. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

let counter = 0

/** A name beside `path` that no other process uses; same file system, so that a rename is atomic. @param {string} path */
export function temporaryBeside(path) {
  counter += 1
  return `${path}.tmp-${process.pid}-${counter}`
}

/** Writes text so that a reader sees the old file or the whole new one. @param {string} path @param {string | Buffer} data */
export function writeWhole(path, data) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = temporaryBeside(path)
  try {
    writeFileSync(temporary, data)
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
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
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
  try {
    await fill(temporary)
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
    renameSync(temporary, folder)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

/** Temporary folders of processes that no longer live; those of a living process are its own. @param {string} folder */
function removeLeftovers(folder) {
  const parent = dirname(folder)
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    const match = /\.tmp-(\d+)-\d+$/.exec(name)
    if (!match || !join(parent, name).startsWith(`${folder}.tmp-`)) continue
    if (!isAlive(Number(match[1]))) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {{code?: string}} */ (error).code === 'EPERM'
  }
}
