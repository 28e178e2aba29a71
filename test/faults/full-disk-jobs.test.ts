/** A disk that fills up while something computes: the engine lives on, what was acknowledged stays, and work goes on once there is room. */
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { addCheckpoint, annotationsOf, fillDisk, importInto, openEngineWithProcesses, temporaryFolder, writeDataset } from '../support/engine.ts'

const WAIT = { timeout: 240_000, interval: 20 }

async function withData(images: number): Promise<{ engine: EngineCore; projectDir: string; datasetId: string }> {
  vi.spyOn(console, 'error').mockImplementation(() => undefined) // what could not be stored is told there
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openEngineWithProcesses(projectDir)
  return { engine, projectDir, datasetId: await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(images, 4))) }
}
/** Each engine starts two processes; beside training on two cores that takes many seconds. */
vi.setConfig({ testTimeout: 300_000 })
const scoreCount = (engine: EngineCore) => engine.context.db.get<{ n: number }>('SELECT count(*) AS n FROM scores')!.n
const SMALL = { 'batch.images': 2, 'validation.probes': 0, 'save.every': 5 }
const runOf = (engine: EngineCore, id: string) => Promise.resolve(engine.handlers.runs.get({ id }))
const stateOf = async (engine: EngineCore, id: string) => (await runOf(engine, id)).state

test('while a dataset is scored: the job fails in words, the batches before are kept, and scoring goes on where it ended', async () => {
  const { engine, datasetId } = await withData(60)
  const { id: checkpointId } = await addCheckpoint(engine.context.project, 'one')
  const job = await engine.handlers.scores.compute({ datasetId, checkpointId })
  await expect.poll(() => scoreCount(engine), WAIT).toBeGreaterThan(10)
  const makeRoom = fillDisk(engine)
  const ended = await engine.context.jobs.ended(job.id)
  expect(ended).toMatchObject({ state: 'failed', error: { code: 'disk-full', cure: expect.stringContaining('Free space') } })
  const kept = scoreCount(engine)
  expect(kept).toBeGreaterThan(10)
  expect(kept).toBeLessThan(240)
  // The process was told to stop, and serves the next call.
  makeRoom()
  const again = await engine.context.jobs.ended((await engine.handlers.scores.compute({ datasetId, checkpointId })).id)
  expect(again).toMatchObject({ state: 'done', result: { scored: 240 - kept, skipped: [] } })
  expect(scoreCount(engine)).toBe(240)
})

test('while a run trains: it is not disturbed, and when there is room again everything is there', async () => {
  const { engine, datasetId } = await withData(12)
  const { id } = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 150 }, datasetId })
  await expect.poll(async () => (await runOf(engine, id)).step, WAIT).toBeGreaterThan(5)
  const makeRoom = fillDisk(engine)
  const before = await runOf(engine, id)
  await expect.poll(() => stateOf(engine, id), WAIT).toBe('finished')
  expect(await runOf(engine, id)).toMatchObject({ step: 150, lastSavedStep: 150, secondsLeft: null })
  expect(before.step).toBeLessThan(150)
  await expect((async () => engine.handlers.runs.resume({ id }))()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('finished') })
  makeRoom()
  // Written by itself, and read from the folder what could not be stored meanwhile.
  await expect.poll(() => engine.context.db.get<{ state: string }>('SELECT state FROM runs WHERE id = ?', id)!.state, WAIT).toBe('finished')
  await expect.poll(async () => (await engine.handlers.runs.metrics({ id, afterStep: 0 })).length, WAIT).toBe(150)
  await expect.poll(async () => (await engine.handlers.checkpoints.list({})).filter((one) => one.runId === id && one.step === 150).length, WAIT).toBe(1)
})

test('a run can be stopped and taken up again on a disk that was full meanwhile', async () => {
  const { engine, datasetId } = await withData(12)
  const { id } = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 400 }, datasetId })
  await expect.poll(async () => (await runOf(engine, id)).step, WAIT).toBeGreaterThan(5)
  const makeRoom = fillDisk(engine)
  await engine.handlers.runs.stop({ id })
  await expect.poll(() => stateOf(engine, id), WAIT).toBe('stopped')
  const stopped = await runOf(engine, id)
  expect(stopped.lastSavedStep).toBe(stopped.step)
  // What cannot be noted is not begun.
  await expect((async () => engine.handlers.runs.resume({ id }))()).rejects.toMatchObject({ code: 'disk-full' })
  expect(await stateOf(engine, id)).toBe('stopped')
  makeRoom()
  await engine.handlers.runs.resume({ id })
  await expect.poll(async () => (await runOf(engine, id)).step, WAIT).toBeGreaterThan(stopped.step + 5)
  const steps = (await engine.handlers.runs.metrics({ id, afterStep: 0 })).map((row) => row.step)
  expect(steps).toEqual(steps.map((_, i) => i + 1))
})

test('a start closed before the end could be noted finds it in the folder', async () => {
  const { engine, projectDir, datasetId } = await withData(12)
  const { id } = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 60 }, datasetId })
  await expect.poll(async () => (await runOf(engine, id)).step, WAIT).toBeGreaterThan(2)
  fillDisk(engine)
  await expect.poll(() => stateOf(engine, id), WAIT).toBe('finished')
  await engine.close()
  const next = await openEngineWithProcesses(projectDir)
  expect(await runOf(next, id)).toMatchObject({ state: 'finished', step: 60, lastSavedStep: 60 })
  expect(await next.handlers.runs.metrics({ id, afterStep: 0 })).toHaveLength(60)
  expect((await next.handlers.checkpoints.list({})).some((one) => one.runId === id && one.step === 60)).toBe(true)
})
