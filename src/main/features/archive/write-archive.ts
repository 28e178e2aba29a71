/**
 * A project as one zip file: its database as of one moment, its runs, checkpoints and own files, the images that lie elsewhere, and a manifest with the
 * hash of every entry. What was being used meanwhile is hashed as it is written, so an archive is whole however long it takes.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Transform } from 'node:stream'
import { ZipFile } from 'yazl'
import { AppError } from '../../../shared/errors.ts'
import { stage } from '../../formats/output.ts'
import { openDatabase } from '../../store/db.ts'
import type { Project } from '../../store/project.ts'
import { ARCHIVE_VERSION, MANIFEST, type Manifest } from './manifest.ts'

const PACKED = /\.(jpe?g|png|webp|avif|gif|zip|gz|safetensors|pth|pt)$/i
/** Not of the project: what can be made again, who holds it, earlier copies, what was exported. */
const LEFT_OUT = /^(cache|exports)(\/|$)|^project\.sqlite|(^|\/)\.[^/]*\.part-/

export interface ArchiveOptions {
  readonly out: string
  readonly version: string
  /** Images that lie outside the project go in too. */
  readonly images: boolean
  readonly replace: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number, name: string) => void
}
export interface Archived {
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Images that were not there any more, or were left out. */
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
    project.db.run('VACUUM INTO ?', database)
    const { outside, missing } = await moveImagesInside(project, database, options.images)
    const own = (await filesBelow(project.dir)).filter((name) => !LEFT_OUT.test(name)).map((name) => ({ name, from: join(project.dir, name) }))
    const all = [{ name: 'project.sqlite', from: database }, ...own, ...outside]
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
      files.push({ path: name, ...(await addFile(zip, name, from, writing)) })
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
async function addFile(zip: ZipFile, name: string, from: string, writing: Promise<void>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const source = createReadStream(from)
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

/** In the copy of the database, images get a place in the project; what lies there is listed. */
async function moveImagesInside(project: Project, database: string, wanted: boolean): Promise<{ outside: { name: string; from: string }[]; missing: string[] }> {
  const db = openDatabase(database)
  const outside: { name: string; from: string }[] = []
  const missing: string[] = []
  try {
    const placed = new Map<string, string>()
    for (const { id, path } of db.all<{ id: string; path: string }>('SELECT id, path FROM images ORDER BY dataset_id, position')) {
      const from = project.fromStored(path)
      const inside = !path.startsWith('shipped:') && project.toStored(from) === path && !from.startsWith('..') && join(project.dir, path) === from
      if (!(await stat(from).catch(() => null))?.isFile()) missing.push(from)
      else if (!inside && !path.startsWith('shipped:')) {
        if (!wanted) {
          missing.push(from)
          continue
        }
        const name = placed.get(from) ?? `images/${id}${extname(from)}`
        if (!placed.has(from)) outside.push({ name, from })
        placed.set(from, name)
        db.run('UPDATE images SET path = ? WHERE id = ?', name, id)
      }
    }
    db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
  } finally {
    db.close()
  }
  return { outside, missing }
}

/** Names of files with '/' between, sorted. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).split('\\').join('/')).sort()
}
