import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseRunConfig, withOverrides } from '../../shared/config/run-config.ts'
import { createTokenizer } from '../model/tokenizer.ts'
import { createBatchSource, type BatchState, type BatchSource } from './batches.ts'
import { createImageCache } from './image-cache.ts'
import { createSampler } from './sampler.ts'
import { groupByImage, knownTrue, type SampleImage } from './samples.ts'
import { drawSamples, temporaryFolder, TINY } from '../../../test/support/tiny-runs.ts'

let images: SampleImage[]
beforeEach(async () => {
  images = await groupByImage(await drawSamples(join(await temporaryFolder(), 'images'), 12))
})

function sourceOf(overrides: Record<string, unknown> = {}, start?: BatchState): BatchSource {
  const tokenizer = createTokenizer(TINY.text.vocabulary as string[])
  return createBatchSource({
    images,
    config: withOverrides(parseRunConfig({}), { 'batch.images': 4, 'batch.phrases': 2, ...overrides }),
    modelConfig: TINY,
    cache: createImageCache(24, 'linear', 1e6),
    tokenize: (phrases) => tokenizer.encodeBatch(phrases, TINY.max_tokens),
    ...(start ? { start } : {}),
  })
}

describe('batches repeat from their seed', () => {
  test('the same seed gives the same batches, another seed others', async () => {
    const [one, two, other] = [sourceOf(), sourceOf(), sourceOf({ seed: 1 })]
    const first = await one.prepare('all')
    expect(await two.prepare('all')).toEqual(first)
    expect((await other.prepare('all')).batch.images).not.toEqual(first.batch.images)
  })

  test('from a saved state on, the batches are those of the unbroken source, however far ahead it had drawn', async () => {
    const whole = sourceOf()
    const batches = []
    for (let i = 0; i < 7; i++) batches.push(await whole.prepare('all')) // crosses the end of two epochs
    const saved = JSON.parse(JSON.stringify(batches[2]!.stateAfter)) as BatchState
    const resumed = sourceOf({}, saved)
    for (let i = 3; i < 7; i++) expect(await resumed.prepare('all')).toEqual(batches[i])
  })

  test('an epoch shows every image once and no batch shows one twice', () => {
    const sampler = createSampler(new Map([['all', 12]]), 5)
    const epoch = [0, 1, 2].flatMap(() => [...sampler.next('all', 4)])
    expect(new Set(epoch).size).toBe(12)
    expect([...sampler.next('all', 5), ...sampler.next('all', 5), ...sampler.next('all', 5)]).toHaveLength(15)
    expect(new Set(sampler.next('all', 50)).size).toBe(12)
  })
})

describe('what a batch holds', () => {
  test('a mirrored image comes with mirrored pixels, mask and words', async () => {
    images = images.map((image) => ({ ...image, regions: [{ ...image.regions[0]!, phrase: 'the left square' }] }))
    const plain = { 'batch.phrases': 1, 'data.grayscale': 0, 'data.colorJitter': 0 }
    const [straight, mirrored] = await Promise.all([0, 1].map((flip) => sourceOf({ ...plain, 'data.flip': flip }).prepare('all')))
    const [a, b] = [straight!.batch, mirrored!.batch]
    const reversed = (plane: Float32Array | null): number[] => {
      const rows: number[] = []
      for (let y = 0; y < 24; y++) rows.push(...plane!.slice(y * 24, (y + 1) * 24).toReversed())
      return rows
    }
    const firstPlane = (data: unknown): Float32Array => (data as Float32Array).slice(0, 576)
    expect([...firstPlane(b.images)]).toEqual(reversed(firstPlane(a.images)))
    expect([...firstPlane(b.regionMasks)]).toEqual(reversed(firstPlane(a.regionMasks)))
    const word = (name: string): number => (TINY.text.vocabulary as string[]).indexOf(name)
    expect([...a.text.ids.subarray(0, 4)]).toEqual([word('[CLS]'), word('the'), word('left'), word('square')])
    expect([...b.text.ids.subarray(0, 4)]).toEqual([word('[CLS]'), word('the'), word('right'), word('square')])
  })

  test('phrases that are true of another image of the batch are marked, and no others', async () => {
    const { batch } = await sourceOf().prepare('all')
    expect(batch.alsoTrue).toHaveLength(8 * 4)
    expect(batch.alsoTrue).toContain(1)
    expect((await sourceOf({ 'data.trueNegatives': false }).prepare('all')).batch.alsoTrue).toBeUndefined()
    const [image, other] = [images[0]!, images.find((one) => !one.phrases.has(images[0]!.regions[0]!.phrase))!]
    expect(knownTrue(image.regions[0]!, image)).toBe(true)
    expect(knownTrue(image.regions[0]!, other)).toBe(false)
    expect(knownTrue({ ...image.regions[0]!, phrase: 'crimson thing' }, image)).toBe(true) // by its concept
  })

  test('an image that cannot be read is left out with a sentence', async () => {
    images = images.map((image, i) => (i === 0 ? { ...image, path: '/nowhere/gone.png' } : image))
    const { batch, notes } = await sourceOf({ 'batch.images': 12 }).prepare('all')
    expect(batch.imageCount).toBe(11)
    expect(notes).toEqual(['Left out /nowhere/gone.png: The image is missing.'])
  })

  test('regions without boxes take no part in consistency', async () => {
    images = images.map((image) => ({ ...image, regions: image.regions.map((region) => ({ ...region, boxes: [] })) }))
    const { batch } = await sourceOf().prepare('all')
    expect(batch.regionMasks).toBeNull()
    expect([...batch.hasRegion]).toEqual(Array(8).fill(0))
  })
})
