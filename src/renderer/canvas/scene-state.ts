/** What the canvases of one view share, and what of it stands at this very moment: drafts in place of what is stored. */
import { type Box, type Point, type Size, boxArea } from '../../shared/geometry.ts'
import { type Outline, type Shape, shapeOf } from '../../shared/shape.ts'
import type { Camera, CameraMode } from './camera.ts'
import type { VertexHit } from './outline.ts'
import type { ToolBox, ToolName, ToolState } from './tool-types.ts'
import { type Draft, draftOf, draftOutline } from './tools.ts'

export interface SceneBox extends ToolBox {
  readonly regionId: string
  /** Place of the box among the boxes of its region. */
  readonly index: number
  readonly color: string
  readonly label: string
  /** Neither drawn nor found under the pointer; it counts in scores all the same. */
  readonly hidden?: boolean
}

export interface SceneState {
  readonly image: Size
  /** In the order they are drawn. */
  readonly boxes: readonly SceneBox[]
  readonly byKey: ReadonlyMap<string, SceneBox>
  /** Those of the phrase in hand. */
  readonly mine: readonly SceneBox[]
  readonly proposals: readonly Box[]
  readonly selected: string | null
  readonly hover: string | null
  /** The point of the selected outline under the pointer. */
  readonly vertex: VertexHit | null
  readonly cursor: string
  readonly tool: ToolName
  /** The tool stays after it has made something, until another is taken. */
  readonly toolStays: boolean
  /** While held (space), the pan tool stands in for the chosen one. */
  readonly panHeld: boolean
  readonly snap: boolean
  /** Crosshair lines through the pointer, not only while drawing. */
  readonly guides: boolean
  /** Names at all boxes that have room for one, not only at the hovered one. */
  readonly names: boolean
  readonly gesture: ToolState
  /** A run of arrow key presses: one gesture from the first press to the last release. */
  readonly nudge: { readonly key: string; readonly before: Box; readonly after: Box } | null
  /** The cursor of the drawing tools that arrow keys move, in image px; null while the pointer draws. */
  readonly caret: Point | null
  /** The point of an outline that keys have in hand. */
  readonly point: { readonly key: string; readonly index: number } | null
  /** Pointer in image px and the pane it is in; null when it is elsewhere. */
  readonly pointer: { readonly at: Point; readonly pane: string } | null
  readonly camera: Camera
  readonly cameraMode: CameraMode
  /** Size of each canvas by pane name, CSS px. */
  readonly viewports: Readonly<Record<string, Size>>
}

/** Place of the point in hand among those of the selected outline; null when none is. */
export function pointInHand({ point, selected, byKey }: SceneState): number | null {
  const outline = point === null || point.key !== selected ? undefined : byKey.get(point.key)?.outline
  return outline && 2 * point!.index < outline.length ? point!.index : null
}

/** What a drag or arrow keys make of a box at this moment; null when none is being changed. */
export function liveChange(state: SceneState): Draft | null {
  const draft = draftOf(state.gesture)
  if (draft && draft.key !== null) return draft
  return state.nudge ? { key: state.nudge.key, box: state.nudge.after } : null
}

/** One box as it stands at this moment. Asked on every pointer event, so nothing of the size of the scene is made for it. */
export function liveBox(state: SceneState, key: string | null): SceneBox | undefined {
  const box = key === null ? undefined : state.byKey.get(key)
  const change = liveChange(state)
  return box && change?.key === key ? { ...box, box: change!.box } : box
}

/** The outline of a box at this moment; null where the box is itself the shape. */
export function liveOutline(state: SceneState, box: SceneBox): Outline | null {
  const change = liveChange(state)
  const stored = state.byKey.get(box.key)
  return stored ? draftOutline(stored, change?.key === box.key ? change : null) : (box.outline ?? null)
}

/** Boxes and outlines of the phrase in hand at this moment, with what is being drawn: what its score is made of. */
export function liveRegionShape(state: SceneState): Shape {
  const boxes = liveRegionBoxes(state)
  const outlines: Outline[] = state.mine.map((box) => liveOutline(state, box) ?? [])
  const draft = draftOf(state.gesture)
  if (boxes.length > outlines.length) outlines.push(draft?.outline && draft.outline.length >= 6 ? draft.outline : [])
  return shapeOf(boxes, outlines)
}

/** Boxes of the phrase in hand at this moment, with the one being drawn. */
export function liveRegionBoxes(state: SceneState): readonly Box[] {
  const change = liveChange(state)
  const boxes = state.mine.map((box) => (change?.key === box.key ? change.box : box.box))
  const draft = draftOf(state.gesture)
  return draft && draft.key === null && boxArea(draft.box) > 0 ? [...boxes, draft.box] : boxes
}
