/**
 * Tiles of large images, cut once and kept in the cache: a folder an image, whole or absent, because it is made beside its place
 * and renamed. The picture is streamed through, so 300 megapixels need no 900 MB.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../shared/errors.ts'
import type { Size } from '../../shared/geometry.ts'
import { levelCount, TILE_PX, type TileAddress } from '../../shared/tiles.ts'
import { MAX_PIXELS, readImageHeader } from './decode.ts'

export const TILE_TYPE = 'image/jpeg'
const QUALITY = 88
const making = new Map<string, Promise<void>>()
/** One image at a time: each takes all that the machine can give. */
let last: Promise<unknown> = Promise.resolve()

/** Where the tiles of an image of the project are kept. */
export const tilesFolder = (cacheDir: string, imageId: string): string => join(cacheDir, 'tiles', imageId.slice(-2), imageId)

/** Path of one tile within the folder of its image. */
export function tilePath(folder: string, { level, x, y }: TileAddress): string {
  return join(folder, 'tiles_files', String(level), `${x}_${y}.jpeg`)
}

/**
 * Cuts the image into `folder` unless that is there and newer than the image. Calls for one image at the same time share the work.
 * @param expected size as seen that the rest of the program knows the image by
 * @throws AppError 'bad-input' when the file cannot be read or has another size by now, 'disk-full'
 */
export async function ensureTiles(imagePath: string, folder: string, expected: Size): Promise<void> {
  if (await isFresh(imagePath, folder)) return
  const running = making.get(folder)
  if (running) return running
  const work = last.then(() => cut(imagePath, folder, expected))
  last = work.catch(() => undefined)
  making.set(folder, work)
  try {
    await work
  } finally {
    making.delete(folder)
  }
}

async function isFresh(imagePath: string, folder: string): Promise<boolean> {
  const [image, tiles] = await Promise.all([stat(imagePath).catch(() => null), stat(join(folder, 'tiles.dzi')).catch(() => null)])
  return image !== null && tiles !== null && tiles.mtimeMs >= image.mtimeMs
}

async function cut(imagePath: string, folder: string, expected: Size): Promise<void> {
  const header = await readImageHeader(imagePath)
  if (header.width !== expected.width || header.height !== expected.height) {
    throw new AppError('bad-input', `The image is ${header.width} x ${header.height} now and was ${expected.width} x ${expected.height} when it was imported.`, 'Import it again.', imagePath)
  }
  const part = `${folder}.${randomUUID()}.part`
  try {
    await mkdir(part, { recursive: true })
    await sharp(imagePath, { failOn: 'none', limitInputPixels: MAX_PIXELS, sequentialRead: header.orientation === 1 })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .jpeg({ quality: QUALITY })
      .tile({ size: TILE_PX, overlap: 0, layout: 'dz', depth: 'onetile' })
      .toFile(join(part, 'tiles.dz'))
    await checkLevels(part, expected)
    await rm(folder, { recursive: true, force: true })
    await mkdir(dirname(folder), { recursive: true })
    await rename(part, folder)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

/** The page counts levels by itself: both must mean the same by them. */
async function checkLevels(part: string, image: Size): Promise<void> {
  const made = (await readdir(join(part, 'tiles_files'))).filter((name) => /^\d+$/.test(name)).length
  if (made !== levelCount(image)) throw new AppError('internal', `The image was cut into ${made} levels instead of ${levelCount(image)}.`, 'This is a fault of the program.')
}
