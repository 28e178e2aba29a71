/** Points of an outline under the pointer, and outlines with a point more, less or elsewhere. All in image px. */
import type { Point } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'

/** Screen px within which a point of an outline is grabbed. */
const VERTEX_REACH_PX = 8
/** An edge shorter than this on screen offers no new point in its middle: the grips of its ends would lie on it. */
const MIDDLE_FROM_PX = 36

export interface VertexHit {
  /** Place of the point among the outline's points; of a new one, the place it will have. */
  readonly index: number
  /** True for the middle of an edge, where a point may be put. */
  readonly between: boolean
}

export function pointsOf(outline: Outline): readonly Point[] {
  return Array.from({ length: outline.length >> 1 }, (_, i) => ({ x: outline[2 * i]!, y: outline[2 * i + 1]! }))
}

export function outlineOfPoints(points: readonly Point[]): Outline {
  return points.flatMap(({ x, y }) => [x, y])
}

/** Middles of edges that are long enough on screen to be split there. */
export function splitPoints(outline: Outline, scale: number): readonly { readonly index: number; readonly at: Point }[] {
  const points = pointsOf(outline)
  return points.flatMap((from, i) => {
    const to = points[(i + 1) % points.length]!
    if (Math.hypot(to.x - from.x, to.y - from.y) * scale < MIDDLE_FROM_PX) return []
    return [{ index: i + 1, at: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } }]
  })
}

/** The nearest point within reach; the middle of an edge only where no point is. */
export function vertexAt(outline: Outline, point: Point, scale: number): VertexHit | null {
  const reach = VERTEX_REACH_PX / scale
  const nearest = (candidates: readonly { readonly index: number; readonly at: Point }[], between: boolean): VertexHit | null => {
    let best: VertexHit | null = null
    let least = reach
    for (const { index, at } of candidates) {
      const away = Math.hypot(at.x - point.x, at.y - point.y)
      if (away <= least) [best, least] = [{ index, between }, away]
    }
    return best
  }
  return nearest(pointsOf(outline).map((at, index) => ({ index, at })), false) ?? nearest(splitPoints(outline, scale), true)
}

export function withVertex(outline: Outline, index: number, { x, y }: Point): Outline {
  return [...outline.slice(0, 2 * index), x, y, ...outline.slice(2 * index)]
}

export function movedVertex(outline: Outline, index: number, { x, y }: Point): Outline {
  return outline.map((value, i) => (i === 2 * index ? x : i === 2 * index + 1 ? y : value))
}

/** Null when three points would not be left. */
export function withoutVertex(outline: Outline, index: number): Outline | null {
  return outline.length <= 6 ? null : [...outline.slice(0, 2 * index), ...outline.slice(2 * index + 2)]
}

/** Even-odd, as masks are filled. */
export function isInsideOutline(outline: Outline, { x, y }: Point): boolean {
  let inside = false
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [outline[i]!, outline[i + 1]!, outline[j]!, outline[j + 1]!]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  }
  return inside
}

/** Distance to the nearest edge. */
export function distanceToOutline(outline: Outline, { x, y }: Point): number {
  let least = Infinity
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [outline[j]!, outline[j + 1]!, outline[i]!, outline[i + 1]!]
    const length = (bx - ax) ** 2 + (by - ay) ** 2
    const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
    least = Math.min(least, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)))
  }
  return least
}
