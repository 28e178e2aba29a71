/**
 * One camera for every canvas of a view. It keeps the image point at the middle of the viewport, not a pixel offset, so
 * canvases of different sizes and a resized window show the same place, and nothing drifts over many small steps.
 */
import type { Box, Point, Size } from '../../shared/geometry.ts'

export interface Camera {
  /** Image point (image px) at the middle of the viewport. */
  readonly centerX: number
  readonly centerY: number
  /** Screen px (CSS) for one image px. */
  readonly scale: number
}

/** 'fit' follows the viewport when it changes size; 'free' stays where the user put it. */
export type CameraMode = 'fit' | 'free'

export const MIN_SCALE = 0.02
export const MAX_SCALE = 64
/** Screen px kept free around a fitted image, so that handles on its border can be seen and grabbed. */
export const FIT_PADDING_PX = 12

export function toScreen(camera: Camera, viewport: Size, point: Point): Point {
  return {
    x: (point.x - camera.centerX) * camera.scale + viewport.width / 2,
    y: (point.y - camera.centerY) * camera.scale + viewport.height / 2,
  }
}

export function toImage(camera: Camera, viewport: Size, screen: Point): Point {
  return {
    x: (screen.x - viewport.width / 2) / camera.scale + camera.centerX,
    y: (screen.y - viewport.height / 2) / camera.scale + camera.centerY,
  }
}

/** Screen position of the image's top left corner: what a canvas translates by. */
export function cameraOffset(camera: Camera, viewport: Size): Point {
  return toScreen(camera, viewport, { x: 0, y: 0 })
}

export function clampScale(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale))
}

/** The whole image, centred. An empty viewport gives scale 1, so that nothing becomes NaN before the first layout. */
export function fitCamera(image: Size, viewport: Size, padding = FIT_PADDING_PX): Camera {
  const width = viewport.width - 2 * padding
  const height = viewport.height - 2 * padding
  const scale = width > 0 && height > 0 && image.width > 0 && image.height > 0 ? Math.min(width / image.width, height / image.height) : 1
  return { centerX: image.width / 2, centerY: image.height / 2, scale: clampScale(scale) }
}

/** Zooms by a factor; the image point under the cursor stays under the cursor. */
export function zoomAt(camera: Camera, viewport: Size, cursor: Point, factor: number): Camera {
  const scale = clampScale(camera.scale * factor)
  if (scale === camera.scale) return camera
  const fixed = toImage(camera, viewport, cursor)
  return {
    scale,
    centerX: fixed.x - (cursor.x - viewport.width / 2) / scale,
    centerY: fixed.y - (cursor.y - viewport.height / 2) / scale,
  }
}

/** Moves the picture by a screen distance. Callers keep the camera of the gesture's start, so a long drag cannot drift. */
export function panBy(camera: Camera, dxPx: number, dyPx: number): Camera {
  return { ...camera, centerX: camera.centerX - dxPx / camera.scale, centerY: camera.centerY - dyPx / camera.scale }
}

/** Brings boxes to fill the given share of the viewport. Without boxes the camera stays. */
export function zoomToBoxes(camera: Camera, viewport: Size, boxes: readonly Box[], share = 0.6): Camera {
  if (boxes.length === 0 || viewport.width <= 0 || viewport.height <= 0) return camera
  const x1 = Math.min(...boxes.map((box) => Math.min(box[0], box[2])))
  const y1 = Math.min(...boxes.map((box) => Math.min(box[1], box[3])))
  const x2 = Math.max(...boxes.map((box) => Math.max(box[0], box[2])))
  const y2 = Math.max(...boxes.map((box) => Math.max(box[1], box[3])))
  const scale = Math.min((viewport.width * share) / Math.max(x2 - x1, 1), (viewport.height * share) / Math.max(y2 - y1, 1))
  return { centerX: (x1 + x2) / 2, centerY: (y1 + y2) / 2, scale: clampScale(scale) }
}

/** Keeps at least a strip of the image on screen, so that it cannot be lost by panning. */
export function keepVisible(camera: Camera, viewport: Size, image: Size, stripPx = 48): Camera {
  const strip = stripPx / camera.scale
  const halfWidth = viewport.width / 2 / camera.scale
  const halfHeight = viewport.height / 2 / camera.scale
  const limit = (center: number, half: number, length: number) => {
    const reach = Math.min(strip, length)
    return Math.min(Math.max(center, reach - half), length - reach + half)
  }
  const centerX = limit(camera.centerX, halfWidth, image.width)
  const centerY = limit(camera.centerY, halfHeight, image.height)
  return centerX === camera.centerX && centerY === camera.centerY ? camera : { ...camera, centerX, centerY }
}

/** Wheel distance to a zoom factor: 120 units (one notch) are 20 %, pixel-wise trackpads are smooth. */
export function wheelFactor(deltaY: number, deltaMode: number): number {
  const px = deltaMode === 1 ? deltaY * 40 : deltaMode === 2 ? deltaY * 400 : deltaY
  return Math.pow(1.2, -Math.min(480, Math.max(-480, px)) / 120)
}
