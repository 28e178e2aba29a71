/** Folders of the engine's machine, so that a page in a browser can choose a path too. Names only, never contents. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { AppError } from '../../../shared/errors.ts'

export interface Listing {
  readonly path: string
  readonly parent: string | null
  readonly entries: { readonly name: string; readonly path: string; readonly folder: boolean }[]
}

const MAX_ENTRIES = 2000

/** @throws AppError 'not-found' or 'forbidden' in words */
export async function browse(path?: string): Promise<Listing> {
  const wanted = resolve(path?.trim() ? expandHome(path.trim()) : homedir())
  let folder: string
  try {
    const full = await realpath(wanted)
    folder = (await stat(full)).isDirectory() ? full : dirname(full)
    const entries = await readdir(folder, { withFileTypes: true })
    const listed = await Promise.all(
      entries
        .filter((entry) => !entry.name.startsWith('.'))
        .slice(0, MAX_ENTRIES)
        .map(async (entry) => {
          const full = join(folder, entry.name)
          const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(full).then((info) => info.isDirectory(), () => false)))
          return { name: entry.name, path: full, folder: isFolder }
        }),
    )
    listed.sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name, undefined, { numeric: true }))
    return { path: folder, parent: dirname(folder) === folder ? null : dirname(folder), entries: listed }
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'EACCES' || errno === 'EPERM') throw new AppError('forbidden', `The folder ${wanted} may not be read by this user.`, 'Choose another folder.', wanted, { cause: error })
    throw new AppError('not-found', `The folder ${wanted} does not exist.`, 'Check the path.', wanted, { cause: error })
  }
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}
