/** From 8-bit RGB and shapes to what the model takes: normalised planes [3, S, S] and region masks [M, M]. */
import type { Size } from '../../shared/geometry.ts'
import type { Shape } from '../../shared/shape.ts'
import { shapeMask } from '../../shared/shape-mask.ts'

const MEAN = [0.48145466, 0.4578275, 0.40821073] as const
const STD = [0.26862954, 0.26130258, 0.27577711] as const

/** Value of each level in each channel, [3][256]. The two published pipelines round differently in the last bit. */
export type LevelTable = readonly Float32Array[]

/** albumentations: (level - mean * 255) * (1 / (std * 255)), in float32. */
export const TRAINING_LEVELS: LevelTable = MEAN.map((mean, c) => {
  const offset = Math.fround(Math.fround(mean) * 255)
  const factor = Math.fround(1 / Math.fround(Math.fround(STD[c]!) * 255))
  return Float32Array.from({ length: 256 }, (_, level) => Math.fround(Math.fround(level - offset) * factor))
})

/** torchvision: (level / 255 - mean) / std, in float32. */
export const EVALUATION_LEVELS: LevelTable = MEAN.map((mean, c) =>
  Float32Array.from({ length: 256 }, (_, level) =>
    Math.fround(Math.fround(Math.fround(level / 255) - Math.fround(mean)) / Math.fround(STD[c]!)),
  ),
)

/** Writes interleaved RGB of side S as planes into out at offset, mirrored on demand. */
export function writePlanes(rgb: Uint8Array, side: number, levels: LevelTable, mirrored: boolean, out: Float32Array, offset: number): void {
  const area = side * side
  for (let c = 0; c < 3; c++) {
    const table = levels[c]!
    let target = offset + c * area
    for (let y = 0; y < side; y++) {
      let source = (y * side + (mirrored ? side - 1 : 0)) * 3 + c
      const advance = mirrored ? -3 : 3
      for (let x = 0; x < side; x++) {
        out[target++] = table[rgb[source]!]!
        source += advance
      }
    }
  }
}

/**
 * The region mask as the published loader makes it: nearest resize from the image to the model's size, mirrored with the
 * image, then bilinear (align_corners = True) to mask_size. Written into out at offset, [M, M] in [0, 1].
 */
export function writeRegionMask(
  shape: Shape, image: Size, modelSide: number, maskSide: number, mirrored: boolean, out: Float32Array, offset: number,
): void {
  const mask = shapeMask(shape, image, { width: modelSide, height: modelSide })
  const at = (x: number, y: number) => mask[y * modelSide + (mirrored ? modelSide - 1 - x : x)]!
  const scale = maskSide > 1 ? (modelSide - 1) / (maskSide - 1) : 0
  for (let y = 0; y < maskSide; y++) {
    const top = Math.min(Math.floor(y * scale), modelSide - 1)
    const bottom = Math.min(top + 1, modelSide - 1)
    const fy = y * scale - top
    for (let x = 0; x < maskSide; x++) {
      const left = Math.min(Math.floor(x * scale), modelSide - 1)
      const right = Math.min(left + 1, modelSide - 1)
      const fx = x * scale - left
      const upper = at(left, top) * (1 - fx) + at(right, top) * fx
      const lower = at(left, bottom) * (1 - fx) + at(right, bottom) * fx
      out[offset + y * maskSide + x] = upper * (1 - fy) + lower * fy
    }
  }
}
