/** The queue of runs: order, pause, stop, resume, notes, removal. Runs are arithmetic in a real process, so that each takes a moment. */
import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Run } from '../../src/shared/domain.ts'
import { type EngineCore, openEngine } from '../../src/main/engine/engine.ts'
import { annotationsOf, arithmeticProcess, importInto, openEngineWithProcesses, temporaryFolder, writeDataset } from '../support/engine.ts'

const WAIT = { timeout: 60_000, interval: 10 }
vi.setConfig({ testTimeout: 180_000 })

let engine: EngineCore
let projectDir: string
let datasetId: string

beforeEach(async () => {
  projectDir = join(await temporaryFolder(), 'project')
  engine = await openEngineWithProcesses(projectDir)
  datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(12, 2)))
})

const LONG = 5000
const start = async (name: string, steps: number, on = engine): Promise<Run> =>
  on.handlers.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, 'validation.probes': 0, 'validation.every': 20, 'save.every': 5, steps }, datasetId, name })
const get = async (id: string, on = engine): Promise<Run> => on.handlers.runs.get({ id })
const reach = (id: string, state: Run['state'], on = engine) => expect.poll(async () => (await get(id, on)).state, WAIT).toBe(state)
const queueOf = async (on = engine): Promise<string[]> => (await on.handlers.runs.list({})).filter((run) => run.queuePlace !== null).sort((a, b) => a.queuePlace! - b.queuePlace!).map((run) => `${run.name} ${run.state}`)
const refused = (call: () => unknown, error: object) => expect((async () => call())()).rejects.toMatchObject(error)

describe('order', () => {
  test('can be changed while runs wait, and is the order in which they train', async () => {
    const begun: string[] = []
    engine.context.events.on((event) => void (event.type === 'run.progressed' && event.run.state === 'starting' && begun.push(event.run.name)))
    const first = await start('first', LONG)
    await reach(first.id, 'training')
    const [b, c, d] = [await start('b', 8), await start('c', 8), await start('d', 8)]
    await engine.handlers.runs.move({ id: d.id, index: 0 })
    await engine.handlers.runs.move({ id: b.id, index: 2 })
    expect(await queueOf()).toEqual(['first training', 'd waiting', 'c waiting', 'b waiting'])
    await engine.handlers.runs.stop({ id: first.id })
    for (const { id } of [b, c, d]) await reach(id, 'finished')
    expect(begun).toEqual(['first', 'd', 'c', 'b'])
    expect(await queueOf()).toEqual([])
    await refused(() => engine.handlers.runs.move({ id: b.id, index: 0 }), { code: 'conflict' })
  })
})

describe('pause', () => {
  test('saves, lets the next train, keeps the place, and goes on from the step where it was', async () => {
    const [one, two, three] = [await start('one', LONG), await start('two', LONG), await start('three', 6)]
    await expect.poll(async () => (await get(one.id)).step, WAIT).toBeGreaterThan(7)
    await engine.handlers.runs.pause({ id: one.id })
    await reach(one.id, 'paused')
    const paused = await get(one.id)
    expect(paused.lastSavedStep).toBe(paused.step)
    await reach(two.id, 'training')
    expect(await queueOf()).toEqual(['one paused', 'two training', 'three waiting'])
    await engine.handlers.runs.resume({ id: one.id })
    expect(await queueOf()).toEqual(['one waiting', 'two training', 'three waiting'])
    await engine.handlers.runs.stop({ id: two.id })
    await expect.poll(async () => (await get(one.id)).step, WAIT).toBeGreaterThan(paused.step)
    expect((await get(three.id)).state).toBe('waiting')
    const steps = (await engine.handlers.runs.metrics({ id: one.id, afterStep: 0 })).map((row) => row.step)
    expect(steps).toEqual(steps.map((_, i) => i + 1))
    expect(await queueOf(), 'what is stopped has no place').toEqual(['one training', 'three waiting'])
  })

  test('holds a run that waits: its turn goes by until it is resumed', async () => {
    const [one, held, other] = [await start('one', LONG), await start('held', 6), await start('other', 6)]
    await reach(one.id, 'training')
    await engine.handlers.runs.pause({ id: held.id })
    expect(await queueOf()).toEqual(['one training', 'held paused', 'other waiting'])
    await engine.handlers.runs.stop({ id: one.id })
    await reach(other.id, 'finished')
    expect(await get(held.id)).toMatchObject({ state: 'paused', step: 0 })
    await engine.handlers.runs.resume({ id: held.id })
    await reach(held.id, 'finished')
    await refused(() => engine.handlers.runs.pause({ id: held.id }), { code: 'conflict' })
  })

  test('can be turned into a stop', async () => {
    const one = await start('one', LONG)
    await reach(one.id, 'training')
    await engine.handlers.runs.pause({ id: one.id })
    await reach(one.id, 'paused')
    expect(await engine.handlers.runs.stop({ id: one.id })).toMatchObject({ state: 'stopped', queuePlace: null })
    await refused(() => engine.handlers.runs.stop({ id: one.id }), { code: 'conflict' })
  })
})

test('closing the engine leaves what waited waiting and what trained stopped at its place', async () => {
  const [one, two] = [await start('one', LONG), await start('two', 6)]
  await expect.poll(async () => (await get(one.id)).step, WAIT).toBeGreaterThan(3)
  await engine.close()
  const next = await openEngineWithProcesses(projectDir)
  expect((await queueOf(next))).toEqual(['one stopped', 'two waiting'])
  const found = await get(one.id, next)
  expect(found.lastSavedStep).toBe(found.step)
  // Nothing trains by itself for a command that only looks; resuming works for both.
  await next.handlers.runs.resume({ id: two.id })
  await reach(two.id, 'finished', next)
})

test('names, notes and tags are kept as written, tidied', async () => {
  const { id } = await start('one', 4)
  expect(await engine.handlers.runs.edit({ id, note: 'wider margin\nsee run 3', tags: [' margin ', '', 'margin', 'b'] })).toMatchObject({ name: 'one', note: 'wider margin\nsee run 3', tags: ['margin', 'b'] })
  expect(await engine.handlers.runs.edit({ id, name: ' Better ' })).toMatchObject({ name: 'Better', tags: ['margin', 'b'] })
})

describe('a run that is removed', () => {
  test('goes with its folder, its curves and its checkpoints, and says what that frees', async () => {
    const { id } = await start('one', 65)
    await refused(() => engine.handlers.runs.remove({ id }), { code: 'busy' })
    await reach(id, 'finished')
    const folder = join(engine.context.project.runsDir, id)
    const disk = await engine.handlers.runs.disk({ id })
    expect(disk.checkpoints).toBe((await readdir(join(folder, 'checkpoints'))).filter((name) => name.endsWith('.safetensors')).length)
    expect(disk.bytes).toBeGreaterThan(disk.checkpointBytes + disk.stateBytes)
    const removed: string[] = []
    engine.context.events.on((event) => void (event.type === 'run.removed' && removed.push(event.runId)))
    expect(await engine.handlers.runs.remove({ id })).toEqual({ freedBytes: disk.bytes })
    expect([existsSync(folder), removed, await engine.handlers.runs.list({})]).toEqual([false, [id], []])
    expect((await engine.handlers.checkpoints.list({})).filter((one) => one.runId === id)).toEqual([])
    expect(engine.context.db.all('SELECT * FROM metrics')).toEqual([])
    expect(await readdir(engine.context.project.runsDir)).toEqual([])
  })

  test('is refused while another one is to start from its checkpoint', async () => {
    const one = await start('one', 10)
    await reach(one.id, 'finished')
    const busy = await start('busy', LONG)
    const checkpoint = (await engine.handlers.checkpoints.list({})).find((found) => found.runId === one.id)!
    const next = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 4 }, datasetId, startCheckpointId: checkpoint.id, name: 'next' })
    await refused(() => engine.handlers.runs.remove({ id: one.id }), { code: 'busy', message: expect.stringContaining('next') })
    await engine.handlers.runs.stop({ id: next.id })
    await engine.handlers.runs.remove({ id: one.id })
    await engine.handlers.runs.stop({ id: busy.id })
  })

  test('is not removed when it was taken up again meanwhile', async () => {
    const { id } = await start('one', LONG)
    await expect.poll(async () => (await get(id)).step, WAIT).toBeGreaterThan(5)
    await engine.handlers.runs.stop({ id })
    await reach(id, 'stopped')
    const removal = engine.handlers.runs.remove({ id }) as Promise<unknown>
    await engine.handlers.runs.resume({ id }) // while the removal counts what it frees
    await expect(removal).rejects.toMatchObject({ code: 'busy' })
    await reach(id, 'training')
    expect(existsSync(join(engine.context.project.runsDir, id, 'config.yaml'))).toBe(true)
    await engine.handlers.runs.stop({ id })
    await reach(id, 'stopped')
  })

  test('has its folder again when the engine was killed before its rows went; what has no rows goes, and what begins meanwhile stays', async () => {
    const { id } = await start('one', 10)
    await reach(id, 'finished')
    await engine.close()
    const [runs, cache] = [join(projectDir, 'runs'), join(projectDir, 'cache')]
    await rename(join(runs, id), join(runs, `${id}.removed`))
    for (const left of [join(runs, 'gone.removed'), join(cache, 'trial_left')]) await mkdir(left)
    const next = await openEngine({ projectDir, compute: arithmeticProcess })
    onTestFinished(() => next.close())
    mkdirSync(join(cache, 'trial_new'))
    expect(existsSync(join(runs, id))).toBe(true) // before anything could be asked of it
    await next.settled
    expect(await readdir(runs)).toEqual([id])
    expect((await readdir(cache)).filter((name) => name.startsWith('trial_'))).toEqual(['trial_new'])
    expect(await get(id, next)).toMatchObject({ state: 'finished', error: null })
    expect((await next.handlers.runs.disk({ id })).checkpoints).toBeGreaterThan(0)
  })
})
