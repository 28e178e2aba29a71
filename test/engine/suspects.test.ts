import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Box } from '../../src/shared/geometry.ts'
import { findHeat, scoreRegionsOfHeat, storeHeat } from '../../src/main/store/heat-rows.ts'
import { type Annotation, addCheckpoint, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const LEFT: Box = [2, 4, 18, 26]
const RIGHT: Box = [22, 4, 38, 26]
const WAIT = { timeout: 60_000, interval: 20 }

/** Sixty images with two phrases each, right but for those of the images named. */
async function openScored(wrong: { swapped?: number; twin?: number; elsewhere?: number } = {}) {
  const annotations = Array.from({ length: 60 }, (_, i): Annotation[] => {
    const name = `${String(i).padStart(2, '0')}.png`
    const [cup, hat] = i === wrong.swapped ? [RIGHT, LEFT] : i === wrong.twin ? [LEFT, LEFT] : i === wrong.elsewhere ? [[16, 1, 21, 6] as const, RIGHT] : [LEFT, RIGHT]
    return [{ image: name, caption: 'the cup', bbox: [[...cup!] as never] }, { image: name, caption: 'the hat', bbox: [[...hat!] as never] }]
  }).flat()
  const engine = await openTestEngine()
  const { db, project, events } = engine.context
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotations))
  const { id: checkpointId } = await addCheckpoint(project, 'one')
  scoreAll(db, checkpointId)
  events.emit({ type: 'scores.changed', datasetId, checkpointId })
  const unjudged = (): number => db.get<{ n: number }>('SELECT count(*) AS n FROM scores WHERE evidence IS NULL')!.n
  await expect.poll(unjudged, WAIT).toBe(0)
  const ids = db.all<{ id: string; phrase: string; image: string }>('SELECT r.id, r.phrase, i.name AS image FROM regions r JOIN images i ON i.id = r.image_id')
  const regionId = (image: number, phrase: string): string => ids.find((one) => one.phrase === phrase && one.image === `${String(image).padStart(2, '0')}.png`)!.id
  const query = async () => (await engine.handlers.regions.query({ filter: { datasetId, checkpointId }, sort: 'suspect', descending: true, offset: 0, limit: 200 })).rows.map((row) => row.id)
  const of = (id: string) => engine.handlers.suspects.of({ regionId: id, checkpointId })
  const boxes = (id: string): Box[] => JSON.parse(db.get<{ boxes: string }>('SELECT boxes FROM regions WHERE id = ?', id)!.boxes) as Box[]
  const revision = (id: string): number => db.get<{ revision: number }>('SELECT revision FROM regions WHERE id = ?', id)!.revision
  const trust = (id: string): number => db.get<{ trust: number }>('SELECT trust FROM scores WHERE region_id = ?', id)!.trust
  let edits = 0
  const move = (id: string, after: readonly Box[]) =>
    engine.handlers.regions.apply({ editId: `e${++edits}`, label: 'Mend', suspect: { regionId: id, checkpointId }, edits: [{ regionId: id, revision: revision(id), diff: { boxes: { before: boxes(id), after: [...after] } } }] })
  const keep = (id: string) =>
    engine.handlers.regions.apply({ editId: `e${++edits}`, label: 'Accepted', suspect: { regionId: id, checkpointId }, edits: [{ regionId: id, revision: revision(id), diff: { status: { before: 'unreviewed', after: 'accepted' } } }] })
  return { ...engine, db, datasetId, checkpointId, regionId, query, of, move, keep, trust, unjudged }
}

/** The cup is hot on the left, the hat on the right. */
function scoreAll(db: Parameters<typeof storeHeat>[0], checkpointId: string): void {
  db.transaction(() => {
    for (const { image_id: imageId, phrase, n } of db.all<{ image_id: string; phrase: string; n: number }>('SELECT image_id, phrase, min(position) AS n FROM regions GROUP BY image_id, phrase')) {
      const from = phrase === 'the cup' ? 1 : 5
      const values = new Float32Array(64)
      for (let y = 2; y < 6; y++) for (let x = from; x < from + 2; x++) values[y * 8 + x] = 1 + 0.01 * ((n + x + y) % 9)
      storeHeat(db, {
        checkpointId, imageId, phrase, grid: { width: 8, height: 8, values }, peak: { x: phrase === 'the cup' ? 10 : 30, y: 15 }, matchProbability: 0.5, layer: 1, maskSize: 32, tokens: [], truncated: false,
      })
      scoreRegionsOfHeat(db, findHeat(db, checkpointId, imageId, phrase)!)
    }
  })
}

describe('the queue of suspects', () => {
  test('what is wrong comes first, each with its reasons, and what is right is no suspect', async () => {
    const { query, of, regionId, handlers, datasetId, checkpointId } = await openScored({ swapped: 7, twin: 20, elsewhere: 33 })
    const wrong = [regionId(7, 'the cup'), regionId(7, 'the hat'), regionId(20, 'the hat'), regionId(33, 'the cup')]
    expect(new Set((await query()).slice(0, 4))).toEqual(new Set(wrong))
    expect(handlers.suspects.count({ filter: { datasetId, checkpointId } })).toEqual({ suspects: 4 })
    expect(handlers.suspects.count({ filter: { datasetId, checkpointId, text: 'cup' } })).toEqual({ suspects: 2 })
    const swapped = await of(regionId(7, 'the cup'))
    expect(swapped.suspicion).toBeGreaterThan(0.9)
    expect(swapped.reasons.slice(0, 2).map((one) => one.name)).toEqual(['outside', 'swap'])
    expect(swapped.reasons.find((one) => one.name === 'swap')!.otherId).toBe(regionId(7, 'the hat'))
    expect((await of(regionId(20, 'the hat'))).reasons.map((one) => one.name)).toContain('twin')
    expect((await of(regionId(1, 'the hat'))).reasons).toEqual([])
    expect(await of('nobody')).toEqual({ suspicion: null, reasons: [] })
  })

  test('an edit is judged at once, its neighbours with it, and undo brings the suspicion back', async () => {
    const { of, move, regionId, handlers, unjudged } = await openScored({ twin: 20 })
    const [cup, hat] = [regionId(20, 'the cup'), regionId(20, 'the hat')]
    const before = (await of(hat)).suspicion!
    expect(before).toBeGreaterThan(0.9)
    await move(hat, [RIGHT])
    expect((await of(hat)).suspicion).toBeLessThan(0.1)
    expect((await of(cup)).suspicion).toBeLessThan(0.1)
    await expect.poll(unjudged, WAIT).toBe(0)
    await handlers.regions.undo({})
    expect((await of(hat)).suspicion).toBeCloseTo(before, 6)
  })

  test('walks its index and sorts nothing', async () => {
    const { db, datasetId, checkpointId } = await openScored()
    const plan = db.all<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT r.id FROM scores s CROSS JOIN regions r ON r.id = s.region_id WHERE s.dataset_id = ? AND s.checkpoint_id = ? AND s.protocol = 'AMC strict' AND r.deleted = 0 ORDER BY s.trust, s.region_id LIMIT 100", datasetId, checkpointId,
    ).map((row) => row.detail).join('\n')
    expect(plan).toContain('scores_by_trust')
    expect(plan).not.toContain('TEMP B-TREE')
  })

  test('a second checkpoint that finds the same raises the suspicion', async () => {
    const { db, context, datasetId, checkpointId, of, regionId } = await openScored({ elsewhere: 33 })
    const id = regionId(33, 'the cup')
    const alone = (await of(id)).suspicion!
    const { id: second } = await addCheckpoint(context.project, 'two')
    scoreAll(db, second)
    context.events.emit({ type: 'scores.changed', datasetId, checkpointId: second })
    await expect.poll(() => db.get<{ n: number }>('SELECT count(*) AS n FROM suspect_baselines WHERE walked_to IS NULL')!.n, WAIT).toBe(2)
    const { suspicion, reasons } = await of(id)
    expect(suspicion).toBeGreaterThan(alone)
    expect(reasons.find((one) => one.name === 'agree')!.numbers.slice(0, 2)).toEqual([1, 1])
    expect(checkpointId).not.toBe(second)
  })
})

describe('what a judgement rests on', () => {
  test('the checkpoints of one run are a history: a sample that none of them learned says so, and they are no chorus of peers', async () => {
    const { db, context, datasetId, of, regionId } = await openScored({ elsewhere: 33 })
    const id = regionId(33, 'the cup')
    db.run(
      `INSERT INTO runs (id, number, name, preset, dataset_id, state, folder, config, step, total_steps, epoch, elapsed_seconds, created_at)
       VALUES ('run', 1, 'run', 'demo-amc', ?, 'finished', 'runs/run', '{}', 30, 30, 1, 1, 't')`, datasetId,
    )
    for (const step of [10, 20, 30]) {
      const { id: checkpointId } = await addCheckpoint(context.project, `step ${step}`)
      db.run('UPDATE checkpoints SET run_id = ?, step = ?, best = ? WHERE id = ?', 'run', step, step === 20 ? 1 : 0, checkpointId)
      scoreAll(db, checkpointId)
      context.events.emit({ type: 'scores.changed', datasetId, checkpointId })
    }
    await expect.poll(() => db.get<{ n: number }>('SELECT count(*) AS n FROM suspect_baselines WHERE walked_to IS NULL')!.n, WAIT).toBe(4)
    const { reasons } = await of(id)
    expect(reasons.find((one) => one.name === 'unlearned')!.numbers.slice(0, 2)).toEqual([0, 3])
    expect(reasons.find((one) => one.name === 'agree')!.numbers.slice(0, 2), 'one of a run is heard').toEqual([1, 1])
    expect((await of(regionId(2, 'the cup'))).reasons).toEqual([])
  })

  test('a pass that was ended goes on where it was, and leaves what it had done', async () => {
    const { db, context, datasetId, checkpointId } = await openScored()
    const walkedTo = () => db.get<{ walked_to: number | null }>('SELECT walked_to FROM suspect_baselines')!.walked_to
    await expect.poll(walkedTo, WAIT).toBeNull()
    const middle = db.get<{ position: number }>("SELECT position FROM images WHERE name = '30.png'")!.position
    db.run('UPDATE scores SET trust = 0.123')
    db.run('UPDATE suspect_baselines SET walked_to = ?', middle)
    context.events.emit({ type: 'scores.changed', datasetId, checkpointId })
    await expect.poll(walkedTo, WAIT).toBeNull()
    const left = db.all<{ name: string }>('SELECT DISTINCT i.name FROM scores s JOIN regions r ON r.id = s.region_id JOIN images i ON i.id = r.image_id WHERE s.trust = 0.123 ORDER BY i.name').map((row) => row.name)
    expect([left.length, left[0], left.at(-1)]).toEqual([30, '00.png', '29.png'])
  })

  test('scores by hand of an older project have a trust by their share inside until they are judged', async () => {
    const { db } = await openScored()
    db.run('UPDATE scores SET evidence = NULL')
    const one = db.get<{ checkpoint_id: string; region_id: string; dataset_id: string }>('SELECT * FROM scores LIMIT 1')!
    db.run('DELETE FROM scores WHERE region_id = ?', one.region_id)
    db.run(
      `INSERT INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability)
       VALUES (?, ?, 'AMC strict', ?, 1, 1, 0.6, 0, 0, 0, 0, 0, 0, 0)`, one.checkpoint_id, one.region_id, one.dataset_id,
    )
    expect(db.get('SELECT trust, evidence FROM scores WHERE region_id = ?', one.region_id)).toEqual({ trust: 0.8, evidence: null })
  })
})

describe('what decisions teach', () => {
  test('a mend agrees, keeping refuses; undone it taught nothing; forgotten, the weights are the usual ones', async () => {
    const { move, keep, regionId, handlers } = await openScored({ swapped: 7, twin: 20, elsewhere: 33 })
    expect(handlers.suspects.learned({})).toEqual({ decisions: 0, agreed: 0, reasons: [] })
    await move(regionId(20, 'the hat'), [RIGHT])
    await keep(regionId(33, 'the cup'))
    const learned = await handlers.suspects.learned({})
    expect(learned).toMatchObject({ decisions: 2, agreed: 1 })
    const reason = (name: string) => learned.reasons.find((one) => one.name === name)!
    expect(reason('outside')).toMatchObject({ agreed: 1, asked: 2 })
    expect(reason('twin')).toMatchObject({ agreed: 1, asked: 1 })
    expect(reason('outside').weight).toBeLessThan(reason('outside').usual)
    await handlers.regions.undo({})
    expect(handlers.suspects.learned({})).toMatchObject({ decisions: 1, agreed: 1 })
    await handlers.regions.redo({})
    expect(handlers.suspects.learned({})).toMatchObject({ decisions: 2, agreed: 1 })
    expect(await handlers.suspects.forget({})).toEqual({ decisions: 0, agreed: 0, reasons: [] })
  })

  test('only what was shown as a suspect teaches, and only what answers it', async () => {
    const { keep, move, regionId, handlers, checkpointId } = await openScored({ elsewhere: 33 })
    const id = regionId(33, 'the cup')
    await keep(regionId(2, 'the cup')) // nothing was said of it
    await move(id, [[16, 1, 21.1, 6]]) // a touch
    const note = { regionId: id, revision: 2, diff: { note: { before: '', after: 'look again' } } }
    await handlers.regions.apply({ editId: 'note', label: 'Note', suspect: { regionId: id, checkpointId }, edits: [note] })
    await handlers.regions.apply({ editId: 'unseen', label: 'Accepted', edits: [{ regionId: id, revision: 3, diff: { status: { before: 'unreviewed', after: 'accepted' } } }] })
    expect(handlers.suspects.learned({})).toMatchObject({ decisions: 0 })
  })

  test('the order follows: reasons that are refused sink below those that are accepted', async () => {
    const { keep, regionId, trust, db, unjudged } = await openScored({ swapped: 7, elsewhere: 33 })
    const other = regionId(7, 'the hat')
    const before = trust(other)
    await keep(regionId(33, 'the cup'))
    await keep(regionId(7, 'the cup'))
    await expect.poll(() => trust(other), WAIT).toBeGreaterThan(before + 0.001)
    expect(unjudged()).toBe(0)
    expect(db.get<{ n: number }>('SELECT count(*) AS n FROM scores WHERE trust <= 0 OR trust >= 1')!.n).toBe(0)
  })
})
