import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseRunConfig, withOverrides } from '../../shared/config/run-config.ts'
import type { Box } from '../../shared/geometry.ts'
import { boxesOnly, type Shape } from '../../shared/shape.ts'
import { shapeMask } from '../../shared/shape-mask.ts'
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

  test('the incomplete batch at the end of an epoch is left out', () => {
    const sampler = createSampler(new Map([['all', 11]]), 5)
    const epochs = Array.from({ length: 4 }, () => [...sampler.next('all', 4), ...sampler.next('all', 4)])
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(8) // the last three of each do not come, not even into the next
    expect(sampler.state()).toEqual({ all: { epoch: 3, drawn: 8 } })
    expect(new Set(epochs.flat()).size).toBe(11)
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

  test('of mirrored images, what is known is mirrored too', async () => {
    const one = { ...images[0]!, concepts: new Set<string>(), phrases: new Set(['the left square']), regions: [{ ...images[0]!.regions[0]!, phrase: 'the left square', concepts: [] }] }
    const other = { ...one, imageId: 'other', phrases: new Set(['the right square']), regions: [{ ...one.regions[0]!, phrase: 'the right square' }] }
    images = [one, other]
    const known = new Map<string, boolean>()
    for (let seed = 0; seed < 24; seed++) {
      const { batch } = await sourceOf({ seed, 'batch.images': 2, 'batch.phrases': 1, 'data.flip': 0.5 }).prepare('all')
      const shown = [0, 1].map((n) => batch.text.ids[n * batch.text.length + 2]) // "the LEFT square"
      // One of the two says left and the other right, unless exactly one was mirrored: then both say the same.
      expect([...batch.alsoTrue!]).toEqual(shown[0] === shown[1] ? [0, 1, 1, 0] : [0, 0, 0, 0])
      known.set(String(shown[0] === shown[1]), true)
    }
    expect(known.size).toBe(2)
  })

  test('a stage of views shows its images and regions only', async () => {
    const stagesOf = (image: number, region: number): number[] => (image < 5 && region === 0 ? [0] : image === 5 ? [0, 1] : [])
    images = images.map((image, i) => ({
      ...image, regions: image.regions.map((region, r) => ({ ...region, stages: stagesOf(i, r), phrase: stagesOf(i, r).length > 0 ? 'the left square' : 'the right square' })),
    }))
    const source = sourceOf({ 'batch.images': 3, 'batch.phrases': 1, 'data.flip': 0 })
    expect([source.has('view-0'), source.has('view-1'), source.has('view-2')]).toEqual([true, true, false])
    const texts = new Set<string>()
    for (let i = 0; i < 8; i++) {
      const { batch } = await source.prepare('view-0')
      expect(batch.imageCount).toBe(3)
      for (let n = 0; n < 3; n++) texts.add(String(batch.text.ids.subarray(n * batch.text.length, (n + 1) * batch.text.length)))
    }
    const { batch } = await source.prepare('view-1')
    expect(batch.imageCount).toBe(1) // the pool has no more
    expect(texts.size).toBe(1) // left only
    const { batch: all } = await sourceOf({ 'batch.images': 12, 'batch.phrases': 2, 'data.flip': 0 }).prepare('all')
    expect(all.imageCount).toBe(12)
    expect(new Set(Array.from({ length: 24 }, (_, n) => all.text.ids[n * all.text.length + 2])).size).toBe(2)
  })

  describe('of a region with an outline and a box', () => {
    // Left a triangle whose box is the left half, right a box: at the side of the model pixels and mask are one to one.
    const boxes: Box[] = [[0, 0, 12, 24], [16, 4, 20, 8]]
    const outlines = [[0, 0, 12, 24, 0, 24], []]
    const masksOf = async (overrides: Record<string, unknown>): Promise<string[]> => {
      images = images.map((image) => ({ ...image, width: 24, height: 24, regions: [{ ...image.regions[0]!, boxes, outlines }] }))
      const found = new Set<string>()
      for (let seed = 0; seed < 6; seed++) {
        const { batch } = await sourceOf({ seed, 'batch.phrases': 1, 'data.flip': 0, ...overrides }).prepare('all')
        for (let n = 0; n < 4; n++) found.add(batch.regionMasks!.subarray(n * 576, (n + 1) * 576).join(''))
      }
      return [...found].sort()
    }
    const drawn = (shapes: readonly Shape[]): string[] => shapes.map((shape) => shapeMask(shape, { width: 24, height: 24 }).join('')).sort()
    const [triangle, box] = [{ boxes: [boxes[0]!], outlines: [outlines[0]!] }, boxesOnly([boxes[1]!])]

    test('the mask fills the outline and the box, or one of them', async () => {
      expect(await masksOf({})).toEqual(drawn([{ boxes, outlines }]))
      expect(await masksOf({ 'data.boxes': 'one' })).toEqual(drawn([triangle, box]))
    })

    test('the mask fills boxes where regions are boxes', async () => {
      expect(await masksOf({ 'data.regions': 'box' })).toEqual(drawn([boxesOnly(boxes)]))
      expect(await masksOf({ 'data.regions': 'box', 'data.boxes': 'one' })).toEqual(drawn([boxesOnly([boxes[0]!]), box]))
    })

    test('the mask is mirrored with the image', async () => {
      const [mask] = drawn([{ boxes, outlines }])
      expect(await masksOf({ 'data.flip': 1 })).toEqual([Array.from({ length: 24 }, (_, y) => [...mask!.slice(y * 24, (y + 1) * 24)].reverse().join('')).join('')])
    })
  })

  test('one box of a phrase is drawn each time, or all are used', async () => {
    const boxes: Box[] = [[0, 0, 6, 6], [18, 18, 24, 24], [0, 18, 6, 24]]
    images = images.map((image) => ({ ...image, regions: [{ ...image.regions[0]!, boxes }] }))
    const cornersOf = async (choice: string): Promise<Set<string>> => {
      const found = new Set<string>()
      for (let seed = 0; seed < 8; seed++) {
        const { batch } = await sourceOf({ seed, 'batch.phrases': 1, 'data.boxes': choice, 'data.flip': 0 }).prepare('all')
        for (let n = 0; n < 4; n++) found.add([0, 23 * 24 + 23, 23 * 24].map((at) => batch.regionMasks![n * 576 + at]).join(''))
      }
      return found
    }
    expect([...(await cornersOf('one'))].sort()).toEqual(['001', '010', '100'])
    expect([...(await cornersOf('all'))]).toEqual(['111'])
  })

  test('counted by regions, an epoch shows every region once, images as often as they have regions', async () => {
    images = images.map((image, i) => ({ ...image, regions: image.regions.map((region, r) => ({ ...region, boxes: [[2 * i, 12 * r, 2 * i + 2, 12 * r + 12]] as Box[] })) }))
    const source = sourceOf({ 'batch.images': 6, 'data.epoch': 'regions', 'data.flip': 0 })
    const seen: { image: number; region: number }[] = []
    for (let i = 0; i < 4; i++) {
      const { batch } = await source.prepare('all')
      expect([batch.imageCount, batch.phrasesPerImage]).toEqual([6, 1])
      const shown = Array.from({ length: 6 }, (_, n) => {
        const first = batch.regionMasks!.subarray(n * 576, (n + 1) * 576).indexOf(1)
        return { image: (first % 24) / 2, region: Math.floor(first / 24) / 12 }
      })
      // The same image twice in a batch: the phrase of the one is true of the other.
      shown.forEach((one, n) => shown.forEach((other, b) => one.image === other.image && n !== b && expect(batch.alsoTrue![n * 6 + b]).toBe(1)))
      seen.push(...shown)
    }
    expect(new Set(seen.map(({ image, region }) => `${image} ${region}`)).size).toBe(24)
  })

  test('every region of an image has its turn', async () => {
    images = images.slice(0, 1)
    const source = sourceOf({ 'batch.phrases': 1, 'batch.images': 1, 'data.flip': 0 })
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) seen.add(String((await source.prepare('all')).batch.text.ids))
    expect(seen.size).toBeGreaterThan(1)
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
