/**
 * What the canvases of one view share: boxes, camera, tool and the gesture in progress, in a store outside React. Panes
 * and the live score subscribe to it, so a drag costs no React render. It takes content and gives effects; it knows
 * neither the engine nor the application's state.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { type Box, type Point, type Size, boxArea, sameBox } from '../../shared/geometry.ts'
import { outlineBounds } from '../../shared/shape.ts'
import { type Camera, type CameraMode, type Turn, clampScale, fitCamera, keepVisible, panBy, toImage, unturned, withTurn, zoomAt, zoomToBoxes } from './camera.ts'
import { type Grip, type HitIndex, createHitIndex } from './hit.ts'
import { nudged } from './reshape.ts'
import { withoutVertex } from './outline.ts'
import { type SceneKeys, createSceneKeys } from './scene-keys.ts'
import { type SceneBox, type SceneState, liveRegionBoxes } from './scene-state.ts'
import type { PointerWord, ToolContext, ToolEffect, ToolName } from './tool-types.ts'
import { IDLE, draftOf, hoverOf, isMovable, stepTool } from './tools.ts'

export type SceneEffect = Exclude<ToolEffect, { type: 'camera' }> | { readonly type: 'commit'; readonly gesture: 'nudge'; readonly key: string; readonly before: Box; readonly after: Box }

export interface Scene extends SceneKeys {
  readonly store: StoreApi<SceneState>
  /** New boxes or a new image. The camera is fitted when the image's key changes; a gesture on old boxes is dropped then. */
  setContent(content: { imageKey: string; image: Size; boxes: readonly SceneBox[]; proposals: readonly Box[] }): void
  select(key: string | null): void
  /** stays: it is kept in hand after it has made something */
  setTool(tool: ToolName, stays?: boolean): void
  setViewport(pane: string, size: Size | null): void
  pointer(pane: string, word: PointerWord): void
  leave(): void
  /** Gives up the gesture in progress; true when there was one. */
  cancel(): boolean
  /** Closes the outline being drawn; true when there is one. */
  confirm(): boolean
  /** Takes away the last point of an outline being drawn, the first corner of a box, or the point of the selected outline in hand or under the pointer; true when there was one. */
  deletePoint(): boolean
  wheel(pane: string, screen: Point, factor: number): void
  /** Moves what keys have in hand: the cursor of a drawing tool, a point, or the selected box. Distances as the person sees them: on a turned view they are turned back. */
  nudge(dx: number, dy: number, grow: boolean): boolean
  endNudge(): void
  fit(): void
  zoomBy(factor: number): void
  zoomTo(scale: number): void
  zoomToRegion(): void
  /** Turns the view by quarters, clockwise; the boxes stay what they are. */
  rotate(quarters: number): void
  /** Moves the picture by screen px. */
  pan(dx: number, dy: number): void
  /** Brings a point of the image to the middle. */
  lookAt(point: Point): void
  subscribe(listener: () => void): () => void
}

const EMPTY: Size = { width: 0, height: 0 }

/** The area all panes have in common: what fits there is seen in each. */
export function commonViewport(viewports: Readonly<Record<string, Size>>): Size {
  const sizes = Object.values(viewports).filter((size) => size.width > 0 && size.height > 0)
  return sizes.length === 0 ? EMPTY : { width: Math.min(...sizes.map((s) => s.width)), height: Math.min(...sizes.map((s) => s.height)) }
}

export function createScene(onEffect: (effect: SceneEffect) => void): Scene {
  const store = createStore<SceneState>(() => ({
    image: EMPTY, boxes: [], byKey: new Map(), mine: [], proposals: [], selected: null, hover: null, vertex: null, cursor: 'default', tool: 'select', toolStays: false, panHeld: false, snap: true, guides: false, names: false, gesture: IDLE,
    nudge: null, caret: null, point: null, pointer: null, camera: { centerX: 0, centerY: 0, scale: 1 }, cameraMode: 'fit', viewports: {},
  }))
  let imageKey = ''
  let hits: HitIndex = createHitIndex([])
  const get = store.getState

  function context(pane: string): ToolContext {
    const state = get()
    return {
      tool: state.panHeld ? 'pan' : state.tool, image: state.image, camera: state.camera, viewport: state.viewports[pane] ?? EMPTY, snap: state.snap,
      selected: state.selected, box: (key) => state.byKey.get(key), hits,
    }
  }

  function moveCamera(camera: Camera, mode: CameraMode = 'free') {
    store.setState({ camera, cameraMode: mode })
  }

  function refit() {
    const state = get()
    if (state.cameraMode === 'fit') store.setState({ camera: fitCamera(state.image, commonViewport(state.viewports), state.camera.turn) })
  }

  function run(effects: readonly ToolEffect[]) {
    for (const effect of effects) {
      if (effect.type === 'camera') moveCamera(effect.camera)
      else {
        if (effect.type === 'commit' && (effect.gesture === 'draw' || effect.gesture === 'outline') && !get().toolStays) store.setState({ tool: 'select' })
        if (effect.type === 'select' && (effect.key === null || get().byKey.get(effect.key)?.editable)) store.setState({ selected: effect.key })
        onEffect(effect)
      }
    }
  }

  function endNudge() {
    keys.endMove()
    const { nudge } = get()
    if (!nudge) return
    // The commit comes first: the owner puts the new value into the content before the draft goes away.
    if (!sameBox(nudge.before, nudge.after)) onEffect({ type: 'commit', gesture: 'nudge', key: nudge.key, before: nudge.before, after: nudge.after })
    store.setState({ nudge: null })
  }

  function lookAt(point: Point) {
    const state = get()
    moveCamera(keepVisible({ ...state.camera, centerX: point.x, centerY: point.y }, commonViewport(state.viewports), state.image))
  }
  const { startCaret, putAtCaret, takePoint, insertPoint, ...keys } = createSceneKeys(store, run, () => commonViewport(get().viewports), lookAt, endNudge)
  /** Where the pointer was last: a canvas that moves under a pointer at rest is no sign of a hand. */
  let rested: Point | null = null

  return {
    store, startCaret, putAtCaret, takePoint, insertPoint, lookAt,
    setContent(content) {
      const state = get()
      const sameImage = content.imageKey === imageKey
      imageKey = content.imageKey
      hits = createHitIndex(content.boxes.some((box) => box.hidden) ? content.boxes.filter((box) => !box.hidden) : content.boxes)
      const byKey = new Map(content.boxes.map((box) => [box.key, box]))
      const stale = (key: string | null) => key !== null && !byKey.has(key)
      const draft = draftOf(state.gesture)
      store.setState({
        image: content.image, boxes: content.boxes, byKey, mine: content.boxes.filter((box) => box.editable), proposals: content.proposals,
        selected: stale(state.selected) ? null : state.selected, hover: stale(state.hover) ? null : state.hover,
        ...(sameImage && !stale(draft?.key ?? null) ? {} : { gesture: IDLE }),
        ...(state.nudge && (!sameImage || stale(state.nudge.key)) ? { nudge: null } : {}),
        ...(sameImage ? {} : { caret: null, point: null, cameraMode: 'fit' as const, camera: fitCamera(content.image, commonViewport(state.viewports)) }),
      })
    },
    select(key) {
      if (get().selected !== key) store.setState({ selected: key })
    },
    setTool(tool, stays = false) {
      store.setState({ tool, toolStays: stays, gesture: IDLE, vertex: null, caret: null, point: null, cursor: tool === 'draw' || tool === 'polygon' ? 'crosshair' : tool === 'pan' ? 'grab' : 'default' })
    },
    setViewport(pane, size) {
      const viewports = { ...get().viewports }
      if (size) viewports[pane] = size
      else delete viewports[pane]
      store.setState({ viewports })
      refit()
    },
    pointer(pane, word) {
      const isAtRest = word.type === 'move' && rested !== null && Math.hypot(rested.x - word.screen.x, rested.y - word.screen.y) < 1
      rested = word.screen
      if (isAtRest && (get().caret || get().point)) return
      endNudge()
      const state = get()
      const at = toImage(state.camera, state.viewports[pane] ?? EMPTY, word.screen)
      const step = stepTool(state.gesture, word, context(pane))
      const hovering = step.state.kind === 'idle' ? hoverOf(context(pane), word.screen) : null
      const cursor = hovering?.cursor ?? (step.state.kind === 'panning' ? 'grabbing' : state.cursor)
      const commits = step.effects.some((effect) => effect.type === 'commit')
      const next = { gesture: step.state, pointer: { at, pane }, hover: hovering ? hovering.key : state.hover, vertex: hovering?.vertex ?? null, cursor, caret: null, ...(word.type === 'down' ? { point: null } : {}) }
      // On release the commit goes out while the draft still stands, so that no frame shows the old box.
      if (commits) run(step.effects)
      store.setState(next)
      if (!commits) run(step.effects)
    },
    leave() {
      if (get().gesture.kind === 'idle' || draftOf(get().gesture)?.key === null) store.setState({ pointer: null, hover: null, vertex: null })
    },
    cancel() {
      const state = get()
      if (state.nudge) {
        store.setState({ nudge: null })
        return true
      }
      if (state.gesture.kind === 'idle') {
        store.setState({ point: null })
        return state.point !== null
      }
      const step = stepTool(state.gesture, { type: 'cancel' }, context(''))
      store.setState({ gesture: step.state })
      run(step.effects)
      return true
    },
    confirm() {
      const step = stepTool(get().gesture, { type: 'confirm' }, context(''))
      if (get().gesture.kind !== 'outlining') return false
      run(step.effects)
      store.setState({ gesture: step.state })
      return true
    },
    deletePoint() {
      if (keys.removePoint()) return true
      const { gesture, vertex, selected, byKey } = get()
      if (gesture.kind === 'drawing') {
        store.setState({ gesture: IDLE })
        return true
      }
      if (gesture.kind === 'outlining') {
        store.setState({ gesture: stepTool(gesture, { type: 'back' }, context('')).state })
        return true
      }
      const box = selected === null ? undefined : byKey.get(selected)
      if (gesture.kind !== 'idle' || !vertex || vertex.between || !isMovable(box) || !box.outline) return false
      const less = withoutVertex(box.outline, vertex.index)
      if (!less || boxArea(outlineBounds(less)) === 0) return false
      onEffect({ type: 'commit', gesture: 'shape', key: box.key, outline: less })
      store.setState({ vertex: null })
      return true
    },
    wheel(pane, screen, factor) {
      const state = get()
      const viewport = state.viewports[pane] ?? EMPTY
      moveCamera(keepVisible(zoomAt(state.camera, viewport, screen, factor), viewport, state.image))
    },
    nudge(dx, dy, grow) {
      if (!grow && keys.move(dx, dy)) return true
      const state = get()
      if (state.gesture.kind !== 'idle') return false
      const box = state.selected === null ? undefined : state.byKey.get(state.selected)
      if (!isMovable(box)) return false
      const current = state.nudge?.key === box.key ? state.nudge : { key: box.key, before: box.box, after: box.box }
      const { turn } = state.camera
      const step = unturned({ x: dx, y: dy }, turn)
      // Growing moves the edges that lie right and below on the screen.
      const corner = unturned({ x: 1, y: 1 }, turn) as Grip
      const after = nudged(current.after, step.x, step.y, grow ? corner : null, { image: state.image, snap: state.snap, scale: state.camera.scale })
      store.setState({ nudge: { ...current, after } })
      return true
    },
    endNudge,
    fit() {
      store.setState({ cameraMode: 'fit' })
      refit()
    },
    zoomBy(factor) {
      const { camera } = get()
      moveCamera({ ...camera, scale: clampScale(camera.scale * factor) })
    },
    zoomTo(scale) {
      moveCamera({ ...get().camera, scale: clampScale(scale) })
    },
    zoomToRegion() {
      const state = get()
      const boxes = liveRegionBoxes(state)
      if (boxes.length > 0) moveCamera(zoomToBoxes(state.camera, commonViewport(state.viewports), boxes))
    },
    rotate(quarters) {
      const { camera } = get()
      store.setState({ camera: withTurn(camera, ((((camera.turn ?? 0) + quarters) % 4) + 4) % 4 as Turn) })
      refit()
    },
    pan(dx, dy) {
      const state = get()
      moveCamera(keepVisible(panBy(state.camera, dx, dy), commonViewport(state.viewports), state.image))
    },
    subscribe: (listener) => store.subscribe(listener),
  }
}
