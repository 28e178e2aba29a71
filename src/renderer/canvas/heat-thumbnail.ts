/** Small pictures of photograph, heat, boxes or outlines, and peak in one canvas: galleries and film strips draw dozens of them. */
import type { HeatGrid } from '../../shared/consistency.ts'
import type { Box, Point, Size } from '../../shared/geometry.ts'
import { type Outline, outlineOf, shapeOf } from '../../shared/shape.ts'
import { pointStrictlyInsideShape } from '../../shared/shape-mask.ts'
import type { ColourMap } from './colour-maps.ts'
import { DEFAULT_HEAT_OPACITY, type HeatScale, UNDER_HEAT_FILTER, differenceCanvas, heatCanvas } from './heat.ts'
import { type BoxInk, INK, drawBoxLine, drawOutlineLine, drawPeak } from './ink.ts'

export interface HeatThumbnail {
  /** A decoded image or thumbnail of the whole photograph, any resolution. */
  readonly source: CanvasImageSource
  /** Size of the photograph in image px: boxes and peak refer to it. */
  readonly image: Size
  readonly grid: HeatGrid | null
  /** With a second grid the picture shows other - grid as a difference. */
  readonly other?: HeatGrid | null
  readonly peak?: Point | null
  readonly boxes?: readonly Box[]
  /** Drawn in place of their boxes. */
  readonly outlines?: readonly Outline[]
  readonly map?: ColourMap
  readonly scale?: HeatScale
  readonly opacity?: number
  readonly ink?: BoxInk
  /** 'contain' shows the whole image, 'cover' fills the thumbnail and cuts what is over. */
  readonly fit?: 'contain' | 'cover'
}

/**
 * Draws the thumbnail into a canvas of widthPx x heightPx CSS pixels at the given device pixel ratio; the canvas is
 * resized to it. Outside a contained image it stays clear.
 */
export function drawHeatThumbnail(canvas: HTMLCanvasElement, widthPx: number, heightPx: number, ratio: number, thumbnail: HeatThumbnail): void {
  const { image, grid } = thumbnail
  canvas.width = Math.max(1, Math.round(widthPx * ratio))
  canvas.height = Math.max(1, Math.round(heightPx * ratio))
  const context = canvas.getContext('2d')
  if (!context || image.width <= 0 || image.height <= 0) return
  const fitScale = thumbnail.fit === 'cover' ? Math.max(widthPx / image.width, heightPx / image.height) : Math.min(widthPx / image.width, heightPx / image.height)
  const left = (widthPx - image.width * fitScale) / 2
  const top = (heightPx - image.height * fitScale) / 2
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, widthPx, heightPx)
  context.imageSmoothingQuality = 'high'
  context.filter = grid ? UNDER_HEAT_FILTER : 'none'
  context.drawImage(thumbnail.source, left, top, image.width * fitScale, image.height * fitScale)
  context.filter = 'none'
  if (grid) {
    const longestPx = Math.min(160, Math.ceil(Math.max(widthPx, heightPx) * ratio))
    const scale = thumbnail.scale ?? 'own'
    const layer = thumbnail.other
      ? differenceCanvas(grid, thumbnail.other, image, scale, longestPx)
      : heatCanvas(grid, image, { map: thumbnail.map ?? 'inferno', scale, longestPx })
    context.globalAlpha = thumbnail.opacity ?? DEFAULT_HEAT_OPACITY
    context.drawImage(layer, left, top, image.width * fitScale, image.height * fitScale)
    context.globalAlpha = 1
  }
  const shape = shapeOf(thumbnail.boxes ?? [], thumbnail.outlines ?? [])
  // Below 120 px of image the lines are thinner, so that they do not hide what they point at.
  const small = Math.max(image.width, image.height) * fitScale < 120
  const given = thumbnail.ink ?? { color: INK.truth, width: 2, dash: null }
  const ink = { ...given, width: small ? 1.5 : given.width }
  shape.boxes.forEach((box, i) => {
    const outline = outlineOf(shape, i)
    if (outline) drawOutlineLine(context, outline.map((at, k) => (k % 2 === 0 ? left : top) + at * fitScale), true, ink)
    else drawBoxLine(context, { x: left + box[0] * fitScale, y: top + box[1] * fitScale, width: (box[2] - box[0]) * fitScale, height: (box[3] - box[1]) * fitScale }, ink)
  })
  if (thumbnail.peak) {
    const { x, y } = thumbnail.peak
    const hit = pointStrictlyInsideShape(x, y, shape)
    drawPeak(context, left + (x + 0.5) * fitScale, top + (y + 0.5) * fitScale, 8, hit)
  }
}
