import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, it } from 'vitest'
import { heatPicture } from './heat-picture.ts'

let [dir, image] = ['', '']
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'amc-heat-picture-'))
  image = join(dir, 'grey.png')
  await sharp({ create: { width: 200, height: 200, channels: 3, background: '#202020' } }).png().toFile(image)
  return () => rm(dir, { recursive: true, force: true })
})

/** Is there a line at this place, or within a pixel of it: the picture itself is dark. */
async function drawn(outlines: readonly (readonly number[])[], longestPx?: number) {
  const cold = { width: 2, height: 2, values: Float32Array.of(0, 0, 0, 1e-9) }
  const picture = await heatPicture(image, { grid: cold, boxes: [[20, 20, 180, 180]], outlines, peak: { x: 5, y: 195 }, range: { low: 0, high: 1 }, ...(longestPx === undefined ? {} : { longestPx }) })
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dx, dy] as const))
  return (x: number, y: number): boolean => near.some(([dx, dy]) => data[((y + dy) * info.width + x + dx) * info.channels]! > 80)
}

it('draws the outline of a region in place of its box', async () => {
  const box = await drawn([])
  expect([box(180, 100), box(100, 20), box(100, 100)]).toEqual([true, true, false])
  const half = await drawn([[20, 20, 180, 180, 20, 180]]) // the lower left half of the box
  expect([half(180, 100), half(100, 20)]).toEqual([false, false])
  expect([half(100, 100), half(100, 180), half(20, 100)]).toEqual([true, true, true])
  expect((await drawn([[]]))(180, 100)).toBe(true) // an outline without points is a box
  const small = await drawn([[20, 20, 180, 180, 20, 180]], 100)
  expect([small(50, 50), small(50, 90), small(90, 50)]).toEqual([true, true, false])
})
