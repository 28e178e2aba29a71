import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ensureThumbnail } from './thumbnail.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'amc-thumbs-'))
  const image = sharp({ create: { width: 900, height: 300, channels: 3, background: { r: 10, g: 120, b: 200 } } })
  await image.clone().jpeg().withMetadata({ orientation: 6 }).toFile(join(dir, 'turned.jpg'))
  await sharp({ create: { width: 20, height: 10, channels: 3, background: '#888' } }).png().toFile(join(dir, 'small.png'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

it('keeps the longer side at 256 and the orientation as seen', async () => {
  const file = join(dir, 'cache', 'a', 'turned.webp')
  const bytes = await ensureThumbnail(join(dir, 'turned.jpg'), file)
  expect(bytes).toEqual(await readFile(file))
  const meta = await sharp(file).metadata()
  expect([meta.width, meta.height, meta.format, meta.orientation]).toEqual([85, 256, 'webp', undefined])
})

it('never enlarges', async () => {
  const file = join(dir, 'cache', 'small.webp')
  await ensureThumbnail(join(dir, 'small.png'), file)
  expect((await sharp(file).metadata()).width).toBe(20)
})

it('is made once, again when the image changed, and leaves no parts behind', async () => {
  const cache = join(dir, 'again')
  const file = join(cache, 'x.webp')
  const results = await Promise.all(Array.from({ length: 6 }, () => ensureThumbnail(join(dir, 'small.png'), file)))
  expect(results.filter((bytes) => bytes !== null)).toHaveLength(1)
  expect(await ensureThumbnail(join(dir, 'small.png'), file)).toBeNull()
  const later = new Date((await stat(file)).mtimeMs + 5000)
  await utimes(join(dir, 'small.png'), later, later)
  expect(await ensureThumbnail(join(dir, 'small.png'), file)).not.toBeNull()
  expect(await readdir(cache)).toEqual(['x.webp'])
})

it('says what is wrong with a broken image and writes nothing', async () => {
  await writeFile(join(dir, 'broken.jpg'), 'no')
  await expect(ensureThumbnail(join(dir, 'broken.jpg'), join(dir, 'none', 'b.webp'))).rejects.toThrow('The file is not an image.')
  await expect(stat(join(dir, 'none'))).rejects.toThrow('ENOENT')
})
