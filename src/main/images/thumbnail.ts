/** Small pictures for lists, kept as files. A cache file is whole or absent: it is written beside its place and renamed. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { toErrorData } from '../../shared/errors.ts'
import { MAX_PIXELS, readImageHeader } from './decode.ts'

export const THUMBNAIL_SIZE_PX = 256
export const THUMBNAIL_TYPE = 'image/webp'
const making = new Map<string, Promise<void>>()

/** Where the thumbnail of an image of the project is kept. */
export const thumbnailPath = (cacheDir: string, imageId: string): string => join(cacheDir, 'thumbnails', imageId.slice(-2), `${imageId}.webp`)

/** WebP bytes whose longer side is at most sizePx; never larger than the image. Colours as seen (profiles applied). */
export async function renderThumbnail(imagePath: string, sizePx: number = THUMBNAIL_SIZE_PX): Promise<Buffer> {
  await readImageHeader(imagePath) // says in words what is wrong with the file, which the pipeline below does not
  return sharp(imagePath, { failOn: 'none', limitInputPixels: MAX_PIXELS })
    .autoOrient()
    .resize(sizePx, sizePx, { fit: 'inside', withoutEnlargement: true, kernel: 'lanczos3' })
    .toColourspace('srgb')
    .webp({ quality: 82, effort: 2 })
    .toBuffer()
}

/**
 * Makes cacheFile unless it is there and newer than the image. Calls for one file at the same time share the work. A full disk
 * is no reason to show nothing: the bytes are then returned all the same.
 * @returns the thumbnail's bytes when they were just made, null when the cache file may be used as it is
 */
export async function ensureThumbnail(imagePath: string, cacheFile: string, sizePx: number = THUMBNAIL_SIZE_PX): Promise<Buffer | null> {
  if (await isFresh(imagePath, cacheFile)) return null
  const running = making.get(cacheFile)
  if (running) {
    await running.catch(() => undefined)
    return (await isFresh(imagePath, cacheFile)) ? null : renderThumbnail(imagePath, sizePx)
  }
  const work = renderThumbnail(imagePath, sizePx)
  const stored = work.then((bytes) => writeAtomically(cacheFile, bytes))
  making.set(cacheFile, stored)
  try {
    await stored
  } catch (error) {
    if (toErrorData(error).code !== 'disk-full') throw error
  } finally {
    making.delete(cacheFile)
  }
  return work
}

async function isFresh(imagePath: string, cacheFile: string): Promise<boolean> {
  const [image, cache] = await Promise.all([stat(imagePath).catch(() => null), stat(cacheFile).catch(() => null)])
  return image !== null && cache !== null && cache.size > 0 && cache.mtimeMs >= image.mtimeMs
}

async function writeAtomically(file: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const part = `${file}.${randomUUID()}.part`
  try {
    await writeFile(part, bytes)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
