import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { levelCount, levelSize, TILE_PX, tileGrid } from '../../shared/tiles.ts'
import { decodeRgb } from './decode.ts'
import { ensureTiles, tilePath } from './tiles.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-tiles-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Red grows to the right and green downwards, so that each place can be told by its colour. */
async function gradient(path: string, width: number, height: number, orientation = 1): Promise<string> {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([Math.round((x / width) * 255), Math.round((y / height) * 255), 40], (y * width + x) * 3)
  await sharp(data, { raw: { width, height, channels: 3 } }).withMetadata({ orientation }).jpeg({ quality: 95 }).toFile(path)
  return path
}

describe('tiles', () => {
  it.each([[1537, 1025, 1], [900, 1300, 6], [300, 200, 1]] as const)('hold the image as seen, level by level (%i x %i, orientation %i)', async (width, height, orientation) => {
    const path = await gradient(join(dir, `g${width}.jpg`), width, height, orientation)
    const seen = orientation === 6 ? { width: height, height: width } : { width, height }
    const folder = join(dir, 'cache', String(width))
    await ensureTiles(path, folder, seen)
    const whole = await decodeRgb(path)
    for (let level = 0; level < levelCount(seen); level++) {
      const size = levelSize(seen, level)
      const { columns, rows } = tileGrid(seen, level)
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          const tile = await decodeRgb(tilePath(folder, { level, x, y }))
          expect([tile.width, tile.height]).toEqual([Math.min(TILE_PX, size.width - x * TILE_PX), Math.min(TILE_PX, size.height - y * TILE_PX)])
          const middle = { x: Math.floor(tile.width / 2), y: Math.floor(tile.height / 2) }
          const at = { x: Math.floor(((x * TILE_PX + middle.x) * seen.width) / size.width), y: Math.floor(((y * TILE_PX + middle.y) * seen.height) / size.height) }
          for (const channel of [0, 1]) {
            const [got, wanted] = [tile.data[(middle.y * tile.width + middle.x) * 3 + channel]!, whole.data[(at.y * seen.width + at.x) * 3 + channel]!]
            expect(Math.abs(got - wanted), `level ${level}, tile ${x} ${y}, channel ${channel}`).toBeLessThanOrEqual(6)
          }
        }
      }
    }
  })

  it('are cut once for calls at the same time, again when the image changed, and leave no parts behind', async () => {
    const path = await gradient(join(dir, 'once.jpg'), 700, 600)
    const folder = join(dir, 'once', 'x')
    const size = { width: 700, height: 600 }
    await Promise.all(Array.from({ length: 5 }, () => ensureTiles(path, folder, size)))
    const first = (await stat(tilePath(folder, { level: 0, x: 0, y: 0 }))).mtimeMs
    await ensureTiles(path, folder, size)
    expect((await stat(tilePath(folder, { level: 0, x: 0, y: 0 }))).mtimeMs).toBe(first)
    const later = new Date(Date.now() + 60_000)
    await utimes(path, later, later)
    await ensureTiles(path, folder, size)
    expect((await stat(tilePath(folder, { level: 0, x: 0, y: 0 }))).mtimeMs).not.toBe(first)
    expect(await readdir(join(dir, 'once'))).toEqual(['x'])
  })

  it('are not cut from a file that is broken or has another size by now, and nothing is left', async () => {
    await writeFile(join(dir, 'broken.jpg'), 'no')
    await expect(ensureTiles(join(dir, 'broken.jpg'), join(dir, 'none', 'b'), { width: 9, height: 9 })).rejects.toThrow('The file is not an image.')
    await expect(ensureTiles(join(dir, 'once.jpg'), join(dir, 'none', 'c'), { width: 9, height: 9 })).rejects.toThrow('700 x 600 now and was 9 x 9')
    await expect(stat(join(dir, 'none'))).rejects.toThrow('ENOENT')
  })
})
