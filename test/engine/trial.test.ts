/** The measurement before a start, with the real model: what it answers, what it leaves behind, and that it can be cancelled. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { openEngine } from '../../src/main/engine/engine.ts'
import { importInto, temporaryFolder } from '../support/engine.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const WAIT = { timeout: 400_000, interval: 30 }

test.skipIf(!hasTensorFlow)(`three steps measured before a start are real, leave nothing behind, can be cancelled, and wait for no run${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openEngine({ projectDir })
  onTestFinished(() => engine.close())
  await engine.settled
  const { runs } = engine.handlers
  await generateDemo({ dir: join(projectDir, 'demo'), seed: 3, train: 20, closeUps: 10, heldOut: 8 })
  const datasetId = await importInto(engine, join(projectDir, 'demo', 'annotations.json'))
  const input = { preset: 'demo-amc', overrides: { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 6, 'validation.every': 50, steps: 100, 'curriculum.contrastOnly': 0.25 }, datasetId }
  const before = await readdir(engine.context.project.cacheDir)
  const ended = await engine.context.jobs.ended((await runs.trial(input)).id)
  expect(ended).toMatchObject({ state: 'done', kind: 'trial' })
  const { stepSeconds, validationSeconds, totalSeconds } = ended.result as { stepSeconds: number[]; validationSeconds: number; totalSeconds: number }
  // Three with ITC alone, a quarter of the run, and three with every loss; two validations.
  expect(stepSeconds).toHaveLength(6)
  expect(stepSeconds.every((time) => time > 0)).toBe(true)
  const mean = (times: number[]) => times.reduce((sum, time) => sum + time, 0) / times.length
  expect(totalSeconds).toBeCloseTo(100 * (0.25 * mean(stepSeconds.slice(0, 3)) + 0.75 * mean(stepSeconds.slice(3))) + 2 * validationSeconds, 6)
  expect(await runs.list({})).toEqual([])
  expect(await readdir(engine.context.project.runsDir)).toEqual([])
  expect((await readdir(engine.context.project.cacheDir)).filter((name) => !before.includes(name) && name.startsWith('trial'))).toEqual([])

  const cancelled = await runs.trial(input)
  await expect.poll(() => engine.context.jobs.get(cancelled.id).state, WAIT).toBe('running')
  engine.context.jobs.cancel(cancelled.id)
  expect((await engine.context.jobs.ended(cancelled.id)).state).toBe('cancelled')

  // A setting that cannot be used is refused as a start would refuse it; so is measuring beside a run.
  await expect((async () => runs.trial({ ...input, overrides: { steps: 'many' } }))()).rejects.toMatchObject({ code: 'bad-input', place: 'steps' })
  const run = await runs.start({ ...input, overrides: { ...input.overrides, steps: 4000 } })
  await expect((async () => runs.trial(input))()).rejects.toMatchObject({ code: 'busy' })
  await runs.stop({ id: run.id })
  await expect.poll(async () => (await runs.get({ id: run.id })).state, WAIT).toBe('stopped')

  const sweep = await runs.sweep({ run: { ...input, name: 'rates' }, axes: [{ key: 'optimizer.learningRate', values: [1e-5, 1e-4] }, { key: 'loss.amc', values: [0, 1] }] })
  expect(sweep.map((one) => one.name)).toEqual(['rates: learningRate 1e-5, amc 0', 'rates: learningRate 1e-5, amc 1', 'rates: learningRate 1e-4, amc 0', 'rates: learningRate 1e-4, amc 1'])
  expect(sweep.map((one) => [one.config['optimizer.learningRate'], one.config['loss.amc'], one.state])).toEqual([[1e-5, 0, 'waiting'], [1e-5, 1, 'waiting'], [1e-4, 0, 'waiting'], [1e-4, 1, 'waiting']])
  expect(new Set(sweep.map((one) => one.queuePlace)).size).toBe(4)
  for (const { id } of sweep.toReversed()) await runs.stop({ id })
  // One value that cannot be used, and none of them is started.
  const count = (await runs.list({})).length
  await expect((async () => runs.sweep({ run: input, axes: [{ key: 'batch.images', values: [4, 1] }] }))()).rejects.toMatchObject({ code: 'bad-input', place: 'batch.images' })
  expect(await runs.list({})).toHaveLength(count)
}, 900_000)
