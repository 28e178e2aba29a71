/**
 * Which box is under the pointer. Own hit testing instead of a hit canvas: exact in image pixels, independent of zoom,
 * and quick for thousands of boxes. The smallest box wins; clicking again goes through the ones below it.
 */
import Flatbush from 'flatbush'
import { type Box, type Point, normalizeBox } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import { distanceToOutline, isInsideOutline } from './outline.ts'

/** Screen px within which an edge can be grabbed. */
export const EDGE_REACH_PX = 6
/** Screen px of the square around a handle that grabs it. */
export const HANDLE_HIT_PX = 16
/** Below this a linear scan is quicker than building an index. */
const INDEX_FROM = 128

export interface HitTarget {
  readonly key: string
  readonly box: Box
  readonly outline?: Outline
}

export interface HitIndex {
  /** Keys of the boxes under a point of the image, best first. reach: image px by which an edge may be missed. */
  at(point: Point, reach: number): string[]
}

export function createHitIndex(targets: readonly HitTarget[]): HitIndex {
  const boxes = targets.map((target) => normalizeBox(target.box))
  const areas = boxes.map((box) => (box[2] - box[0]) * (box[3] - box[1]))
  let candidates = (_point: Point, _reach: number): Iterable<number> => boxes.keys()
  if (targets.length >= INDEX_FROM) {
    const tree = new Flatbush(targets.length)
    for (const box of boxes) tree.add(box[0], box[1], box[2], box[3])
    tree.finish()
    candidates = (p, reach) => tree.search(p.x - reach, p.y - reach, p.x + reach, p.y + reach)
  }
  return {
    at(point, reach) {
      const hits: { i: number; inside: boolean }[] = []
      for (const i of candidates(point, reach)) {
        const box = boxes[i]!
        const { x, y } = point
        if (x < box[0] - reach || x > box[2] + reach || y < box[1] - reach || y > box[3] + reach) continue
        const { outline } = targets[i]!
        const inside = outline ? isInsideOutline(outline, point) : x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]
        // Of an outline only what it encloses is there, not the rest of its box.
        if (outline && !inside && distanceToOutline(outline, point) > reach) continue
        hits.push({ i, inside })
      }
      // A box that holds the point comes before one that is only near it; then the smaller one; then the later drawn one.
      hits.sort((a, b) => Number(b.inside) - Number(a.inside) || areas[a.i]! - areas[b.i]! || b.i - a.i)
      return hits.map((hit) => targets[hit.i]!.key)
    },
  }
}

/** The key a click selects: the best one, or the one below the current when the current is already under the pointer. */
export function cycleHit(keys: readonly string[], current: string | null): string | null {
  if (keys.length === 0) return null
  const at = current === null ? -1 : keys.indexOf(current)
  return keys[(at + 1) % keys.length]!
}

/** Which edges a grip moves: -1 the left or top edge, 1 the right or bottom one, 0 neither. */
export interface Grip {
  readonly x: -1 | 0 | 1
  readonly y: -1 | 0 | 1
}

/** The eight handles, corners first, so that a tiny box can still be resized by its corners. */
export const GRIPS: readonly Grip[] = [
  { x: -1, y: -1 }, { x: 1, y: -1 }, { x: 1, y: 1 }, { x: -1, y: 1 },
  { x: 0, y: -1 }, { x: 1, y: 0 }, { x: 0, y: 1 }, { x: -1, y: 0 },
]

export function gripPoint(box: Box, grip: Grip): Point {
  return {
    x: grip.x < 0 ? box[0] : grip.x > 0 ? box[2] : (box[0] + box[2]) / 2,
    y: grip.y < 0 ? box[1] : grip.y > 0 ? box[3] : (box[1] + box[3]) / 2,
  }
}

/** Middle handles of a side shorter than this on screen are not shown: they would hide the corners. */
export const MIDDLE_HANDLE_FROM_PX = 40

export function visibleGrips(box: Box, scale: number): readonly Grip[] {
  const wide = Math.abs(box[2] - box[0]) * scale >= MIDDLE_HANDLE_FROM_PX
  const high = Math.abs(box[3] - box[1]) * scale >= MIDDLE_HANDLE_FROM_PX
  return GRIPS.filter((grip) => (grip.x !== 0 && grip.y !== 0) || (grip.x === 0 ? wide : high))
}

/** The grip of a selected box under the pointer: a handle's square first, then an edge; null inside or away from it. */
export function gripAt(box: Box, point: Point, scale: number): Grip | null {
  const reachHandle = HANDLE_HIT_PX / 2 / scale
  for (const grip of visibleGrips(box, scale)) {
    const at = gripPoint(box, grip)
    if (Math.abs(point.x - at.x) <= reachHandle && Math.abs(point.y - at.y) <= reachHandle) return onlyCornerOutside(box, point, scale, grip)
  }
  const reach = EDGE_REACH_PX / scale
  const [x1, y1, x2, y2] = normalizeBox(box)
  if (point.x < x1 - reach || point.x > x2 + reach || point.y < y1 - reach || point.y > y2 + reach) return null
  // Inside a small box its middle must stay free for moving: an edge reaches at most a quarter inwards.
  const inX = Math.min(reach, (x2 - x1) / 4)
  const inY = Math.min(reach, (y2 - y1) / 4)
  const x = point.x <= x1 + inX ? -1 : point.x >= x2 - inX ? 1 : 0
  const y = point.y <= y1 + inY ? -1 : point.y >= y2 - inY ? 1 : 0
  return x === 0 && y === 0 ? null : { x, y }
}

/** In a box hardly larger than its handles a point of the middle third moves the box instead of resizing it. */
function onlyCornerOutside(box: Box, point: Point, scale: number, grip: Grip): Grip | null {
  const [x1, y1, x2, y2] = normalizeBox(box)
  const tiny = Math.min(x2 - x1, y2 - y1) * scale < HANDLE_HIT_PX * 1.5
  const middle = (value: number, from: number, to: number) => value > from + (to - from) / 3 && value < to - (to - from) / 3
  return tiny && middle(point.x, x1, x2) && middle(point.y, y1, y2) ? null : grip
}

/** @param turn quarter turns of the view: the cursor points as the edge moves on the screen */
export function gripCursor(grip: Grip, turn = 0): string {
  const odd = turn % 2 === 1
  if (grip.x === 0) return odd ? 'ew-resize' : 'ns-resize'
  if (grip.y === 0) return odd ? 'ns-resize' : 'ew-resize'
  return (grip.x === grip.y) !== odd ? 'nwse-resize' : 'nesw-resize'
}
