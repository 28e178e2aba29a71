/** Where the part of the image that is seen lies in a small picture of the whole. */
import type { Point, Size } from '../../shared/geometry.ts'
import { type Camera, toImage } from './camera.ts'

export interface Overview {
  /** Size of the small picture, in its own px. */
  readonly size: Size
  /** The part that is seen, in the same px; cut off at the picture's edges. */
  readonly seen: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
}

/** Below this share of the image an overview helps; with nearly all of it in sight it only hides some. */
const FROM_SHARE = 0.7

/** Null while so much of the image is seen that it needs no overview. */
export function overviewOf(image: Size, camera: Camera, viewport: Size, longestPx: number): Overview | null {
  if (image.width <= 0 || image.height <= 0 || viewport.width <= 0 || viewport.height <= 0) return null
  const a = toImage(camera, viewport, { x: 0, y: 0 })
  const b = toImage(camera, viewport, { x: viewport.width, y: viewport.height })
  const part = (from: number, to: number, length: number): [number, number] => [Math.min(length, Math.max(0, Math.min(from, to))), Math.min(length, Math.max(0, Math.max(from, to)))]
  const [x1, x2] = part(a.x, b.x, image.width)
  const [y1, y2] = part(a.y, b.y, image.height)
  if ((x2 - x1) * (y2 - y1) >= FROM_SHARE * image.width * image.height) return null
  const scale = longestPx / Math.max(image.width, image.height)
  return { size: { width: image.width * scale, height: image.height * scale }, seen: { x: x1 * scale, y: y1 * scale, width: (x2 - x1) * scale, height: (y2 - y1) * scale } }
}

/** The point of the image under a point of the small picture. */
export function fromOverview(image: Size, overview: Overview, at: Point): Point {
  return { x: (at.x / overview.size.width) * image.width, y: (at.y / overview.size.height) * image.height }
}
