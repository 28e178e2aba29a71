import { randomUUID } from 'node:crypto'
import { appendFile, copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const ended = async (engine: Awaited<ReturnType<typeof openTestEngine>>, request: { path: string; name?: string; imagesDir?: string; format?: string }) =>
  engine.context.jobs.ended((await engine.handlers.datasets.import(request)).id)
const rows = (engine: Awaited<ReturnType<typeof openTestEngine>>): Record<string, number> =>
  Object.fromEntries(['datasets', 'images', 'regions', 'skipped', 'revisions'].map((table) => [table, engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n]))

test('brings in every region once, in the order of the file, with splits and what was skipped', async () => {
  const engine = await openTestEngine()
  const folder = join(await temporaryFolder(), 'data')
  const path = await writeDataset(folder, annotationsOf(4, 3))
  await writeFile(path, JSON.stringify([...annotationsOf(4, 3), { image: 'gone.png', caption: 'x', bbox: [[1, 1, 5, 5]] }, { image: '0.png', caption: 7, bbox: [[1, 1, 5, 5]] }, { image: '1.png', caption: 'over the edge', bbox: [[30, 20, 55, 29]] }]))
  const job = await ended(engine, { path, name: 'Mine' })
  expect(job).toMatchObject({ state: 'done', result: { images: 4, regions: 13, skipped: 2 } })
  const [dataset] = await engine.handlers.datasets.list({})
  expect(dataset).toMatchObject({ name: 'Mine', format: 'amc-json', images: 4, regions: 13, reviewed: 0, splits: { train: 10, val: 3 }, skipped: 2, meanConsistency: null })
  const skipped = await engine.handlers.datasets.skipped({ id: dataset!.id })
  expect(skipped).toHaveLength(2)
  expect(skipped.every((one) => one.line !== null && one.reason.length > 10)).toBe(true)
  const page = await engine.handlers.regions.query({ filter: { datasetId: dataset!.id }, sort: 'file-order', descending: false, offset: 0, limit: 20 })
  expect(page.rows.map((row) => row.phrase)).toEqual([...annotationsOf(4, 3).map((one) => one.caption), 'over the edge'])
  expect((await engine.handlers.regions.query({ filter: { datasetId: dataset!.id, flagged: true }, sort: 'file-order', descending: false, offset: 0, limit: 20 })).rows).toMatchObject([{ phrase: 'over the edge' }])
})

test('the same file twice gives two datasets, each whole', async () => {
  const engine = await openTestEngine()
  const path = await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2))
  await importInto(engine, path)
  await importInto(engine, path)
  expect((await engine.handlers.datasets.list({})).map((one) => [one.images, one.regions])).toEqual([[2, 4], [2, 4]])
})

test.each([
  ['malformed in the middle', (path: string) => writeFile(path, `[\n${annotationsOf(300, 2).map((one) => JSON.stringify(one)).join(',\n')},\n{"image": "0.png" oops}\n]`), /602/],
  ['cut off', (path: string) => writeFile(path, `[\n${annotationsOf(300, 2).map((one) => JSON.stringify(one)).join(',\n')},\n{"image": "0.p`), /602/],
  ['of nothing usable', (path: string) => writeFile(path, JSON.stringify([{ image: 'nowhere.png', caption: 'x', bbox: [[1, 1, 5, 5]] }])), /missing/],
  ['empty', (path: string) => writeFile(path, ''), /./],
])('a file that is %s says where and leaves nothing behind', async (_name, write, message) => {
  const engine = await openTestEngine()
  const path = await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(300, 2))
  await write(path)
  const job = await ended(engine, { path, format: 'amc-json' })
  expect(job).toMatchObject({ state: 'failed', error: { code: 'bad-input', message: expect.stringMatching(message) } })
  expect(rows(engine)).toEqual({ datasets: 0, images: 0, regions: 0, skipped: 0, revisions: 0 })
})

test('cancelled in the middle it leaves nothing behind, and works the next time', async () => {
  const engine = await openTestEngine()
  const path = await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(800, 2))
  const stop = engine.context.events.on((event) => {
    if (event.type === 'job.progressed' && event.job.done > 100) void engine.handlers.jobs.cancel({ id: event.job.id })
  })
  const job = await ended(engine, { path })
  stop()
  expect(job.state).toBe('cancelled')
  expect(rows(engine)).toEqual({ datasets: 0, images: 0, regions: 0, skipped: 0, revisions: 0 })
  expect(await ended(engine, { path })).toMatchObject({ state: 'done', result: { images: 800, regions: 1600 } })
})

test('edits of another dataset are saved while an import goes on, and nobody sees half of it', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  const first = await importInto(engine, await writeDataset(join(folder, 'one'), annotationsOf(1, 1)))
  const path = await writeDataset(join(folder, 'two'), annotationsOf(1000, 2))
  const job = engine.handlers.datasets.import({ path })
  let edits = 0
  let lists = new Set<number>()
  const { rows: [row] } = await engine.handlers.regions.query({ filter: { datasetId: first }, sort: 'file-order', descending: false, offset: 0, limit: 1 })
  for (;;) {
    const [region] = (await engine.handlers.regions.onImage({ imageId: row!.imageId, checkpointIds: [] })).regions
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'note', edits: [{ regionId: region!.id, revision: region!.revision, diff: { note: { before: region!.note, after: `${edits++}` } } }] })
    const sizes = (await engine.handlers.datasets.list({})).map((one) => one.regions)
    lists = new Set([...lists, ...sizes])
    if (engine.context.jobs.get((await job).id).state === 'done') break
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  expect(edits).toBeGreaterThan(5)
  expect([...lists].filter((size) => size !== 1 && size !== 2000)).toEqual([])
})

test('a YOLO folder comes in with its class names as phrases', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  await writeDataset(join(folder, 'source'), annotationsOf(1, 1))
  for (const name of ['images', 'labels']) await mkdir(join(folder, 'yolo', name), { recursive: true })
  await copyFile(join(folder, 'source', '0.png'), join(folder, 'yolo', 'images', 'a.png'))
  await writeFile(join(folder, 'yolo', 'labels', 'a.txt'), '1 0.5 0.5 0.5 0.5\n0 0.25 0.25 0.2 0.2\n')
  await appendFile(join(folder, 'yolo', 'classes.txt'), 'cat\ndog\n')
  const id = await importInto(engine, join(folder, 'yolo'))
  const page = await engine.handlers.regions.query({ filter: { datasetId: id }, sort: 'phrase', descending: false, offset: 0, limit: 9 })
  expect(page.rows.map((row) => row.phrase)).toEqual(['cat', 'dog'])
  const { regions } = await engine.handlers.regions.onImage({ imageId: page.rows[1]!.imageId, checkpointIds: [] })
  expect(regions.find((one) => one.phrase === 'dog')!.boxes).toEqual([[10, 7.5, 30, 22.5]])
})

test('images inside the project are found after the project has moved; others stay where they are', async () => {
  const { rename } = await import('node:fs/promises')
  const folder = await temporaryFolder()
  const engine = await openTestEngine({ projectDir: join(folder, 'before') })
  await importInto(engine, await writeDataset(join(folder, 'before', 'own'), annotationsOf(1, 1)))
  await engine.close()
  await rename(join(folder, 'before'), join(folder, 'after'))
  const moved = await openTestEngine({ projectDir: join(folder, 'after') })
  const { path } = moved.context.db.get<{ path: string }>('SELECT path FROM images')!
  expect(path).toBe('own/0.png')
  expect(moved.context.project.fromStored(path)).toContain(join('after', 'own', '0.png'))
})

test('a removed dataset is gone at once, with everything of it', async () => {
  const engine = await openTestEngine()
  const id = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(500, 2)))
  await engine.handlers.datasets.remove({ id })
  expect(await engine.handlers.datasets.list({})).toEqual([])
  await expect.poll(() => rows(engine), { timeout: 10_000 }).toEqual({ datasets: 0, images: 0, regions: 0, skipped: 0, revisions: 0 })
  expect(() => engine.handlers.datasets.remove({ id })).toThrow(expect.objectContaining({ code: 'not-found' }))
})

test('what a preview says is what the import brings', async () => {
  const engine = await openTestEngine()
  const folder = join(await temporaryFolder(), 'data')
  const path = await writeDataset(folder, annotationsOf(12, 2))
  await rm(join(folder, '3.png'))
  const preview = await engine.handlers.datasets.preview({ path })
  expect(preview).toMatchObject({ format: 'amc-json', images: 11, regions: 22 })
  expect(preview.samples.length).toBe(10)
  const job = await ended(engine, { path })
  expect(job).toMatchObject({ total: 11, result: { images: 11, regions: 22, skipped: preview.skipped.length } })
  // The next preview knows the dataset, and one of a copy elsewhere does not.
  const { datasetId } = job.result as { datasetId: string }
  expect([preview.there, (await engine.handlers.datasets.preview({ path })).there]).toEqual([[], [{ id: datasetId, name: 'data' }]])
  await cp(folder, `${folder}-copy`, { recursive: true })
  expect((await engine.handlers.datasets.preview({ path: `${folder}-copy/annotations.json` })).there).toEqual([])
})
