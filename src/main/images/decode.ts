/**
 * Reading image files. sharp only decodes; nothing here resizes for a model. Sizes are those of the image as it is seen,
 * after its EXIF orientation, as everywhere in the product.
 */
import { open, stat, type FileHandle } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'
import { AppError } from '../../shared/errors.ts'

export interface ImageHeader {
  /** As seen, after EXIF orientation. */
  readonly width: number
  readonly height: number
  /** EXIF orientation, 1-8; 1 where there is none. */
  readonly orientation: number
  readonly format: string
  readonly bytes: number
}

/** Interleaved 8-bit RGB, row-major: data.length = width * height * 3. */
export interface RgbImage {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** The largest image that is read, in pixels: 400 million, so that the 300 million of large scans fit. More is a mistake or an attack far more often than a picture. */
export const MAX_PIXELS = 400_000_000
const TAIL_BYTES = 64
const READABLE = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif']

/**
 * Size and orientation from the first bytes, without decoding (well under a millisecond). A JPEG or PNG whose end is missing is
 * noticed too: it would train on a half grey picture.
 * @throws AppError 'bad-input' in words when the file is missing, empty, not an image, or ends early
 */
export async function readImageHeader(path: string): Promise<ImageHeader> {
  const bytes = await fileSize(path)
  let meta: Metadata
  try {
    meta = await sharp(path, { limitInputPixels: MAX_PIXELS }).metadata()
  } catch (error) {
    throw unreadable(path, error)
  }
  const format = meta.format ?? 'unknown'
  if (!READABLE.includes(format) && format !== 'heif') {
    throw new AppError('bad-input', `This is a ${format} file, which is not read as an image.`, 'Save it as JPEG or PNG.', path)
  }
  const { width, height } = meta.autoOrient
  if (!(width > 0 && height > 0)) throw new AppError('bad-input', 'The image has no size.', 'Replace the file.', path)
  if (width * height > MAX_PIXELS) throw new AppError('bad-input', `The image has ${width} x ${height} pixels, more than can be read.`, 'Make it smaller.', path)
  if (!(await endsProperly(path, format, bytes))) await decodeRgb(path)
  return { width, height, orientation: meta.orientation ?? 1, format, bytes }
}

/**
 * The pixels as PIL's convert('RGB') gives them: EXIF orientation applied, transparency dropped (not blended), grey repeated,
 * 16 bits reduced to 8, an embedded colour profile ignored (except CMYK, which has no RGB without one).
 * @throws AppError 'bad-input' when the file cannot be decoded to its end
 */
export async function decodeRgb(path: string): Promise<RgbImage> {
  await fileSize(path)
  try {
    const cmyk = (await sharp(path, { limitInputPixels: MAX_PIXELS }).metadata()).space === 'cmyk'
    const { data, info } = await sharp(path, { failOn: 'truncated', limitInputPixels: MAX_PIXELS, ignoreIcc: !cmyk })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels === 3) return { data, width: info.width, height: info.height }
    return { data: repeatGrey(data, info.channels), width: info.width, height: info.height }
  } catch (error) {
    throw unreadable(path, error)
  }
}

function repeatGrey(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels
  const rgb = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) rgb.fill(data[i * channels]!, i * 3, i * 3 + 3)
  return rgb
}

async function fileSize(path: string): Promise<number> {
  let bytes: number
  try {
    const info = await stat(path)
    if (!info.isFile()) throw new AppError('bad-input', 'This is not a file.', 'Name an image file.', path)
    bytes = info.size
  } catch (error) {
    if (error instanceof AppError) throw error
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'EACCES' || errno === 'EPERM') throw new AppError('bad-input', 'The image may not be read by this user.', 'Change its permissions.', path)
    throw new AppError('bad-input', 'The image is missing.', 'Put it back, or name the folder that holds the images.', path)
  }
  if (bytes === 0) throw new AppError('bad-input', 'The image file is empty.', 'Replace the file.', path)
  return bytes
}

/** Whether the end mark is where it belongs. Only formats that lose their end in practice are looked at; others count as whole. */
async function endsProperly(path: string, format: string, bytes: number): Promise<boolean> {
  if (format !== 'jpeg' && format !== 'png') return true
  const file = await open(path, 'r')
  try {
    const tail = await readTail(file, bytes)
    if (format === 'png') return tail.includes('IEND')
    return tail.length >= 2 && tail[tail.length - 2] === 0xff && tail[tail.length - 1] === 0xd9
  } finally {
    await file.close()
  }
}

async function readTail(file: FileHandle, bytes: number): Promise<Buffer> {
  const length = Math.min(TAIL_BYTES, bytes)
  const buffer = Buffer.alloc(length)
  await file.read(buffer, 0, length, bytes - length)
  return buffer
}

function unreadable(path: string, error: unknown): AppError {
  const text = (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim()
  const reason = /unsupported image format/i.test(text)
    ? 'The file is not an image.'
    : /premature end|truncat|end of (jpeg|image)|not enough|EOF|load_buffer|libspng read error|read error/i.test(text)
      ? 'The image file ends early or is damaged.'
      : /exceeds pixel limit/i.test(text)
        ? 'The image has more pixels than can be read.'
        : `The image cannot be decoded (${text.replaceAll(path, 'the file')}).`
  return new AppError('bad-input', reason, 'Replace the file.', path, { cause: error })
}
