/** Where the name of a box stands so that it hides neither its object nor another name. Screen px throughout. */
import type { Size } from '../../shared/geometry.ts'

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Free space between a box and its label. */
export const LABEL_GAP_PX = 4
/** Labels keep this far from the canvas's edge. */
const MARGIN_PX = 2

export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/**
 * Above the box, else below, right or left of it; null when the canvas has no room beside it or other labels are there. The label
 * stays by the visible part of a box that reaches out of the canvas.
 */
export function placeLabel(box: Rect, label: Size, viewport: Size, taken: readonly Rect[] = []): Rect | null {
  const seen = visiblePart(box, viewport)
  const alongX = Math.round(Math.max(MARGIN_PX, Math.min(seen.x - 1, viewport.width - label.width - MARGIN_PX)))
  const alongY = Math.round(Math.max(MARGIN_PX, Math.min(seen.y - 1, viewport.height - label.height - MARGIN_PX)))
  const places = [
    { x: alongX, y: Math.floor(box.y - LABEL_GAP_PX - label.height) },
    { x: alongX, y: Math.ceil(box.y + box.height + LABEL_GAP_PX) },
    { x: Math.ceil(box.x + box.width + LABEL_GAP_PX), y: alongY },
    { x: Math.floor(box.x - LABEL_GAP_PX - label.width), y: alongY },
  ]
  for (const at of places) {
    const place = { ...at, width: label.width, height: label.height }
    const fits = place.x >= MARGIN_PX && place.y >= MARGIN_PX && place.x + place.width <= viewport.width - MARGIN_PX && place.y + place.height <= viewport.height - MARGIN_PX
    if (fits && !taken.some((other) => overlaps(other, place))) return place
  }
  return null
}

/** In the upper left corner of what is seen of the box: for the one name that must be read even where nothing is free. */
export function labelInside(box: Rect, label: Size, viewport: Size): Rect {
  const seen = visiblePart(box, viewport)
  const { width, height } = label
  return { x: Math.round(Math.max(MARGIN_PX, seen.x + LABEL_GAP_PX + 1)), y: Math.round(Math.max(MARGIN_PX, seen.y + LABEL_GAP_PX + 1)), width, height }
}

function visiblePart(box: Rect, viewport: Size): Rect {
  const x = Math.min(Math.max(box.x, 0), viewport.width)
  const y = Math.min(Math.max(box.y, 0), viewport.height)
  return { x, y, width: Math.max(0, Math.min(box.x + box.width, viewport.width) - x), height: Math.max(0, Math.min(box.y + box.height, viewport.height) - y) }
}
