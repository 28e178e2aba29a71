import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { boxesOnly } from '../../shared/shape.ts'
import { openSafetensors } from '../checkpoints/safetensors.ts'
import { decodeRgb } from '../images/decode.ts'
import { jitterColors, swapLeftRight, toGray } from './augment.ts'
import { EVALUATION_LEVELS, TRAINING_LEVELS, writePlanes, writeRegionMask, type LevelTable } from './pixels.ts'
import { resizeBicubic, resizeLinear } from './resize.ts'

// Vectors recorded from Pillow, OpenCV, albumentations and torchvision; see the README of the golden folder.
const PREP = join(import.meta.dirname, '../../../test/golden/tiny-a/prep')

describe.skipIf(!existsSync(PREP))('images are prepared as the published pipelines do (skipped where the recorded vectors are not there)', () => {
  const file = existsSync(PREP) ? openSafetensors(join(PREP, 'prep.safetensors')) : null
  const names = file ? [...file.tensors.keys()] : []
  const values = (name: string): ArrayLike<number> => file!.tensors.get(name)!.read().data as ArrayLike<number>
  const side = (name: string): number => file!.tensors.get(name)!.shape.at(-2)!
  const rgbOf = (index: string) => {
    const [height, width] = file!.tensors.get(`${index}/rgb`)!.shape as [number, number]
    return { data: Uint8Array.from(values(`${index}/rgb`)), width, height }
  }
  const worst = (ours: ArrayLike<number>, theirs: ArrayLike<number>): number => {
    expect(ours.length).toBe(theirs.length)
    return Array.from(theirs).reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0)
  }

  test('decoding is exact', async () => {
    for (const name of names.filter((one) => one.endsWith('/rgb'))) {
      const { data } = await decodeRgb(join(PREP, `${name.split('/')[0]}.png`))
      expect(worst(data, values(name)), name).toBe(0)
    }
  })

  test('Pillow bicubic and OpenCV linear are exact', () => {
    const resized = names.filter((name) => /(pil_bicubic|cv2_linear)_\d+_u8$/.test(name))
    expect(resized.length).toBeGreaterThanOrEqual(8)
    for (const name of resized) {
      const resize = name.includes('pil') ? resizeBicubic : resizeLinear
      expect(worst(resize(rgbOf(name.split('/')[0]!), side(name), side(name)).data, values(name)), name).toBe(0)
    }
  })

  test.each<{ pattern: RegExp; levels: LevelTable; pixels: string }>([
    { pattern: /\/alb_\d+$/, levels: TRAINING_LEVELS, pixels: 'cv2_linear' },
    { pattern: /\/test_transform_\d+$/, levels: EVALUATION_LEVELS, pixels: 'pil_bicubic' },
  ])('normalisation is exact: $pattern', ({ pattern, levels, pixels }) => {
    for (const name of names.filter((one) => pattern.test(one))) {
      const size = side(name)
      const out = new Float32Array(3 * size * size)
      writePlanes(Uint8Array.from(values(`${name.split('/')[0]}/${pixels}_${size}_u8`)), size, levels, false, out, 0)
      expect(worst(out, values(name)), name).toBe(0)
    }
  })

  test('grayscale is exact, colour jitter within one level', () => {
    const { data } = rgbOf('0')
    expect(worst(toGray(data), values('togray_u8'))).toBe(0)
    const { colorjitter } = JSON.parse(readFileSync(join(PREP, 'prep.json'), 'utf8')) as { colorjitter: Record<string, number>[] }
    colorjitter.forEach((draw, i) => {
      const jitter = { brightness: draw['brightness']!, contrast: draw['contrast']!, hueShift: draw['hue_shift']!, saturationShift: draw['sat_shift']! }
      expect(worst(jitterColors(data, jitter), values(`colorjitter_${i}_u8`))).toBeLessThanOrEqual(1)
    })
  })

  test('region masks at every size', () => {
    const { mask_cases } = JSON.parse(readFileSync(join(PREP, 'prep.json'), 'utf8')) as {
      mask_cases: { R: number; mask_size: number; i: number; box: [number, number, number, number] }[]
    }
    const image = rgbOf('1')
    for (const { R, mask_size, i, box } of mask_cases) {
      const out = new Float32Array(mask_size * mask_size)
      writeRegionMask(boxesOnly([box]), image, R, mask_size, false, out, 0)
      expect(worst(out, values(`mask/R${R}_ms${mask_size}_${i}`))).toBeLessThan(3e-5)
    }
  })
})

test('words of direction are exchanged, parts of other words are not', () => {
  expect(swapLeftRight('the Left hand of the bright man, right there')).toBe('the Right hand of the bright man, left there')
  expect(swapLeftRight('leftover rights')).toBe('leftover rights')
})
