import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

type Engine = Awaited<ReturnType<typeof openTestEngine>>
const all = (datasetId: string) => ({ filter: { datasetId }, sort: 'file-order' as const, descending: false, offset: 0, limit: 100 })

async function edit(engine: Engine, datasetId: string, phrase: string, change: Record<string, unknown>): Promise<void> {
  const { rows } = await engine.handlers.regions.query(all(datasetId))
  const row = rows.find((one) => one.phrase === phrase)!
  const region = (await engine.handlers.regions.onImage({ imageId: row.imageId, checkpointIds: [] })).regions.find((one) => one.id === row.id)!
  const diff = Object.fromEntries(Object.entries(change).map(([field, after]) => [field, { before: (region as unknown as Record<string, unknown>)[field], after }]))
  await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Edit', edits: [{ regionId: region.id, revision: region.revision, diff }] })
}
const exported = async (engine: Engine, request: Parameters<Engine['handlers']['datasets']['export']>[0]) => engine.context.jobs.ended((await engine.handlers.datasets.export(request)).id)

test('rows nobody touched go back as they came, with fields this program does not know; edited ones with their edits', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  const path = await writeDataset(join(folder, 'data'), annotationsOf(2, 2))
  const source = [
    { image: '0.png', caption: ['one', 'two'], bbox: [[1.5, 2, 20, 25.25]], source_id: 7, split: 'train' }, { image: '0.png', caption: 'three', bbox: [[0, 0, 50, 20]], annotator: { name: 'x' }, split: 'train' },
    { image: '1.png', caption: ['four', 'five'], bbox: [[1, 2, 3, 4]], source_id: 8, split: 'val' },
  ]
  await writeFile(path, JSON.stringify(source))
  const id = await importInto(engine, path)
  await edit(engine, id, 'five', { phrase: 'five!', status: 'accepted' })
  await edit(engine, id, 'three', { note: 'x' })
  await engine.handlers.regions.undo({})
  const out = join(folder, 'out.json')
  expect(await exported(engine, { datasetId: id, format: 'amc-json', out })).toMatchObject({ state: 'done', result: { images: 2, regions: 5, lost: [] } })
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual([
    source[0], source[1], { image: '1.png', caption: 'four', bbox: [[1, 2, 3, 4]], source_id: 8, split: 'val' }, { image: '1.png', caption: 'five!', bbox: [[1, 2, 3, 4]], split: 'val', status: 'accepted', marks: { review: { by: expect.any(String), at: expect.any(String) } } },
  ])
})

test('a whole dataset with its history goes to another project and back to the format it came from', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  await writeDataset(join(folder, 'yolo', 'images'), [{ image: 'a.png', caption: 'x', bbox: [[1, 1, 5, 5]] }])
  await mkdir(join(folder, 'yolo', 'labels'))
  const labels = '1 0.500000 0.5000 0.50 0.5\n0 0.1 0.1 0.3 0.1 0.3 0.3\n'
  await writeFile(join(folder, 'yolo', 'labels', 'a.txt'), labels)
  await writeFile(join(folder, 'yolo', 'data.yaml'), 'names: {0: cat, 1: dog, 5: bird}\n')
  const id = await importInto(engine, join(folder, 'yolo'))
  await edit(engine, id, 'cat', { status: 'accepted', tags: ['seen'] })
  for (const format of ['amc-jsonl', 'amc-csv']) {
    const out = join(folder, format)
    expect(await exported(engine, { datasetId: id, format, out, images: 'copy', history: true })).toMatchObject({ state: 'done' })
    const other = await openTestEngine()
    const copy = await importInto(other, out)
    const { rows } = await other.handlers.regions.query(all(copy))
    expect(rows.map(({ phrase, status }) => [phrase, status])).toEqual([['dog', 'unreviewed'], ['cat', 'accepted']])
    expect((await other.handlers.regions.history({ id: rows[1]!.id })).map((one) => one.label)).toEqual((await engine.handlers.regions.history({ id: (await engine.handlers.regions.query(all(id))).rows[1]!.id })).map((one) => one.label))
    await edit(other, copy, 'cat', { status: 'unreviewed', tags: [] })
    const back = join(folder, `back-${format}`)
    expect(await exported(other, { datasetId: copy, format: 'yolo', out: back, drop: true })).toMatchObject({ state: 'done' })
    expect(await readFile(join(back, 'labels', 'train', 'a.txt'), 'utf8')).toBe(labels)
    expect(await readFile(join(back, 'data.yaml'), 'utf8')).toContain('bird')
  }
})

test('what the format cannot hold is told first, and nothing is written until it may be dropped', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  const id = await importInto(engine, await writeDataset(join(folder, 'data'), annotationsOf(2, 2)))
  await edit(engine, id, 'the thing number 1', { status: 'accepted', note: 'look' })
  const request = { datasetId: id, format: 'yolo', out: join(folder, 'out') }
  expect((await engine.handlers.datasets.planExport(request)).losses).toEqual([
    { field: 'status', what: 'Review status', count: 1, unit: 'regions' }, { field: 'note', what: 'Notes', count: 1, unit: 'regions' }, { field: 'marks', what: expect.stringContaining('reviewed'), count: 1, unit: 'regions' },
  ])
  await expect(engine.handlers.datasets.export(request)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('Review status (1 regions)') })
  expect(await readdir(folder)).toEqual(['data'])
  expect(await exported(engine, { ...request, drop: true })).toMatchObject({ state: 'done', result: { path: request.out, images: 2, regions: 4 } })
  const copy = await importInto(engine, request.out)
  expect((await engine.handlers.regions.query(all(copy))).total).toBe(4)
})

test('a saved view takes its regions only; cancelled or on a full disk nothing is left behind', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  const id = await importInto(engine, await writeDataset(join(folder, 'data'), annotationsOf(300, 2)))
  await engine.handlers.views.save({ id: 'v', name: 'val', filter: { datasetId: id, splits: ['val'] }, sort: 'file-order', descending: false })
  const out = join(folder, 'out.jsonl')
  expect(await exported(engine, { datasetId: id, viewId: 'v', format: 'amc-jsonl', out })).toMatchObject({ state: 'done', result: { images: 75, regions: 150 } })
  await expect(engine.handlers.datasets.export({ datasetId: id, viewId: 'gone', format: 'amc-jsonl', out })).rejects.toMatchObject({ code: 'not-found' })
  await expect(engine.handlers.datasets.export({ datasetId: id, format: 'coko', out })).rejects.toMatchObject({ code: 'bad-input' })
  const stop = engine.context.events.on((event) => {
    if (event.type === 'job.progressed' && event.job.kind === 'export' && event.job.state === 'running') void engine.handlers.jobs.cancel({ id: event.job.id })
  })
  expect(await exported(engine, { datasetId: id, format: 'amc-json', out: join(folder, 'stopped'), images: 'copy' })).toMatchObject({ state: 'cancelled' })
  stop()
  expect((await readdir(folder)).sort()).toEqual(['data', 'out.jsonl'])
})

test('who decided, who is to and a split of its own go with our own formats, and are told as lost by others', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  const id = await importInto(engine, await writeDataset(join(folder, 'data'), annotationsOf(1, 2)))
  const { db } = engine.context
  const marks = { assignee: 'Ann', review: { by: 'Ben', at: '2026-01-01T00:00:00.000Z' }, second: { status: 'rejected', by: 'Cy', at: '2026-01-02T00:00:00.000Z', iou: 0.5, samePhrase: true } }
  db.run("UPDATE regions SET split = 'val', assignee = ?, review = ?, second = ? WHERE position = 0", marks.assignee, JSON.stringify(marks.review), JSON.stringify(marks.second))
  expect((await engine.handlers.datasets.planExport({ datasetId: id, format: 'coco' })).losses).toEqual([{ field: 'marks', what: expect.stringContaining('reviewed'), count: 1, unit: 'regions' }])
  for (const format of ['amc-jsonl', 'amc-csv']) {
    const out = join(folder, format)
    expect(await exported(engine, { datasetId: id, format, out, images: 'copy' })).toMatchObject({ state: 'done', result: { lost: [] } })
    const other = await openTestEngine()
    const copy = await importInto(other, out)
    const { rows } = await other.handlers.regions.query(all(copy))
    expect((await other.handlers.regions.onImage({ imageId: rows[0]!.imageId, checkpointIds: [] })).regions.map(({ split, assignee, review, second }) => ({ split, assignee, review, second }))).toEqual([{ split: 'val', ...marks }, { split: 'train', assignee: null, review: null, second: null }])
  }
})
