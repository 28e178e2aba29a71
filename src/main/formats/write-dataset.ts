/** The one way out of the program for annotations: samples in, one file or folder out, whole or not at all. */
import { extname, resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { keptShape } from './losses.ts'
import { isOutside, stage, uniqueNames } from './output.ts'
import type { ExportHead, ExportImage, ExportSample, Format, FormatWriter } from './types.ts'

export interface WriteOptions {
  readonly out: string
  /** Copy the images beside the annotations, or name them as the source does. */
  readonly images: 'copy' | 'refer'
  /** Overwrite a file. A folder is never overwritten. */
  readonly replace: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (written: { images: number; regions: number }) => void
}
export interface Written {
  readonly path: string
  readonly images: number
  readonly regions: number
}

const IMAGE_END = /\.(jpe?g|png|webp|bmp|gif|tiff?|avif)$/i

/** @throws AppError 'bad-input' when something is there already or an image cannot be read, 'disk-full', 'forbidden', 'cancelled'. Nothing is left behind then. */
export async function writeDataset(format: Format, samples: AsyncIterable<ExportSample>, head: ExportHead, options: WriteOptions): Promise<Written> {
  const writer = requireWriter(format)
  const path = resolve(options.out)
  const onlyFile = outIsFile(writer, path, options.images) ? writer.file : null
  if (onlyFile === null && options.images === 'refer' && writer.needsImages) {
    throw new AppError('bad-input', `${format.title} is a folder with its images, so they have to be copied.`, 'Let the images be copied.', 'images')
  }
  const out = await stage(path, { onlyFile, replace: options.replace })
  try {
    const session = await writer.begin(out, head)
    const name = namer(writer, options.images)
    let images = 0
    let regions = 0
    for await (const sample of samples) {
      if (options.signal?.aborted) throw new AppError('cancelled', 'The export was cancelled; nothing was written.')
      const image: ExportImage = { ...sample.image, name: name(sample.image) }
      const kept = sample.regions.flatMap((region) => {
        const shape = keptShape(region, sample.image, writer.holds)
        return shape === null ? [] : [{ ...region, ...shape, untouched: region.untouched && shape.boxes.length === region.boxes.length }]
      })
      if (kept.length === 0 && !writer.holds.fields.includes('emptyImages')) continue
      if (options.images === 'copy') await copyImage(out, image, writer)
      await session.add({ image, regions: kept })
      images++
      regions += kept.length
      options.onProgress?.({ images, regions })
    }
    await session.finish()
    if (options.signal?.aborted) throw new AppError('cancelled', 'The export was cancelled; nothing was written.')
    await out.commit()
    return { path, images, regions }
  } catch (error) {
    await out.discard()
    throw error
  }
}

async function copyImage(out: { copy: (from: string, name: string) => Promise<void> }, image: ExportImage, writer: FormatWriter): Promise<void> {
  try {
    await out.copy(image.path, writer.imagePath(image))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new AppError('bad-input', `The image ${image.path} is not there any more, so it cannot be copied. Nothing was written.`, 'Put it back, or export without copying images.', image.path, { cause: error })
  }
}

/** @throws AppError 'usage' */
export function requireWriter(format: Format): FormatWriter {
  if (!format.write) throw new AppError('usage', `${format.title} can be read but not written.`, '', 'format')
  return format.write
}

/** A path that ends like the format's file is that file; any other is a folder. With images it is a folder always. */
function outIsFile(writer: FormatWriter, path: string, images: WriteOptions['images']): boolean {
  return writer.file !== null && images === 'refer' && extname(path).toLowerCase() === extname(writer.file)
}

function namer(writer: FormatWriter, images: WriteOptions['images']): (image: ExportImage) => string {
  if (images === 'refer') return (image) => image.name
  const unique = uniqueNames()
  const stems = uniqueNames()
  return (image) => {
    const ended = IMAGE_END.test(image.name) ? image.name : image.name + extname(image.path)
    if (writer.names === 'paths') return unique(isOutside(ended) ? ended.split(/[\\/]/).at(-1)! : ended)
    const flat = ended.split(/[\\/]/).at(-1)!
    const end = extname(flat)
    return stems(flat.slice(0, flat.length - end.length) || 'image') + end
  }
}
