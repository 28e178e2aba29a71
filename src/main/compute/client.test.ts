import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { drawSamples, freezeTinyRun, temporaryFolder, TINY } from '../../../test/support/tiny-runs.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import { AppError } from '../../shared/errors.ts'
import { createParams } from '../model/params.ts'
import { setTf } from '../model/tf.ts'
import { saveCheckpoint } from '../train/model-files.ts'
import { loadBackend } from './backend.ts'
import { spawnCompute, type Compute } from './client.ts'
import type { ComputeEvent } from './protocol.ts'

beforeAll(async () => setTf((await loadBackend()).tf))
/** A process that loads TensorFlow and trains, beside others that do the same on two cores. */
const SLOW_MS = 300_000

async function tinyCheckpoint(folder: string): Promise<string> {
  const path = join(folder, 'tiny.safetensors')
  await saveCheckpoint(path, createParams(TINY, 3), { step: 0, metrics: {} }, 'fp32')
  return path
}

let compute: Compute
beforeAll(() => {
  compute = spawnCompute({ role: 'interactive' })
})
afterAll(() => compute.close())

describe('a process that dies', () => {
  test('fails the call under way in words and starts again by itself', async () => {
    await compute.start()
    const first = compute.pid()!
    const folder = await temporaryFolder()
    const [sample] = await drawSamples(folder, 1)
    const request = { checkpointPath: await tinyCheckpoint(folder), imagePath: sample!.imagePath, phrases: ['the red square'] }
    const call = compute.call('explain', request)
    process.kill(first, 'SIGKILL')
    await expect(call).rejects.toMatchObject({ code: 'internal', message: 'The computing process ended (SIGKILL), so this was not computed.' })
    expect((await compute.call('explain', request)).phrases).toHaveLength(1)
    expect(compute.pid()).not.toBe(first)
  })

  test('that cannot start says so instead of hanging', async () => {
    const entry = join(await temporaryFolder(), 'broken.mjs')
    await writeFile(entry, 'process.exit(3)')
    const broken = spawnCompute({ role: 'job', entry })
    await expect(broken.call('info', {})).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('exit 3') })
    await expect(broken.start()).rejects.toMatchObject({ code: 'internal' })
    await broken.close()
  })
})

test('errors cross the border as they were', async () => {
  const folder = await temporaryFolder()
  const [sample] = await drawSamples(folder, 1)
  const good = { checkpointPath: await tinyCheckpoint(folder), imagePath: sample!.imagePath, phrases: ['a'] }
  await expect(compute.call('explain', { ...good, checkpointPath: '/nowhere.safetensors' })).rejects.toMatchObject({ code: 'not-found', place: '/nowhere.safetensors' })
  await expect(compute.call('explain', { ...good, imagePath: '/nowhere.png' })).rejects.toMatchObject({ code: 'not-found', message: 'The image is missing.' })
  const notAnImage = join(folder, 'text.png')
  await writeFile(notAnImage, 'no image')
  await expect(compute.call('explain', { ...good, imagePath: notAnImage })).rejects.toMatchObject({ code: 'bad-input' })
  expect((await compute.call('explain', good)).phrases).toHaveLength(1)
})

test('a listener that fails ends its call with that failure, once the process has stopped, and nothing else', async () => {
  const folder = await temporaryFolder()
  const samples = Array.from({ length: 200 }, (_, i) => ({ regionId: `r${i}`, revision: 1, imageId: 'i', imagePath: 'none', width: 4, height: 4, phrase: 'x', boxes: [], split: 'val' }))
  const request = { checkpointPath: 'none', manifestPath: await manifestOf(folder, samples) }
  const job = spawnCompute({ role: 'job', entry: join(import.meta.dirname, '../../../test/support/arithmetic-worker.ts') })
  onTestFinished(() => job.close())
  let heard = 0
  const failing = job.call('score', request, {
    onEvent: () => {
      if (++heard === 3) throw new AppError('disk-full', 'The disk is full.')
    },
  })
  await expect(failing).rejects.toMatchObject({ code: 'disk-full' })
  expect(heard).toBe(3)
  const pid = job.pid()
  let again = 0
  expect(await job.call('score', request, { onEvent: () => void again++ })).toMatchObject({ scored: 200 })
  expect([again, heard, job.pid()]).toEqual([25, 3, pid])
})

test('a call that was cancelled before it began is not made', async () => {
  await expect(compute.call('info', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
})

describe('heatmaps', () => {
  test('do not depend on the phrases asked at the same time, nor on the cache', async () => {
    const folder = await temporaryFolder()
    const [sample] = await drawSamples(folder, 1)
    const checkpointPath = await tinyCheckpoint(folder)
    const ask = async (...phrases: string[]) => (await compute.call('explain', { checkpointPath, imagePath: sample!.imagePath, phrases })).phrases
    const [alone] = await ask('red')
    const [, beside] = await ask('the green square left of the blue square', 'red', 'a square')
    expect(alone!.grid.values.some((value) => value > 0)).toBe(true)
    const largest = Math.max(...alone!.grid.values)
    beside!.grid.values.forEach((value, i) => expect(Math.abs(value - alone!.grid.values[i]!)).toBeLessThan(1e-5 * largest))
    expect(beside!.matchProbability).toBeCloseTo(alone!.matchProbability, 6)
    expect(beside!.peak).toEqual(alone!.peak)
    expect(alone).toMatchObject({ tokens: ['[CLS]', 'red'], truncated: false, layer: 1, maskSize: 24, grid: { width: 2, height: 2 } })
  })

  test('a phrase longer than the model reads says that it was cut', async () => {
    const folder = await temporaryFolder()
    const [sample] = await drawSamples(folder, 1)
    const phrase = Array(12).fill('red').join(' ')
    const { phrases } = await compute.call('explain', { checkpointPath: await tinyCheckpoint(folder), imagePath: sample!.imagePath, phrases: [phrase] })
    expect(phrases[0]).toMatchObject({ truncated: true, tokens: ['[CLS]', ...Array(7).fill('red')] })
  })

  test('more images and checkpoints than are kept are still answered', async () => {
    const folder = await temporaryFolder()
    const samples = await drawSamples(folder, 40)
    const checkpointPath = await tinyCheckpoint(folder)
    const answers = await Promise.all(samples.map(({ imagePath }) => compute.call('explain', { checkpointPath, imagePath, phrases: ['red'] })))
    const again = await compute.call('explain', { checkpointPath, imagePath: samples[0]!.imagePath, phrases: ['red'] })
    expect([...again.phrases[0]!.grid.values]).toEqual([...answers[0]!.phrases[0]!.grid.values])
  })
})

async function manifestOf(folder: string, samples: readonly ManifestSample[]): Promise<string> {
  const path = join(folder, 'manifest.jsonl')
  await writeFile(path, samples.map((sample) => JSON.stringify(sample)).join('\n'))
  return path
}

test('scoring tells every region once, those of unreadable images with the reason', async () => {
  const folder = await temporaryFolder()
  const samples = (await drawSamples(folder, 10)).map((sample, i) => (i === 3 || i === 2 ? { ...sample, imagePath: '/nowhere.png' } : sample))
  const events: Extract<ComputeEvent, { type: 'score.batch' }>[] = []
  const request = { checkpointPath: await tinyCheckpoint(folder), manifestPath: await manifestOf(folder, samples) }
  const result = await compute.call('score', request, { onEvent: (event) => event.type === 'score.batch' && events.push(event) })
  expect(result).toEqual({ scored: 18, skipped: [2, 3].map((i) => ({ regionId: samples[i]!.regionId, reason: 'The image is missing.' })) })
  const ids = events.flatMap((event) => event.regions.map((region) => region.regionId))
  expect(ids.toSorted()).toEqual(samples.filter((_, i) => i !== 2 && i !== 3).map((sample) => sample.regionId).toSorted())
  expect(events.at(-1)).toMatchObject({ done: 20, total: 20 })
})

test('a run is stopped by cancelling its call, and goes on when called again', async () => {
  const folder = await temporaryFolder()
  const dir = join(folder, 'run')
  await freezeTinyRun({ dir, images: join(folder, 'images') })
  const job = spawnCompute({ role: 'job' })
  onTestFinished(() => job.close())
  const controller = new AbortController()
  const stopAtTwo = (event: ComputeEvent): void => {
    if (event.type === 'train.metrics' && event.rows[0]!.step === 2) controller.abort()
  }
  const stopped = await job.call('train', { runDir: dir, resume: false }, { signal: controller.signal, onEvent: stopAtTwo })
  expect(stopped.state).toBe('stopped')
  expect(await job.call('train', { runDir: dir, resume: true })).toEqual({ state: 'finished', step: 6 })
}, SLOW_MS)

test('a run whose engine goes away saves itself and its process ends', async () => {
  const folder = await temporaryFolder()
  const dir = join(folder, 'run')
  await freezeTinyRun({ dir, images: join(folder, 'images'), overrides: { steps: 10_000, 'save.every': 10_000, 'validation.every': 0 } })
  const job = spawnCompute({ role: 'job' })
  const began = Promise.withResolvers<void>()
  const call = job.call('train', { runDir: dir, resume: false }, { onEvent: (event) => event.type === 'train.progress' && began.resolve() })
  call.catch(() => undefined)
  await began.promise
  const pid = job.pid()!
  await job.close(30_000) // disconnects, as a vanished engine would
  expect(() => process.kill(pid, 0)).toThrow()
  const again = spawnCompute({ role: 'job' })
  onTestFinished(() => again.close(0))
  const controller = new AbortController()
  const first = Promise.withResolvers<ComputeEvent>()
  const resumed = again.call('train', { runDir: dir, resume: true }, {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'train.log') first.resolve(event)
      controller.abort()
    },
  })
  expect(await first.promise).toMatchObject({ text: expect.stringContaining('Resumed after step') })
  expect(await resumed).toMatchObject({ state: 'stopped' })
}, SLOW_MS)
