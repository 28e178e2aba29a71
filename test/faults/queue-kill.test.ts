/** kill -9 of the engine while runs wait: none is lost, and the next engine takes up the queue in its order. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Run } from '../../src/shared/domain.ts'
import { annotationsOf, type Client, connect, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'
import { mustStart } from '../support/engine-process.ts'

const WAIT = { timeout: 120_000, interval: 20 }

test('kill -9 of the engine, three times, with a queue: no run is lost, those that wait are taken up in order, a paused one stays paused', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openTestEngine({ projectDir })
  const datasetId = await importInto(first, await writeDataset(join(projectDir, 'data'), annotationsOf(12, 2)))
  await first.close()
  const start = (api: Client, name: string, steps: number): Promise<Run> =>
    api.runs.start({ preset: 'demo-amc', overrides: { 'batch.images': 2, 'validation.probes': 0, 'save.every': 5, steps }, datasetId, name })
  const states = async (api: Client): Promise<Record<string, string>> => Object.fromEntries((await api.runs.list({})).map((run) => [run.name, run.state]))

  let engine = await mustStart(projectDir, 'processes')
  let { api } = await connect(engine)
  const long = await start(api, 'long', 5000)
  await expect.poll(async () => (await api.runs.get({ id: long.id })).lastSavedStep ?? 0, WAIT).toBeGreaterThanOrEqual(5)
  const held = await start(api, 'held', 6)
  await api.runs.pause({ id: held.id })
  const [b, c] = [await start(api, 'b', 6000), await start(api, 'c', 6000)]
  const last = await start(api, 'last', 12)
  await api.runs.move({ id: c.id, index: 0 })

  // What trained is stopped and safe; what waited trains now, the first of the new order before the others.
  for (const [trains, waits, stopped] of [['c', ['b', 'last'], ['long']], ['b', ['last'], ['long', 'c']]] as const) {
    await engine.kill()
    engine = await mustStart(projectDir, 'processes')
    ;({ api } = await connect(engine))
    await expect.poll(async () => (await states(api))[trains], WAIT).toBe('training')
    const found = await states(api)
    expect(found).toEqual({ held: 'paused', [trains]: 'training', ...Object.fromEntries(waits.map((name) => [name, 'waiting'])), ...Object.fromEntries(stopped.map((name) => [name, 'stopped'])) })
  }
  expect((await api.runs.get({ id: b.id })).queuePlace).toBeGreaterThan((await api.runs.get({ id: c.id })).queuePlace!)
  await engine.kill()
  engine = await mustStart(projectDir, 'processes')
  const again = await connect(engine)
  await expect.poll(async () => (await again.api.runs.get({ id: last.id })).state, WAIT).toBe('finished')
  // The interrupted one goes on from its state; no step twice, none missing.
  await again.api.runs.resume({ id: long.id })
  await expect.poll(async () => (await again.api.runs.get({ id: long.id })).step, WAIT).toBeGreaterThan(30)
  const steps = (await again.api.runs.metrics({ id: long.id, afterStep: 0 })).map((row) => row.step)
  expect(steps).toEqual(steps.map((_, i) => i + 1))
  await again.api.runs.resume({ id: held.id })
  await again.api.runs.stop({ id: long.id })
  await expect.poll(async () => (await again.api.runs.get({ id: held.id })).state, WAIT).toBe('finished')
  again.close()
  await engine.kill('SIGTERM')
}, 400_000)
