/**
 * A heatmap as shares of its whole, on a small raster: how much of it lies in any boxes is then asked in microseconds, so that every
 * phrase of an image can be held against every box of it. Coarser than the scores, which are exact; good enough to compare places.
 */
import { type HeatGrid, normalizeHeat, upsampleBilinear } from '../consistency.ts'
import type { Box, Size } from '../geometry.ts'

const RASTER = 32

/** RASTER x RASTER shares, row-major, with the sum 1; all zero for a flat map. */
export type HeatRaster = Float32Array

export function heatRaster(grid: HeatGrid): HeatRaster {
  const { values } = upsampleBilinear(normalizeHeat(grid), RASTER, RASTER)
  const shares = Float32Array.from(values)
  let total = 0
  for (const value of shares) total += value
  if (total > 0) for (let i = 0; i < shares.length; i++) shares[i] = shares[i]! / total
  return shares
}

/** Share of each cell of an axis that lies between two edges in pixels. */
function cover(from: number, to: number, length: number): Float64Array {
  const cells = new Float64Array(RASTER)
  const [start, end] = [(from / length) * RASTER, (to / length) * RASTER]
  for (let i = Math.max(0, Math.floor(start)); i < Math.min(RASTER, Math.ceil(end)); i++) cells[i] = Math.max(0, Math.min(i + 1, end) - Math.max(i, start))
  return cells
}

/** How much of each cell the boxes cover; where several do, the one that covers most counts. */
export function coverOf(boxes: readonly Box[], image: Size): Float32Array {
  const cells = new Float32Array(RASTER * RASTER)
  for (const box of boxes) {
    const columns = cover(box[0], box[2], image.width)
    const rows = cover(box[1], box[3], image.height)
    for (let y = 0; y < RASTER; y++) {
      if (rows[y] === 0) continue
      for (let x = 0; x < RASTER; x++) {
        const part = rows[y]! * columns[x]!
        const at = y * RASTER + x
        if (part > cells[at]!) cells[at] = part
      }
    }
  }
  return cells
}

/** Share of the heat that lies in what is covered, [0, 1]. */
export function shareIn(heat: HeatRaster, covered: Float32Array): number {
  let sum = 0
  for (let i = 0; i < heat.length; i++) sum += heat[i]! * covered[i]!
  return sum
}

/** How much two maps have in common: 1 for the same, 0 for maps that share no place. */
export function alike(a: HeatRaster, b: HeatRaster): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.min(a[i]!, b[i]!)
  return sum
}
