/**
 * A project as one zip file: its database as of one moment, its runs, checkpoints and own files, the images that lie elsewhere, and a manifest with the
 * hash of every entry. What was being used meanwhile is hashed as it is written, so an archive is whole however long it takes.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdtemp, open, readdir, realpath, rm, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { ZipFile } from 'yazl'
import { AppError } from '../../../shared/errors.ts'
import { stage } from '../../formats/output.ts'
import { openDatabase } from '../../store/db.ts'
import type { Project } from '../../store/project.ts'
import { ARCHIVE_VERSION, MANIFEST, type Manifest } from './manifest.ts'

const PACKED = /\.(jpe?g|png|webp|avif|gif|zip|gz|safetensors|pth|pt)$/i
/** Not of the project: what can be made again, who holds it, earlier copies, what was exported, what is half written. An image that lies there goes in all the same, by another name. */
const LEFT_OUT = /^(cache|exports)(\/|$)|^project\.sqlite|(^|\/)\.[^/]*\.part-|\.tmp$/

export interface ArchiveOptions {
  readonly out: string
  readonly version: string
  /** Images that lie outside the project go in too. What else belongs to it always does. */
  readonly images: boolean
  readonly replace: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number, name: string) => void
}
export interface Archived {
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Images and checkpoints that were not there any more, and images that were left out. */
  readonly missing: readonly string[]
}

/** @throws AppError 'bad-input' when the file exists, 'disk-full', 'cancelled'. Nothing is left behind then. */
export async function writeArchive(project: Project, options: ArchiveOptions): Promise<Archived> {
  const temporary = await mkdtemp(join(project.cacheDir, 'archive-'))
  const out = await stage(options.out, { onlyFile: 'archive.zip', replace: options.replace }).catch(async (error: unknown) => {
    await rm(temporary, { recursive: true, force: true })
    throw error
  })
  try {
    const database = join(temporary, 'project.sqlite')
    await project.db.copyTo(database)
    const names = (await filesBelow(project.dir)).filter((name) => !LEFT_OUT.test(name))
    const { moved, missing, named } = await moveInside(project, database, new Set(names), options.images)
    const all = [{ name: 'project.sqlite', from: database }, ...names.map((name) => ({ name, from: join(project.dir, name) })), ...moved]
    const file = await out.binary('archive.zip')
    const zip = new ZipFile()
    const writing = (async () => {
      for await (const chunk of zip.outputStream) await file.write(chunk as Buffer)
      await file.close()
    })()
    writing.catch(() => undefined) // awaited below
    const files: Manifest['files'] = []
    for (const [i, { name, from }] of all.entries()) {
      if (options.signal?.aborted) throw new AppError('cancelled', 'The archive was cancelled; nothing was written.')
      options.onProgress?.(i, all.length, name)
      // Training and tidying go on: what is gone since it was listed is left out, and told where the database names it.
      const source = await open(from, 'r').catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      })
      if (source) files.push({ path: name, ...(await addFile(zip, name, source, writing)) })
      else if (named.has(name)) missing.push(from)
    }
    const manifest: Manifest = { format: 'amc-archive', version: ARCHIVE_VERSION, project: project.name, program: options.version, createdAt: new Date().toISOString(), files }
    zip.addBuffer(Buffer.from(JSON.stringify(manifest, null, 1)), MANIFEST)
    zip.end()
    await writing
    if (options.signal?.aborted) throw new AppError('cancelled', 'The archive was cancelled; nothing was written.')
    await out.commit()
    return { path: options.out, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), missing }
  } catch (error) {
    await out.discard()
    throw error
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** Resolves when the file has gone through; a failure of the writing side ends it too. */
async function addFile(zip: ZipFile, name: string, file: FileHandle, writing: Promise<void>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const source = file.createReadStream()
  const through = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  const ended = new Promise<void>((resolve, reject) => {
    through.once('end', resolve)
    source.once('error', reject)
  })
  zip.addReadStream(source.pipe(through), name, { compress: !PACKED.test(name), mtime: new Date(0) })
  await Promise.race([ended, writing.then(() => ended)])
  return { bytes, sha256: hash.digest('hex') }
}

const ROWS_AT_ONCE = 2000

interface Entry {
  readonly name: string
  readonly from: string
}

/**
 * In the copy of the database, images and checkpoints that are not among the project's own files get a place there. Asked of the list of
 * those files, not of their paths: what lies below the project's folder may still be left out, or be reached through a link.
 * @returns what to put there, what is not there any more, and the names of all files that the database names
 */
async function moveInside(project: Project, database: string, own: ReadonlySet<string>, withImages: boolean): Promise<{ moved: Entry[]; missing: string[]; named: Set<string> }> {
  const db = openDatabase(database)
  const moved: Entry[] = []
  const missing: string[] = []
  const named = new Set<string>()
  const updates: { table: string; path: string; id: string }[] = []
  const home = await realpath(project.dir) + sep
  const placed = new Map<string, string>()
  const taken = new Set(own)
  try {
    for (const [table, folder] of [['images', 'images'], ['checkpoints', 'checkpoints']] as const) {
      const rows = db.all<{ id: string; path: string }>(`SELECT id, path FROM ${table} ORDER BY ${table === 'images' ? 'dataset_id, position' : 'id'}`)
      for (const { id, path } of rows) {
        const from = project.fromStored(path)
        const stored = project.toStored(from)
        if (own.has(stored)) named.add(stored)
        if (stored !== path && own.has(stored)) updates.push({ table, path: stored, id })
        if (own.has(stored) || path.startsWith('shipped:')) continue
        const real = await realpath(from).catch(() => null)
        if (real === null || !(await stat(real).catch(() => null))?.isFile() || (table === 'images' && !withImages && !real.startsWith(home))) {
          missing.push(from)
          continue
        }
        const name = placed.get(from) ?? freeName(`${folder}/${id}`, extname(from), taken)
        if (!placed.has(from)) moved.push({ name, from })
        placed.set(from, name)
        named.add(name)
        updates.push({ table, path: name, id })
      }
    }
    // Of this copy nothing is kept after a failure, so no update has to be on disk by itself.
    db.exec('PRAGMA synchronous = OFF')
    for (let i = 0; i < updates.length; i += ROWS_AT_ONCE) {
      db.transaction(() => {
        for (const { table, path, id } of updates.slice(i, i + ROWS_AT_ONCE)) db.run(`UPDATE ${table} SET path = ? WHERE id = ?`, path, id)
      })
      await setImmediate()
    }
    db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
  } finally {
    db.close()
  }
  return { moved, missing, named }
}

function freeName(stem: string, end: string, taken: Set<string>): string {
  let name = stem + end
  for (let n = 2; taken.has(name); n++) name = `${stem}-${n}${end}`
  taken.add(name)
  return name
}

/** What the program itself writes: followed through links, for somebody may have put these folders on a larger disk. */
const FOLLOWED = /^(runs|checkpoints)(\/|$)/

/** Names of files with '/' between, sorted. */
async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (name: string, above: readonly string[]): Promise<void> => {
    const place = join(folder, name)
    const real = await realpath(place).catch(() => null)
    if (real === null || above.includes(real)) return // a link in a circle
    const entries = await readdir(place, { withFileTypes: true }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // gone meanwhile
      throw error
    })
    for (const entry of entries) {
      const inside = name === '' ? entry.name : `${name}/${entry.name}`
      const kind = entry.isSymbolicLink() && FOLLOWED.test(inside) ? await stat(join(folder, inside)).catch(() => entry) : entry
      if (kind.isFile()) found.push(inside)
      else if (kind.isDirectory()) await walk(inside, [...above, real])
    }
  }
  await walk('', [])
  return found.sort()
}
