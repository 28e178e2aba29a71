/** Pillow's and OpenCV's resizing of pictures of odd sizes (resizes.safetensors, made by make/resizes.py): never further off than one level. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import type { RgbImage } from '../../src/main/images/decode.ts'
import { boxesOnly } from '../../src/shared/shape.ts'
import { shapeMask } from '../../src/shared/shape-mask.ts'
import { resizeBicubic, resizeLinear } from '../../src/main/train/resize.ts'

/** The formula that make/resizes.py uses. */
function picture(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const noise = (x * 7919 + y * 104729 + x * y * 31) % 65521 >> 8
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = (noise + x * (3 + c) + y * (5 - c)) % 256
    }
  }
  return { data, width, height }
}

const sizeOf = (text: string): [number, number] => text.split('x').map(Number) as [number, number]

test.each([['pillow_bicubic', resizeBicubic], ['opencv_linear', resizeLinear]] as const)('%s', (kind, resize) => {
  const file = openSafetensors(join(import.meta.dirname, 'resizes.safetensors'))
  const names = [...file.tensors.keys()].filter((name) => name.startsWith(kind))
  expect(names.length).toBeGreaterThan(50)
  let [off, values] = [0, 0]
  for (const name of names) {
    const [, from, to] = name.split('/') as [string, string, string]
    const got = resize(picture(...sizeOf(from)), ...sizeOf(to))
    const want = file.tensors.get(name)!.read().data as Uint8Array
    expect([got.width, got.height, got.data.length], name).toEqual([...sizeOf(to), want.length])
    const worst = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got.data[i]!)), 0)
    expect(worst, name).toBeLessThanOrEqual(1)
    off += want.reduce((sum, value, i) => sum + (value === got.data[i] ? 0 : 1), 0)
    values += want.length
  }
  file.close()
  // Far most are equal: a level is the exception.
  expect(off / values).toBeLessThan(0.001)
})

test('opencv_nearest: a region begins at the very column it begins at there', () => {
  const file = openSafetensors(join(import.meta.dirname, 'resizes.safetensors'))
  for (const to of [45, 60, 96]) {
    const { shape, data } = file.tensors.get(`opencv_nearest/${to}`)!.read()
    for (let width = 1; width <= shape[0]!; width++) {
      const sources = Array.from((data as Uint8Array).subarray((width - 1) * to, width * to))
      for (const from of [0, width >> 1, width - 1]) {
        const mask = shapeMask(boxesOnly([[from, 0, width, 1]]), { width, height: 1 }, { width: to, height: to })
        expect(Array.from(mask.subarray(0, to)), `${width} to ${to}, from ${from}`).toEqual(sources.map((source) => (source >= from ? 1 : 0)))
      }
    }
  }
  file.close()
})
