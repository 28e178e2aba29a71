/** The frozen data of a run: what it holds, what is new to it, and what changed since. */
import { existsSync } from 'node:fs'
import { rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { addCheckpoint, annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

test('a run tells which revisions it holds, which corrections it is the first to see, and what changed since', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openTestEngine({ projectDir })
  const { runs, regions } = engine.handlers
  const datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(8, 2)))
  const start = (name: string) => runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 3, 'memory.check': false }, datasetId, name })
  const edit = async (id: string, field: string, after: unknown) => {
    const imageId = engine.context.db.get<{ image_id: string }>('SELECT image_id FROM regions WHERE id = ?', id)!.image_id
    const region = (await regions.onImage({ imageId, checkpointIds: [] })).regions.find((one) => one.id === id)!
    const before = (region as unknown as Record<string, unknown>)[field]
    await regions.apply({ editId: `${id} ${field} ${JSON.stringify(after)}`, label: 'edit', edits: [{ regionId: id, revision: region.revision, diff: { [field]: { before, after } } as never }] })
  }
  const first = await start('first')
  const snapshot = await runs.snapshot({ id: first.id, offset: 0, limit: 5 })
  expect(snapshot).toMatchObject({ regions: 16, images: 8, splits: { train: 12, val: 4 }, firstSeen: 0, corrections: [] })
  expect(snapshot.samples.map(({ revision }) => revision)).toEqual([1, 1, 1, 1, 1])
  expect(await runs.dataChanges({ id: first.id })).toMatchObject({ unchanged: 16, counts: { edited: 0, removed: 0, rejected: 0, moved: 0, added: 0 }, changes: [] })

  const ids = engine.context.db.all<{ id: string }>('SELECT id FROM regions ORDER BY position').map((row) => row.id)
  await edit(ids[0]!, 'phrase', 'another thing')
  await edit(ids[1]!, 'boxes', [[1, 2, 9, 12]])
  await edit(ids[2]!, 'status', 'rejected')
  await edit(ids[3]!, 'deleted', true)
  await edit(ids[4]!, 'status', 'accepted')
  const second = await start('second')
  const changed = await runs.dataChanges({ id: first.id })
  expect(changed).toMatchObject({ unchanged: 12, counts: { edited: 2, removed: 1, rejected: 1, moved: 0, added: 0 } })
  const of = (id: string) => changed.changes.find((one) => one.regionId === id)!
  expect(of(ids[0]!)).toMatchObject({ kind: 'edited', shapeChanged: false, before: { phrase: 'the thing number 0', revision: 1 }, now: { phrase: 'another thing', revision: 2 } })
  expect(of(ids[1]!)).toMatchObject({ kind: 'edited', shapeChanged: true })
  expect(of(ids[3]!)).toMatchObject({ kind: 'removed', now: null })
  // The run made after the edits holds them, and nothing has changed since.
  expect(await runs.dataChanges({ id: second.id })).toMatchObject({ unchanged: 14, changes: [] })
  expect((await runs.snapshot({ id: second.id, offset: 0, limit: 1 })).corrections.map((one) => one.regionId).sort()).toEqual([ids[0], ids[1]].sort())
  // A later run sees them too, but is not the first.
  await edit(ids[5]!, 'phrase', 'late')
  const third = await start('third')
  expect((await runs.snapshot({ id: third.id, offset: 0, limit: 1 })).corrections.map((one) => one.regionId)).toEqual([ids[5]])
  // What was rejected and is taken back is new to the second.
  await edit(ids[2]!, 'status', 'unreviewed')
  expect(await runs.dataChanges({ id: second.id })).toMatchObject({ counts: { added: 1, edited: 1 } })
})

test('a run from a checkpoint is told what is new to it: since the run of the checkpoint, else since the import', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openTestEngine({ projectDir })
  const { runs, regions, views } = engine.handlers
  const { db } = engine.context
  const datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(8, 2)))
  const ids = db.all<{ id: string }>('SELECT id FROM regions ORDER BY position').map((row) => row.id)
  const edit = async (id: string, field: string, after: unknown) => {
    const imageId = db.get<{ image_id: string }>('SELECT image_id FROM regions WHERE id = ?', id)!.image_id
    const region = (await regions.onImage({ imageId, checkpointIds: [] })).regions.find((one) => one.id === id)!
    const before = (region as unknown as Record<string, unknown>)[field]
    await regions.apply({ editId: `${id} ${field} ${JSON.stringify(after)}`, label: 'edit', edits: [{ regionId: id, revision: region.revision, diff: { [field]: { before, after } } as never }] })
  }
  const other = await addCheckpoint(engine.context.project, 'from elsewhere')
  const since = (startCheckpointId: string, more: { viewId?: string; includeRejected?: boolean } = {}) => runs.changedSince({ datasetId, startCheckpointId, ...more })
  expect(await since(other.id)).toEqual({ run: null, corrected: 0, train: 0, leftOut: 0, firstSeen: 0 })
  // Images 0 to 2 are of the split train, image 3 (regions 6 and 7) of val. A review corrects nothing.
  await edit(ids[0]!, 'phrase', 'another thing')
  await edit(ids[6]!, 'boxes', [[1, 2, 9, 12]])
  await edit(ids[1]!, 'status', 'accepted')
  await edit(ids[2]!, 'status', 'rejected')
  expect(await since(other.id)).toEqual({ run: null, corrected: 2, train: 1, leftOut: 1, firstSeen: 2 })
  expect(await since(other.id, { includeRejected: true })).toMatchObject({ corrected: 2, leftOut: 0 })
  await views.save({ id: 'v', name: 'val alone', filter: { datasetId, splits: ['val'] }, sort: 'file-order', descending: false })
  expect(await since(other.id, { viewId: 'v' })).toMatchObject({ corrected: 1, train: 0, leftOut: 0, firstSeen: 1 })
  // Of the view in hand alone; what it says of statuses is what changed.
  await views.save({ id: 'accepted', name: 'accepted in train', filter: { datasetId, splits: ['train'], statuses: ['accepted'] }, sort: 'file-order', descending: false })
  expect(await since(other.id, { viewId: 'accepted' })).toMatchObject({ leftOut: 1 })

  const first = await runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 3, 'memory.check': false }, datasetId, name: 'first' })
  expect(await runs.snapshot({ id: first.id, offset: 0, limit: 1 })).toMatchObject({ firstSeen: 2, correctionIds: [ids[0], ids[6]] })
  // What is from that run has seen them; what is from elsewhere has not, though it is not the first any more.
  db.run('UPDATE checkpoints SET run_id = ? WHERE id = ?', first.id, other.id)
  const elsewhere = await addCheckpoint(engine.context.project, 'from yet elsewhere')
  expect(await since(other.id)).toEqual({ run: { id: first.id, number: first.number }, corrected: 0, train: 0, leftOut: 0, firstSeen: 0 })
  expect(await since(elsewhere.id)).toMatchObject({ run: null, corrected: 2, leftOut: 1, firstSeen: 0 })
  // Taking a correction back is a change to whoever was trained on it.
  await edit(ids[0]!, 'phrase', 'the thing number 0')
  await edit(ids[3]!, 'deleted', true)
  expect(await since(other.id)).toMatchObject({ corrected: 1, train: 1, leftOut: 1, firstSeen: 1 })
  expect(await since(elsewhere.id)).toMatchObject({ corrected: 1, leftOut: 2, firstSeen: 0 })
  expect(await since(other.id, { viewId: 'v' })).toMatchObject({ leftOut: 0 })
  expect(await since(other.id, { viewId: 'accepted' })).toMatchObject({ leftOut: 1 })
})

test('what an update brings later makes no correction of what an earlier run was frozen with', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openTestEngine({ projectDir })
  const { runs, datasets } = engine.handlers
  const annotations = annotationsOf(8, 2)
  const path = await writeDataset(join(projectDir, 'data'), annotations)
  const datasetId = await importInto(engine, path)
  const start = (name: string) => runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 3, 'memory.check': false }, datasetId, name })
  const before = await start('before')
  await writeDataset(join(projectDir, 'data'), annotations.map((one, i) => (i === 0 ? { ...one, caption: 'as the source says now' } : one)))
  expect(await engine.context.jobs.ended((await datasets.update({ id: datasetId })).id)).toMatchObject({ state: 'done', result: { changed: 1 } })
  const after = await start('after')
  expect(await runs.snapshot({ id: before.id, offset: 0, limit: 1 })).toMatchObject({ firstSeen: 0, corrections: [] })
  expect(await runs.snapshot({ id: after.id, offset: 0, limit: 1 })).toMatchObject({ firstSeen: 0, corrections: [] })
})

test('a run folder that cannot be put back yet does not keep the project closed, and is put back by a later start', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openTestEngine({ projectDir })
  const datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(8, 2)))
  const { id } = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 3, 'memory.check': false }, datasetId, name: 'one' })
  await expect.poll(() => engine.context.db.get<{ state: string }>('SELECT state FROM runs WHERE id = ?', id)!.state).toBe('failed') // the stand-in does not train
  const folder = engine.context.project.fromStored(engine.context.db.get<{ folder: string }>('SELECT folder FROM runs WHERE id = ?', id)!.folder)
  engine.context.db.run("UPDATE runs SET state = 'paused', error = NULL WHERE id = ?", id)
  await engine.close()
  await rename(folder, `${folder}.removed`)
  await symlink(join(projectDir, 'nowhere'), folder) // a folder cannot take the place of a link
  const next = await openTestEngine({ projectDir })
  expect(next.context.db.get('SELECT state FROM runs WHERE id = ?', id)).toEqual({ state: 'paused' })
  expect(existsSync(`${folder}.removed`)).toBe(true)
  await next.close()
  await rm(folder)
  await openTestEngine({ projectDir })
  expect([existsSync(join(folder, 'config.yaml')), existsSync(`${folder}.removed`)]).toEqual([true, false])
})
