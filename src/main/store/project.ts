/**
 * A project is a folder: project.sqlite, runs/, cache/, and what belongs to it. One engine at a time: the lock is one of the
 * operating system, so it ends with its process however that ends; a small file beside it says who holds it.
 */
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { AppError, toErrorData } from '../../shared/errors.ts'
import { type Db, holdLock, openDatabase, type OpenOptions } from './db.ts'
import { migrate, refuseForeign } from './migrate.ts'

export interface Project {
  readonly dir: string
  readonly name: string
  readonly db: Db
  readonly runsDir: string
  readonly cacheDir: string
  readonly demoDir: string
  /** How a path is kept in the database: relative inside the project, 'shipped:NAME' for the program's own files, absolute otherwise. */
  toStored(path: string): string
  fromStored(stored: string): string
  /** Tells others where this engine can be reached. */
  announce(url: string): void
  close(): void
}

export interface OpenProjectOptions extends OpenOptions {
  /** Folder of the files that come with the program. */
  readonly shippedDir?: string
}

interface Holder {
  readonly pid: number
  readonly url: string | null
  readonly since: string
}

const SHIPPED = 'shipped:'

/**
 * Opens a project folder, making it when it is new or empty.
 * @throws AppError 'locked' naming the process and address that hold it, 'newer-version', 'bad-input', 'disk-full'
 */
export function openProject(dir: string, options: OpenProjectOptions = {}): Project {
  const full = makeFolder(resolve(dir))
  const runsDir = join(full, 'runs')
  const cacheDir = join(full, 'cache')
  for (const folder of [runsDir, cacheDir]) makeFolder(folder)
  const holderFile = join(cacheDir, 'engine.json')
  const lock = holdLock(join(cacheDir, 'engine.lock'))
  if (!lock) throw heldBy(full, readHolder(holderFile))
  try {
    writeHolder(holderFile, null)
    const db = openDatabase(join(full, 'project.sqlite'), { ...options, inspect: refuseForeign })
    try {
      migrate(db)
    } catch (error) {
      db.close()
      throw error
    }
    const shippedDir = options.shippedDir ?? full
    return {
      dir: full, name: basename(full), db, runsDir, cacheDir, demoDir: join(full, 'demo'),
      toStored: (path) => storedPath(full, shippedDir, path),
      fromStored: (stored) => (stored.startsWith(SHIPPED) ? join(shippedDir, stored.slice(SHIPPED.length)) : resolve(full, stored)),
      announce: (url) => writeHolder(holderFile, url),
      close: () => {
        db.close()
        rmSync(holderFile, { force: true })
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

function storedPath(projectDir: string, shippedDir: string, path: string): string {
  const full = resolve(path)
  const inside = relativeInside(projectDir, full)
  if (inside !== null) return inside
  const shipped = shippedDir === projectDir ? null : relativeInside(shippedDir, full)
  return shipped === null ? full : SHIPPED + shipped
}

function relativeInside(folder: string, path: string): string | null {
  const near = relative(folder, path)
  return near === '' || near === '..' || near.startsWith(`..${sep}`) || isAbsolute(near) ? null : near.split(sep).join('/')
}

function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  } catch (error) {
    const data = toErrorData(error)
    if (data.code === 'disk-full') throw new AppError('disk-full', 'The disk is full, so the project cannot be opened.', data.cure, folder, { cause: error })
    const reason = (error as NodeJS.ErrnoException).code === 'EEXIST' || (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? 'there is a file of that name' : 'it may not be written to'
    throw new AppError('bad-input', `The project folder ${folder} cannot be used: ${reason}.`, 'Choose another folder.', folder, { cause: error })
  }
}

/** Only tells who holds the project; the lock itself does not depend on it, so a failure to write it is no failure. */
function writeHolder(file: string, url: string | null): void {
  const holder: Holder = { pid: process.pid, url, since: new Date().toISOString() }
  try {
    writeFileSync(file, JSON.stringify(holder))
  } catch {
    // Said above.
  }
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return null
  }
}

function heldBy(dir: string, holder: Holder | null): AppError {
  const who = holder ? `process ${holder.pid}${holder.url ? ` at ${holder.url}` : ''}, since ${holder.since}` : 'another process'
  return new AppError('locked', `The project ${dir} is already open in another engine (${who}).`, 'Use that window, or close it first.', dir)
}
