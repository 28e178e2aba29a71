/**
 * Per-region consistency of one heatmap with the region's shape. Pure and quick enough to run on every frame of a drag,
 * so that the page and the engine compute the very same numbers. Definitions: docs and METHOD, "Per-sample consistency".
 */
import type { Point, Size } from './geometry.ts'
import type { Shape } from './shape.ts'
import { pointStrictlyInsideShape, shapeMask } from './shape-mask.ts'

/** A heatmap as it leaves the model: mean over heads and tokens of A * max(G, 0), neither normalised nor upsampled. */
export interface HeatGrid {
  readonly width: number
  readonly height: number
  /** Row-major, width * height entries. */
  readonly values: ArrayLike<number>
}

/** Scores that need only the heat and the shape. Shares are in [0, 1], margins in [-1, 1]. */
export interface ConsistencyScores {
  /** AMC strict: the first row-major maximum of the bicubically upsampled map lies strictly inside a box or an outline. */
  readonly pointingHit: boolean
  /** The headline: share of the heat that lies inside, sum(C * R) / sum(C). */
  readonly insideEnergy: number
  readonly meanMargin: number
  readonly maxMargin: number
  /** The two hinges of the loss for this region alone, margins 0.1 and 0.5. */
  readonly amcMean: number
  readonly amcMax: number
  readonly softIou: number
  /** Local maxima of at least 0.7 both inside and outside. */
  readonly uncertain: boolean
}

export const MEAN_MARGIN = 0.1
export const MAX_MARGIN = 0.5
const UNCERTAIN_LEVEL = 0.7

/** ReLU, minus the minimum, divided by (maximum + 1e-7): step 3 of the method. */
export function normalizeHeat(grid: HeatGrid): HeatGrid {
  const count = grid.width * grid.height
  const values = new Float32Array(count)
  let low = Infinity
  for (let i = 0; i < count; i++) {
    const value = Math.max(0, grid.values[i]!)
    values[i] = value
    if (value < low) low = value
  }
  let high = 0
  for (let i = 0; i < count; i++) {
    values[i] = values[i]! - low
    if (values[i]! > high) high = values[i]!
  }
  const divisor = high + 1e-7
  for (let i = 0; i < count; i++) values[i] = values[i]! / divisor
  return { width: grid.width, height: grid.height, values }
}

/** Bilinear resize, align_corners = False (edges clamped), as torch does it. */
export function upsampleBilinear(grid: HeatGrid, width: number, height: number): HeatGrid {
  const xs = bilinearTaps(grid.width, width)
  const ys = bilinearTaps(grid.height, height)
  const values = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    const top = ys.low[y]! * grid.width
    const bottom = ys.high[y]! * grid.width
    const fy = ys.weight[y]!
    for (let x = 0; x < width; x++) {
      const left = xs.low[x]!
      const right = xs.high[x]!
      const fx = xs.weight[x]!
      const upper = grid.values[top + left]! * (1 - fx) + grid.values[top + right]! * fx
      const lower = grid.values[bottom + left]! * (1 - fx) + grid.values[bottom + right]! * fx
      values[y * width + x] = upper * (1 - fy) + lower * fy
    }
  }
  return { width, height, values }
}

function bilinearTaps(from: number, to: number) {
  const low = new Int32Array(to)
  const high = new Int32Array(to)
  const weight = new Float64Array(to)
  for (let i = 0; i < to; i++) {
    const source = Math.max(0, ((i + 0.5) * from) / to - 0.5)
    low[i] = Math.min(Math.floor(source), from - 1)
    high[i] = Math.min(low[i]! + 1, from - 1)
    weight[i] = source - low[i]!
  }
  return { low, high, weight }
}

/** A heatmap made ready for scoring many shapes: normalised, upsampled to maskSize, its maxima found once. */
export interface PreparedHeat {
  readonly map: HeatGrid
  readonly peak: Point
  readonly total: number
  /** Local maxima >= 0.7 of the normalised grid, as indices into the upsampled map. */
  readonly strongPeaks: readonly number[]
  readonly maskSize: number
}

/**
 * @param grid raw heatmap
 * @param peak first row-major maximum of the bicubic upsampling to the image's own size, in image pixels (from the engine, or bicubicPeak)
 */
export function prepareHeat(grid: HeatGrid, peak: Point, maskSize: number): PreparedHeat {
  const normalized = normalizeHeat(grid)
  const map = upsampleBilinear(normalized, maskSize, maskSize)
  let total = 0
  for (let i = 0; i < map.values.length; i++) total += map.values[i]!
  return { map, peak, total, strongPeaks: strongPeaks(normalized, maskSize), maskSize }
}

function strongPeaks(grid: HeatGrid, maskSize: number): number[] {
  const peaks: number[] = []
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= grid.width || y >= grid.height ? -Infinity : grid.values[y * grid.width + x]!
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      const value = at(x, y)
      if (value < UNCERTAIN_LEVEL) continue
      let isPeak = true
      for (let dy = -1; dy <= 1 && isPeak; dy++) {
        for (let dx = -1; dx <= 1; dx++) if ((dx || dy) && at(x + dx, y + dy) > value) isPeak = false
      }
      if (!isPeak) continue
      const mx = Math.min(maskSize - 1, Math.floor(((x + 0.5) * maskSize) / grid.width))
      const my = Math.min(maskSize - 1, Math.floor(((y + 0.5) * maskSize) / grid.height))
      peaks.push(my * maskSize + mx)
    }
  }
  return peaks
}

/**
 * All scores of one region. Degenerate masks do not crash: with nothing inside, the inside mean and maximum count as 0;
 * with nothing outside, the outside ones do.
 */
export function scoreRegion(heat: PreparedHeat, shape: Shape, image: Size): ConsistencyScores {
  const mask = shapeMask(shape, image, { width: heat.maskSize, height: heat.maskSize })
  const values = heat.map.values
  let inside = 0
  let insideCount = 0
  let maxIn = 0
  let maxOut = 0
  let union = 0
  for (let i = 0; i < mask.length; i++) {
    const value = values[i]!
    if (mask[i]) {
      inside += value
      insideCount++
      union += 1
      if (value > maxIn) maxIn = value
    } else {
      union += value
      if (value > maxOut) maxOut = value
    }
  }
  const outsideCount = mask.length - insideCount
  const meanIn = insideCount > 0 ? inside / insideCount : 0
  const meanOut = outsideCount > 0 ? (heat.total - inside) / outsideCount : 0
  const strongIn = heat.strongPeaks.some((i) => mask[i] === 1)
  const strongOut = heat.strongPeaks.some((i) => mask[i] === 0)
  return {
    pointingHit: pointStrictlyInsideShape(heat.peak.x, heat.peak.y, shape),
    insideEnergy: heat.total > 0 ? inside / heat.total : 0,
    meanMargin: meanIn - meanOut,
    maxMargin: maxIn - maxOut,
    amcMean: Math.max(0, meanOut - meanIn + MEAN_MARGIN),
    amcMax: Math.max(0, maxOut - maxIn + MAX_MARGIN),
    softIou: union > 0 ? inside / union : 0,
    uncertain: strongIn && strongOut,
  }
}

/**
 * First row-major maximum of the map upsampled bicubically (a = -0.75, align_corners = False, unclamped) to the image's
 * size: the point of the pointing game, "AMC strict". Works row by row, so a large image costs no large array.
 */
export function bicubicPeak(grid: HeatGrid, image: Size): Point {
  const columns = bicubicTaps(grid.width, image.width)
  const rows = bicubicTaps(grid.height, image.height)
  const line = new Float32Array(grid.width)
  let best = -Infinity
  let bestX = 0
  let bestY = 0
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += rows.weight[y * 4 + k]! * grid.values[rows.index[y * 4 + k]! * grid.width + x]!
      line[x] = sum
    }
    for (let x = 0; x < image.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += columns.weight[x * 4 + k]! * line[columns.index[x * 4 + k]!]!
      const value = Math.fround(sum)
      if (value > best) {
        best = value
        bestX = x
        bestY = y
      }
    }
  }
  return { x: bestX, y: bestY }
}

/** Source index and weight of the four taps of each output position, torch's bicubic (a = -0.75), edges clamped. */
export function bicubicTaps(from: number, to: number): { index: Int32Array; weight: Float64Array } {
  const a = -0.75
  const index = new Int32Array(to * 4)
  const weight = new Float64Array(to * 4)
  for (let i = 0; i < to; i++) {
    const source = ((i + 0.5) * from) / to - 0.5
    const base = Math.floor(source)
    const t = source - base
    for (let k = 0; k < 4; k++) {
      const d = Math.abs(t - (k - 1))
      index[i * 4 + k] = Math.min(Math.max(base - 1 + k, 0), from - 1)
      weight[i * 4 + k] =
        d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }
  }
  return { index, weight }
}
