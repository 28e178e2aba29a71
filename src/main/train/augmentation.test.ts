/** Whatever is done to an image in training, its region masks stay on what they belong to. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { parseRunConfig, withOverrides } from '../../shared/config/run-config.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { createTokenizer } from '../model/tokenizer.ts'
import { swapLeftRight } from './augment.ts'
import { createBatchSource } from './batches.ts'
import { createImageCache } from './image-cache.ts'
import { TRAINING_LEVELS, writeRegionMask } from './pixels.ts'
import type { SampleImage } from './samples.ts'
import { temporaryFolder, TINY } from '../../../test/support/tiny-runs.ts'

const SIDE = TINY.image.size
const AREA = SIDE * SIDE

/** A box of whole pixels inside a square of SIDE. */
const boxes = fc
  .tuple(fc.integer({ min: 0, max: SIDE - 2 }), fc.integer({ min: 0, max: SIDE - 2 }), fc.integer({ min: 1, max: SIDE }), fc.integer({ min: 1, max: SIDE }))
  .map(([x, y, w, h]) => [x, y, Math.min(SIDE, x + w), Math.min(SIDE, y + h)] as const)

/** Levels 0-255 of a plane of normalised values. */
function levelsOf(plane: Float32Array, channel: number): number[] {
  const table = TRAINING_LEVELS[channel]!
  return Array.from(plane, (value) => table.indexOf(value))
}

test('the pixels of a region are those under its mask, after any flip, grayscale and colour jitter', async () => {
  const folder = join(await temporaryFolder(), 'images')
  await mkdir(folder)
  const tokenizer = createTokenizer(TINY.text.vocabulary as string[])
  let number = 0
  const draws = { flipped: 0, straight: 0 }
  await fc.assert(
    fc.asyncProperty(boxes, fc.nat(1_000_000), async (box, seed) => {
      // A white box on black: whatever happens to the colours, the brightest channel tells them apart.
      const pixels = Buffer.alloc(AREA * 3)
      for (let y = box[1]; y < box[3]; y++) pixels.fill(255, (y * SIDE + box[0]) * 3, (y * SIDE + box[2]) * 3)
      const path = join(folder, `${number++}.png`)
      await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).png().toFile(path)
      const region = { regionId: 'r', revision: 1, phrase: 'the left square', boxes: [box], outlines: [], concepts: [], stages: [] }
      const image: SampleImage = { imageId: 'i', path, width: SIDE, height: SIDE, split: 'train', kind: null, regions: [region], concepts: new Set(), phrases: new Set() }
      const source = createBatchSource({
        images: [image], modelConfig: TINY, cache: createImageCache(SIDE, 'linear', 0),
        config: withOverrides(parseRunConfig({}), { seed, 'batch.images': 1, 'data.flip': 0.5, 'data.grayscale': 0.5, 'data.colorJitter': 0.7 }),
        tokenize: (phrases) => tokenizer.encodeBatch(phrases, TINY.max_tokens),
      })
      const { batch } = await source.prepare('all')
      const planes = [0, 1, 2].map((c) => levelsOf((batch.images as Float32Array).subarray(c * AREA, (c + 1) * AREA), c))
      const brightness = Array.from({ length: AREA }, (_, i) => Math.max(planes[0]![i]!, planes[1]![i]!, planes[2]![i]!))
      const mask = [...batch.regionMasks!]
      const inside = new Set(brightness.filter((_, i) => mask[i] === 1))
      const outside = new Set(brightness.filter((_, i) => mask[i] === 0))
      expect(mask.every((value) => value === 0 || value === 1)).toBe(true)
      expect(inside.size).toBe(1)
      expect(outside.size).toBeLessThanOrEqual(1)
      expect(inside).not.toEqual(outside)
      // And the word goes with the side.
      const flipped = tokenizer.encode('the right square').ids.every((id, i) => batch.text.ids[i] === id)
      const straight = mask[box[1] * SIDE + box[0]] === 1 && mask[box[1] * SIDE + box[2] - 1] === 1
      if (!flipped) expect(straight).toBe(true)
      draws[flipped ? 'flipped' : 'straight']++
    }),
    { numRuns: 120, seed: 7 },
  )
  expect(Math.min(draws.flipped, draws.straight)).toBeGreaterThan(20)
})

test('a mirrored mask is the mirror image of the mask, for any size of image, model and mask', () => {
  const size = fc.integer({ min: 2, max: 90 })
  fc.assert(
    fc.property(size, size, size, size, fc.array(fc.double({ min: -10, max: 110, noNaN: true }), { minLength: 4, maxLength: 4 }), (width, height, modelSide, maskSide, box) => {
      const make = (mirrored: boolean): Float32Array => {
        const out = new Float32Array(maskSide * maskSide)
        writeRegionMask(boxesOnly([box as unknown as [number, number, number, number]]), { width, height }, modelSide, maskSide, mirrored, out, 0)
        return out
      }
      const [straight, mirrored] = [make(false), make(true)]
      const gaps = straight.map((_, i) => Math.abs(mirrored[i]! - straight[i - (i % maskSide) + maskSide - 1 - (i % maskSide)]!))
      expect(Math.max(...gaps)).toBeLessThan(1e-5)
    }),
    { numRuns: 60 },
  )
})

describe('left and right change places', () => {
  test.each([
    ['the dog on the left', 'the dog on the right'],
    ['Left of the RIGHT hand, rightmost', 'Right of the LEFT hand, leftmost'],
    ['upper-left corner', 'upper-right corner'],
    ['bright leftover copyright', 'bright leftover copyright'],
  ])('%s', (phrase, swapped) => {
    expect(swapLeftRight(phrase)).toBe(swapped)
  })

  test('twice is as before', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('left', 'Right', 'LEFTMOST', 'dog', 'on', 'the', 'Leftmost', '-', ',')), (words) => swapLeftRight(swapLeftRight(words.join(' '))) === words.join(' ')))
  })
})
