/** What the box layers draw, in screen px, as plain loops: thousands of boxes in one shape, labels in the same loop. */
import type { Box, Point, Size } from '../../shared/geometry.ts'
import { t } from '../../shared/messages/messages.ts'
import type { Outline } from '../../shared/shape.ts'
import { type Camera, toScreen, turned } from './camera.ts'
import { gripPoint, visibleGrips } from './hit.ts'
import { type BoxInk, LABEL_FROM_PX, type LabelText, PROPOSAL_INK, THIN_BELOW_PX, TRUTH_INK, drawBoxLine, drawHandle, drawLabel, drawOutlineLine, drawPeak, drawVertex, labelText } from './ink.ts'
import { type Rect, labelInside, placeLabel } from './labels.ts'
import { pointsOf, splitPoints } from './outline.ts'
import { type SceneState, liveBox, liveOutline, pointInHand } from './scene-state.ts'
import { draftOf, isMovable } from './tools.ts'

/** Boxes of the image as they stand on the screen. What is the same for all of thousands is worked out once. */
function projector(camera: Camera, viewport: Size): (box: Box) => Rect {
  const { x, y } = toScreen(camera, viewport, { x: 0, y: 0 })
  const right = turned({ x: camera.scale, y: 0 }, camera.turn)
  const down = turned({ x: 0, y: camera.scale }, camera.turn)
  return ([x1, y1, x2, y2]) => {
    const fromX = right.x * x1 + down.x * y1 + x
    const fromY = right.y * x1 + down.y * y1 + y
    const toX = right.x * x2 + down.x * y2 + x
    const toY = right.y * x2 + down.y * y2 + y
    return { x: Math.min(fromX, toX), y: Math.min(fromY, toY), width: Math.abs(toX - fromX), height: Math.abs(toY - fromY) }
  }
}

const screenBox = (box: Box, camera: Camera, viewport: Size): Rect => projector(camera, viewport)(box)

function isVisible(box: Rect, viewport: Size): boolean {
  return box.x + box.width >= -4 && box.y + box.height >= -4 && box.x <= viewport.width + 4 && box.y <= viewport.height + 4
}

/** From this many boxes on the dark casing is left out while the picture moves: it is half of the work, and nobody reads lines that move. */
export const CASED_UP_TO = 1500

/** Boxes that lie still: everything but the one the user holds. They come large ones first, so that small ones stay on top. */
export function paintBoxes(context: CanvasRenderingContext2D, state: SceneState, viewport: Size): void {
  const held = state.selected
  const moves = state.gesture.kind === 'panning'
  const thin = Math.max(state.image.width, state.image.height) * state.camera.scale < THIN_BELOW_PX
  const truth: BoxInk = thin ? { ...TRUTH_INK, width: 1.5 } : TRUTH_INK
  const proposal: BoxInk = thin ? { ...PROPOSAL_INK, width: 1.5 } : PROPOSAL_INK
  const cased = !(moves && state.boxes.length > CASED_UP_TO)
  const project = projector(state.camera, viewport)
  for (const box of state.boxes) {
    if (box.editable || box.hidden || box.key === held) continue
    const at = project(box.box)
    if (isVisible(at, viewport)) drawShape(context, state, viewport, at, box.outline, { color: box.color, width: 1, dash: null }, cased)
  }
  for (const box of state.mine) {
    if (box.hidden || box.key === held) continue
    const at = project(box.box)
    if (isVisible(at, viewport)) drawShape(context, state, viewport, at, box.outline, { ...truth, color: box.color })
  }
  const taken: Rect[] = []
  for (const box of state.proposals) {
    const at = project(box)
    if (!isVisible(at, viewport)) continue
    drawBoxLine(context, at, proposal)
    if (at.width >= LABEL_FROM_PX) taken.push(nameBox(context, at, t('proposed'), PROPOSAL_INK, viewport, taken))
  }
  if (state.names && !moves) paintNames(context, state, viewport, taken)
}

/** The name of one box; beside it where that is possible. */
function nameBox(context: CanvasRenderingContext2D, at: Rect, name: string, ink: BoxInk, viewport: Size, taken: readonly Rect[] = []): Rect {
  const text = labelText(context, name)
  const place = namePlace(at, text, viewport, taken)
  drawLabel(context, place.x, place.y, text, ink)
  return place
}

const namePlace = (at: Rect, text: LabelText, viewport: Size, taken: readonly Rect[] = []): Rect => placeLabel(at, text, viewport, taken) ?? placeLabel(at, text, viewport) ?? labelInside(at, text, viewport)

/** More names than this are noise. */
const MOST_NAMES = 200

/** Names of all boxes, small ones first because they are the ones that cannot be guessed; a name without a free place is left out. */
function paintNames(context: CanvasRenderingContext2D, state: SceneState, viewport: Size, taken: Rect[]): void {
  const most = taken.length + MOST_NAMES
  const held = state.selected === null ? undefined : state.byKey.get(state.selected)
  // The box in hand is named on the layer above; its place is kept free here.
  if (held && !held.hidden && held.label !== '') {
    const at = screenBox(held.box, state.camera, viewport)
    if (at.width >= LABEL_FROM_PX && isVisible(at, viewport)) taken.push(namePlace(at, labelText(context, held.label), viewport))
  }
  for (let i = state.boxes.length - 1; i >= 0 && taken.length < most; i--) {
    const box = state.boxes[i]!
    if (box.hidden || box.label === '' || box.key === state.selected) continue
    const at = screenBox(box.box, state.camera, viewport)
    if (at.width < LABEL_FROM_PX || !isVisible(at, viewport)) continue
    const text = labelText(context, box.label, 140)
    const place = placeLabel(at, text, viewport, taken)
    if (!place) continue
    drawLabel(context, place.x, place.y, text, { color: box.color, width: 1, dash: null })
    taken.push(place)
  }
}

export interface InteractionPaint {
  readonly viewport: Size
  readonly handles: boolean
  /** The heat's peak in image px with what it is at this moment; null when it is not shown. */
  readonly peak: { readonly at: Point; readonly hit: boolean } | null
  /** Crosshair lines follow the pointer while a box is drawn. */
  readonly crosshair: Point | null
}

/** The selected box with its handles, the box being drawn, the hovered box's name, crosshair and peak. */
export function paintInteraction(context: CanvasRenderingContext2D, state: SceneState, paint: InteractionPaint): void {
  const { viewport } = paint
  const { camera } = state
  const hovered = liveBox(state, state.hover)
  if (hovered && !hovered.editable && state.gesture.kind === 'idle') {
    const at = screenBox(hovered.box, camera, viewport)
    drawShape(context, state, viewport, at, hovered.outline, { color: hovered.color, width: 2, dash: null })
    if (hovered.label !== '') nameBox(context, at, hovered.label, { color: hovered.color, width: 1, dash: null }, viewport)
  }
  const selected = liveBox(state, state.selected)
  if (selected && !selected.hidden) {
    const at = screenBox(selected.box, camera, viewport)
    const outline = liveOutline(state, selected)
    if (outline) drawBoxLine(context, at, { color: 'rgba(255, 255, 255, 0.55)', width: 1, dash: [2, 3] }, false)
    drawShape(context, state, viewport, at, outline ?? undefined, { ...TRUTH_INK, color: selected.color })
    if (state.names && state.gesture.kind === 'idle' && at.width >= LABEL_FROM_PX && selected.label !== '') nameBox(context, at, selected.label, { ...TRUTH_INK, color: selected.color }, viewport)
    if (paint.handles && isMovable(selected)) {
      for (const grip of visibleGrips(selected.box, camera.scale)) {
        const point = toScreen(camera, viewport, gripPoint(selected.box, grip))
        drawHandle(context, point.x, point.y)
      }
      if (outline) paintVertices(context, state, viewport, outline)
    }
  }
  const draft = draftOf(state.gesture)
  if (draft && draft.key === null) {
    if (state.gesture.kind === 'outlining') paintOutlining(context, state, viewport, draft.outline ?? [])
    else drawBoxLine(context, screenBox(draft.box, camera, viewport), TRUTH_INK)
  }
  if (paint.crosshair) paintCrosshair(context, toScreen(camera, viewport, paint.crosshair), viewport)
  if (paint.peak) {
    // The peak names a pixel; its mark stands in the pixel's middle.
    const at = toScreen(camera, viewport, { x: paint.peak.at.x + 0.5, y: paint.peak.at.y + 0.5 })
    drawPeak(context, at.x, at.y, 14, paint.peak.hit)
  }
}

function drawShape(context: CanvasRenderingContext2D, { camera }: SceneState, viewport: Size, at: Rect, outline: Outline | undefined, ink: BoxInk, cased = true): void {
  if (outline) drawOutlineLine(context, screenOutline(outline, camera, viewport), true, ink, cased)
  else drawBoxLine(context, at, ink, cased)
}

function screenOutline(outline: Outline, camera: Camera, viewport: Size): readonly number[] {
  return pointsOf(outline).flatMap((point) => {
    const { x, y } = toScreen(camera, viewport, point)
    return [x, y]
  })
}

function paintVertices(context: CanvasRenderingContext2D, state: SceneState, viewport: Size, outline: Outline): void {
  const { camera, vertex, gesture } = state
  const inHand = gesture.kind === 'shaping' ? gesture.vertex : pointInHand(state)
  const hot = inHand === null ? vertex : { index: inHand, between: false }
  if (gesture.kind === 'idle') {
    for (const { index, at } of splitPoints(outline, camera.scale)) {
      const { x, y } = toScreen(camera, viewport, at)
      drawVertex(context, x, y, hot?.between && hot.index === index ? 'hot' : 'between')
    }
  }
  pointsOf(outline).forEach((point, index) => {
    const { x, y } = toScreen(camera, viewport, point)
    drawVertex(context, x, y, hot && !hot.between && hot.index === index ? 'hot' : 'point')
  })
}

/** A polygon on its way: the line to the pointer, and the first point, where a click closes it. */
function paintOutlining(context: CanvasRenderingContext2D, { camera, gesture }: SceneState, viewport: Size, outline: Outline): void {
  if (gesture.kind !== 'outlining') return
  drawOutlineLine(context, screenOutline(outline, camera, viewport), false, TRUTH_INK)
  gesture.points.forEach((point, i) => {
    const { x, y } = toScreen(camera, viewport, point)
    drawVertex(context, x, y, i === 0 && gesture.points.length >= 3 ? 'hot' : 'point')
  })
}

function paintCrosshair(context: CanvasRenderingContext2D, at: Point, viewport: Size): void {
  const x = Math.round(at.x) + 0.5
  const y = Math.round(at.y) + 0.5
  context.setLineDash([])
  for (const [width, color] of [[3, 'rgba(0, 0, 0, 0.4)'], [1, 'rgba(255, 255, 255, 0.85)']] as const) {
    context.beginPath()
    context.moveTo(x, 0)
    context.lineTo(x, viewport.height)
    context.moveTo(0, y)
    context.lineTo(viewport.width, y)
    context.strokeStyle = color
    context.lineWidth = width
    context.stroke()
  }
}
