import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { Region } from '../../src/shared/domain.ts'
import { diffRegion } from '../../src/shared/region-diff.ts'
import type { UpdateReport } from '../../src/main/features/datasets/update-job.ts'
import { ensureThumbnail, thumbnailPath } from '../../src/main/images/thumbnail.ts'
import { tilesFolder } from '../../src/main/images/tiles.ts'
import { addCheckpoint, fillDisk, importInto, openTestEngine, temporaryFolder, writeDataset, type Annotation } from '../support/engine.ts'

type Engine = Awaited<ReturnType<typeof openTestEngine>>

const entry = (image: string, caption: string, x = 1): Annotation => ({ image, caption, bbox: [[x, 2, x + 10, 12]] })
async function regionsOf(engine: Engine, id: string) {
  const { rows } = await engine.handlers.regions.query({ filter: { datasetId: id }, sort: 'file-order', descending: false, offset: 0, limit: 100 })
  const images = await Promise.all([...new Set(rows.map((row) => row.imageId))].map((imageId) => engine.handlers.regions.onImage({ imageId, checkpointIds: [] })))
  return images.flatMap(({ regions }) => regions)
}
async function edit(engine: Engine, id: string, phrase: string, change: Record<string, unknown>): Promise<string> {
  const region = (await regionsOf(engine, id)).find((one) => one.phrase === phrase)!
  const diff = Object.fromEntries(Object.entries(change).map(([field, after]) => [field, { before: (region as unknown as Record<string, unknown>)[field], after }]))
  await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Edit', edits: [{ regionId: region.id, revision: region.revision, diff }] })
  return region.id
}
const update = async (engine: Engine, request: Parameters<Engine['handlers']['datasets']['update']>[0]): Promise<UpdateReport> => {
  const job = await engine.context.jobs.ended((await engine.handlers.datasets.update(request)).id)
  expect(job).toMatchObject({ state: 'done' })
  return job.result as UpdateReport
}
const phrases = async (engine: Engine, id: string) => (await regionsOf(engine, id)).map((one) => one.phrase).sort()

async function start() {
  const engine = await openTestEngine()
  const folder = join(await temporaryFolder(), 'data')
  const path = await writeDataset(folder, [entry('0.png', 'stays'), entry('0.png', 'grows', 3), entry('0.png', 'goes', 5), entry('1.png', 'mine', 1), entry('1.png', 'both', 4), entry('2.png', 'picture')])
  const id = await importInto(engine, path)
  const changed = [entry('0.png', 'stays'), entry('0.png', 'grows more', 3), entry('1.png', 'mine', 1), entry('1.png', 'both there', 4), entry('1.png', 'new one', 9), entry('2.png', 'picture'), entry('3.png', 'new picture')]
  await writeFile(join(folder, '3.png'), await readFile(join(folder, '0.png')))
  return { engine, path, id, changed }
}

test('the same source again changes nothing and doubles nothing', async () => {
  const { engine, id } = await start()
  const before = await regionsOf(engine, id)
  expect(await update(engine, { id })).toMatchObject({ added: 0, addedImages: 0, changed: 0, removed: 0, same: 6, conflicts: [] })
  expect(await regionsOf(engine, id)).toEqual(before)
  expect(engine.context.db.get('SELECT count(*) AS n FROM datasets')).toEqual({ n: 1 })
})

test('what is new comes in, what changed there is updated with its history, what is gone goes; edits here stay', async () => {
  const { engine, path, id, changed } = await start()
  const edited = await edit(engine, id, 'mine', { status: 'accepted', note: 'seen' })
  await writeFile(path, JSON.stringify(changed.map((one) => (one.caption === 'both there' ? { ...one, caption: 'both' } : one))))
  const expected = { added: 2, addedImages: 1, changed: 1, removed: 1, conflicts: [] }
  expect(await update(engine, { id, dryRun: true })).toMatchObject(expected)
  expect(await phrases(engine, id)).toEqual(['both', 'goes', 'grows', 'mine', 'picture', 'stays'])
  expect(await update(engine, { id })).toMatchObject(expected)
  expect(await phrases(engine, id)).toEqual(['both', 'grows more', 'mine', 'new one', 'new picture', 'picture', 'stays'])
  const all = await regionsOf(engine, id)
  expect(all.find((one) => one.id === edited)).toMatchObject({ status: 'accepted', note: 'seen' })
  const grown = all.find((one) => one.phrase === 'grows more')!
  expect((await engine.handlers.regions.history({ id: grown.id })).map((one) => one.label).sort()).toEqual(['Imported', 'Updated from the source'])
  expect(await update(engine, { id })).toMatchObject({ added: 0, addedImages: 0, changed: 0, removed: 0, conflicts: [] })
  expect((await engine.handlers.datasets.list({}))[0]).toMatchObject({ images: 4, regions: 7 })
  const out = `${path}.again.json`
  await engine.context.jobs.ended((await engine.handlers.datasets.export({ datasetId: id, format: 'amc-json', out })).id)
  expect((JSON.parse(await readFile(out, 'utf8')) as Annotation[]).map((one) => one.caption).sort()).toEqual(await phrases(engine, id))
})

test('a region changed on both sides is a conflict: it stays as it is here until somebody says, row by row', async () => {
  const { engine, path, id, changed } = await start()
  const both = await edit(engine, id, 'both', { phrase: 'both here' })
  const gone = await edit(engine, id, 'goes', { note: 'keep me' })
  await writeFile(path, JSON.stringify(changed))
  const report = await update(engine, { id })
  expect(report.conflicts.map(({ regionId, mine, theirs }) => [regionId, mine.phrase, theirs?.phrase ?? null]).sort()).toEqual([[both, 'both here', 'both there'], [gone, 'goes', null]].sort())
  expect((await phrases(engine, id)).filter((one) => /both|goes/.test(one))).toEqual(['both here', 'goes'])
  expect((await update(engine, { id })).conflicts).toHaveLength(2)
  expect(await update(engine, { id, decisions: { [both]: 'mine', [gone]: 'theirs' } })).toMatchObject({ resolved: 2, conflicts: [] })
  expect((await phrases(engine, id)).filter((one) => /both|goes/.test(one))).toEqual(['both here'])
  expect((await engine.handlers.regions.history({ id: both })).map((one) => one.label)).toContain('Kept mine')
  expect(await update(engine, { id })).toMatchObject({ resolved: 0, conflicts: [], changed: 0, removed: 0, added: 0 })
  await edit(engine, id, 'both here', { phrase: 'both again' })
  await writeFile(path, JSON.stringify(changed.map((one) => (one.caption === 'both there' ? { ...one, caption: 'both third' } : one))))
  expect((await update(engine, { id, otherwise: 'theirs' })).resolved).toBe(1)
  expect((await phrases(engine, id)).filter((one) => /both/.test(one))).toEqual(['both third'])
})

test('records with numbers of their own are the same region whatever else of them changed', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  await writeDataset(folder, [entry('0.png', 'x')])
  const path = join(folder, 'instances.json')
  const coco = (annotations: readonly { id: number; category_id: number; bbox: number[] }[]) => writeFile(path, JSON.stringify({ images: [{ id: 1, file_name: '0.png', width: 40, height: 30 }], categories: [{ id: 1, name: 'cat' }, { id: 2, name: 'dog' }], annotations: annotations.map((one) => ({ ...one, image_id: 1 })) }))
  await coco([{ id: 11, category_id: 1, bbox: [1, 2, 5, 6] }, { id: 12, category_id: 1, bbox: [20, 2, 5, 6] }])
  const id = await importInto(engine, path)
  const first = await regionsOf(engine, id)
  await coco([{ id: 12, category_id: 2, bbox: [22, 5, 9, 9] }, { id: 11, category_id: 1, bbox: [1, 2, 5, 6] }])
  expect(await update(engine, { id })).toMatchObject({ changed: 1, same: 1, added: 0, removed: 0 })
  expect((await regionsOf(engine, id)).map((one) => [one.id, one.phrase, one.boxes])).toEqual([[first[0]!.id, 'cat', [[1, 2, 6, 8]]], [first[1]!.id, 'dog', [[22, 5, 31, 14]]]])
})

test('a source that is gone or broken changes nothing', async () => {
  const { engine, path, id } = await start()
  const before = await regionsOf(engine, id)
  await writeFile(path, '[{"image": "0.png", "caption": ')
  const job = await engine.context.jobs.ended((await engine.handlers.datasets.update({ id })).id)
  expect(job).toMatchObject({ state: 'failed', error: { code: 'bad-input' } })
  expect(await regionsOf(engine, id)).toEqual(before)
  expect(engine.context.db.get('SELECT count(*) AS n FROM datasets')).toEqual({ n: 1 })
})

test('a watched source is read again when it has changed, and not before; nothing is watched unasked', async () => {
  const engine = await openTestEngine({ watchEveryMs: 20 })
  const folder = join(await temporaryFolder(), 'data')
  const path = await writeDataset(folder, [entry('0.png', 'one')])
  const id = await importInto(engine, path)
  const updates = () => engine.handlers.jobs.list({}) as { title: string }[] | Promise<{ title: string }[]>
  expect((await engine.handlers.datasets.list({}))[0]).not.toHaveProperty('watched')
  await engine.handlers.datasets.setWatch({ id, on: true })
  expect((await engine.handlers.datasets.list({}))[0]).toMatchObject({ watched: true })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await updates()).filter((job) => job.title.startsWith('Update'))).toEqual([])
  await writeFile(path, JSON.stringify([entry('0.png', 'one'), entry('0.png', 'two', 5)]))
  await expect.poll(() => phrases(engine, id), { timeout: 30_000 }).toEqual(['one', 'two'])
  await engine.handlers.datasets.setWatch({ id, on: false })
  await writeFile(path, JSON.stringify([entry('0.png', 'one')]))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await phrases(engine, id)).toEqual(['one', 'two'])
})

test('a change whose update failed is not lost: it comes in later, without a further change, and by the next engine at the latest', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openTestEngine({ watchEveryMs: 20, projectDir })
  const path = await writeDataset(join(await temporaryFolder(), 'data'), [entry('0.png', 'one')])
  const id = await importInto(engine, path)
  await engine.handlers.datasets.setWatch({ id, on: true })
  const failed = async (on: Engine) => ((await on.handlers.jobs.list({})) as { title: string; state: string }[]).filter((job) => job.title.startsWith('Update') && job.state === 'failed').length
  const makeRoom = fillDisk(engine)
  await writeFile(path, JSON.stringify([entry('0.png', 'one'), entry('0.png', 'two', 5)]))
  await expect.poll(() => failed(engine), { timeout: 30_000 }).toBeGreaterThanOrEqual(1)
  makeRoom()
  await expect.poll(() => phrases(engine, id), { timeout: 30_000 }).toEqual(['one', 'two'])

  await writeFile(path, JSON.stringify([entry('0.png', 'one'), entry('0.png', 'two', 5), entry('0.png', 'three', 9)]))
  fillDisk(engine)
  const before = await failed(engine)
  await expect.poll(() => failed(engine), { timeout: 30_000 }).toBeGreaterThan(before)
  await engine.close()
  const next = await openTestEngine({ watchEveryMs: 20, projectDir })
  await expect.poll(() => phrases(next, id), { timeout: 30_000 }).toEqual(['one', 'three', 'two'])
})

test('regions of an image that is away, or half there, stay as they are until it can be read again', async () => {
  const { engine, path, id, changed } = await start()
  const folder = join(path, '..')
  const before = (await regionsOf(engine, id)).filter((one) => ['mine', 'both', 'picture'].includes(one.phrase))
  const picture = await readFile(join(folder, '2.png'))
  await writeFile(join(folder, '2.png'), picture.subarray(0, picture.length >> 1))
  await rename(join(folder, '1.png'), join(folder, 'away.png'))
  await writeFile(path, JSON.stringify(changed))
  expect(await update(engine, { id })).toMatchObject({ same: 4, changed: 1, removed: 1, conflicts: [] })
  expect((await regionsOf(engine, id)).filter((one) => before.some((was) => was.id === one.id))).toEqual(before)
  await rename(join(folder, 'away.png'), join(folder, '1.png'))
  await writeFile(join(folder, '2.png'), picture)
  await writeFile(path, JSON.stringify(changed.filter((one) => one.caption !== 'picture')))
  expect(await update(engine, { id })).toMatchObject({ changed: 1, added: 1, removed: 1, conflicts: [] })
  expect(await phrases(engine, id)).toEqual(['both there', 'grows more', 'mine', 'new one', 'new picture', 'stays'])
})

test('regions whose own file of annotations cannot be used stay too', async () => {
  const engine = await openTestEngine()
  const folder = join(await temporaryFolder(), 'data')
  await writeDataset(folder, [entry('a.png', 'x'), entry('b.png', 'x')])
  await rm(join(folder, 'annotations.json'))
  const labelled = (name: string) => JSON.stringify({ version: '5.5.0', flags: {}, imagePath: `${name}.png`, imageData: null, shapes: [{ label: `thing ${name}`, shape_type: 'rectangle', points: [[1, 2], [9, 12]] }] })
  for (const name of ['a', 'b']) await writeFile(join(folder, `${name}.json`), labelled(name))
  const id = await importInto(engine, folder)
  expect(await phrases(engine, id)).toEqual(['thing a', 'thing b'])
  await writeFile(join(folder, 'b.json'), labelled('b').replace('imagePath', 'path'))
  expect(await update(engine, { id })).toMatchObject({ same: 2, removed: 0 })
  expect(await phrases(engine, id)).toEqual(['thing a', 'thing b'])
  await rm(join(folder, 'b.json'))
  expect(await update(engine, { id })).toMatchObject({ same: 1, removed: 1 })
})

test('what was decided of a region goes with the state it was decided of', async () => {
  const { engine, path, id, changed } = await start()
  const both = await edit(engine, id, 'both', { status: 'accepted' })
  const goes = await edit(engine, id, 'goes', { status: 'rejected' })
  const second = { status: 'accepted', by: 'ada', at: '2026-01-01T00:00:00.000Z', iou: 1, samePhrase: true }
  for (const phrase of ['both', 'grows']) await edit(engine, id, phrase, { second })
  const state = async (regionId: string) => (await regionsOf(engine, id)).find((one) => one.id === regionId)!
  const kept = await state(both)
  expect(kept).toMatchObject({ status: 'accepted', review: { by: engine.context.author() }, second })
  await writeFile(path, JSON.stringify(changed))
  expect(await update(engine, { id, decisions: { [both]: 'mine', [goes]: 'mine' } })).toMatchObject({ resolved: 2 })
  expect(await state(both)).toMatchObject({ phrase: 'both', status: 'accepted', review: kept.review, second })
  expect((await regionsOf(engine, id)).find((one) => one.phrase === 'grows more')).toMatchObject({ second: null })
  await writeFile(path, JSON.stringify(changed.map((one) => (one.caption === 'both there' ? { ...one, caption: 'both third' } : one))))
  expect(await update(engine, { id, otherwise: 'theirs' })).toMatchObject({ resolved: 1 })
  expect(await state(both)).toMatchObject({ phrase: 'both third', status: 'unreviewed', review: null, second: null })
  const [last] = await engine.handlers.regions.history({ id: both })
  expect(last).toMatchObject({ label: 'Updated from the source', fields: { phrase: 'both third', review: null, second: null } })
})

test('a picture that was replaced is known by its file, and what was computed from the old one goes', async () => {
  const { engine, path, id } = await start()
  const { id: checkpointId } = await addCheckpoint(engine.context.project, 'one')
  const regions = await regionsOf(engine, id)
  for (const { imageId, phrase } of regions) await engine.handlers.heatmaps.get({ imageId, checkpointId, phrase })
  const of = async (phrase: string) => {
    const { id: regionId, imageId } = regions.find((one) => one.phrase === phrase)!
    return {
      image: engine.context.db.get<{ bytes: number; orientation: number; width: number; height: number }>('SELECT bytes, orientation, width, height FROM images WHERE id = ?', imageId)!,
      heats: engine.context.db.all('SELECT 1 FROM heatmaps WHERE image_id = ?', imageId).length, scores: engine.context.db.all('SELECT 1 FROM scores WHERE region_id = ?', regionId).length,
    }
  }
  const before = await of('picture')
  expect(before).toMatchObject({ heats: 1, scores: 1 })
  await update(engine, { id })
  expect(await of('picture')).toEqual(before)

  // As many bytes, and the same size in pixels.
  const file = join(path, '..', '2.png')
  const other = await sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 121, g: 131, b: 141 } } }).png().toBuffer()
  expect(other.length).toBe(before.image.bytes)
  await writeFile(file, other)
  await update(engine, { id, dryRun: true })
  expect(await of('picture')).toEqual(before)
  expect(await update(engine, { id })).toMatchObject({ same: 6 })
  expect(await of('picture')).toEqual({ ...before, heats: 0, scores: 0 })
  expect(await of('mine')).toMatchObject({ heats: 2, scores: 1 })

  await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } }).withMetadata({ orientation: 6 }).png().toFile(file)
  await update(engine, { id })
  expect((await of('picture')).image).toEqual({ bytes: (await stat(file)).size, orientation: 6, width: 30, height: 40 })

  // What was made of the old picture goes, however old the file of the new one is; regions are measured by the new size.
  const { imageId, id: regionId } = regions.find((one) => one.phrase === 'picture')!
  const [thumbnail, tiles] = [thumbnailPath(engine.context.project.cacheDir, imageId), tilesFolder(engine.context.project.cacheDir, imageId)]
  await ensureThumbnail(file, thumbnail)
  await mkdir(tiles, { recursive: true })
  const area = () => engine.context.db.get<{ area: number }>('SELECT area FROM regions WHERE id = ?', regionId)!.area
  expect(area()).toBeCloseTo(100 / 1200, 9)
  await sharp({ create: { width: 80, height: 50, channels: 3, background: 'blue' } }).png().toFile(file)
  await utimes(file, new Date(0), new Date(0))
  await update(engine, { id, dryRun: true })
  expect([existsSync(thumbnail), existsSync(tiles)]).toEqual([true, true])
  await update(engine, { id })
  expect([existsSync(thumbnail), existsSync(tiles)]).toEqual([false, false])
  expect(area()).toBeCloseTo(100 / 4000, 9)
})

test('an update takes turns with edits that are made in parts', async () => {
  const { engine, path, id, changed } = await start()
  await writeFile(path, JSON.stringify(changed))
  const before = await phrases(engine, id)
  const part = Promise.withResolvers<void>()
  const editing = engine.context.turns.inTurn(() => part.promise)
  const job = await engine.handlers.datasets.update({ id })
  // The source has been read and the first image waits.
  await expect.poll(() => engine.context.db.get("SELECT count(*) AS n FROM datasets d WHERE d.state = 'importing' AND (SELECT count(*) FROM regions r WHERE r.dataset_id = d.id) = 7"), { timeout: 30_000 }).toEqual({ n: 1 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(await phrases(engine, id)).toEqual(before)
  part.resolve()
  await editing
  expect(await engine.context.jobs.ended(job.id)).toMatchObject({ state: 'done', result: { added: 2, changed: 2, removed: 1 } })
})

test('a history may come in any order: the greatest revision is the present, and edits go on from it', async () => {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  await writeDataset(folder, [entry('0.png', 'x')])
  const revision = (number: number, phrase: string) => ({ revision: number, at: '2026-01-01T00:00:00.000Z', actor: 'ada', label: `${number}`, fields: { phrase, boxes: [[1, 2, 9, 12]], outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false } })
  const region = (phrase: string, history: unknown) => ({ phrase, boxes: [[1, 2, 9, 12]], history })
  const path = join(folder, 'regions.jsonl')
  const lines = { image: '0.png', split: 'train', regions: [region('now', [revision(3, 'now'), revision(1, 'first'), revision(2, 'then')]), region('odd', [revision(0, 'nothing'), revision(-2, 'nothing')])] }
  await writeFile(path, `${JSON.stringify({ format: 'amc-jsonl', version: 1, name: 'x' })}\n${JSON.stringify(lines)}\n`)
  const id = await importInto(engine, path)
  const [now, odd] = await regionsOf(engine, id)
  expect([now, odd]).toMatchObject([{ phrase: 'now', revision: 3 }, { phrase: 'odd', revision: 1 }])
  await edit(engine, id, 'now', { phrase: 'next' })
  expect((await engine.handlers.regions.history({ id: now!.id })).map((one) => [one.revision, one.fields.phrase])).toEqual([[4, 'next'], [3, 'now'], [2, 'then'], [1, 'first']])
  expect((await engine.handlers.regions.history({ id: odd!.id })).map((one) => one.revision)).toEqual([1])
})

test('an update tells that regions changed, also one that is cancelled on the way; a try does not', async () => {
  const { engine, path, id, changed } = await start()
  const { db, events, jobs } = engine.context
  const heard: unknown[] = []
  events.on((event) => event.type === 'regions.changed' && heard.push(event))
  await writeFile(path, JSON.stringify(changed))
  await update(engine, { id, dryRun: true })
  expect(heard).toEqual([])
  const news = { type: 'regions.changed', datasetId: id, isMany: true, imageIds: [], regionIds: [], undoLabel: null, redoLabel: null, undoEditId: null, redoEditId: null }
  await update(engine, { id })
  expect(heard).toEqual([news])

  await writeFile(path, JSON.stringify([...changed, entry('0.png', 'late', 11)]))
  const job = await engine.handlers.datasets.update({ id })
  // It is cancelled when the first image has been done.
  const run = db.transaction
  let isCancelled = false
  Object.assign(db, { transaction: <T>(work: () => T): T => {
    const result = run.call(db, work) as T
    if (!isCancelled && db.get("SELECT 1 FROM regions WHERE dataset_id = ? AND phrase = 'late'", id)) {
      isCancelled = true
      void engine.handlers.jobs.cancel({ id: job.id })
    }
    return result
  } })
  expect(await jobs.ended(job.id)).toMatchObject({ state: 'cancelled' })
  Object.assign(db, { transaction: run })
  expect(await phrases(engine, id)).toContain('late')
  expect(heard).toEqual([news, news])
})

test('a try with decisions leaves the conflicts waiting', async () => {
  const { engine, path, id, changed } = await start()
  const both = await edit(engine, id, 'both', { phrase: 'both here' })
  await writeFile(path, JSON.stringify(changed))
  const waiting = async () => (await engine.handlers.datasets.list({}))[0]!.conflicts
  await update(engine, { id })
  expect(await waiting()).toBe(1)
  expect(await update(engine, { id, dryRun: true, decisions: { [both]: 'theirs' } })).toMatchObject({ resolved: 1, conflicts: [] })
  expect(await waiting()).toBe(1)
  await update(engine, { id, decisions: { [both]: 'theirs' } })
  expect(await waiting()).toBe(0)
})

async function startCoco(annotations: readonly object[]) {
  const engine = await openTestEngine()
  const folder = await temporaryFolder()
  await writeDataset(folder, [entry('0.png', 'x')])
  const path = join(folder, 'instances.json')
  const write = (list: readonly object[], names = ['cat', 'dog']) => writeFile(path, JSON.stringify({ images: [{ id: 1, file_name: '0.png', width: 40, height: 30 }], categories: names.map((name, i) => ({ id: i + 1, name })), annotations: list.map((one, i) => ({ id: 11 + i, image_id: 1, category_id: 1, ...one })) }))
  await write(annotations)
  return { engine, write, id: await importInto(engine, path) }
}

test('a record that is the same and is read in another way is no change of the source', async () => {
  const mask = { bbox: [1, 2, 3, 4], segmentation: { size: [30, 40], counts: [32, 4, 26, 4, 26, 4, 1104] } }
  const { engine, write, id } = await startCoco([mask, { bbox: [20, 2, 5, 6] }])
  const { db } = engine.context
  // As it was read before masks became outlines.
  db.run("UPDATE regions SET outlines = '[]', boxes = '[[1,2,4,6]]' WHERE phrase = 'cat' AND outlines <> '[]'")
  const [before] = await regionsOf(engine, id)
  expect(before).toMatchObject({ outlines: [], boxes: [[1, 2, 4, 6]] })
  expect(await update(engine, { id })).toMatchObject({ same: 2, changed: 0, conflicts: [] })
  expect((await regionsOf(engine, id))[0]).toEqual(before)
  await edit(engine, id, 'cat', { note: 'mine' })
  expect(await update(engine, { id })).toMatchObject({ same: 2, conflicts: [] })
  // Another mask, or another name of its category, is a change.
  await write([mask, { bbox: [20, 2, 5, 6] }], ['lion'])
  expect(await update(engine, { id })).toMatchObject({ changed: 1, conflicts: [{ regionId: before!.id }] })
  await write([{ ...mask, segmentation: { size: [30, 40], counts: [32, 4, 1164] } }, { bbox: [20, 2, 5, 6] }])
  expect((await update(engine, { id })).conflicts).toMatchObject([{ regionId: before!.id, theirs: { boxes: [[1, 2, 2, 6]] } }])
})

test('a region whose record cannot be read any more stays; the others of its image are updated', async () => {
  const { engine, write, id } = await startCoco([{ bbox: [1, 2, 3, 4] }, { bbox: [20, 2, 5, 6], category_id: 2 }])
  await write([{ bbox: [1, 2, 'three', 4] }, { bbox: [21, 2, 5, 6], category_id: 2 }])
  expect(await update(engine, { id })).toMatchObject({ same: 1, changed: 1, removed: 0, skipped: 1 })
  expect((await regionsOf(engine, id)).map(({ phrase, boxes }) => [phrase, boxes])).toEqual([['cat', [[1, 2, 4, 6]]], ['dog', [[21, 2, 26, 8]]]])
  await write([{ bbox: [1, 2, 0, 0] }, { bbox: [21, 2, 5, 6], category_id: 2 }])
  expect(await update(engine, { id })).toMatchObject({ same: 2, removed: 0, skipped: 1 })
  await write([{ id: 12, bbox: [21, 2, 5, 6], category_id: 2 }])
  expect(await update(engine, { id })).toMatchObject({ removed: 1, same: 1 })
  expect(await phrases(engine, id)).toEqual(['dog'])
})

test('what an update writes into the history is the whole state, and goes back with its place in the stack', async () => {
  const { engine, path, id, changed } = await start()
  await edit(engine, id, 'grows', { assignee: 'ada' })
  const [, region] = await regionsOf(engine, id)
  expect(region).toMatchObject({ phrase: 'grows', assignee: 'ada' })
  await writeFile(path, JSON.stringify(changed))
  await update(engine, { id })
  const of = async () => (await regionsOf(engine, id)).find((one) => one.id === region!.id)!
  const [updated] = await engine.handlers.regions.history({ id: region!.id })
  expect(updated).toMatchObject({ label: 'Updated from the source', fields: { phrase: 'grows more', split: region!.split, assignee: 'ada', z: 0 } })
  const become = (label: string, before: Region, after: Partial<Region>) => engine.handlers.regions.apply({ editId: randomUUID(), label, edits: [{ regionId: before.id, revision: before.revision, diff: diffRegion(before, { ...before, ...after }) }] })
  await become('Edit', await of(), { assignee: 'ben', z: 3 })
  const now = await of()
  expect(now).toMatchObject({ assignee: 'ben', z: 3 })
  await become('Restored', now, updated!.fields)
  expect(await of()).toMatchObject({ assignee: 'ada' })
  expect((await of()).z ?? 0).toBe(0)
})

test('a score or heatmap of the picture before is not kept when it comes after the update', async () => {
  const { engine, path, id } = await start()
  const { db, project } = engine.context
  const { id: checkpointId } = await addCheckpoint(project, 'one')
  const regions = await regionsOf(engine, id)
  const picture = regions.find((one) => one.phrase === 'picture')!
  const gate = Promise.withResolvers<void>()
  const { call } = engine.compute
  const asked = Promise.withResolvers<void>()
  engine.compute.call = async (method, request, options) => {
    if (method !== 'score') return call(method, request, options)
    asked.resolve()
    await gate.promise
    const values = new Float32Array(16).fill(0.5)
    const scores = { pointingHit: true, insideEnergy: 0.5, meanMargin: 0, maxMargin: 0, amcMean: 0, amcMax: 0, softIou: 0.3, uncertain: false, matchProbability: 0.9 }
    const list = regions.map(({ id: regionId, phrase, revision }) => ({ regionId, phrase, revision, tokens: [], truncated: false, scores, grid: { width: 4, height: 4, values }, peak: { x: 1, y: 1 } }))
    options?.onEvent?.({ type: 'score.batch', done: list.length, total: list.length, regions: list })
    return { scored: list.length, skipped: [] } as never
  }
  const heats = Promise.withResolvers<void>()
  engine.compute.gate = heats.promise
  const heat = engine.handlers.heatmaps.get({ imageId: picture.imageId, checkpointId, phrase: 'picture' })
  const job = await engine.handlers.scores.compute({ datasetId: id, checkpointId })
  await asked.promise
  await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } }).png().toFile(join(path, '..', '2.png'))
  await update(engine, { id })
  gate.resolve()
  heats.resolve()
  await heat
  expect(await engine.context.jobs.ended(job.id)).toMatchObject({ state: 'done' })
  expect(db.all('SELECT 1 FROM scores')).toHaveLength(5)
  expect(db.all('SELECT 1 FROM heatmaps WHERE image_id = ?', picture.imageId)).toEqual([])
  expect(db.get('SELECT 1 FROM scores WHERE region_id = ?', picture.id)).toBeUndefined()
})
