/** The picture of the viewer: photograph, heat, shape and peak of one side or both, under one camera. */
import type { HeatGrid } from '../../../shared/consistency.ts'
import type { Heatmap } from '../../../shared/domain.ts'
import type { Size } from '../../../shared/geometry.ts'
import { outlineOf, type Shape } from '../../../shared/shape.ts'
import { pointStrictlyInsideShape } from '../../../shared/shape-mask.ts'
import { type Camera, toScreen } from '../../canvas/camera.ts'
import { DEFAULT_HEAT_OPACITY, differenceCanvas, heatCanvas, type HeatScale, sharedRange, UNDER_HEAT_FILTER } from '../../canvas/heat.ts'
import { drawBoxLine, drawOutlineLine, drawPeak, INK } from '../../canvas/ink.ts'

export const MODES = ['side', 'wipe', 'blink', 'difference'] as const
export type Mode = (typeof MODES)[number]

export interface Layers {
  readonly a: HTMLCanvasElement | null
  readonly b: HTMLCanvasElement | null
  readonly difference: HTMLCanvasElement | null
}

/** One common range of raw values for both sides, or each its own; its own too while only one is there. */
export function pairScale(a: HeatGrid | null, b: HeatGrid | null, shared: boolean): HeatScale {
  return shared && a && b ? sharedRange([a, b]) : 'own'
}

/** The heat of both sides as pictures, on one common scale or each on its own. Made once for a pair, not for each frame. */
export function heatLayers(image: Size, heatA: Heatmap | null, heatB: Heatmap | null, shared: boolean, wantDifference: boolean): Layers {
  const scale = pairScale(heatA?.grid ?? null, heatB?.grid ?? null, shared)
  return {
    a: heatA ? heatCanvas(heatA.grid, image, { map: 'inferno', scale }) : null,
    b: heatB ? heatCanvas(heatB.grid, image, { map: 'inferno', scale }) : null,
    difference: wantDifference && heatA && heatB ? differenceCanvas(heatA.grid, heatB.grid, image, scale) : null,
  }
}

export interface Scene {
  readonly photograph: CanvasImageSource
  readonly image: Size
  readonly camera: Camera
  /** Of the region. */
  readonly shape: Shape
}

/** One canvas with one heat layer. clipFromPx keeps what is left of it untouched, for the wipe. */
export function drawSide(context: CanvasRenderingContext2D, viewport: Size, scene: Scene, heat: HTMLCanvasElement | null, peak: Heatmap['peak'] | null, clipFromPx = 0, { opacity = DEFAULT_HEAT_OPACITY, colour = INK.truth as string } = {}): void {
  const { image, camera, shape } = scene
  const corner = toScreen(camera, viewport, { x: 0, y: 0 })
  const width = image.width * camera.scale
  const height = image.height * camera.scale
  context.save()
  if (clipFromPx > 0) {
    context.beginPath()
    context.rect(clipFromPx, 0, viewport.width - clipFromPx, viewport.height)
    context.clip()
  }
  context.clearRect(clipFromPx, 0, viewport.width - clipFromPx, viewport.height)
  context.imageSmoothingEnabled = camera.scale < 4 || heat !== null
  context.imageSmoothingQuality = 'high'
  context.filter = UNDER_HEAT_FILTER
  context.drawImage(scene.photograph, corner.x, corner.y, width, height)
  context.filter = 'none'
  if (heat) {
    context.globalAlpha = opacity
    context.drawImage(heat, corner.x, corner.y, width, height)
    context.globalAlpha = 1
  }
  const ink = { color: colour, width: 2, dash: null }
  shape.boxes.forEach((box, i) => {
    const outline = outlineOf(shape, i)
    if (outline) drawOutlineLine(context, outline.map((at, k) => (k % 2 === 0 ? corner.x : corner.y) + at * camera.scale), true, ink)
    else drawBoxLine(context, { x: corner.x + box[0] * camera.scale, y: corner.y + box[1] * camera.scale, width: (box[2] - box[0]) * camera.scale, height: (box[3] - box[1]) * camera.scale }, ink)
  })
  if (peak) {
    const at = toScreen(camera, viewport, { x: peak.x + 0.5, y: peak.y + 0.5 })
    drawPeak(context, at.x, at.y, 14, pointStrictlyInsideShape(peak.x, peak.y, shape))
  }
  context.restore()
}

/** Makes the canvas as sharp as the screen and clears it. */
export function prepareCanvas(canvas: HTMLCanvasElement, viewport: Size, ratio: number): CanvasRenderingContext2D | null {
  canvas.width = Math.max(1, Math.round(viewport.width * ratio))
  canvas.height = Math.max(1, Math.round(viewport.height * ratio))
  const context = canvas.getContext('2d')
  context?.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context
}
