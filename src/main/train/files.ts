/** Files that are whole or absent, whatever happens to the process: written beside, synced, renamed. */
import { createReadStream, existsSync } from 'node:fs'
import { appendFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../shared/errors.ts'

/** Lets `write` fill a temporary file beside the path, syncs it and renames it into place; on failure nothing is left. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(temporary)
    await syncFile(temporary)
    await rename(temporary, path)
    await syncFile(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw explainWriteError(error, path)
  }
}

export async function writeText(path: string, text: string): Promise<void> {
  await writeWhole(path, (temporary) => writeFile(temporary, text))
}

/** Makes what was appended to a file durable; nothing when there is no file. */
export async function syncIfThere(path: string): Promise<void> {
  try {
    await syncFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainWriteError(error, path)
  }
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
  await appendLines(path, [value])
}

export async function appendLines(path: string, values: readonly unknown[]): Promise<void> {
  try {
    await appendFile(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

export async function appendBytes(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await appendFile(path, bytes)
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

/** Forgets the lines of steps after `step`, and torn ones: a resumed run writes them again. */
export async function keepLinesUntil(path: string, step: number): Promise<void> {
  await rewriteLines(path, (row: { readonly step: number }) => row.step <= step)
}

/** Takes out a line torn by a crash, so that the next one does not become part of it. */
export async function dropTornLines(path: string): Promise<void> {
  await rewriteLines(path, () => true)
}

/** Removes what writing left behind that was cut off: no other process may be writing there. */
export async function clearTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (/\.\d+\.tmp$/.test(name)) await rm(join(folder, name), { force: true })
}

async function rewriteLines<T>(path: string, keep: (row: T) => boolean): Promise<void> {
  if (!existsSync(path)) return
  const kept = (await readLines<T>(path)).filter(keep)
  await writeText(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''))
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
  if (code === 'ENOTDIR' || code === 'EISDIR' || code === 'EEXIST') {
    return new AppError('bad-input', 'A file cannot be written here: a folder is where the file would be, or a file where a folder would be.', 'Choose another place.', path, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new AppError('bad-input', 'This folder cannot be written to.', 'Change its permissions or choose another project folder.', path, { cause: error })
  }
  return error
}
