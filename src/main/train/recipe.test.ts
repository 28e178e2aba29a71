import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { openSafetensors } from '../checkpoints/safetensors.ts'
import { loadBackend } from '../compute/backend.ts'
import { setTf, tf } from '../model/tf.ts'
import { readLines } from './files.ts'
import { openCheckpoint } from './model-files.ts'
import { runTraining } from './recipe.ts'
import type { RunEvent } from './run-events.ts'
import { runPaths } from './run-folder.ts'
import { statePath } from './state-files.ts'
import { drawSamples, freezeTinyRun, temporaryFolder, TINY_MOMENTUM, type TinyRun } from '../../../test/support/tiny-runs.ts'

beforeAll(async () => setTf((await loadBackend()).tf))

/** Runs to the end, or stops after the step given. */
async function train(dir: string, stopAfter = Infinity): Promise<{ events: RunEvent[]; state: string; step: number }> {
  const controller = new AbortController()
  const run = runTraining({ runDir: dir, resume: true, signal: controller.signal })
  const events: RunEvent[] = []
  for (;;) {
    const { value, done } = await run.next()
    if (done) return { events, ...value }
    events.push(value)
    if (value.type === 'train.metrics' && value.rows[0]!.step >= stopAfter) controller.abort()
  }
}

function tensorsOf(path: string): Map<string, unknown> {
  const file = openSafetensors(path)
  const tensors = new Map([...file.tensors].map(([name, entry]) => [name, entry.read().data]))
  file.close()
  return tensors
}

/** Everything but the times. */
async function recordOf(dir: string) {
  const rows = await readLines<{ step: number; values: object }>(runPaths(dir).metrics)
  const log = await readLines<{ step: number }>(runPaths(dir).probes)
  return { rows: rows.map(({ step, values }) => ({ step, values })), probes: log, weights: tensorsOf(statePath(runPaths(dir).states, rows.at(-1)!.step)) }
}

async function twoRuns(options: Partial<TinyRun> = {}): Promise<[string, string]> {
  const folder = await temporaryFolder()
  const samples = await drawSamples(join(folder, 'images'), 12)
  const dirs: [string, string] = [join(folder, 'whole'), join(folder, 'broken')]
  for (const dir of dirs) await freezeTinyRun({ dir, images: join(folder, 'images'), samples, ...options })
  return dirs
}

describe('a run that was interrupted equals the unbroken one, bit by bit', () => {
  test.each([
    { name: 'at a step that was not due to be saved', stopAfter: 3, options: {} },
    { name: 'in the first stage, before the optimizer knows every parameter', stopAfter: 1, options: {} },
    { name: 'with momentum copies and queues', stopAfter: 5, options: { modelConfig: TINY_MOMENTUM } },
  ])('stopped $name and resumed', async ({ stopAfter, options }) => {
    const [whole, broken] = await twoRuns(options)
    expect(await train(whole)).toMatchObject({ state: 'finished', step: 6 })
    expect(await train(broken, stopAfter)).toMatchObject({ state: 'stopped', step: stopAfter })
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })

  test('killed with SIGKILL between saves and resumed', async () => {
    const [whole, broken] = await twoRuns()
    await train(whole)
    const child = fork(join(import.meta.dirname, '../../../test/support/train-child.ts'), [broken], { execArgv: ['--disable-warning=DEP0044'] })
    child.on('message', (step: number) => step >= 5 && child.kill('SIGKILL')) // saved last after step 4
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect(signal).toBe('SIGKILL')
    expect((await readLines<{ step: number }>(runPaths(broken).metrics)).at(-1)!.step).toBeGreaterThanOrEqual(5)
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })
})

test('a finished run resumed does nothing', async () => {
  const [dir] = await twoRuns()
  await train(dir)
  const before = await recordOf(dir)
  expect((await train(dir)).events.filter((event) => event.type === 'train.metrics')).toEqual([])
  expect(await recordOf(dir)).toEqual(before)
})

test('checkpoints say what they are, and the best is kept', async () => {
  const [dir] = await twoRuns({ overrides: { 'validation.every': 1, 'save.keep': 1 } })
  const { events } = await train(dir)
  const best = events.filter((event) => event.type === 'train.checkpoint').findLast((event) => event.best)!
  const { config, info, file } = await openCheckpoint(best.path)
  file.close()
  expect(config.name).toBe('tiny')
  expect(info).toMatchObject({ step: best.step, seed: 0, metrics: { 'val.pointingGame': expect.any(Number), 'val.consistency': expect.any(Number) } })
  expect(JSON.parse(await readFile(runPaths(dir).best, 'utf8'))).toMatchObject({ step: best.step })
  const probes = await readLines<{ step: number; heat: unknown[] }>(runPaths(dir).probes)
  expect(probes.map(({ step, heat }) => [step, heat.length])).toEqual([1, 2, 3, 4, 5, 6].map((step) => [step, 2]))
})

test('a run can start from a checkpoint of another', async () => {
  const [first, second] = await twoRuns()
  await train(first)
  await rm(second, { recursive: true })
  await freezeTinyRun({ dir: second, images: join(second, 'images'), overrides: { steps: 1, 'optimizer.learningRate': 0 }, startCheckpoint: runPaths(first).checkpoint(6) })
  await train(second)
  const bare = (name: string): string => name.replace('model.', '')
  const [started, ended] = [tensorsOf(runPaths(first).checkpoint(6)), tensorsOf(statePath(runPaths(second).states, 1))]
  for (const [name, data] of ended) if (name.startsWith('model.')) expect(data, name).toEqual(started.get(bare(name)))
})

describe('what cannot be trained is said in words', () => {
  test.each([
    { name: 'no training split', change: { split: 'test' }, overrides: {}, says: 'There is nothing to train on: no region is in the split "train".' },
    { name: 'no boxes with AMC on', change: { boxes: [] }, overrides: {}, says: 'AMC is on, but no training region has a box.' },
  ])('$name', async ({ change, overrides, says }) => {
    const folder = await temporaryFolder()
    const samples = (await drawSamples(join(folder, 'images'), 4)).map((sample) => ({ ...sample, ...change }))
    await freezeTinyRun({ dir: folder, images: folder, samples, overrides })
    await expect(train(folder)).rejects.toMatchObject({ code: 'bad-input', message: says })
  })

  test('a learning rate that breaks the loss', async () => {
    const [dir] = await twoRuns({ overrides: { steps: 40, 'optimizer.learningRate': 1e30, 'schedule.warmupSteps': 0 } })
    await expect(train(dir)).rejects.toMatchObject({ code: 'bad-input', place: 'optimizer.learningRate', message: expect.stringContaining('The loss stopped being a number at step') })
  })

  test('a folder without a run', async () => {
    await expect(train(await temporaryFolder())).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('what is odd is trained, with a sentence in the log', () => {
  test.each([
    { name: 'no val split', overrides: {}, change: { split: 'train' }, count: 8, says: 'no split "val"' },
    { name: 'fewer images than a batch', overrides: { 'batch.images': 50 }, change: {}, count: 12, says: 'only 9 training images' },
    { name: 'a batch of one image', overrides: { 'batch.images': 1, 'batch.phrases': 1 }, change: {}, count: 12, says: 'No pair of this batch may serve as a negative' },
    { name: 'no close-ups for the curriculum', overrides: { 'curriculum.closeUps': 0.5 }, change: {}, count: 12, says: 'not marked as close-ups' },
    { name: 'no boxes without AMC', overrides: { 'loss.amc': 0 }, change: { boxes: [] }, count: 12, says: 'Began' },
  ])('$name', async ({ overrides, change, count, says }) => {
    const folder = await temporaryFolder()
    const samples = (await drawSamples(join(folder, 'images'), count)).map((sample) => ({ ...sample, ...change }))
    await freezeTinyRun({ dir: join(folder, 'run'), images: folder, samples, overrides })
    expect(await train(join(folder, 'run'))).toMatchObject({ state: 'finished', step: 6 })
    const log = await readLines<{ text: string }>(runPaths(join(folder, 'run')).log)
    expect(log.map(({ text }) => text).join('\n')).toContain(says)
  })
})

test('steps leave no tensors behind', async () => {
  const [dir] = await twoRuns({ overrides: { steps: 12 } })
  const counts: number[] = []
  const before = tf.memory().numTensors
  const run = runTraining({ runDir: dir, resume: false })
  for await (const event of run) if (event.type === 'train.progress') counts.push(tf.memory().numTensors)
  expect(new Set(counts.slice(4)).size).toBe(1)
  expect(tf.memory().numTensors).toBe(before)
})
