/** The drawing tools by keys: what a cursor moved by arrows does where a pointer would click. Exact: nothing is rounded or caught. */
import { type Point, boxArea, normalizeBox } from '../../shared/geometry.ts'
import { confirmed } from './polygon-tool.ts'
import type { ToolName, ToolState, ToolStep } from './tool-types.ts'

export interface KeyWord {
  /** aim: the cursor stands elsewhere. put: a point or a corner is set there. */
  readonly type: 'aim' | 'put'
  /** Image px. */
  readonly at: Point
}

const IDLE: ToolState = { kind: 'idle' }
const NOWHERE: Point = { x: 0, y: 0 }
const stay = (state: ToolState): ToolStep => ({ state, effects: [] })
const same = (a: Point | undefined, b: Point): boolean => a !== undefined && a.x === b.x && a.y === b.y
const span = (a: Point, b: Point) => normalizeBox([a.x, a.y, b.x, b.y])

export function stepByKeys(state: ToolState, { type, at }: KeyWord, tool: ToolName): ToolStep {
  if (state.kind === 'outlining') {
    if (type === 'aim') return stay({ ...state, at })
    const { points } = state
    const closes = same(points[0], at) || same(points.at(-1), at)
    if (!closes) return stay({ ...state, points: [...points, at], at })
    // On the first point, and again on the last one, it closes: once there is something to close.
    const outline = points.length >= 3 ? confirmed(points) : null
    return outline ? { state: IDLE, effects: [{ type: 'commit', gesture: 'outline', outline }] } : stay(state)
  }
  if (state.kind === 'drawing') {
    const after = span(state.anchor, at)
    if (type === 'aim' || boxArea(after) === 0) return stay({ ...state, after })
    return { state: IDLE, effects: [{ type: 'commit', gesture: 'draw', after }] }
  }
  if (state.kind !== 'idle' || type === 'aim') return stay(state)
  if (tool === 'polygon') return stay({ kind: 'outlining', points: [at], at })
  return tool === 'draw' ? stay({ kind: 'drawing', start: NOWHERE, anchor: at, after: span(at, at), byClicks: true }) : stay(state)
}
