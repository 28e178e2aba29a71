/**
 * The pointer tools as one tiny state machine: state + event -> state + effects, no drawing and no DOM, so that tests can
 * speak in pointer words. Everything between press and release is a draft; the release gives one commit or nothing.
 */
import { type Box, type Point, type Size, boxArea, sameBox } from '../../shared/geometry.ts'
import { type Camera, keepVisible, panBy, toImage, toImageDistance } from './camera.ts'
import { type Grip, type HitIndex, EDGE_REACH_PX, cycleHit, gripAt, gripCursor } from './hit.ts'
import { moved, quantizePoint, resized, spanned } from './reshape.ts'

export type ToolName = 'select' | 'draw' | 'pan'

/** Screen px a pointer may tremble before a press becomes a drag. */
export const DRAG_FROM_PX = 3

export interface ToolBox {
  readonly key: string
  readonly box: Box
  /** True for the boxes of the phrase in hand; only those can be moved and resized. */
  readonly editable: boolean
  /** True for a box that must stay as it is, in hand or not. */
  readonly locked?: boolean
}

export const isMovable = (box: ToolBox | undefined): box is ToolBox => box !== undefined && box.editable && box.locked !== true

export interface ToolContext {
  readonly tool: ToolName
  readonly image: Size
  readonly camera: Camera
  readonly viewport: Size
  readonly snap: boolean
  readonly selected: string | null
  readonly box: (key: string) => ToolBox | undefined
  readonly hits: HitIndex
}

export interface PointerWord {
  readonly type: 'down' | 'move' | 'up'
  /** CSS px from the canvas's top left corner. */
  readonly screen: Point
  readonly button?: number
  readonly shift?: boolean
  readonly alt?: boolean
}
export type ToolEvent = PointerWord | { readonly type: 'cancel' }

export type ToolState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'pressed'; readonly start: Point; readonly camera: Camera; readonly key: string | null; readonly keys: readonly string[]; readonly fresh: boolean }
  | { readonly kind: 'moving'; readonly key: string; readonly start: Point; readonly before: Box; readonly after: Box }
  | { readonly kind: 'resizing'; readonly key: string; readonly grip: Grip; readonly start: Point; readonly before: Box; readonly after: Box }
  | { readonly kind: 'drawing'; readonly start: Point; readonly anchor: Point; readonly after: Box; readonly byClicks: boolean }
  | { readonly kind: 'panning'; readonly start: Point; readonly camera: Camera }

export type ToolEffect =
  | { readonly type: 'select'; readonly key: string | null }
  | { readonly type: 'commit'; readonly gesture: 'move' | 'resize'; readonly key: string; readonly before: Box; readonly after: Box }
  | { readonly type: 'commit'; readonly gesture: 'draw'; readonly after: Box }
  | { readonly type: 'camera'; readonly camera: Camera }

export interface ToolStep {
  readonly state: ToolState
  readonly effects: readonly ToolEffect[]
}

export const IDLE: ToolState = { kind: 'idle' }
const stay = (state: ToolState): ToolStep => ({ state, effects: [] })
const done = (...effects: ToolEffect[]): ToolStep => ({ state: IDLE, effects })

/** The box as it is while the pointer is down; key is null for a box being drawn. */
export function draftOf(state: ToolState): { readonly key: string | null; readonly box: Box } | null {
  if (state.kind === 'moving' || state.kind === 'resizing') return { key: state.key, box: state.after }
  return state.kind === 'drawing' ? { key: null, box: state.after } : null
}

export function stepTool(state: ToolState, event: ToolEvent, context: ToolContext): ToolStep {
  if (event.type === 'cancel') return cancel(state)
  if (event.type === 'down') return down(state, event, context)
  if (event.type === 'move') return move(state, event, context)
  return up(state, event, context)
}

function cancel(state: ToolState): ToolStep {
  return state.kind === 'panning' ? done({ type: 'camera', camera: state.camera }) : done()
}

function down(state: ToolState, event: PointerWord, context: ToolContext): ToolStep {
  if (state.kind === 'drawing' && state.byClicks) return stay(state)
  if (state.kind !== 'idle') return stay(state)
  const button = event.button ?? 0
  if (button === 1 || (button === 0 && context.tool === 'pan')) return stay({ kind: 'panning', start: event.screen, camera: context.camera })
  if (button !== 0) return stay(state)
  const point = toImage(context.camera, context.viewport, event.screen)
  if (context.tool === 'draw') {
    const anchor = quantizePoint(point, context.camera.scale)
    return stay({ kind: 'drawing', start: event.screen, anchor, after: spanned(anchor, anchor, rules(context, event)), byClicks: false })
  }
  const selected = context.selected === null ? undefined : context.box(context.selected)
  if (isMovable(selected)) {
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
    case 'panning':
      return { state: IDLE, effects: last.effects }
  }
}

/** What the pointer would do here: for the cursor and for the box to light up. */
export function hoverOf(context: ToolContext, screen: Point): { readonly key: string | null; readonly cursor: string } {
  if (context.tool === 'pan') return { key: null, cursor: 'grab' }
  if (context.tool === 'draw') return { key: null, cursor: 'crosshair' }
  const point = toImage(context.camera, context.viewport, screen)
  const selected = context.selected === null ? undefined : context.box(context.selected)
  if (isMovable(selected)) {
    const grip = gripAt(selected.box, point, context.camera.scale)
    if (grip) return { key: selected.key, cursor: gripCursor(grip, context.camera.turn) }
  }
  const keys = context.hits.at(point, EDGE_REACH_PX / context.camera.scale)
  if (selected?.editable && keys.includes(selected.key)) return { key: selected.key, cursor: isMovable(selected) ? 'move' : 'pointer' }
  const key = keys[0] ?? null
  if (key === null) return { key: null, cursor: 'default' }
  return { key, cursor: isMovable(context.box(key)) ? 'move' : 'pointer' }
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
