/** The demo's second half, small: suspects corrected, trained on, compared, through the real engine. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loopLines, runLoop } from '../../src/main/cli/demo-loop.ts'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { PLANTED_ERRORS_FILE } from '../../src/main/demo/demo-folder.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import type { PlantedErrorsFile } from '../../src/main/demo/planted-errors.ts'
import { openEngine } from '../../src/main/engine/engine.ts'
import { importInto, temporaryFolder } from '../support/engine.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const SMALL = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 4, 'validation.probes': 1, 'validation.every': 3, 'save.every': 3 }
const silent = { json: true, signal: new AbortController().signal, note: () => undefined, progress: { report: () => undefined, end: () => undefined } }

describe.skipIf(!hasTensorFlow)(`curating, training on and comparing${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, () => {
  test('puts right only what the queue showed, trains on both states of the data, and reports what is stored', async () => {
    const projectDir = join(await temporaryFolder(), 'project')
    const engine = await openEngine({ projectDir })
    onTestFinished(() => engine.close())
    await engine.settled
    const { handlers } = engine
    const dataDir = join(projectDir, 'demo')
    await generateDemo({ dir: dataDir, seed: 3, train: 40, closeUps: 10, heldOut: 8 })
    const datasetId = await importInto(engine, join(dataDir, 'annotations.json'))
    const checkpointId = (await handlers.checkpoints.list({})).find((one) => one.origin === 'shipped' && one.name.includes('with AMC'))!.id
    const { errors } = JSON.parse(await readFile(join(dataDir, PLANTED_ERRORS_FILE), 'utf8')) as PlantedErrorsFile
    const input = { dataDir, datasetId, checkpointId, seed: 3, steps: 3, overrides: SMALL }
    const report = await runLoop(engine, silent as never, input)

    const { db } = engine.context
    expect(errors.length).toBeGreaterThan(2)
    expect(report).toMatchObject({ reviewed: errors.length, wrong: errors.length, steps: 3 })
    expect(report.corrected).toBeGreaterThan(0)
    const moved = db.all<{ phrase: string; boxes: string }>("SELECT r.phrase, r.boxes FROM regions r WHERE r.revision > 1 AND EXISTS (SELECT 1 FROM edits e WHERE e.label LIKE 'Box of%' AND e.changes LIKE '%' || r.id || '%')")
    expect(moved).toHaveLength(report.corrected)
    for (const { phrase, boxes } of moved) expect(errors.some((error) => error.caption === phrase && JSON.stringify([error.trueBox]) === JSON.stringify(JSON.parse(boxes)))).toBe(true)
    expect(db.column('SELECT count(*) FROM regions WHERE revision > 1')).toEqual([errors.length])

    const runs = (await handlers.runs.list({})).toSorted((a, b) => a.number - b.number)
    expect(runs.map(({ state, startCheckpointId }) => [state, startCheckpointId])).toEqual([['finished', checkpointId], ['finished', checkpointId]])
    const seen = await Promise.all(runs.map(async ({ id }) => (await handlers.runs.snapshot({ id, offset: 0, limit: 1000 })).samples.filter(({ revision }) => revision > 1).length))
    expect(seen, 'the first run was frozen before the corrections').toEqual([0, errors.length])
    const hits = (id: string) => db.column<number>("SELECT avg(s.pointing_hit) FROM scores s JOIN regions r ON r.id = s.region_id WHERE s.checkpoint_id = ? AND s.protocol = 'AMC strict' AND r.split = 'val'", id)[0]!
    const last = async (runId: string) => (await handlers.checkpoints.list({})).find((one) => one.runId === runId && one.step === 3)!.id
    expect(report.before).toBeCloseTo(hits(checkpointId), 12)
    expect(report.continuedUncorrected).toBeCloseTo(hits(await last(runs[0]!.id)), 12)
    expect(report.continuedCorrected).toBeCloseTo(hits(await last(runs[1]!.id)), 12)
    expect(report.correctionsAlone.change).toBeCloseTo(report.continuedCorrected - report.continuedUncorrected, 12)

    expect(await runLoop(engine, silent as never, input), 'asked again there is nothing left to do').toEqual(report)
    expect(await handlers.runs.list({})).toHaveLength(2)
    await expect(runLoop(engine, silent as never, { ...input, steps: 4 }), 'the data is not as it was any more').rejects.toMatchObject({ code: 'conflict' })
    expect(loopLines(report).join('\n')).toContain(`${report.corrected} of ${errors.length} wrong boxes put right`)
  }, 600_000)
})
