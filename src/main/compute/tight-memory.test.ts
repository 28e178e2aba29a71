import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { drawSamples, temporaryFolder, TINY_MOMENTUM } from '../../../test/support/tiny-runs.ts'
import type { AppError } from '../../shared/errors.ts'
import { explainMemory } from '../model/memory.ts'
import { createParams, disposeParams } from '../model/params.ts'
import { tf } from '../model/tf.ts'
import { saveCheckpoint } from '../train/model-files.ts'
import { createExplainer } from './explain.ts'
import type { ScoredRegion } from './protocol.ts'
import { scoreManifest } from './score.ts'

const LITTLE = 12_000
const needed = (images: number): number => {
  const { total, runtime } = explainMemory({ ...TINY_MOMENTUM, momentum: null, queue_size: 0 }, images, images)
  return total - runtime
}
const NUMBERS = /^This needs about \d+\.\d GB of memory and 0\.0 GB are free/

describeWithTensorFlow('where memory is short', () => {
  let [checkpointPath, manifestPath, imagePath] = ['', '', '']
  beforeEach(async () => {
    const folder = await temporaryFolder()
    const samples = await drawSamples(folder, 12)
    ;[checkpointPath, manifestPath, imagePath] = [join(folder, 'model.safetensors'), join(folder, 'samples.jsonl'), samples[0]!.imagePath]
    await writeFile(manifestPath, samples.map((sample) => JSON.stringify(sample)).join('\n'))
    const params = createParams(TINY_MOMENTUM, 3)
    await saveCheckpoint(checkpointPath, params, { step: 1, metrics: {} }, 'fp32')
    disposeParams(params)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  const free = (bytes: number) => vi.spyOn(process, 'availableMemory').mockReturnValue(bytes)
  const failure = async (work: Promise<unknown>): Promise<AppError> => work.then(() => { throw new Error('It was done.') }, (error: unknown) => error as AppError)
  const score = async () => {
    const regions: ScoredRegion[] = []
    let batches = 0
    await scoreManifest({ checkpointPath, manifestPath }, { onBatch: (event) => void (regions.push(...event.regions), batches++) })
    return { batches, scores: new Map(regions.map((region) => [region.regionId, region.scores])) }
  }

  test('a heatmap is refused with the numbers before a tensor is made, and made once there is room', async () => {
    const explainer = createExplainer()
    const before = tf.memory().numTensors
    free(LITTLE)
    expect(await failure(explainer.explain({ checkpointPath, imagePath, phrases: ['the red square'] }))).toMatchObject({ code: 'conflict', message: expect.stringMatching(NUMBERS) as string })
    expect(tf.memory().numTensors).toBe(before)
    free(needed(1))
    expect((await explainer.explain({ checkpointPath, imagePath, phrases: ['the red square'] })).phrases).toHaveLength(1)
    explainer.dispose()
  })

  test('the momentum copy and the queues of a checkpoint are left where they are', async () => {
    const explainer = createExplainer()
    const before = tf.memory().numTensors
    await explainer.explain({ checkpointPath, imagePath, phrases: [] })
    const whole = createParams(TINY_MOMENTUM, 3)
    expect(tf.memory().numTensors - before - whole.variables.size).toBeLessThan(whole.trainable.length + 10) // weights and an image's features
    disposeParams(whole)
    explainer.dispose()
  })

  test('scoring is refused with the numbers before a tensor is made', async () => {
    const before = tf.memory().numTensors
    free(LITTLE)
    expect(await failure(score())).toMatchObject({ code: 'conflict', message: expect.stringMatching(NUMBERS) as string })
    expect(tf.memory().numTensors).toBe(before)
  })

  test('scoring takes fewer phrases at a time where fewer fit, and comes to the same scores', async () => {
    const wide = await score()
    free(needed(3))
    const narrow = await score()
    expect(narrow.batches).toBeGreaterThan(wide.batches)
    expect([...narrow.scores.keys()].sort()).toEqual([...wide.scores.keys()].sort())
    for (const [id, scores] of wide.scores) expect(narrow.scores.get(id)!.insideEnergy).toBeCloseTo(scores.insideEnergy, 5)
  })
})
