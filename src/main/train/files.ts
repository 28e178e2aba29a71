/** Files that are whole or absent, whatever happens to the process: written beside, synced, renamed. */
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../shared/errors.ts'

/** Lets `write` fill a temporary file beside the path, syncs it and renames it into place; on failure nothing is left. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await write(temporary)
    await syncFile(temporary)
    await rename(temporary, path)
    await syncFile(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw explainWriteError(error, path)
  }
}

export async function writeText(path: string, text: string): Promise<void> {
  await writeWhole(path, (temporary) => writeFile(temporary, text))
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Adds one line of JSON; a line torn by a crash is dropped by readLines. */
export async function appendLine(path: string, value: unknown): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(value)}\n`)
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

/** The JSON lines of a file, without torn ones; nothing when there is no file. */
export async function readLines<T>(path: string): Promise<T[]> {
  const rows: T[] = []
  const input = createReadStream(path, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      try {
        rows.push(JSON.parse(line) as T)
      } catch {
        // The last line of a killed process may be half written.
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    input.destroy()
  }
  return rows
}

/** Forgets the lines of steps after `step`: a resumed run writes them again. */
export async function keepLinesUntil(path: string, step: number): Promise<void> {
  const rows = await readLines<{ step: number }>(path)
  if (rows.length === 0) return
  const kept = rows.filter((row) => row.step <= step).map((row) => `${JSON.stringify(row)}\n`)
  await writeText(path, kept.join(''))
}

export async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError(
      'disk-full',
      'The disk is full, so this could not be written. Everything saved before is whole.',
      'Free space, then resume the run.',
      path,
      { cause: error },
    )
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new AppError('bad-input', 'This folder cannot be written to.', 'Change its permissions or choose another project folder.', path, { cause: error })
  }
  return error
}
