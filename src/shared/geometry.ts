/**
 * Boxes in image pixels. The origin is the top left corner of the image as it is seen (after EXIF orientation), x to the
 * right, y down; a pixel covers [i, i + 1). Coordinates are floats and are never rounded or clamped behind the user's back.
 */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export function boxWidth(box: Box): number {
  return box[2] - box[0]
}

export function boxHeight(box: Box): number {
  return box[3] - box[1]
}

export function boxArea(box: Box): number {
  return Math.max(0, boxWidth(box)) * Math.max(0, boxHeight(box))
}

/** The same rectangle with x1 <= x2 and y1 <= y2. */
export function normalizeBox(box: Box): Box {
  return [Math.min(box[0], box[2]), Math.min(box[1], box[3]), Math.max(box[0], box[2]), Math.max(box[1], box[3])]
}

export function moveBox(box: Box, dx: number, dy: number): Box {
  return [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy]
}

/** The part of the box that lies inside the image; may have no area. */
export function clampBox(box: Box, size: Size): Box {
  return [
    Math.min(Math.max(box[0], 0), size.width),
    Math.min(Math.max(box[1], 0), size.height),
    Math.min(Math.max(box[2], 0), size.width),
    Math.min(Math.max(box[3], 0), size.height),
  ]
}

/** Moves the box by the least amount that puts it inside the image, keeping its size where it fits. */
export function keepInside(box: Box, size: Size): Box {
  const dx = box[0] < 0 ? -box[0] : box[2] > size.width ? Math.max(-box[0], size.width - box[2]) : 0
  const dy = box[1] < 0 ? -box[1] : box[3] > size.height ? Math.max(-box[1], size.height - box[3]) : 0
  return moveBox(box, dx, dy)
}

export function intersectionArea(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union of two boxes with real areas, in [0, 1]; 0 when both are empty. */
export function boxIou(a: Box, b: Box): number {
  const intersection = intersectionArea(a, b)
  const union = boxArea(a) + boxArea(b) - intersection
  return union > 0 ? intersection / union : 0
}

/** True strictly inside, as the reference's pointing game tests it: a point on the border is outside. */
export function pointStrictlyInside(x: number, y: number, box: Box): boolean {
  return x > box[0] && x < box[2] && y > box[1] && y < box[3]
}

export function sameBox(a: Box, b: Box): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]
}

export type BoxFlag = 'outside-image' | 'crosses-edge' | 'no-area' | 'inverted'

/** What is unusual about a box; empty for an ordinary one. Such boxes are flagged, never changed. */
export function boxFlags(box: Box, size: Size): BoxFlag[] {
  if (box[2] < box[0] || box[3] < box[1]) return ['inverted']
  if (boxArea(box) === 0) return ['no-area']
  const inside = clampBox(box, size)
  if (boxArea(inside) === 0) return ['outside-image']
  return sameBox(inside, box) ? [] : ['crosses-edge']
}
