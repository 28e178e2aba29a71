import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { readArchive } from '../../src/main/features/archive/read-archive.ts'
import { writeArchive } from '../../src/main/features/archive/write-archive.ts'
import { openDatabase } from '../../src/main/store/db.ts'
import { addCheckpoint, annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

async function archived(folder: string): Promise<{ file: string; phrases: string[] }> {
  const engine = await openTestEngine({ projectDir: join(folder, 'project') })
  const id = await importInto(engine, await writeDataset(join(folder, 'elsewhere'), annotationsOf(3, 2)))
  await addCheckpoint(engine.context.project, 'one')
  await mkdir(join(engine.context.project.runsDir, 'r1'))
  await writeFile(join(engine.context.project.runsDir, 'r1', 'metrics.jsonl'), '{}\n')
  const file = join(folder, 'project.zip')
  const result = await writeArchive(engine.context.project, { out: file, version: '1', images: true, replace: false })
  expect(result.missing).toEqual([])
  await expect(writeArchive(engine.context.project, { out: file, version: '1', images: true, replace: false })).rejects.toMatchObject({ code: 'bad-input' })
  const page = await engine.handlers.regions.query({ filter: { datasetId: id }, sort: 'file-order', descending: false, offset: 0, limit: 9 })
  await engine.close()
  return { file, phrases: page.rows.map((row) => row.phrase) }
}

test('a project goes to another place with its images, runs and checkpoints, whatever becomes of the first', async () => {
  const folder = await temporaryFolder()
  const { file, phrases } = await archived(folder)
  for (const name of ['project', 'elsewhere']) await rm(join(folder, name), { recursive: true })
  const target = join(folder, 'new', 'place')
  expect(await readArchive(file, target)).toMatchObject({ path: target, project: 'project' })
  expect(await readdir(join(folder, 'new'))).toEqual(['place'])
  const engine = await openTestEngine({ projectDir: target })
  const [dataset] = await engine.handlers.datasets.list({})
  expect(dataset).toMatchObject({ images: 3, regions: 6 })
  expect((await engine.handlers.regions.query({ filter: { datasetId: dataset!.id }, sort: 'file-order', descending: false, offset: 0, limit: 9 })).rows.map((row) => row.phrase)).toEqual(phrases)
  for (const { path } of engine.context.db.all<{ path: string }>('SELECT path FROM images')) expect((await readFile(engine.context.project.fromStored(path))).length).toBeGreaterThan(50)
  expect((await engine.handlers.checkpoints.list({})).map((one) => one.name)).toContain('one')
  expect(await readFile(join(target, 'runs', 'r1', 'metrics.jsonl'), 'utf8')).toBe('{}\n')
  await expect(readArchive(file, target)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('not an empty folder') })
})

test('images below cache/ and exports/ or behind links go in, and so do linked folders of runs and a checkpoint that lies elsewhere', async () => {
  const folder = await temporaryFolder()
  const projectDir = join(folder, 'project')
  const engine = await openTestEngine({ projectDir })
  const { project, db } = engine.context
  await mkdir(join(folder, 'disk'))
  await symlink(join(folder, 'disk'), join(projectDir, 'linked'))
  for (const [name, at] of [['a', 'cache/a'], ['b', 'exports/b'], ['c', 'linked/c'], ['d', 'own/cache/d']] as const) {
    await importInto(engine, await writeDataset(join(projectDir, at), annotationsOf(2, 1)), { name })
  }
  await rename(project.runsDir, join(folder, 'large-disk'))
  await symlink(join(folder, 'large-disk'), project.runsDir)
  await mkdir(join(project.runsDir, 'r1'))
  await writeFile(join(project.runsDir, 'r1', 'metrics.jsonl'), '{}\n')
  await symlink(project.runsDir, join(project.runsDir, 'circle'))
  const { id } = await addCheckpoint(project, 'one')
  await rename(join(projectDir, 'checkpoints', 'one.safetensors'), join(folder, 'one.safetensors'))
  db.run('UPDATE checkpoints SET path = ? WHERE id = ?', join(folder, 'one.safetensors'), id)
  const file = join(folder, 'project.zip')
  expect((await writeArchive(project, { out: file, version: '1', images: true, replace: false })).missing).toEqual([])
  // Without the images from outside, those that lie inside are still in it.
  expect((await writeArchive(project, { out: join(folder, 'small.zip'), version: '1', images: false, replace: false })).missing.map((path) => path.slice(projectDir.length))).toEqual(['/linked/c/0.png', '/linked/c/1.png'])
  await engine.close()
  for (const name of ['project', 'disk', 'large-disk', 'one.safetensors']) await rm(join(folder, name), { recursive: true })
  const target = join(folder, 'new')
  await readArchive(file, target)
  const restored = await openTestEngine({ projectDir: target })
  const paths = restored.context.db.all<{ path: string }>("SELECT path FROM images UNION ALL SELECT path FROM checkpoints WHERE origin = 'imported'").map(({ path }) => path)
  expect(paths).toHaveLength(9)
  for (const path of paths) {
    expect(path).toMatch(/^(images|checkpoints|own)\//)
    expect((await readFile(join(target, path))).length).toBeGreaterThan(50)
  }
  expect(await readFile(join(target, 'runs', 'r1', 'metrics.jsonl'), 'utf8')).toBe('{}\n')
})

test('a damaged archive says which entry, and leaves nothing behind', async () => {
  const folder = await temporaryFolder()
  const { file } = await archived(folder)
  const whole = await readFile(file)
  const start = whole.indexOf(Buffer.from('images/im_')) + 60
  const image = Buffer.from(whole)
  image[start] = image[start]! ^ 0xff
  const target = join(folder, 'new')
  for (const bytes of [image, whole.subarray(0, whole.length - 500), Buffer.from('not a zip'), Buffer.alloc(0)]) {
    await writeFile(file, bytes)
    const error = await readArchive(file, target).then(() => null, (caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'bad-input' })
    if (bytes === image) expect((error as Error).message).toMatch(/images\/im_\S+ is damaged/)
  }
  expect((await readdir(folder)).filter((name) => name.includes('new'))).toEqual([])
  await expect(readArchive(join(folder, 'gone.zip'), target)).rejects.toMatchObject({ code: 'not-found' })
})

test('entries that nobody listed, that leave the folder or that swell are refused', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'made.zip')
  const make = async (entries: Record<string, Buffer>, manifest: unknown): Promise<void> => {
    const zip = new ZipFile()
    for (const [name, bytes] of Object.entries(entries)) zip.addBuffer(bytes, name)
    zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json')
    zip.end()
    const chunks: Buffer[] = []
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
    await writeFile(file, Buffer.concat(chunks))
  }
  const manifest = (...files: { path: string; bytes: number; sha256: string }[]) => ({ format: 'amc-archive', version: 1, project: 'p', program: '1', createdAt: '', files })
  const listed = (path: string, bytes: Buffer) => ({ path, bytes: bytes.length, sha256: 'x' })
  const small = randomBytes(10)
  const zeros = Buffer.alloc(20_000_000)
  const target = join(folder, 'new')
  for (const [entries, list, message] of [
    [{ 'project.sqlite': small, extra: small }, manifest(listed('project.sqlite', small)), 'extra is not in manifest.json'],
    [{ 'project.sqlite': small }, manifest(listed('project.sqlite', small), listed('runs/gone', small)), 'runs/gone is missing'],
    [{ 'project.sqlite': zeros }, manifest(listed('project.sqlite', zeros)), 'more than 1000 times'],
    [{ 'project.sqlite': small }, manifest(listed('project.sqlite', small)), 'project.sqlite is damaged'],
    [{ 'project.sqlite': small }, { ...manifest(), format: 'other' }, 'manifest.json cannot be read'],
  ] as const) {
    await make(entries as Record<string, Buffer>, list)
    await expect(readArchive(file, target)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining(message) })
  }
  await make({ 'project.sqlite': small, 'aaaaaaaaaa': small }, manifest(listed('project.sqlite', small), listed('../../../x', small)))
  const bytes = await readFile(file)
  await writeFile(file, Buffer.from(bytes.toString('latin1').replaceAll('aaaaaaaaaa', '../../../x'), 'latin1'))
  await expect(readArchive(file, target)).rejects.toMatchObject({ code: 'bad-input' })
  await make({ 'project.sqlite': small }, { ...manifest(), version: 2 })
  await expect(readArchive(file, target)).rejects.toMatchObject({ code: 'newer-version' })
  expect((await readdir(folder)).sort()).toEqual(['made.zip'])
})

test('what goes away while an archive is written is left out, and told where the database names it; what is half written stays out', async () => {
  const folder = await temporaryFolder()
  const engine = await openTestEngine({ projectDir: join(folder, 'project') })
  const { project } = engine.context
  await importInto(engine, await writeDataset(join(project.dir, 'data'), annotationsOf(3, 1)))
  const run = join(project.runsDir, 'r1')
  await mkdir(join(run, 'states'), { recursive: true })
  for (const name of ['metrics.jsonl', 'status.json.tmp', 'states/step-1.safetensors']) await writeFile(join(run, name), '{}\n')
  const image = join(project.dir, 'data', '2.png')
  let isGone = false
  const result = await writeArchive(project, {
    out: join(folder, 'project.zip'), version: '1', images: true, replace: false,
    onProgress: () => {
      if (isGone) return
      isGone = true
      rmSync(image)
      rmSync(join(run, 'states'), { recursive: true })
    },
  })
  expect(result.missing).toEqual([image])
  const target = join(folder, 'new')
  await readArchive(join(folder, 'project.zip'), target)
  expect((await readdir(join(target, 'runs', 'r1'), { recursive: true })).sort()).toEqual(['metrics.jsonl'])
  expect((await readdir(join(target, 'data'))).sort()).toEqual(['0.png', '1.png', 'annotations.json'])
})

test('edits are made while a database is copied', async () => {
  const folder = await temporaryFolder()
  const engine = await openTestEngine({ projectDir: join(folder, 'project') })
  const { db } = engine.context
  const text = 'x'.repeat(1_000_000)
  for (let i = 0; i < 20; i++) db.run('INSERT INTO project (key, value) VALUES (?, ?)', `large ${i}`, text)
  let isDone = false
  const copying = db.copyTo(join(folder, 'copy.sqlite')).then(() => (isDone = true))
  let edits = 0
  while (!isDone) {
    db.run('INSERT OR REPLACE INTO project (key, value) VALUES (?, ?)', 'edits', String(++edits))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await copying
  expect(edits).toBeGreaterThan(1)
  const copy = openDatabase(join(folder, 'copy.sqlite'))
  expect(copy.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
  expect(copy.get("SELECT count(*) AS n FROM project WHERE key LIKE 'large %' AND length(value) = 1000000")).toEqual({ n: 20 })
  copy.close()
})
