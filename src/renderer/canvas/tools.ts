/**
 * The pointer tools as one tiny state machine: state + event -> state + effects, no drawing and no DOM, so that tests can
 * speak in pointer words. Everything between press and release is a draft; the release gives one commit or nothing.
 */
import { type Box, type Point, boxArea, sameBox } from '../../shared/geometry.ts'
import { type Outline, outlineBounds, scaleOutline } from '../../shared/shape.ts'
import { keepVisible, panBy, toImage, toImageDistance } from './camera.ts'
import { EDGE_REACH_PX, cycleHit, gripAt, gripCursor } from './hit.ts'
import { type VertexHit, outlineOfPoints, vertexAt } from './outline.ts'
import { clicked, confirmed, pulled, shaped, takenBack } from './polygon-tool.ts'
import { moved, quantizePoint, resized, snapPoint, spanned } from './reshape.ts'
import type { PointerWord, ToolBox, ToolContext, ToolEffect, ToolEvent, ToolState, ToolStep } from './tool-types.ts'

/** Screen px a pointer may tremble before a press becomes a drag. */
export const DRAG_FROM_PX = 3

export const isMovable = (box: ToolBox | undefined): box is ToolBox => box !== undefined && box.editable && box.locked !== true

export const IDLE: ToolState = { kind: 'idle' }
const stay = (state: ToolState): ToolStep => ({ state, effects: [] })
const done = (...effects: ToolEffect[]): ToolStep => ({ state: IDLE, effects })

export interface Draft {
  /** Null for what is being drawn. */
  readonly key: string | null
  readonly box: Box
  /** Of a polygon being drawn or shaped; left out for a box, whose outline goes with it. */
  readonly outline?: Outline
}

/** What is there while the pointer is down, or between the clicks of a drawing. */
export function draftOf(state: ToolState): Draft | null {
  if (state.kind === 'moving' || state.kind === 'resizing') return { key: state.key, box: state.after }
  if (state.kind === 'shaping') return { key: state.key, box: outlineBounds(state.after), outline: state.after }
  if (state.kind === 'outlining') {
    const outline = outlineOfPoints([...state.points, state.at])
    return { key: null, box: outlineBounds(outline), outline }
  }
  return state.kind === 'drawing' ? { key: null, box: state.after } : null
}

/** The outline of a box that stands elsewhere at this moment; null where the box is itself the shape. */
export function draftOutline(box: ToolBox, change: { readonly box: Box; readonly outline?: Outline } | null): Outline | null {
  const outline = change ? (change.outline ?? scaleOutline(box.outline ?? [], box.box, change.box)) : (box.outline ?? [])
  return outline.length > 0 ? outline : null
}

export function stepTool(state: ToolState, event: ToolEvent, context: ToolContext): ToolStep {
  if (event.type === 'cancel') return cancel(state)
  if (event.type === 'confirm') return state.kind === 'outlining' ? finished(confirmed(state.points)) : stay(state)
  if (event.type === 'back') return state.kind === 'outlining' ? stay(takenBack(state) ?? IDLE) : stay(state)
  if (event.type === 'down') return down(state, event, context)
  if (event.type === 'move') return move(state, event, context)
  return up(state, event, context)
}

function cancel(state: ToolState): ToolStep {
  return state.kind === 'panning' ? done({ type: 'camera', camera: state.camera }) : done()
}

function down(state: ToolState, event: PointerWord, context: ToolContext): ToolStep {
  if (state.kind === 'drawing' && state.byClicks) return stay(state)
  if (state.kind === 'outlining') {
    if ((event.button ?? 0) !== 0) return stay(state)
    const next = clicked(state, place(event, context), context.camera.scale)
    return next === 'close' ? finished(confirmed(state.points)) : stay(next)
  }
  if (state.kind !== 'idle') return stay(state)
  const button = event.button ?? 0
  if (button === 1 || (button === 0 && context.tool === 'pan')) return stay({ kind: 'panning', start: event.screen, camera: context.camera })
  if (button !== 0) return stay(state)
  const point = toImage(context.camera, context.viewport, event.screen)
  if (context.tool === 'draw') {
    const anchor = quantizePoint(point, context.camera.scale)
    return stay({ kind: 'drawing', start: event.screen, anchor, after: spanned(anchor, anchor, rules(context, event)), byClicks: false })
  }
  if (context.tool === 'polygon') {
    const at = place(event, context)
    return stay({ kind: 'outlining', points: [at], at })
  }
  const selected = context.selected === null ? undefined : context.box(context.selected)
  if (isMovable(selected)) {
    const vertex = vertexOf(selected, point, context)
    if (vertex && selected.outline) return pulled(selected.key, selected.outline, vertex, event)
    const grip = gripAt(selected.box, point, context.camera.scale)
    if (grip) return stay({ kind: 'resizing', key: selected.key, grip, start: event.screen, before: selected.box, after: selected.box })
  }
  const keys = context.hits.at(point, EDGE_REACH_PX / context.camera.scale)
  if (selected && keys.includes(selected.key)) return stay(pressed(event.screen, context, selected.key, keys, false))
  const key = keys[0] ?? null
  const fresh = key !== null && context.box(key)?.editable === true
  return { state: pressed(event.screen, context, key, keys, fresh), effects: fresh ? [{ type: 'select', key }] : [] }
}

function pressed(start: Point, context: ToolContext, key: string | null, keys: readonly string[], fresh: boolean): ToolState {
  return { kind: 'pressed', start, camera: context.camera, key, keys, fresh }
}

function move(state: ToolState, event: PointerWord, context: ToolContext): ToolStep {
  switch (state.kind) {
    case 'idle':
      return stay(state)
    case 'pressed': {
      if (distance(state.start, event.screen) < DRAG_FROM_PX) return stay(state)
      const box = state.key === null ? undefined : context.box(state.key)
      // Only boxes of the phrase in hand move; anywhere else a drag moves the picture, so nothing is changed by accident.
      if (!isMovable(box)) return move({ kind: 'panning', start: state.start, camera: state.camera }, event, context)
      return move({ kind: 'moving', key: box.key, start: state.start, before: box.box, after: box.box }, event, context)
    }
    case 'moving': {
      let { x: dx, y: dy } = delta(state.start, event.screen, context)
      if (event.shift) [dx, dy] = Math.abs(dx) >= Math.abs(dy) ? [dx, 0] : [0, dy]
      return stay({ ...state, after: moved(state.before, dx, dy, rules(context, event)) })
    }
    case 'resizing': {
      const { x: dx, y: dy } = delta(state.start, event.screen, context)
      return stay({ ...state, after: resized(state.before, state.grip, dx, dy, rules(context, event)) })
    }
    case 'drawing': {
      const point = quantizePoint(toImage(context.camera, context.viewport, event.screen), context.camera.scale)
      return stay({ ...state, after: spanned(state.anchor, point, rules(context, event), event.shift) })
    }
    case 'outlining':
      return stay({ ...state, at: place(event, context) })
    case 'shaping': {
      if (distance(state.start, event.screen) < DRAG_FROM_PX && state.after === state.from) return stay(state)
      return stay({ ...state, after: shaped(state.from, state.vertex, place(event, context)) })
    }
    case 'panning': {
      const camera = panBy(state.camera, event.screen.x - state.start.x, event.screen.y - state.start.y)
      return { state, effects: [{ type: 'camera', camera: keepVisible(camera, context.viewport, context.image) }] }
    }
  }
}

function up(state: ToolState, event: PointerWord, context: ToolContext): ToolStep {
  const last = move(state, event, context)
  switch (last.state.kind) {
    case 'idle':
      return last
    case 'pressed': {
      if (last.state.fresh) return done()
      const key = last.state.key !== null && last.state.key === context.selected ? cycleHit(last.state.keys, context.selected) : last.state.key
      return key === context.selected ? done() : done({ type: 'select', key })
    }
    case 'moving':
    case 'resizing': {
      const { key, before, after } = last.state
      const gesture = last.state.kind === 'moving' ? 'move' : 'resize'
      // A box dragged flat is not an edit: it goes back to what it was.
      if (sameBox(before, after) || (boxArea(after) === 0 && boxArea(before) > 0)) return done()
      return done({ type: 'commit', gesture, key, before, after })
    }
    case 'drawing': {
      if (!last.state.byClicks && distance(last.state.start, event.screen) < DRAG_FROM_PX) return stay({ ...last.state, byClicks: true })
      return boxArea(last.state.after) > 0 ? done({ type: 'commit', gesture: 'draw', after: last.state.after }) : done()
    }
    case 'outlining':
      return last
    case 'shaping': {
      const { key, before, after } = last.state
      // A point that was only clicked, and a shape pulled flat, are no edits.
      if (after === last.state.from || boxArea(outlineBounds(after)) === 0 || sameOutline(before, after)) return done()
      return done({ type: 'commit', gesture: 'shape', key, outline: after })
    }
    case 'panning':
      return { state: IDLE, effects: last.effects }
  }
}

/** What the pointer would do here: for the cursor and for the box to light up. */
export function hoverOf(context: ToolContext, screen: Point): { readonly key: string | null; readonly cursor: string; readonly vertex?: VertexHit } {
  if (context.tool === 'pan') return { key: null, cursor: 'grab' }
  if (context.tool === 'draw' || context.tool === 'polygon') return { key: null, cursor: 'crosshair' }
  const point = toImage(context.camera, context.viewport, screen)
  const selected = context.selected === null ? undefined : context.box(context.selected)
  if (isMovable(selected)) {
    const vertex = vertexOf(selected, point, context)
    if (vertex) return { key: selected.key, cursor: vertex.between ? 'copy' : 'crosshair', vertex }
    const grip = gripAt(selected.box, point, context.camera.scale)
    if (grip) return { key: selected.key, cursor: gripCursor(grip, context.camera.turn) }
  }
  const keys = context.hits.at(point, EDGE_REACH_PX / context.camera.scale)
  if (selected?.editable && keys.includes(selected.key)) return { key: selected.key, cursor: isMovable(selected) ? 'move' : 'pointer' }
  const key = keys[0] ?? null
  if (key === null) return { key: null, cursor: 'default' }
  return { key, cursor: isMovable(context.box(key)) ? 'move' : 'pointer' }
}

/** Where the pointer stands in the image, as a point of an outline. */
function place(event: PointerWord, context: ToolContext): Point {
  const point = quantizePoint(toImage(context.camera, context.viewport, event.screen), context.camera.scale)
  return snapPoint(point, rules(context, event))
}

const vertexOf = (box: ToolBox, point: Point, context: ToolContext): VertexHit | null => (box.outline ? vertexAt(box.outline, point, context.camera.scale) : null)
const sameOutline = (a: Outline, b: Outline) => a.length === b.length && a.every((value, i) => value === b[i])

/** An outline that is done, if it is one. */
function finished(outline: Outline | null): ToolStep {
  return outline ? done({ type: 'commit', gesture: 'outline', outline }) : done()
}

function rules(context: ToolContext, event: PointerWord) {
  return { image: context.image, snap: context.snap && !event.alt, scale: context.camera.scale }
}

function delta(start: Point, screen: Point, context: ToolContext): Point {
  return quantizePoint(toImageDistance(context.camera, { x: screen.x - start.x, y: screen.y - start.y }), context.camera.scale)
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y)
}
