import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/tiny-runs.ts'
import { evaluationPixels } from '../train/scoring.ts'
import { createImageCache } from '../train/image-cache.ts'
import { prepareImage } from './images.ts'

/** Left half red, right half blue; told to be turned by a quarter. */
async function turnedPicture(): Promise<string> {
  const path = join(await temporaryFolder(), 'turned.jpg')
  const pixels = Buffer.from(Array.from({ length: 40 * 20 }, (_, i) => (i % 40 < 20 ? [250, 0, 0] : [0, 0, 250])).flat())
  await sharp(pixels, { raw: { width: 40, height: 20, channels: 3 } }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation: 6 }).toFile(path)
  return path
}

test('published protocols take an image as it is stored, everything else as it is seen', async () => {
  const path = await turnedPicture()
  const common = { side: 8, resize: 'bicubic' } as const
  const [stored, seen] = [await prepareImage(path, { ...common, orientation: 'as stored' }), await prepareImage(path, { ...common, orientation: 'as seen' })]
  expect(stored.size).toEqual({ width: 40, height: 20 })
  expect(seen.size).toEqual({ width: 20, height: 40 })
  const red = ({ planes }: typeof stored, x: number, y: number) => planes[y * 8 + x]! > 0
  expect([red(stored, 1, 6), red(stored, 6, 1)]).toEqual([true, false])
  expect([red(seen, 6, 1), red(seen, 1, 6)]).toEqual([true, false])
})

test('as seen and bicubic it is what scoring looks at', async () => {
  const path = await turnedPicture()
  const scored = evaluationPixels([await createImageCache(8, 'bicubic', 0).get(path)], 8)
  expect((await prepareImage(path, { side: 8, resize: 'bicubic', orientation: 'as seen' })).planes).toEqual(scored)
})

test('a file that is no image is refused in words', async () => {
  await expect(prepareImage(join(await temporaryFolder(), 'none.jpg'), { side: 8, resize: 'linear', orientation: 'as stored' })).rejects.toMatchObject({ code: 'bad-input', message: 'The image is missing.' })
})
