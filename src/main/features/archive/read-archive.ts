/**
 * Restores a project from an archive into a new folder, whole or not at all. Every entry has to be in the manifest with its size and hash; nothing is
 * written outside the folder, and nothing larger than the manifest says.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Entry, open, type ZipFile } from 'yauzl'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { ARCHIVE_VERSION, MANIFEST, type Manifest, manifestSchema } from './manifest.ts'

const MAX_MANIFEST = 256 * 1024 * 1024
/** Deflate cannot do better than 1032 to 1; a text of rows does not come near. */
const MAX_RATIO = 1000

export interface Restored {
  readonly path: string
  readonly project: string
  readonly files: number
  readonly bytes: number
}

/** @throws AppError 'bad-input' naming the entry that is damaged, 'newer-version', 'disk-full', 'cancelled'. Nothing is left behind then. */
export async function readArchive(file: string, target: string, options: { signal?: AbortSignal; onProgress?: (done: number, total: number, name: string) => void } = {}): Promise<Restored> {
  const place = resolve(target)
  const there = await stat(place).catch(() => null)
  if (there && (!there.isDirectory() || (await readdir(place)).length > 0)) throw new AppError('bad-input', `${place} is not an empty folder. Nothing was restored.`, 'Choose a folder that is empty or does not exist.', place)
  const zip = await openZip(file)
  let folder: string | null = null
  try {
    const entries = await listEntries(zip, file)
    const manifest = await readManifest(zip, entries, file)
    checkEntries(manifest, entries, file)
    await mkdir(dirname(place), { recursive: true })
    const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
    const disk = await statfs(dirname(place))
    if (disk.bavail * disk.bsize < total) throw new AppError('disk-full', `The project needs ${total} bytes, and there is not as much room at ${dirname(place)}.`, 'Free space, or choose another disk.', place)
    // Not mkdtemp: it shuts out all others, and the folder keeps its permissions when it gets its name.
    folder = join(dirname(place), `.${basename(place)}.part-${randomUUID().slice(0, 8)}`)
    await mkdir(folder)
    for (const [i, expected] of manifest.files.entries()) {
      if (options.signal?.aborted) throw new AppError('cancelled', 'Restoring was cancelled; nothing was kept.')
      options.onProgress?.(i, manifest.files.length, expected.path)
      await extract(zip, entries.get(expected.path)!, expected, folder, file)
    }
    if (there) await rmdir(place)
    await rename(folder, place)
    return { path: place, project: manifest.project, files: manifest.files.length, bytes: total }
  } catch (error) {
    if (folder) await rm(folder, { recursive: true, force: true })
    throw error
  } finally {
    zip.close()
  }
}

const damaged = (file: string, what: string, cause?: unknown): AppError =>
  new AppError('bad-input', `${basename(file)} is not a whole archive of a project: ${what}. Nothing was restored.`, 'Copy it again from where it was made.', file, { cause })

function openZip(file: string): Promise<ZipFile> {
  return new Promise((done, fail) => open(file, { lazyEntries: true, autoClose: false, strictFileNames: true }, (error, zip) => {
    if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') fail(new AppError('not-found', `There is no file ${file}.`, 'Check the path.', file))
    else if (error) fail(damaged(file, toErrorData(error).message, error))
    else done(zip)
  }))
}

function listEntries(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  return new Promise((done, fail) => {
    zip.on('error', (error: unknown) => fail(damaged(file, toErrorData(error).message, error)))
    zip.on('entry', (entry: Entry) => {
      if (entries.has(entry.fileName)) return fail(damaged(file, `${entry.fileName} is in it twice`))
      entries.set(entry.fileName, entry)
      zip.readEntry()
    })
    zip.on('end', () => done(entries))
    zip.readEntry()
  })
}

function streamOf(zip: ZipFile, entry: Entry, file: string): Promise<Readable> {
  return new Promise((done, fail) => zip.openReadStream(entry, (error, stream) => (error ? fail(damaged(file, `${entry.fileName} cannot be read (${error.message})`, error)) : done(stream))))
}

async function readManifest(zip: ZipFile, entries: ReadonlyMap<string, Entry>, file: string): Promise<Manifest> {
  const entry = entries.get(MANIFEST)
  if (!entry) throw damaged(file, `it holds no ${MANIFEST}`)
  if (entry.uncompressedSize > MAX_MANIFEST) throw damaged(file, `${MANIFEST} is too large`)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of await streamOf(zip, entry, file)) chunks.push(chunk as Buffer)
    const json = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { version?: unknown }
    if (typeof json.version === 'number' && json.version > ARCHIVE_VERSION) throw new AppError('newer-version', `${basename(file)} was written by a newer version of the program.`, 'Update the program, then restore it again.', file)
    return manifestSchema.parse(json)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw damaged(file, `${MANIFEST} cannot be read`, error)
  }
}

function checkEntries(manifest: Manifest, entries: ReadonlyMap<string, Entry>, file: string): void {
  const named = new Set(manifest.files.map(({ path }) => path))
  if (named.size !== manifest.files.length) throw damaged(file, `${MANIFEST} names an entry twice`)
  for (const name of entries.keys()) if (name !== MANIFEST && !named.has(name)) throw damaged(file, `${name} is not in ${MANIFEST}`)
  if (!named.has('project.sqlite')) throw damaged(file, 'it holds no project.sqlite')
  for (const { path, bytes } of manifest.files) {
    const entry = entries.get(path)
    if (!entry) throw damaged(file, `${path} is missing`)
    if (entry.uncompressedSize !== bytes) throw damaged(file, `${path} has ${entry.uncompressedSize} bytes, ${MANIFEST} says ${bytes}`)
    if (bytes > 1024 * 1024 && bytes / Math.max(1, entry.compressedSize) > MAX_RATIO) throw damaged(file, `${path} would unpack to more than ${MAX_RATIO} times its size`)
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..') || path.includes('\\') || path.includes('\0') || /^[A-Za-z]:/.test(path)) throw damaged(file, `${path} is no name of a file in a project`)
  }
}

async function extract(zip: ZipFile, entry: Entry, expected: Manifest['files'][number], folder: string, file: string): Promise<void> {
  const hash = createHash('sha256')
  const path = join(folder, expected.path)
  await mkdir(dirname(path), { recursive: true })
  const through = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  try {
    await pipeline(await streamOf(zip, entry, file), through, createWriteStream(path, { flags: 'wx', flush: true }))
  } catch (error) {
    if (error instanceof AppError || toErrorData(error).code === 'disk-full') throw error
    throw damaged(file, `${expected.path} is damaged (${toErrorData(error).message})`, error)
  }
  if (hash.digest('hex') !== expected.sha256) throw damaged(file, `${expected.path} is damaged: its bytes are not those that were archived`)
}
