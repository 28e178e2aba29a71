/** A run through the engine with the real model, real compute processes and the real database; small enough for seconds. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { type EngineCore, openEngine } from '../../src/main/engine/engine.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { exportCheckpoint } from '../../src/main/train/export-checkpoint.ts'
import { importInto, temporaryFolder } from '../support/engine.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const TIMEOUT_MS = 900_000
/** Of one wait: loading TensorFlow and a few steps, on a machine that trains something else at the same time. */
const WAIT_MS = 240_000
const SMALL = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 6, 'validation.probes': 2, 'validation.every': 4, 'save.every': 2 }

async function open(projectDir: string): Promise<EngineCore> {
  const engine = await openEngine({ projectDir })
  onTestFinished(() => engine.close())
  await engine.settled
  return engine
}
async function withDemo(): Promise<{ engine: EngineCore; projectDir: string; datasetId: string }> {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await open(projectDir)
  await generateDemo({ dir: join(projectDir, 'demo'), seed: 3, train: 20, closeUps: 10, heldOut: 8 })
  return { engine, projectDir, datasetId: await importInto(engine, join(projectDir, 'demo', 'annotations.json')) }
}
const state = async (engine: EngineCore, id: string) => (await engine.handlers.runs.get({ id })).state
const reach = (engine: EngineCore, id: string, wanted: string) => expect.poll(() => state(engine, id), { timeout: WAIT_MS, interval: 50 }).toBe(wanted)

describe.skipIf(!hasTensorFlow)(`a run${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, () => {
  test('is planned, trained, stopped, resumed, scored and compared', async () => {
    const { engine, datasetId } = await withDemo()
    const input = { preset: 'demo-amc', overrides: { ...SMALL, steps: 14 }, datasetId, name: 'Mine' }
    const plan = await engine.handlers.runs.estimate(input)
    expect(plan).toMatchObject({ problems: [], totalSteps: 14 })
    expect(plan.memoryBytes).toBeGreaterThan(1e8)

    const events: string[] = []
    engine.context.events.on((event) => events.push(event.type))
    const run = await engine.handlers.runs.start(input)
    expect(run).toMatchObject({ name: 'Mine', number: 1, state: 'waiting', totalSteps: 14, config: { steps: 14, 'batch.images': 4 } })
    await expect.poll(async () => (await engine.handlers.runs.get({ id: run.id })).step, { timeout: WAIT_MS, interval: 30 }).toBeGreaterThanOrEqual(3)
    await engine.handlers.runs.stop({ id: run.id })
    await reach(engine, run.id, 'stopped')
    const stopped = await engine.handlers.runs.get({ id: run.id })
    expect(stopped.lastSavedStep).toBe(stopped.step)
    expect(stopped.step).toBeLessThan(14)

    await engine.handlers.runs.resume({ id: run.id })
    await reach(engine, run.id, 'finished')
    const metrics = await engine.handlers.runs.metrics({ id: run.id, afterStep: 0 })
    expect(metrics.map((row) => row.step)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1))
    expect(metrics.at(-1)!.values).toMatchObject({ 'loss.total': expect.any(Number), 'val.pointingGame': expect.any(Number) })
    expect(await engine.handlers.runs.metrics({ id: run.id, afterStep: 12 })).toHaveLength(2)
    expect(events).toEqual(expect.arrayContaining(['run.progressed', 'run.measured', 'checkpoints.changed']))
    const probes = await engine.handlers.runs.probes({ id: run.id })
    expect(probes.samples).toHaveLength(2)
    expect(probes.frames.map((frame) => frame.step)).toEqual([4, 8, 12, 14])
    expect((await engine.handlers.runs.log({ id: run.id })).map((line) => line.text).join(' ')).toMatch(/Resumed after step/)

    const checkpoints = (await engine.handlers.checkpoints.list({})).filter((one) => one.origin !== 'shipped')
    expect(checkpoints.every((one) => one.runId === run.id && existsSync(join(engine.context.project.runsDir, run.id, 'checkpoints', `step-${one.step}.safetensors`)))).toBe(true)
    expect(checkpoints.filter((one) => one.best)).toHaveLength(1)
    const [newest, other] = checkpoints
    for (const { id } of [newest!, other!]) {
      const job = await engine.context.jobs.ended((await engine.handlers.scores.compute({ datasetId, checkpointId: id, splits: ['val'] })).id)
      expect(job).toMatchObject({ state: 'done', result: { skipped: [] } })
    }
    const compared = await engine.handlers.compare.get({ population: { datasetId, split: 'val' }, checkpointIds: [other!.id, newest!.id] })
    expect(compared).toMatchObject({ checkpoints: [{ missing: 0 }, { missing: 0 }], missing: 0, withoutAnswer: 0, images: 8, protocol: 'AMC strict' })
    expect(compared.rows).toHaveLength(compared.regions)
    const { both, broken, fixed, neither } = compared.pairs[0]!.matrix
    expect(both + broken + fixed + neither).toBe(compared.regions)
    // Scoring twice has nothing to do; the heatmaps of the job are what a look at a sample gets.
    const again = await engine.context.jobs.ended((await engine.handlers.scores.compute({ datasetId, checkpointId: newest!.id, splits: ['val'] })).id)
    expect(again.result).toEqual({ protocol: 'AMC strict', scored: 0, skipped: [] })
    const { imageId, phrase, regionId, scores: [, b] } = compared.rows[0]!
    const heat = await engine.handlers.heatmaps.get({ imageId, checkpointId: newest!.id, phrase })
    expect([heat.stored, heat.tokens[0]]).toEqual([true, '[CLS]'])
    expect((await engine.handlers.regions.onImage({ imageId, checkpointIds: [newest!.id] })).scores[newest!.id]![regionId]).toMatchObject({ ...b })
    // What is on screen by its own is what the job computed: another process, another batch.
    engine.context.db.run('DELETE FROM heatmaps')
    const alone = await engine.handlers.heatmaps.get({ imageId, checkpointId: newest!.id, phrase })
    expect([alone.stored, alone.peak]).toEqual([false, heat.peak])
    alone.grid.values.forEach((value, i) => expect(value).toBeCloseTo(heat.grid.values[i]!, 4))

    // Its own file is known; what was written of it for the published code is another, and gives the same answer.
    const file = join(engine.context.project.runsDir, run.id, 'checkpoints', `step-${newest!.step}.safetensors`)
    expect((await engine.handlers.checkpoints.import({ path: file })).checkpoint.id).toBe(newest!.id)
    const published = join(engine.context.project.dir, 'published.pth')
    await exportCheckpoint({ source: file, target: published })
    const { checkpoint, keys } = await engine.handlers.checkpoints.import({ path: published, name: 'Brought in' })
    expect(checkpoint.id).not.toBe(newest!.id)
    expect([checkpoint.parameters, keys.missing, keys.unexpected]).toEqual([newest!.parameters, [], []])
    expect((await engine.handlers.checkpoints.keys({ id: checkpoint.id })).keys).toEqual(keys) // kept with it
    const brought = await engine.handlers.heatmaps.get({ imageId, checkpointId: checkpoint.id, phrase })
    expect(brought.peak).toEqual(heat.peak)
  }, TIMEOUT_MS)

  test('whose process is killed fails in words and can be resumed; one whose engine was closed too', async () => {
    const { engine, projectDir, datasetId } = await withDemo()
    const run = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 400 }, datasetId })
    const saved = () => expect.poll(async () => (await engine.handlers.runs.get({ id: run.id })).lastSavedStep ?? 0, { timeout: WAIT_MS, interval: 50 })
    await saved().toBeGreaterThanOrEqual(2)
    process.kill(engine.context.worker.pid()!, 'SIGKILL')
    await reach(engine, run.id, 'failed')
    const failed = await engine.handlers.runs.get({ id: run.id })
    expect(failed.error).toMatchObject({ message: expect.stringContaining('ended'), cure: expect.stringMatching(/\S/) })
    await engine.handlers.runs.resume({ id: run.id })
    await saved().toBeGreaterThan(failed.lastSavedStep!)
    await engine.close()

    const next = await open(projectDir)
    const after = await next.handlers.runs.get({ id: run.id })
    expect(after.state).toBe('stopped')
    await next.handlers.runs.resume({ id: run.id })
    await expect.poll(async () => (await next.handlers.runs.get({ id: run.id })).step, { timeout: WAIT_MS, interval: 50 }).toBeGreaterThan(after.lastSavedStep!)
    const steps = (await next.handlers.runs.metrics({ id: run.id, afterStep: 0 })).map((row) => row.step)
    expect(steps).toEqual(steps.map((_, i) => i + 1)) // no step twice, none missing
  }, TIMEOUT_MS)
})

describe('before a run starts', () => {
  test.each([
    ['a setting that does not exist', { overrides: { 'optimiser.learningRate': 1 } }, 'optimiser.learningRate', /Did you mean/],
    ['a value of the wrong kind', { overrides: { steps: 'many' } }, 'steps', /whole number/],
    ['a batch of one', { overrides: { 'batch.images': 1 } }, 'batch.images', /at least 2/],
  ])('%s is a problem that names the setting, in the estimate and at the start', async (_name, change, key, message) => {
    const { engine, datasetId } = await withDemo()
    const input = { preset: 'demo-amc', datasetId, ...change }
    const { problems } = await engine.handlers.runs.estimate(input)
    expect(problems.filter((problem) => problem.blocking)).toMatchObject([{ key, message: expect.stringMatching(message) }])
    await expect((async () => engine.handlers.runs.start(input))()).rejects.toMatchObject({ code: 'bad-input', place: key })
    expect(await engine.handlers.runs.list({})).toEqual([])
  })

  test('more memory than is free is a problem with the numbers, and nothing is begun', async () => {
    const { engine, datasetId } = await withDemo()
    vi.spyOn(process, 'availableMemory').mockReturnValue(2e8)
    onTestFinished(() => void vi.restoreAllMocks())
    const input = { preset: 'demo-amc', overrides: {}, datasetId }
    const { problems, memoryAvailableBytes } = await engine.handlers.runs.estimate(input)
    expect(memoryAvailableBytes).toBe(2e8)
    expect(problems.filter((problem) => problem.blocking)).toMatchObject([{ key: 'batch.images', message: expect.stringMatching(/^This needs about \d\.\d GB of memory and 0\.2 GB are free: /) }])
    await expect((async () => engine.handlers.runs.start(input))()).rejects.toMatchObject({ message: expect.stringContaining('0.2 GB are free') })
    expect(await engine.handlers.runs.list({})).toEqual([])
    const unchecked = await engine.handlers.runs.estimate({ ...input, overrides: { 'memory.check': false } })
    expect(unchecked.problems.filter(({ message }) => message.includes('of memory'))).toMatchObject([{ blocking: false }])
  })

  test('a dataset without training regions is a problem; so is one that is not there', async () => {
    const { engine, datasetId } = await withDemo()
    engine.context.db.run("UPDATE regions SET split = 'test'")
    const input = { preset: 'demo-amc', overrides: {}, datasetId }
    expect((await engine.handlers.runs.estimate(input)).problems.filter((problem) => problem.blocking)).toMatchObject([{ key: 'dataset' }])
    await expect((async () => engine.handlers.runs.start(input))()).rejects.toMatchObject({ code: 'bad-input' })
    await expect((async () => engine.handlers.runs.start({ ...input, datasetId: 'x' }))()).rejects.toMatchObject({ code: 'not-found' })
    await expect((async () => engine.handlers.runs.start({ ...input, preset: 'demo-acm' }))()).rejects.toMatchObject({ code: 'bad-input' })
  })
})
