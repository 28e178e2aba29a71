/** What the box layers draw, in screen px, as plain loops: thousands of boxes in one shape, labels in the same loop. */
import type { Box, Point, Size } from '../../shared/geometry.ts'
import { type Camera, toScreen } from './camera.ts'
import { gripPoint, visibleGrips } from './hit.ts'
import { type BoxInk, LABEL_FROM_PX, PROPOSAL_INK, THIN_BELOW_PX, TRUTH_INK, drawBoxLine, drawHandle, drawLabel, drawPeak } from './ink.ts'
import { type SceneState, liveBoxes } from './scene.ts'
import { draftOf } from './tools.ts'

interface ScreenBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function screenBox(box: Box, camera: Camera, viewport: Size): ScreenBox {
  const from = toScreen(camera, viewport, { x: box[0], y: box[1] })
  return { x: from.x, y: from.y, width: (box[2] - box[0]) * camera.scale, height: (box[3] - box[1]) * camera.scale }
}

function isVisible(box: ScreenBox, viewport: Size): boolean {
  return box.x + box.width >= -4 && box.y + box.height >= -4 && box.x <= viewport.width + 4 && box.y <= viewport.height + 4
}

/** Boxes that lie still: everything but the one the user holds. Large ones first, so that small ones stay on top. */
export function paintBoxes(context: CanvasRenderingContext2D, state: SceneState, viewport: Size): void {
  const held = heldKey(state)
  const thin = Math.max(state.image.width, state.image.height) * state.camera.scale < THIN_BELOW_PX
  const truth: BoxInk = thin ? { ...TRUTH_INK, width: 1.5 } : TRUTH_INK
  const proposal: BoxInk = thin ? { ...PROPOSAL_INK, width: 1.5 } : PROPOSAL_INK
  for (const box of state.boxes) {
    if (box.editable || box.key === held) continue
    const at = screenBox(box.box, state.camera, viewport)
    if (!isVisible(at, viewport)) continue
    drawBoxLine(context, at.x, at.y, at.width, at.height, { color: box.color, width: box.key === state.hover ? 2 : 1, dash: null })
  }
  for (const box of state.boxes) {
    if (!box.editable || box.key === held) continue
    const at = screenBox(box.box, state.camera, viewport)
    if (isVisible(at, viewport)) drawBoxLine(context, at.x, at.y, at.width, at.height, { ...truth, color: box.color })
  }
  for (const box of state.proposals) {
    const at = screenBox(box, state.camera, viewport)
    if (!isVisible(at, viewport)) continue
    drawBoxLine(context, at.x, at.y, at.width, at.height, proposal)
    if (Math.abs(at.width) >= LABEL_FROM_PX) drawLabel(context, { left: at.x, top: at.y, right: viewport.width }, 'proposed', PROPOSAL_INK)
  }
}

function heldKey(state: SceneState): string | null {
  return state.selected
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
  const boxes = liveBoxes(state)
  const hovered = state.hover === null ? undefined : boxes.find((box) => box.key === state.hover)
  if (hovered && !hovered.editable && state.gesture.kind === 'idle') {
    const at = screenBox(hovered.box, camera, viewport)
    if (Math.abs(at.width) >= LABEL_FROM_PX) drawLabel(context, { left: at.x, top: at.y, right: viewport.width }, hovered.label, { color: hovered.color, width: 1, dash: null })
  }
  const selected = state.selected === null ? undefined : boxes.find((box) => box.key === state.selected)
  if (selected) {
    const at = screenBox(selected.box, camera, viewport)
    drawBoxLine(context, at.x, at.y, at.width, at.height, { ...TRUTH_INK, color: selected.color })
    if (paint.handles && selected.editable) {
      for (const grip of visibleGrips(selected.box, camera.scale)) {
        const point = toScreen(camera, viewport, gripPoint(selected.box, grip))
        drawHandle(context, point.x, point.y)
      }
    }
  }
  const draft = draftOf(state.gesture)
  if (draft && draft.key === null) {
    const at = screenBox(draft.box, camera, viewport)
    drawBoxLine(context, at.x, at.y, at.width, at.height, TRUTH_INK)
  }
  if (paint.crosshair) paintCrosshair(context, toScreen(camera, viewport, paint.crosshair), viewport)
  if (paint.peak) {
    // The peak names a pixel; its mark stands in the pixel's middle.
    const at = toScreen(camera, viewport, { x: paint.peak.at.x + 0.5, y: paint.peak.at.y + 0.5 })
    drawPeak(context, at.x, at.y, 14, paint.peak.hit)
  }
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
