/**
 * The bicubically upsampled heatmap (a = -0.75, align_corners = False, not clamped) that published numbers are read from. Rows
 * come one by one, so that finding a maximum in a large photograph costs no large array.
 */
import { bicubicTaps, type HeatGrid } from '../../shared/consistency.ts'
import type { Point, Size } from '../../shared/geometry.ts'
import type { Shape } from '../../shared/shape.ts'
import { pointStrictlyInsideShape } from '../../shared/shape-mask.ts'

/** The row is overwritten by the next one. */
function eachRow(grid: HeatGrid, size: Size, use: (row: Float32Array, y: number) => void): void {
  const columns = bicubicTaps(grid.width, size.width)
  const rows = bicubicTaps(grid.height, size.height)
  const line = new Float32Array(grid.width)
  const row = new Float32Array(size.width)
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += rows.weight[y * 4 + k]! * grid.values[rows.index[y * 4 + k]! * grid.width + x]!
      line[x] = sum
    }
    for (let x = 0; x < size.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += columns.weight[x * 4 + k]! * line[columns.index[x * 4 + k]!]!
      row[x] = sum
    }
    use(row, y)
  }
}

/** The whole map at the image's size, row-major. */
export function upsampleBicubic(grid: HeatGrid, size: Size): Float32Array {
  const out = new Float32Array(size.width * size.height)
  eachRow(grid, size, (row, y) => out.set(row, y * size.width))
  return out
}

export interface Peak {
  /** The first maximum in row-major order. */
  readonly point: Point
  /** Whether any of the equally high maxima lies strictly inside a box or an outline. */
  readonly anyTieInside: boolean
  /** How many maxima are equally high. */
  readonly ties: number
}

/** The maximum of the upsampled map; null when the map holds a value that is not a number, where it has none. */
export function peakOf(grid: HeatGrid, size: Size, shape: Shape): Peak | null {
  for (let i = 0; i < grid.width * grid.height; i++) if (!Number.isFinite(grid.values[i]!)) return null
  const isInside = (x: number, y: number): boolean => pointStrictlyInsideShape(x, y, shape)
  let high = -Infinity
  let point: Point = { x: 0, y: 0 }
  let [anyTieInside, ties] = [false, 0]
  eachRow(grid, size, (row, y) => {
    for (let x = 0; x < row.length; x++) {
      const value = row[x]!
      if (value > high) {
        high = value
        point = { x, y }
        anyTieInside = isInside(x, y)
        ties = 1
      } else if (value === high) {
        ties++
        anyTieInside ||= isInside(x, y)
      }
    }
  })
  return { point, anyTieInside, ties }
}
