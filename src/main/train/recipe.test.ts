import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ManifestSample } from '../../shared/manifest.ts'
import { openSafetensors } from '../checkpoints/safetensors.ts'
import { loadBackend } from '../compute/backend.ts'
import { setTf, tf } from '../model/tf.ts'
import { readLines } from './files.ts'
import { openCheckpoint } from './model-files.ts'
import { runTraining } from './recipe.ts'
import type { RunEvent } from './run-events.ts'
import { runPaths } from './run-folder.ts'
import { openNewestState, statePath, stateSteps, writeState } from './state-files.ts'
import { canMount, limitDisk, mountSmallDisk } from '../../../test/support/full-disk.ts'
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

async function replaceIn(path: string, text: string, by: string): Promise<void> {
  const before = await readFile(path, 'utf8')
  expect(before).toContain(text)
  await writeFile(path, before.replace(text, by))
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

describe('going on with other settings or data than before', () => {
  test.each([
    { name: 'a setting', says: /^The run cannot go on as the one it was after step 3: config\.yaml: optimizer\.weightDecay is 0\.5, was 0\.02\.$/, change: async (dir: string) => replaceIn(runPaths(dir).config, 'weightDecay: 0.02', 'weightDecay: 0.5') },
    { name: 'the samples', says: /manifest\.jsonl: the list of samples is another/, change: async (dir: string) => replaceIn(runPaths(dir).manifest, 'the red square', 'the blue square') },
    { name: 'an image', says: /the image 5\.png was changed/, change: async (dir: string) => writeFile(join(dir, '../images/5.png'), 'no picture') },
    { name: 'a missing image', says: /the image 5\.png is missing/, change: async (dir: string) => rm(join(dir, '../images/5.png')) },
  ])('is refused by name ($name), and works once it is put back', async ({ says, change }) => {
    const [whole, broken] = await twoRuns()
    await train(whole)
    await train(broken, 3)
    const kept = await Promise.all([runPaths(broken).config, runPaths(broken).manifest, join(broken, '../images/5.png')].map(async (path) => ({ path, bytes: await readFile(path) })))
    await change(broken)
    const before = await recordOf(broken)
    await expect(train(broken)).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(says), cure: expect.stringContaining('Put this back') })
    expect(await recordOf(broken)).toEqual(before)
    for (const { path, bytes } of kept) await writeFile(path, bytes)
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })

  test('what changes nothing in the result may be changed', async () => {
    const [whole, broken] = await twoRuns()
    await train(whole)
    await train(broken, 3)
    await replaceIn(runPaths(broken).config, 'keep: 3', 'keep: 1')
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })
})

test('a damaged state: the run goes on from the one before, says so, and comes to the same end', async () => {
  const [whole, broken] = await twoRuns()
  await train(whole)
  await train(broken, 5)
  const { states, log } = runPaths(broken)
  await truncate(statePath(states, 5), 2000)
  expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
  expect(await recordOf(broken)).toEqual(await recordOf(whole))
  const told = (await readLines<{ text: string }>(log)).map(({ text }) => text).join(' ')
  expect(told).toMatch(/Resumed after step 4: .* The state saved after step 5 cannot be read, so the one before it is used/)
})

describe('a full disk', () => {
  test('while saving: what was saved is whole, the error says what to do, and with room again the run comes to the same end', async () => {
    const [whole, broken] = await twoRuns()
    await train(whole)
    const run = runTraining({ runDir: broken, resume: true })
    let makeRoom = (): void => undefined
    const failed = (async () => {
      for await (const event of run) if (event.type === 'train.metrics' && event.rows[0]!.step === 3) makeRoom = limitDisk(0, 0)
    })()
    await expect(failed).rejects.toMatchObject({ code: 'disk-full', cure: expect.stringMatching(/Free .*, then resume the run/) })
    expect(stateSteps(runPaths(broken).states)).toEqual([2])
    makeRoom()
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })

  test.skipIf(!canMount())('(a real one; skipped where it cannot be mounted) that leaves no room for a second state', async () => {
    const folder = await temporaryFolder()
    const samples = await drawSamples(join(folder, 'images'), 12)
    const [whole, disk] = [join(folder, 'whole'), join(folder, 'disk')]
    await mountSmallDisk(disk, 2000)
    const broken = join(disk, 'broken')
    for (const dir of [whole, broken]) await freezeTinyRun({ dir, images: '', samples })
    await train(whole)
    const [stateBytes, others] = [(await stat(statePath(runPaths(whole).states, 6))).size, 60_000]
    await writeFile(join(disk, 'ballast'), Buffer.alloc(2_000 * 1024 - 1.7 * stateBytes - others))
    await expect(train(broken)).rejects.toMatchObject({ code: 'disk-full', cure: expect.stringMatching(/Free .*, then resume the run/) })
    expect(stateSteps(runPaths(broken).states)).toEqual([2])
    await rm(join(disk, 'ballast'))
    expect(await train(broken)).toMatchObject({ state: 'finished', step: 6 })
    expect(await recordOf(broken)).toEqual(await recordOf(whole))
  })
})

test('lines torn by a crash are not part of the curves afterwards', async () => {
  const [whole, broken] = await twoRuns()
  await train(whole)
  await train(broken, 3)
  for (const file of [runPaths(broken).metrics, runPaths(broken).probes, runPaths(broken).log]) await appendFile(file, '{"step": 4, "val')
  await train(broken)
  expect(await recordOf(broken)).toEqual(await recordOf(whole))
  expect((await readFile(runPaths(broken).log, 'utf8')).trimEnd().split('\n').map((line) => typeof (JSON.parse(line) as { text: string }).text)).not.toContain('undefined')
})

test('the best so far is remembered, and its checkpoint kept', async () => {
  const [dir] = await twoRuns({ overrides: { 'save.keep': 1 } })
  await train(dir, 3)
  const { states, best, checkpoint } = runPaths(dir)
  const saved = openNewestState(states)!
  const tensors = new Map([...saved.file.tensors].map(([name, entry]) => [name, { shape: entry.shape, data: entry.read().data }]))
  saved.file.close()
  // Better than anything that can come.
  writeState(states, { step: 3, tensors, info: { ...(saved.info as object), best: { step: 3, value: 2 } } })
  await train(dir)
  expect(JSON.parse(await readFile(best, 'utf8'))).toMatchObject({ step: 3, metrics: { 'val.pointingGame': expect.any(Number) } })
  expect([3, 4, 6].map((step) => existsSync(checkpoint(step)))).toEqual([true, false, true])
})

test('a validation whose images cannot be read makes no checkpoint the best, and one that is the best stays it', async () => {
  const folder = await temporaryFolder()
  const [dir, images, away] = [join(folder, 'run'), join(folder, 'images'), join(folder, 'away')]
  await freezeTinyRun({ dir, images, overrides: { 'validation.every': 2, 'save.keep': 1, 'earlyStop.metric': 'pointingGame', 'earlyStop.patience': 1 } })
  await mkdir(away)
  const valImages = (await readLines<ManifestSample>(runPaths(dir).manifest)).filter(({ split }) => split === 'val').map(({ imagePath }) => basename(imagePath))
  const take = (from: string, to: string) => Promise.all([...new Set(valImages)].map((name) => rename(join(from, name), join(to, name))))
  const bestSteps: [step: number, best: boolean][] = []
  const part = async (onEvent: (event: RunEvent, stop: () => void) => Promise<void>) => {
    const controller = new AbortController()
    for await (const event of runTraining({ runDir: dir, resume: true, signal: controller.signal })) {
      if (event.type === 'train.checkpoint') bestSteps.push([event.step, event.best])
      await onEvent(event, () => controller.abort())
    }
  }
  // Away at the first validation, there at the second.
  await part(async (event, stop) => {
    if (event.type === 'train.log' && event.text.startsWith('Began')) await take(images, away)
    if (event.type === 'train.checkpoint' && event.step === 2) await take(away, images)
    if (event.type === 'train.checkpoint' && event.step === 4) stop()
  })
  expect(bestSteps).toEqual([[2, false], [4, true]])
  expect(JSON.parse(await readFile(runPaths(dir).best, 'utf8'))).toMatchObject({ step: 4 })
  await part(async (event) => void (event.type === 'train.log' && event.text.startsWith('Resumed') && (await take(images, away))))
  expect(bestSteps).toEqual([[2, false], [4, true], [6, false]])
  expect(JSON.parse(await readFile(runPaths(dir).best, 'utf8'))).toMatchObject({ step: 4, metrics: { 'val.pointingGame': expect.any(Number) } })
  expect([2, 4, 6].map((step) => existsSync(runPaths(dir).checkpoint(step)))).toEqual([false, true, true])
})

test('a run begun anew takes nothing from an earlier one in its folder', async () => {
  const [whole, again] = await twoRuns()
  await train(whole)
  await train(again, 4)
  const anew = runTraining({ runDir: again, resume: false })
  expect(await anew.next()).toMatchObject({ value: { text: expect.stringContaining('Began') } })
  await anew.return({ state: 'stopped', step: 0 }) // as if killed before anything was saved
  expect(await train(again)).toMatchObject({ state: 'finished', step: 6 })
  expect(await recordOf(again)).toEqual(await recordOf(whole))
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

  test('more memory than is free when its turn comes, unless the check is off', async () => {
    vi.spyOn(process, 'availableMemory').mockReturnValue(1e8)
    onTestFinished(() => void vi.restoreAllMocks())
    const [dir, unchecked] = await twoRuns({ overrides: { steps: 1 } })
    const before = tf.memory().numTensors
    await expect(train(dir)).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/^This needs about \d\.\d GB of memory and 0\.1 GB are free/) as string })
    expect(tf.memory().numTensors).toBe(before)
    await freezeTinyRun({ dir: unchecked, images: join(dir, '../images'), overrides: { steps: 1, 'memory.check': false } })
    await train(unchecked)
    expect(existsSync(runPaths(unchecked).checkpoint(1))).toBe(true)
  })

  test('a learning rate that breaks the loss', async () => {
    const [dir] = await twoRuns({ overrides: { steps: 40, 'optimizer.learningRate': 1e30, 'schedule.warmupSteps': 0 } })
    await expect(train(dir)).rejects.toMatchObject({ code: 'bad-input', place: 'optimizer.learningRate', message: expect.stringContaining('The loss stopped being a number at step') })
  })

  test('a folder without a run', async () => {
    await expect(train(await temporaryFolder())).rejects.toMatchObject({ code: 'not-found' })
  })
})

test('without a val split the last checkpoint is the best, of a run that was stopped too', async () => {
  const folder = await temporaryFolder()
  const samples = (await drawSamples(join(folder, 'images'), 12)).map((sample) => ({ ...sample, split: 'train' }))
  const dir = join(folder, 'run')
  await freezeTinyRun({ dir, images: folder, samples })
  const best = async () => (JSON.parse(await readFile(runPaths(dir).best, 'utf8')) as { step: number }).step
  const { events } = await train(dir, 3)
  expect(events.filter((event) => event.type === 'train.checkpoint').at(-1)).toMatchObject({ step: 3, best: true })
  expect(await best()).toBe(3)
  expect(await train(dir)).toMatchObject({ state: 'finished', step: 6 })
  expect(await best()).toBe(6)
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
