/** Images as the published evaluations take them: as stored in the file, resized whole, normalised. */
import sharp from 'sharp'
import { AppError } from '../../shared/errors.ts'
import type { Size } from '../../shared/geometry.ts'
import { decodeRgb, MAX_PIXELS, readImageHeader, type RgbImage } from '../images/decode.ts'
import { EVALUATION_LEVELS, TRAINING_LEVELS, writePlanes } from '../train/pixels.ts'
import { resizeBicubic, resizeLinear } from '../train/resize.ts'

export interface ImagePreparation {
  /** Side of the model's image, px. */
  readonly side: number
  readonly resize: 'linear' | 'bicubic'
  /** 'as stored': an EXIF orientation is ignored, as PIL and the published boxes do; 'as seen': it is applied, as everywhere else here. */
  readonly orientation: 'as stored' | 'as seen'
}

export interface PreparedImage {
  /** Normalised planes, [3, S, S]. */
  readonly planes: Float32Array
  /** Of the file. */
  readonly size: Size
}

/** @throws AppError 'bad-input' when it is missing or cannot be decoded */
export async function prepareImage(path: string, { side, resize, orientation }: ImagePreparation): Promise<PreparedImage> {
  const image = await (orientation === 'as stored' ? decodeAsStored(path) : decodeRgb(path))
  const planes = new Float32Array(3 * side * side)
  // Flickr30k goes through albumentations, the others through torchvision; they round differently in the last bit.
  if (resize === 'linear') writePlanes(resizeLinear(image, side, side).data, side, TRAINING_LEVELS, false, planes, 0)
  else writePlanes(resizeBicubic(image, side, side).data, side, EVALUATION_LEVELS, false, planes, 0)
  return { planes, size: { width: image.width, height: image.height } }
}

/** Without turning by EXIF; nearly no image of a benchmark has one, so the usual decoding serves the others. */
async function decodeAsStored(path: string): Promise<RgbImage> {
  const { orientation } = await readImageHeader(path)
  if (orientation === 1) return decodeRgb(path)
  try {
    const { data, info } = await sharp(path, { failOn: 'truncated', limitInputPixels: MAX_PIXELS, ignoreIcc: true }).toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`)
    return { data, width: info.width, height: info.height }
  } catch (error) {
    throw new AppError('bad-input', 'The image cannot be decoded.', 'Replace the file.', path, { cause: error })
  }
}
