/**
 * Which pixels belong to a shape, and whether a point lies in it.
 *
 * Boxes follow the published rule: pixels [int(x1), int(x2)) x [int(y1), int(y2)). An outline follows the same one: its points are
 * cut to whole pixels by int(), then a pixel belongs to it when its centre does, by the even-odd rule (as COCO's tools and OpenCV
 * fill a polygon that crosses itself). So a rectangle drawn as an outline is the same mask as its box, an outline never leaves the
 * mask of its box, and outlines that share an edge share no pixel. Boxes and outlines together are their union.
 */
import { type Box, type Size, pointStrictlyInside } from './geometry.ts'
import { type Outline, outlineOf, type Shape } from './shape.ts'

/**
 * The mask at another size than the image's, [height, width] of 0 and 1: nearest resize with OpenCV's source index, as the
 * reference's data loader does when its image size is the mask size.
 */
export function shapeMask(shape: Shape, image: Size, target: Size = image): Uint8Array {
  const mask = new Uint8Array(target.width * target.height)
  const xs = sourcePixels(image.width, target.width)
  const ys = sourcePixels(image.height, target.height)
  shape.boxes.forEach((box, i) => {
    const outline = outlineOf(shape, i)
    if (outline) fillOutline(mask, outline, xs, ys)
    else fillBox(mask, box, xs, ys)
  })
  return mask
}

/** For each pixel of an axis the source pixel it is taken from; never falling. */
function sourcePixels(from: number, to: number): Int32Array {
  // OpenCV's nearest neighbour, its rounding included: the reciprocal of a quotient can fall just short of a whole number.
  const step = 1 / (to / from)
  return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * step), from - 1))
}

function fillBox(mask: Uint8Array, box: Box, xs: Int32Array, ys: Int32Array): void {
  const [left, right] = [firstAtLeast(xs, Math.trunc(box[0])), firstAtLeast(xs, Math.trunc(box[2]))]
  const [top, bottom] = [firstAtLeast(ys, Math.trunc(box[1])), firstAtLeast(ys, Math.trunc(box[3]))]
  if (right <= left) return
  for (let y = top; y < bottom; y++) mask.fill(1, y * xs.length + left, y * xs.length + right)
}

function fillOutline(mask: Uint8Array, outline: Outline, xs: Int32Array, ys: Int32Array): void {
  const crossings: number[][] = []
  eachEdge(outline, Math.trunc, (ax, ay, bx, by) => {
    // Centres lie at halves and points at whole numbers, so no centre's line goes through a point.
    const end = firstAtLeast(ys, by)
    for (let row = firstAtLeast(ys, ay); row < end; row++) (crossings[row] ??= []).push(ax + ((ys[row]! + 0.5 - ay) * (bx - ax)) / (by - ay))
  })
  crossings.forEach((along, row) => {
    along.sort((a, b) => a - b)
    for (let i = 0; i + 1 < along.length; i += 2) {
      // Centres from the first crossing on, up to the second but without it.
      const [left, right] = [firstAtLeast(xs, along[i]! - 0.5), firstAtLeast(xs, along[i + 1]! - 0.5)]
      if (left < right) mask.fill(1, row * xs.length + left, row * xs.length + right)
    }
  })
}

/** Edges that are not level, from their upper point to their lower one, so that neighbours compute the very same crossings. */
function eachEdge(outline: Outline, round: (value: number) => number, use: (ax: number, ay: number, bx: number, by: number) => void): void {
  let [fromX, fromY] = [round(outline.at(-2)!), round(outline.at(-1)!)]
  for (let i = 0; i + 1 < outline.length; i += 2) {
    const [x, y] = [round(outline[i]!), round(outline[i + 1]!)]
    if (y > fromY) use(fromX, fromY, x, y)
    else if (y < fromY) use(x, y, fromX, fromY)
    fromX = x
    fromY = y
  }
}

/** The first place of a rising list whose value is at least this; its length when there is none. */
function firstAtLeast(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! >= value) high = middle
    else low = middle + 1
  }
  return low
}

/** True strictly inside a box or an outline of the shape, as the pointing game asks: on the border is outside. */
export function pointStrictlyInsideShape(x: number, y: number, shape: Shape): boolean {
  return shape.boxes.some((box, i) => {
    if (!pointStrictlyInside(x, y, box)) return false
    const outline = outlineOf(shape, i)
    return outline === null || pointStrictlyInsideOutline(x, y, outline)
  })
}

/** Even-odd, with the points as they are written. */
function pointStrictlyInsideOutline(x: number, y: number, outline: Outline): boolean {
  let inside = false
  let [ax, ay] = [outline.at(-2)!, outline.at(-1)!]
  for (let i = 0; i + 1 < outline.length; i += 2) {
    const [bx, by] = [outline[i]!, outline[i + 1]!]
    if (isOnEdge(x, y, ax, ay, bx, by)) return false
    if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) inside = !inside
    ax = bx
    ay = by
  }
  return inside
}

function isOnEdge(x: number, y: number, ax: number, ay: number, bx: number, by: number): boolean {
  if (x < Math.min(ax, bx) || x > Math.max(ax, bx) || y < Math.min(ay, by) || y > Math.max(ay, by)) return false
  return (bx - ax) * (y - ay) === (by - ay) * (x - ax)
}
