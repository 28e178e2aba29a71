/** What an opening takes up from the one before, and what it leaves alone. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createEngine, type Engine } from '../../src/main/engine/engine.ts'
import { tellWorking } from '../../src/main/engine/working.ts'
import { oldWorkerGone, startOf } from '../../src/main/features/runs/old-worker.ts'
import { addCheckpoint, annotationsOf, arithmeticProcess, importInto, openEngineWithProcesses, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const WAIT = { timeout: 240_000, interval: 20 }
/** Engines here start processes of their own; beside training on two cores that takes many seconds. */
vi.setConfig({ testTimeout: 300_000 })

test('scores of the demo that an early close left out are computed at the next opening; when none is missing nothing is begun', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const open = async (): Promise<Engine> => {
    const engine = await createEngine({ projectDir, compute: arithmeticProcess, demo: { train: 10, closeUps: 6, heldOut: 6 } })
    onTestFinished(() => engine.close())
    await engine.settled
    return engine
  }
  const count = ({ context: { db } }: Engine, table: string) => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n
  const scoreJobs = async ({ handlers }: Engine, state: string) => (await handlers.jobs.list({})).filter((job) => job.kind === 'score' && job.state === state).length

  const first = await open()
  await expect.poll(async () => (await first.handlers.jobs.list({})).find((job) => job.kind === 'demo')?.state, WAIT).toBe('done')
  await first.close()
  const second = await open()
  const regions = count(second, 'regions')
  expect(regions).toBeGreaterThan(20)
  const shipped = count(second, 'checkpoints')
  expect(shipped).toBeGreaterThan(0)
  expect(count(second, 'scores')).toBeLessThan(regions * shipped)
  await expect.poll(() => count(second, 'scores'), WAIT).toBe(regions * shipped)
  await expect.poll(() => scoreJobs(second, 'running'), WAIT).toBe(0)
  const done = await scoreJobs(second, 'done')
  await second.close()

  const third = await open()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([await scoreJobs(third, 'done'), await scoreJobs(third, 'waiting'), await scoreJobs(third, 'running'), third.context.worker.pid()]).toEqual([done, 0, 0, null])
})

test('a shipped checkpoint that was removed stays away; the others come back as they were', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openTestEngine({ projectDir })
  const before = await first.handlers.checkpoints.list({})
  expect(before.length).toBeGreaterThan(1)
  await first.handlers.checkpoints.remove({ id: before[0]!.id })
  await first.close()
  const second = await openTestEngine({ projectDir })
  expect(await second.handlers.checkpoints.list({})).toEqual(before.slice(1))
})

test('an import starts no computing process', async () => {
  const engine = await openEngineWithProcesses(join(await temporaryFolder(), 'project'))
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2)))
  const [one, two] = [await addCheckpoint(engine.context.project, 'one'), await addCheckpoint(engine.context.project, 'two')]
  await engine.handlers.compare.get({ population: { datasetId }, checkpointIds: [one.id, two.id] })
  expect([engine.context.interactive.pid(), engine.context.worker.pid()]).toEqual([null, null])
  await engine.context.jobs.ended((await engine.handlers.scores.compute({ datasetId, checkpointId: one.id })).id)
  expect([engine.context.interactive.pid(), typeof engine.context.worker.pid()]).toEqual([null, 'number'])
})

test('whoever shows the engine is told which runs train or wait, from the first to the last', async () => {
  const engine = await openEngineWithProcesses(join(await temporaryFolder(), 'project'))
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(8, 2)))
  const told: (readonly string[])[] = []
  const stop = tellWorking(engine.context, (runs) => void told.push(runs))
  const start = (name: string) => engine.handlers.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 5 }, datasetId, name })
  await start('Run one')
  await start('Run two')
  await expect.poll(() => told.at(-1), WAIT).toEqual([])
  expect(told).toEqual([['Run one'], ['Run one', 'Run two'], ['Run two'], []])
  stop()
})

test('a run that an earlier engine left to its process is read when that process has ended', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openEngineWithProcesses(projectDir)
  const datasetId = await importInto(first, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(8, 2)))
  const run = await first.handlers.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 2000, 'save.every': 1000 }, datasetId })
  await expect.poll(async () => (await first.handlers.runs.get({ id: run.id })).step, WAIT).toBeGreaterThan(3)
  // As after kill -9 of the engine: its database says the run trains, and its process still does.
  const { project, db } = first.context
  const state = db.get<{ step: number }>('SELECT step FROM runs WHERE id = ?', run.id)!
  await first.close()
  const { openProject } = await import('../../src/main/store/project.ts')
  const between = openProject(projectDir)
  between.db.run("UPDATE runs SET state = 'training', step = ?, last_saved_step = NULL WHERE id = ?", state.step, run.id)
  between.db.run('DELETE FROM checkpoints WHERE run_id = ?', run.id)
  between.close()
  // What still runs in its name, for a second: the folder may change until then.
  const slow = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1500)'])
  writeFileSync(join(project.cacheDir, 'job-process.json'), JSON.stringify({ pid: slow.pid, start: startOf(slow.pid!) }))
  const began = performance.now()
  const second = await openEngineWithProcesses(projectDir)
  expect(performance.now() - began).toBeGreaterThan(1000)
  expect(slow.exitCode).toBe(0)
  const found = await second.handlers.runs.get({ id: run.id })
  expect(found.state).toBe('stopped')
  expect(found.lastSavedStep).toBeGreaterThanOrEqual(state.step)
  expect((await second.handlers.checkpoints.list({})).filter((one) => one.runId === run.id && one.step === found.lastSavedStep)).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')('a process that only has the number of an old worker is neither waited for nor ended; the worker itself is', async () => {
  const cacheDir = await temporaryFolder()
  await mkdir(cacheDir, { recursive: true })
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null
  const note = (start: string | null) => writeFileSync(join(cacheDir, 'job-process.json'), JSON.stringify({ pid: child.pid, start }))
  note('another time')
  expect(await oldWorkerGone(cacheDir, null, { graceMs: 60_000 })).toBe(true)
  expect(isAlive()).toBe(true)
  // Where the system does not tell it is waited for, but not ended.
  note(null)
  expect(await oldWorkerGone(cacheDir, null, { graceMs: 50 })).toBe(false)
  expect(isAlive()).toBe(true)
  note(startOf(child.pid!))
  expect(await oldWorkerGone(cacheDir, null, { end: false, graceMs: 50 })).toBe(false)
  expect(isAlive()).toBe(true)
  expect(await oldWorkerGone(cacheDir, null, { graceMs: 50 })).toBe(true)
  expect(isAlive()).toBe(false)
})
