import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { decodeRgb, readImageHeader } from './decode.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-images-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

const WIDTH = 48
const HEIGHT = 32
const RED = [220, 20, 30] as const
const BLUE = [20, 40, 210] as const

/** 48 x 32, as seen: the left half red, the right half blue, the lowest quarter black. */
function picture(): Buffer {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) data.set(y >= HEIGHT * 0.75 ? [0, 0, 0] : x < WIDTH / 2 ? RED : BLUE, (y * WIDTH + x) * 3)
  }
  return data
}
const raw = () => sharp(picture(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })

/** By EXIF orientation: the stored column and row of the pixel seen at x, y, for a stored size of w x h (EXIF 2.3, table of tag 0x0112). */
const STORED_AT: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y, w) => [w - 1 - x, y],
  3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
  4: (x, y, _w, h) => [x, h - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _w, h) => [y, h - 1 - x],
  7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
  8: (x, y, w) => [w - 1 - y, x],
}

function storedFor(orientation: number): Sharp {
  const [width, height] = orientation >= 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]
  const seen = picture()
  const stored = Buffer.alloc(seen.length)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [column, row] = STORED_AT[orientation]!(x, y, width, height)
      seen.copy(stored, (row * width + column) * 3, (y * WIDTH + x) * 3, (y * WIDTH + x) * 3 + 3)
    }
  }
  return sharp(stored, { raw: { width, height, channels: 3 } })
}

async function expectThePicture(path: string, tolerance: number): Promise<void> {
  const image = await decodeRgb(path)
  expect([image.width, image.height, image.data.length]).toEqual([WIDTH, HEIGHT, WIDTH * HEIGHT * 3])
  const expected = picture()
  for (const [x, y] of [[6, 6], [40, 6], [6, 18], [40, 18], [6, 29], [40, 29]] as const) {
    const at = (y * WIDTH + x) * 3
    for (let c = 0; c < 3; c++) expect(Math.abs(image.data[at + c]! - expected[at + c]!), `pixel ${x},${y} channel ${c}`).toBeLessThanOrEqual(tolerance)
  }
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(() => null, (e: unknown) => e)
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

describe('orientation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('shows EXIF orientation %i upright, with the size as seen', async (orientation) => {
    const path = join(dir, `exif-${orientation}.jpg`)
    await storedFor(orientation).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toFile(path)
    const header = await readImageHeader(path)
    expect(header).toMatchObject({ width: WIDTH, height: HEIGHT, orientation, format: 'jpeg' })
    await expectThePicture(path, 6)
  })
})

describe('pixel kinds', () => {
  it('reads PNG exactly', async () => {
    await raw().png().toFile(join(dir, 'plain.png'))
    await expectThePicture(join(dir, 'plain.png'), 0)
    expect(Buffer.from((await decodeRgb(join(dir, 'plain.png'))).data)).toEqual(picture())
  })
  it('reads a palette PNG, WebP, GIF and TIFF', async () => {
    await raw().png({ palette: true }).toFile(join(dir, 'palette.png'))
    await raw().webp({ lossless: true }).toFile(join(dir, 'a.webp'))
    await raw().gif().toFile(join(dir, 'a.gif'))
    await raw().tiff().toFile(join(dir, 'a.tiff'))
    for (const name of ['palette.png', 'a.webp', 'a.gif', 'a.tiff']) await expectThePicture(join(dir, name), 8)
  })
  it('reduces 16 bits to 8', async () => {
    const path = join(dir, 'deep.png')
    await raw().toColourspace('rgb16').png().toFile(path)
    expect((await sharp(path).metadata()).depth).toBe('ushort')
    await expectThePicture(path, 1)
  })
  it.each(['b-w', 'grey16'] as const)('repeats the grey of a %s PNG in all channels', async (space) => {
    const path = join(dir, `${space}.png`)
    await sharp({ create: { width: 9, height: 5, channels: 3, background: { r: 100, g: 100, b: 100 } } }).toColourspace(space).png().toFile(path)
    expect((await sharp(path).metadata()).channels).toBe(1)
    const image = await decodeRgb(path)
    expect(image.data.length).toBe(9 * 5 * 3)
    for (const value of image.data) expect(Math.abs(value - 100)).toBeLessThanOrEqual(1)
  })
  it('drops transparency without blending, as PIL does', async () => {
    const path = join(dir, 'alpha.png')
    await sharp({ create: { width: 7, height: 4, channels: 4, background: { r: 200, g: 50, b: 10, alpha: 0.25 } } }).png().toFile(path)
    expect([...(await decodeRgb(path)).data.subarray(0, 3)]).toEqual([200, 50, 10])
  })
  it('reads a CMYK JPEG as colours, not as negatives', async () => {
    const path = join(dir, 'cmyk.jpg')
    await raw().toColourspace('cmyk').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toFile(path)
    expect((await sharp(path).metadata()).space).toBe('cmyk')
    await expectThePicture(path, 90)
  })
})

describe('broken files', () => {
  it('notices a JPEG that ends early from its header alone', async () => {
    const path = join(dir, 'cut.jpg')
    const noise = Buffer.from(Array.from({ length: 200 * 200 * 3 }, (_, i) => (i * 7919) % 251))
    await sharp(noise, { raw: { width: 200, height: 200, channels: 3 } }).jpeg().toFile(path)
    await readImageHeader(path)
    await truncate(path, 5000)
    expect((await failure(readImageHeader(path))).message).toBe('The image file ends early or is damaged.')
    expect((await failure(decodeRgb(path))).code).toBe('bad-input')
  })
  it('takes a JPEG with bytes after its end mark, as some cameras write it', async () => {
    const path = join(dir, 'padded.jpg')
    await raw().jpeg().toFile(path)
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(500)]))
    expect((await readImageHeader(path)).width).toBe(WIDTH)
  })
  it('notices a PNG that ends early', async () => {
    const path = join(dir, 'cut.png')
    await raw().png().toFile(path)
    await truncate(path, 120)
    expect((await failure(readImageHeader(path))).code).toBe('bad-input')
  })
  it.each([
    ['empty.jpg', '', /empty/],
    ['text.jpg', 'this is not a picture', /not an image/],
    ['drawing.jpg', '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>', /svg file/],
  ])('refuses %s in words', async (name, content, message) => {
    await writeFile(join(dir, name), content)
    const error = await failure(readImageHeader(join(dir, name)))
    expect(error.message).toMatch(message)
    expect(error.cure).not.toBe('')
  })
  it('says that a missing file is missing, and a folder no file', async () => {
    expect((await failure(readImageHeader(join(dir, 'nowhere.png')))).message).toBe('The image is missing.')
    expect((await failure(decodeRgb(dir))).message).toBe('This is not a file.')
  })
})

describe('an image of 300 megapixels', () => {
  /** A PNG whose head promises more than follows. */
  async function promised(width: number, height: number): Promise<string> {
    const whole = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } }).png().toBuffer()
    const head = Buffer.from(whole.subarray(0, 33))
    head.writeUInt32BE(width, 16)
    head.writeUInt32BE(height, 20)
    head.writeUInt32BE(crc32(head.subarray(12, 29)), 29)
    const path = join(dir, `promised-${width}.png`)
    await writeFile(path, Buffer.concat([head, whole.subarray(33, whole.length - 20)]))
    return path
  }

  it('is decoded, up to where its file ends; one beyond the limit is not begun', async () => {
    await expect(decodeRgb(await promised(20_000, 15_000))).rejects.toMatchObject({ code: 'bad-input', message: 'The image file ends early or is damaged.' })
    await expect(decodeRgb(await promised(20_001, 20_000))).rejects.toMatchObject({ code: 'bad-input', message: 'The image has more pixels than can be read.' })
  })
})
