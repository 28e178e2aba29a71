/**
 * Deletion and insertion curves (Petsiuk, Das and Saenko 2018, "RISE", section 4.3): how the match probability falls while the hottest patches are
 * taken away first, and how it rises while they are put back first. A map that shows what the decision rests on falls and rises early.
 */
import { firstRowMajorOrder } from './trust-ranks.ts'

/** A curve has this many steps of equally many patches, and one value more. */
export const CURVE_STEPS = 10

interface Curves {
  /** Match probability after 0, 1, ... of the steps. Deleted patches get the image's mean colour. */
  readonly deletion: readonly number[]
  /** The same for patches put back into the blurred image. */
  readonly insertion: readonly number[]
}

interface CurveInput {
  /** Normalised pixels of the image, [3, S, S]. */
  readonly planes: Float32Array
  readonly side: number
  /** Of the map that is judged: its cells are the patches. */
  readonly grid: { readonly width: number; readonly height: number; readonly values: ArrayLike<number> }
  /** Match probabilities of the phrase with images, [count, 3, S, S]. */
  readonly match: (images: Float32Array, count: number) => ArrayLike<number>
}

export function curvesOf({ planes, side, grid, match }: CurveInput): Curves {
  const order = firstRowMajorOrder(grid.values)
  const run = (from: Float32Array, to: Float32Array): number[] => Array.from(match(withPatches(from, to, order, side, grid.width), CURVE_STEPS + 1))
  return { deletion: run(planes, meanImage(planes)), insertion: run(blurredImage(planes, side, side / grid.width), planes) }
}

/** Area under a curve whose x goes from 0 to 1, by trapezes. */
export function areaUnder(curve: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < curve.length; i++) sum += (curve[i - 1]! + curve[i]!) / 2
  return sum / (curve.length - 1)
}

/** Images in which the first patches of the order come from `to` and the others from `from`; a share more in each. */
function withPatches(from: Float32Array, to: Float32Array, order: ArrayLike<number>, side: number, cells: number): Float32Array {
  const images = new Float32Array((CURVE_STEPS + 1) * from.length)
  const patch = side / cells
  const image = Float32Array.from(from)
  let done = 0
  for (let step = 0; step <= CURVE_STEPS; step++) {
    const until = Math.round((step * order.length) / CURVE_STEPS)
    for (; done < until; done++) {
      const [left, top] = [(order[done]! % cells) * patch, Math.floor(order[done]! / cells) * patch]
      for (let channel = 0; channel < 3; channel++) {
        for (let y = top; y < top + patch; y++) {
          const at = (channel * side + y) * side + left
          image.set(to.subarray(at, at + patch), at)
        }
      }
    }
    images.set(image, step * from.length)
  }
  return images
}

function meanImage(planes: Float32Array): Float32Array {
  const area = planes.length / 3
  const image = new Float32Array(planes.length)
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0
    for (let i = channel * area; i < (channel + 1) * area; i++) sum += planes[i]!
    image.fill(sum / area, channel * area, (channel + 1) * area)
  }
  return image
}

const DEVIATIONS = 3

/** Gaussian blur with a deviation of `sigma` px, cut off at three of them; edges repeat. */
function blurredImage(planes: Float32Array, side: number, sigma: number): Float32Array {
  const radius = Math.ceil(DEVIATIONS * sigma)
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)))
  const total = weights.reduce((a, b) => a + b, 0)
  const along = (from: Float32Array, stride: number, across: number): Float32Array => {
    const to = new Float32Array(from.length)
    for (let channel = 0; channel < 3; channel++) {
      for (let line = 0; line < side; line++) {
        const start = channel * side * side + line * across
        for (let i = 0; i < side; i++) {
          let sum = 0
          for (let k = -radius; k <= radius; k++) sum += weights[k + radius]! * from[start + Math.min(side - 1, Math.max(0, i + k)) * stride]!
          to[start + i * stride] = sum / total
        }
      }
    }
    return to
  }
  return along(along(planes, 1, side), side, 1)
}
