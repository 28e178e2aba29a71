/** The engine is killed while a real run trains: the next start has the run, whole up to its last saved step. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { connect, importInto, openTestEngine, temporaryFolder } from '../support/engine.ts'
import { mustStart } from '../support/engine-process.ts'

const hasTensorFlow = readInstalledRuntime() !== null
/** Of one wait: loading TensorFlow and a few steps, on a machine that trains something else at the same time. */
const WAIT = { timeout: 240_000, interval: 50 }

test.skipIf(!hasTensorFlow)(`kill -9 of the engine while a run trains: stopped at the next start, resumed at once, no step twice or missing${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openTestEngine({ projectDir })
  await generateDemo({ dir: join(projectDir, 'demo'), seed: 3, train: 16, closeUps: 8, heldOut: 6 })
  const datasetId = await importInto(first, join(projectDir, 'demo', 'annotations.json'))
  await first.close()

  const engine = await mustStart(projectDir, 'real')
  const { api } = await connect(engine)
  const overrides = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 4, 'validation.probes': 1, 'validation.every': 3, 'save.every': 2, steps: 500 }
  const { id } = await api.runs.start({ preset: 'demo-amc', overrides, datasetId })
  await expect.poll(async () => (await api.runs.get({ id })).lastSavedStep ?? 0, WAIT).toBeGreaterThanOrEqual(4)
  await engine.kill()

  const again = await mustStart(projectDir, 'real')
  const next = await connect(again)
  const found = await next.api.runs.get({ id })
  expect(found.state).toBe('stopped')
  expect(found.lastSavedStep).toBeGreaterThanOrEqual(4)
  await next.api.runs.resume({ id })
  await expect.poll(async () => (await next.api.runs.get({ id })).step, WAIT).toBeGreaterThan(found.lastSavedStep! + 6)
  const steps = (await next.api.runs.metrics({ id, afterStep: 0 })).map((row) => row.step)
  expect(steps).toEqual(steps.map((_, i) => i + 1))
  const listed = await next.api.checkpoints.list({})
  expect(listed.filter((one) => one.runId === id).length).toBeGreaterThan(0)
  next.close()
  await again.kill('SIGTERM')
}, 900_000)
