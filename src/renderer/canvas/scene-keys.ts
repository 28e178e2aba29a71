/** What keys do on the canvas beside moving boxes: a cursor that draws, and the points of the selected outline, one after the other. */
import type { StoreApi } from 'zustand/vanilla'
import { type Point, type Size, boxArea } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { toScreen, unturned } from './camera.ts'
import { stepByKeys } from './key-tool.ts'
import { movedVertex, pointsOf, withoutVertex, withVertex } from './outline.ts'
import { type SceneState, pointInHand } from './scene-state.ts'
import type { ToolEffect, ToolState } from './tool-types.ts'

export interface SceneKeys {
  /** The cursor of the drawing tools; it comes where the pointer is, or in the middle of what is seen. Null with another tool. */
  startCaret(): Point | null
  /** Sets a point of the outline, or a corner of the box, at the cursor; 'done' when that finished it, null without a cursor. */
  putAtCaret(): 'put' | 'done' | null
  /** Takes the first point of the selected outline in hand, or the next or the previous one. Null when there is none that may be changed. */
  takePoint(step: 0 | 1 | -1): number | null
  /** Puts a point in the middle of the edge after the one in hand; true when it did. */
  insertPoint(): boolean
}
export interface Hand {
  /** Moves the cursor, or the point in hand, by image px as they are seen; false when there is neither. */
  move(dx: number, dy: number): boolean
  removePoint(): boolean
  /** Ends the moving of a point; true when there was one. */
  endMove(): boolean
}

/** Screen px from the canvas's edge within which the cursor is not let out of sight. */
const MARGIN_PX = 16

export function createSceneKeys(store: StoreApi<SceneState>, run: (effects: readonly ToolEffect[]) => void, viewport: () => Size, lookAt: (point: Point) => void, endNudge: () => void): SceneKeys & Hand {
  const get = store.getState
  const draws = ({ tool, panHeld }: SceneState): boolean => (tool === 'draw' || tool === 'polygon') && !panHeld

  const inside = ({ x, y }: Point): Point => {
    const { image, snap } = get()
    return snap ? { x: Math.min(image.width, Math.max(0, x)), y: Math.min(image.height, Math.max(0, y)) } : { x, y }
  }
  const show = (point: Point): void => {
    const size = viewport()
    const at = toScreen(get().camera, size, point)
    if (at.x < MARGIN_PX || at.y < MARGIN_PX || at.x > size.width - MARGIN_PX || at.y > size.height - MARGIN_PX) lookAt(point)
  }
  const step = (type: 'aim' | 'put', at: Point): ToolState => {
    const { gesture, tool } = get()
    const next = stepByKeys(gesture, { type, at }, tool)
    // As on a release: the commit goes out while the draft still stands.
    run(next.effects)
    store.setState({ gesture: next.state })
    return next.state
  }
  function startCaret(): Point | null {
    const state = get()
    if (!draws(state) || state.image.width <= 0) return null
    if (state.caret) return state.caret
    const { gesture, pointer, camera } = state
    const from = gesture.kind === 'outlining' ? gesture.at : (pointer?.at ?? { x: camera.centerX, y: camera.centerY })
    const caret = inside({ x: Math.round(from.x), y: Math.round(from.y) })
    store.setState({ caret })
    show(caret)
    return caret
  }
  /** The selected outline, unless it must stay as it is. */
  const outline = (): { readonly key: string; readonly outline: Outline } | null => {
    const { selected, byKey, tool } = get()
    const box = selected === null ? undefined : byKey.get(selected)
    return tool === 'select' && box?.editable && !box.locked && box.outline ? { key: box.key, outline: box.outline } : null
  }
  function endMove(): boolean {
    const { gesture } = get()
    if (gesture.kind !== 'shaping' || !gesture.byKeys) return false
    const changed = gesture.after.some((value, i) => value !== gesture.before[i]) && boxArea(outlineBounds(gesture.after)) > 0
    if (changed) run([{ type: 'commit', gesture: 'shape', key: gesture.key, outline: gesture.after }])
    store.setState({ gesture: { kind: 'idle' } })
    return true
  }
  /** Another outline of the same box, with the point of it that is in hand then. */
  const reshape = (key: string, next: Outline | null, index: number): boolean => {
    if (!next || boxArea(outlineBounds(next)) === 0) return false
    run([{ type: 'commit', gesture: 'shape', key, outline: next }])
    store.setState({ point: { key, index } })
    return true
  }

  return {
    startCaret, endMove,
    putAtCaret() {
      const { caret, gesture } = get()
      if (!caret || !draws(get())) return null
      const next = step('put', caret)
      if (next.kind !== 'idle' || gesture.kind === 'idle') return 'put'
      store.setState({ caret: null })
      return 'done'
    },
    takePoint(by) {
      endNudge()
      const held = outline()
      if (!held || get().gesture.kind !== 'idle') return null
      const count = held.outline.length >> 1
      const now = pointInHand(get())
      const index = now === null ? (by < 0 ? count - 1 : 0) : (now + by + count) % count
      store.setState({ point: { key: held.key, index }, caret: null })
      show(pointsOf(held.outline)[index]!)
      return index
    },
    insertPoint() {
      endMove()
      const [held, index] = [outline(), pointInHand(get())]
      if (!held || index === null) return false
      const points = pointsOf(held.outline)
      const [a, b] = [points[index]!, points[(index + 1) % points.length]!]
      return reshape(held.key, withVertex(held.outline, index + 1, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }), index + 1)
    },
    removePoint() {
      endMove()
      const [held, index] = [outline(), pointInHand(get())]
      if (!held || index === null) return false
      reshape(held.key, withoutVertex(held.outline, index), Math.min(index, (held.outline.length >> 1) - 2))
      // The last three points stay: the key that takes points away must not take the box instead.
      return true
    },
    move(dx, dy) {
      const state = get()
      const by = unturned({ x: dx, y: dy }, state.camera.turn)
      if (draws(state)) {
        const from = startCaret()
        if (!from) return false
        const caret = inside({ x: from.x + by.x, y: from.y + by.y })
        store.setState({ caret })
        show(caret)
        step('aim', caret)
        return true
      }
      const [held, index] = [outline(), pointInHand(state)]
      if (!held || index === null || (state.gesture.kind !== 'idle' && !(state.gesture.kind === 'shaping' && state.gesture.byKeys))) return false
      const now = state.gesture.kind === 'shaping' ? state.gesture.after : held.outline
      const at = pointsOf(now)[index]!
      const to = inside({ x: at.x + by.x, y: at.y + by.y })
      store.setState({ gesture: { kind: 'shaping', key: held.key, vertex: index, start: { x: 0, y: 0 }, before: held.outline, from: held.outline, after: movedVertex(now, index, to), byKeys: true } })
      show(to)
      return true
    },
  }
}
