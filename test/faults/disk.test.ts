import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { openDatabase } from '../../src/main/store/db.ts'
import { APPLICATION_ID, migrate, MIGRATIONS } from '../../src/main/store/migrate.ts'
import { openProject } from '../../src/main/store/project.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

/** A disk of a few megabytes; null where this user may not mount one. */
async function smallDisk(megabytes: number): Promise<string | null> {
  const folder = join(await temporaryFolder(), 'disk')
  await mkdir(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return null
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }))
  return folder
}
const canMount = (): boolean => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return process.platform === 'linux' && process.getuid?.() === 0
  } catch {
    return false
  }
}

type Engine = Awaited<ReturnType<typeof openTestEngine>>

async function firstRegion(engine: Engine, datasetId: string) {
  const { rows: [row] } = await engine.handlers.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 1 })
  return (await engine.handlers.regions.onImage({ imageId: row!.imageId, checkpointIds: [] })).regions[0]!
}

/** Edits with long notes until one is refused; the number that was acknowledged, and the refusal. */
async function editUntilFull(engine: Engine, datasetId: string): Promise<{ acknowledged: number; note: string; refusal: unknown }> {
  let region = await firstRegion(engine, datasetId)
  for (let n = 0; n < 5000; n++) {
    const after = `${n} ${'x'.repeat(8000)}`
    try {
      const answer = await engine.handlers.regions.apply({ editId: randomUUID(), label: 'note', edits: [{ regionId: region.id, revision: region.revision, diff: { note: { before: region.note, after } } }] })
      region = answer.regions[0]!
    } catch (error) {
      return { acknowledged: n, note: region.note, refusal: error }
    }
  }
  throw new Error('The disk never became full.')
}

describe('a full disk', () => {
  test.skipIf(!canMount())('(a real one; skipped where it cannot be mounted) refuses the edit in words, keeps every earlier one, and goes on once there is room', async () => {
    const disk = await smallDisk(6)
    const projectDir = join(disk!, 'project')
    const ballast = join(disk!, 'ballast')
    await writeFile(ballast, Buffer.alloc(1_500_000))
    const engine = await openTestEngine({ projectDir })
    const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2)))
    const { acknowledged, note, refusal } = await editUntilFull(engine, datasetId)
    expect(acknowledged).toBeGreaterThan(5)
    expect(refusal).toMatchObject({ code: 'disk-full', message: expect.stringContaining('safe'), cure: expect.stringContaining('Free space') })
    expect((await firstRegion(engine, datasetId)).note).toBe(note)
    // An import on a full disk fails in words as well and leaves nothing that is seen.
    const job = await engine.context.jobs.ended((await engine.handlers.datasets.import({ path: await writeDataset(join(await temporaryFolder(), 'more'), annotationsOf(900, 5)) })).id)
    expect(job).toMatchObject({ state: 'failed', error: { code: 'disk-full' } })
    expect(await engine.handlers.datasets.list({})).toHaveLength(1)

    await rm(ballast)
    const region = await firstRegion(engine, datasetId)
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'note', edits: [{ regionId: region.id, revision: region.revision, diff: { note: { before: region.note, after: 'room again' } } }] })
    await engine.close()
    const reopened = await openTestEngine({ projectDir })
    expect((await firstRegion(reopened, datasetId)).note).toBe('room again')
    expect((await reopened.handlers.regions.history({ id: region.id })).length).toBe(acknowledged + 2)
    expect(reopened.context.db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
  })

  test('(the database at its limit) refuses the edit in words and keeps every earlier one', async () => {
    const projectDir = join(await temporaryFolder(), 'project')
    const engine = await openTestEngine({ projectDir, store: { maxPages: 150 } })
    const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2)))
    const { acknowledged, note, refusal } = await editUntilFull(engine, datasetId)
    expect(acknowledged).toBeGreaterThan(5)
    expect(refusal).toMatchObject({ code: 'disk-full' })
    expect((await firstRegion(engine, datasetId)).note).toBe(note)
    fillUp(engine)
    // Undo writes too, so it is refused as a whole: the state is that of before.
    await expect((async () => engine.handlers.regions.undo({}))()).rejects.toMatchObject({ code: 'disk-full' })
    expect((await firstRegion(engine, datasetId)).note).toBe(note)
    await engine.close()
    const roomy = await openTestEngine({ projectDir })
    expect((await firstRegion(roomy, datasetId)).note).toBe(note)
  })
})

/** What the refused edit was too large for is used up, so that nothing more fits. */
function fillUp({ context: { db } }: EngineCore): void {
  for (let i = 0; i < 1000; i++) {
    try {
      db.run('INSERT INTO project (key, value) VALUES (?, ?)', `ballast ${i}`, 'x'.repeat(200))
    } catch {
      return
    }
  }
}

describe('the file of a project', () => {
  const fileOf = async (): Promise<{ dir: string; file: string }> => {
    const dir = join(await temporaryFolder(), 'project')
    await mkdir(dir)
    return { dir, file: join(dir, 'project.sqlite') }
  }

  test('of a newer program is refused and left as it is', async () => {
    const { dir, file } = await fileOf()
    openProject(dir).close()
    const newer = openDatabase(file)
    newer.exec('PRAGMA user_version = 999; CREATE TABLE from_the_future (x)')
    newer.close()
    expect(() => openProject(dir)).toThrow(expect.objectContaining({ code: 'newer-version', cure: expect.stringContaining('Update') }))
    const db = openDatabase(file)
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 999 })
    db.close()
    expect((await readdir(dir)).filter((name) => name.includes('before'))).toEqual([])
  })

  test.each([
    ['no database at all', async (file: string) => writeFile(file, 'this is a text, long enough to be mistaken for a database header of a hundred bytes, or is it not?')],
    ['a database of another program', async (file: string) => {
      const other = openDatabase(file)
      other.exec('CREATE TABLE theirs (x)')
      other.close()
    }],
  ])('that is %s is refused in words and not touched', async (_name, write) => {
    const { dir, file } = await fileOf()
    await write(file)
    expect(() => openProject(dir)).toThrow(expect.objectContaining({ code: 'bad-input' }))
    // And the lock is free again: a second attempt says the same, not that it is open elsewhere.
    expect(() => openProject(dir)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  test.each(['DELETE', 'WAL'])('of another program (journal %s) is not changed by a single byte', async (journal) => {
    const { dir, file } = await fileOf()
    const other = new DatabaseSync(file)
    other.exec(`PRAGMA journal_mode = ${journal}; PRAGMA user_version = 7; CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)`)
    other.close()
    const before = await readFile(file)
    expect(() => openProject(dir)).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('another program') }))
    expect((await readFile(file)).equals(before)).toBe(true)
    expect((await readdir(dir)).sort()).toEqual(['cache', 'project.sqlite', 'runs'])
  })

  test('of every earlier version comes up to date, keeps its rows, and a copy of before is left', async () => {
    for (let known = 1; known < MIGRATIONS.length; known++) {
      const old = MIGRATIONS[known - 1]!.version
      const { dir, file } = await fileOf()
      const before = openDatabase(file)
      migrate(before, MIGRATIONS.slice(0, known))
      before.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('d', 'Old', 'amc-json', 's', '2026-01-01T00:00:00Z', 'ready')")
      before.close()
      const project = openProject(dir)
      expect(project.db.get('SELECT name FROM datasets')).toEqual({ name: 'Old' })
      expect(project.db.get('PRAGMA user_version')).toEqual({ user_version: MIGRATIONS.at(-1)!.version })
      project.close()
      const copy = openDatabase(`${file}.before-${old + 1}`)
      expect(copy.get('PRAGMA user_version')).toEqual({ user_version: old })
      expect(copy.get('SELECT name FROM datasets')).toEqual({ name: 'Old' })
      copy.close()
    }
  })

  test('of before there were outlines reads its regions as boxes, and undoes what was done to them', async () => {
    const { dir, file } = await fileOf()
    const before = openDatabase(file)
    migrate(before, MIGRATIONS.slice(0, 3))
    before.exec(`
      INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('d', 'Old', 'amc-json', 's', '2026-01-01T00:00:00Z', 'ready');
      INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, position) VALUES ('i', 'd', 'a.png', 'a.png', 40, 30, 1, 10, 'train', 0);
      INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, box_count, status, tags, note, deleted, revision, flags) VALUES ('r', 'i', 'd', 0, 'train', 'a cat', '[[1,2,9,10]]', 1, 'unreviewed', '[]', '', 0, 2, '[]');
      INSERT INTO revisions (region_id, revision, at, actor, label, fields) VALUES ('r', 1, '2026-01-01T00:00:00Z', 'import', 'Imported', '{"phrase":"a cat","boxes":[[1,2,9,9]],"status":"unreviewed","tags":[],"note":"","deleted":false}');
      INSERT INTO revisions (region_id, revision, at, actor, label, edit_id, fields) VALUES ('r', 2, '2026-01-02T00:00:00Z', 'me', 'Box moved', 'e', '{"phrase":"a cat","boxes":[[1,2,9,10]],"status":"unreviewed","tags":[],"note":"","deleted":false}');
      INSERT INTO edits (id, dataset_id, at, actor, label, changes, state) VALUES ('e', 'd', '2026-01-02T00:00:00Z', 'me', 'Box moved', '[{"regionId":"r","diff":{"boxes":{"before":[[1,2,9,9]],"after":[[1,2,9,10]]}}}]', 'done');
    `)
    before.close()
    const engine = await openTestEngine({ projectDir: dir })
    const [region] = (await engine.handlers.regions.onImage({ imageId: 'i', checkpointIds: [] })).regions
    expect(region).toMatchObject({ boxes: [[1, 2, 9, 10]], outlines: [], revision: 2 })
    expect((await engine.handlers.regions.history({ id: 'r' })).map(({ fields }) => fields.outlines)).toEqual([[], []])
    await engine.handlers.regions.undo({})
    expect((await engine.handlers.regions.onImage({ imageId: 'i', checkpointIds: [] })).regions[0]).toMatchObject({ boxes: [[1, 2, 9, 9]], outlines: [], revision: 3 })
  })

  test('whose migration fails half way is as it was', async () => {
    const { file } = await fileOf()
    const db = openDatabase(file)
    migrate(db)
    const broken = [...MIGRATIONS, { version: 1000, sql: 'CREATE TABLE fresh (x); CREATE TABLE fresh (x)' }]
    expect(() => migrate(db, broken)).toThrow()
    expect(db.get("SELECT name FROM sqlite_schema WHERE name = 'fresh'")).toBeUndefined()
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: MIGRATIONS.at(-1)!.version })
    expect(db.get('PRAGMA application_id')).toEqual({ application_id: APPLICATION_ID })
    db.close()
  })

  test('migrations count up without gaps', () => {
    expect(MIGRATIONS.map((migration) => migration.version)).toEqual(MIGRATIONS.map((_, i) => i + 1))
  })

  test('where a file stands in the way of the folder is refused in words', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'taken'), '')
    expect(() => openProject(join(folder, 'taken'))).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('taken') }))
  })
})
