/** Decoded and resized images kept in memory as 8-bit RGB while they fit; small datasets are decoded once. */
import { decodeRgb } from '../images/decode.ts'
import { resizeBicubic, resizeLinear } from './resize.ts'

export interface ImageCache {
  /** Interleaved RGB of side x side; throws AppError 'bad-input' when the file cannot be decoded. */
  get(path: string): Promise<Uint8Array>
  readonly bytes: () => number
}

export function createImageCache(side: number, resize: 'linear' | 'bicubic', budgetBytes: number): ImageCache {
  const kept = new Map<string, Uint8Array>()
  const size = side * side * 3
  const shrink = resize === 'linear' ? resizeLinear : resizeBicubic
  return {
    async get(path) {
      const known = kept.get(path)
      if (known) return known
      const { data } = shrink(await decodeRgb(path), side, side)
      // A copy: what sharp hands out may be a slice of a larger buffer, which would be kept alive whole.
      const rgb = new Uint8Array(data)
      if ((kept.size + 1) * size <= budgetBytes) kept.set(path, rgb)
      return rgb
    },
    bytes: () => kept.size * size,
  }
}
