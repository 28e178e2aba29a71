/**
 * Moving and resizing boxes. Pointer distances are taken in steps that are powers of two, so adding and taking them away
 * again gives back the very same numbers; nothing is rounded that the pointer did not touch.
 */
import { type Box, type Point, type Size, boxFlags, keepInside, moveBox, normalizeBox } from '../../shared/geometry.ts'
import type { Grip } from './hit.ts'

/** Screen px within which an edge jumps to the image's edge. */
export const SNAP_PX = 6

export interface ReshapeRules {
  readonly image: Size
  readonly snap: boolean
  readonly scale: number
}

/** The image distance one pointer step stands for: at most half a screen px, at most one image px, a power of two. */
export function pointerStep(scale: number): number {
  return Math.min(1, Math.pow(2, Math.floor(Math.log2(0.5 / scale))))
}

export function quantizePoint(point: Point, scale: number): Point {
  const step = pointerStep(scale)
  return { x: Math.round(point.x / step) * step, y: Math.round(point.y / step) * step }
}

function isInside(box: Box, image: Size): boolean {
  return boxFlags(box, image).length === 0
}

/** A box moved by a distance. With snapping it catches on the image's edges and, if it was inside, stays inside. */
export function moved(before: Box, dx: number, dy: number, rules: ReshapeRules): Box {
  const box = moveBox(before, dx, dy)
  if (!rules.snap) return box
  const reach = SNAP_PX / rules.scale
  const [x1, x2] = dx === 0 ? [before[0], before[2]] : snapSpan(box[0], box[2], rules.image.width, reach)
  const [y1, y2] = dy === 0 ? [before[1], before[3]] : snapSpan(box[1], box[3], rules.image.height, reach)
  const snapped: Box = [x1, y1, x2, y2]
  return isInside(before, rules.image) ? keepInside(snapped, rules.image) : snapped
}

function snapSpan(from: number, to: number, length: number, reach: number): [number, number] {
  const near = Math.abs(from)
  const far = Math.abs(to - length)
  if (near <= reach && near <= far) return [0, to - from]
  if (far <= reach) return [length - (to - from), length]
  return [from, to]
}

/** A box with the edges of a grip moved. Dragging an edge over the opposite one turns the box over. */
export function resized(before: Box, grip: Grip, dx: number, dy: number, rules: ReshapeRules): Box {
  const edge = (value: number, delta: number, length: number) => snapEdge(value, delta, length, rules)
  return normalizeBox([
    grip.x < 0 ? edge(before[0], dx, rules.image.width) : before[0],
    grip.y < 0 ? edge(before[1], dy, rules.image.height) : before[1],
    grip.x > 0 ? edge(before[2], dx, rules.image.width) : before[2],
    grip.y > 0 ? edge(before[3], dy, rules.image.height) : before[3],
  ])
}

function snapEdge(value: number, delta: number, length: number, rules: ReshapeRules): number {
  const next = value + delta
  if (!rules.snap || delta === 0) return next
  const reach = SNAP_PX / rules.scale
  const wasInside = value >= 0 && value <= length
  if (Math.abs(next) <= reach || (wasInside && next < 0)) return 0
  if (Math.abs(next - length) <= reach || (wasInside && next > length)) return length
  return next
}

/** The box between two corners. With snapping its corners stay in the image. */
export function spanned(from: Point, to: Point, rules: ReshapeRules, square = false): Box {
  let end = to
  if (square) {
    const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y))
    end = { x: from.x + Math.sign(to.x - from.x || 1) * side, y: from.y + Math.sign(to.y - from.y || 1) * side }
  }
  const a = snapPoint(from, rules)
  const b = snapPoint(end, rules)
  return normalizeBox([a.x, a.y, b.x, b.y])
}

/** With snapping a point stays in the image, and catches on its edges. */
export function snapPoint(point: Point, rules: ReshapeRules): Point {
  if (!rules.snap) return point
  const reach = SNAP_PX / rules.scale
  const axis = (value: number, length: number) => (value <= reach ? 0 : value >= length - reach ? length : value)
  return { x: axis(point.x, rules.image.width), y: axis(point.y, rules.image.height) }
}

/** An arrow key's step: 1 px, or 10 with Shift. With a grip it moves that corner's edges instead of the box, which stays at least 1 px wide. */
export function nudged(box: Box, dx: number, dy: number, grow: Grip | null, rules: ReshapeRules): Box {
  if (!grow) {
    const next = moveBox(box, dx, dy)
    return rules.snap && isInside(box, rules.image) ? keepInside(next, rules.image) : next
  }
  const high = (value: number, delta: number, least: number, length: number) => {
    if (delta === 0) return value
    const next = value + delta
    return Math.max(least, rules.snap && value <= length ? Math.min(next, length) : next)
  }
  const low = (value: number, delta: number, most: number) => {
    if (delta === 0) return value
    const next = value + delta
    return Math.min(most, rules.snap && value >= 0 ? Math.max(next, 0) : next)
  }
  return [
    grow.x < 0 ? low(box[0], dx, box[2] - 1) : box[0],
    grow.y < 0 ? low(box[1], dy, box[3] - 1) : box[1],
    grow.x > 0 ? high(box[2], dx, box[0] + 1, rules.image.width) : box[2],
    grow.y > 0 ? high(box[3], dy, box[1] + 1, rules.image.height) : box[3],
  ]
}
