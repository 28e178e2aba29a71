/** The steps of drawing and shaping an outline: pure, so that a test can click its way through them. */
import { type Point, boxArea } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { type VertexHit, movedVertex, outlineOfPoints, pointsOf, splitPoints, withVertex, withoutVertex } from './outline.ts'
import type { PointerWord, ToolEffect, ToolState } from './tool-types.ts'

type Outlining = Extract<ToolState, { kind: 'outlining' }>

/** Screen px around the first and the last point where a click closes the outline. */
const CLOSE_PX = 8

/**
 * A click sets a point. On the first point it closes the outline, and on the last one too: so a double click sets a point and
 * closes.
 */
export function clicked(state: Outlining, at: Point, scale: number): Outlining | 'close' {
  const near = (point: Point | undefined, px: number) => point !== undefined && Math.hypot(point.x - at.x, point.y - at.y) * scale <= px
  const { points } = state
  if (near(points.at(-1), CLOSE_PX / 2)) return points.length >= 3 ? 'close' : { ...state, at }
  if (points.length >= 3 && near(points[0], CLOSE_PX)) return 'close'
  return { ...state, points: [...points, at], at }
}

/** The outline of the points that are set; null when they enclose nothing. */
export function confirmed(points: readonly Point[]): Outline | null {
  if (points.length < 3) return null
  const outline = outlineOfPoints(points)
  return boxArea(outlineBounds(outline)) > 0 ? outline : null
}

/** Without the point that was set last; null when none is left. */
export function takenBack(state: Outlining): Outlining | null {
  return state.points.length <= 1 ? null : { ...state, points: state.points.slice(0, -1) }
}

/** A press on a point of a selected outline: it is taken, with Alt away; one in the middle of an edge is put there first. */
export function pulled(key: string, outline: Outline, hit: VertexHit, event: PointerWord): { readonly state: ToolState; readonly effects: readonly ToolEffect[] } {
  if (event.alt && !hit.between) {
    const less = withoutVertex(outline, hit.index)
    const effects: ToolEffect[] = less && boxArea(outlineBounds(less)) > 0 ? [{ type: 'commit', gesture: 'shape', key, outline: less }] : []
    return { state: { kind: 'idle' }, effects }
  }
  const from = hit.between ? withVertex(outline, hit.index, middleBefore(outline, hit.index)) : outline
  return { state: { kind: 'shaping', key, vertex: hit.index, start: event.screen, before: outline, from, after: from }, effects: [] }
}

/** The middle of the edge that ends in the point at a place. */
function middleBefore(outline: Outline, index: number): Point {
  const points = pointsOf(outline)
  return splitPoints(outline, Infinity).find((split) => split.index === index)?.at ?? points[index - 1]!
}

export function shaped(from: Outline, vertex: number, at: Point): Outline {
  return movedVertex(from, vertex, at)
}
