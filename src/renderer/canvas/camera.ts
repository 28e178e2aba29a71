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
  /** Quarter turns clockwise that the picture is shown at; none when left out. Only the view turns: what is stored never does. */
  readonly turn?: Turn
}

export type Turn = 0 | 1 | 2 | 3

/** A distance of the image as it lies on a turned screen. Quarter turns only swap and negate, so nothing is rounded. */
export function turned({ x, y }: Point, turn: Turn = 0): Point {
  return turn === 0 ? { x, y } : turn === 1 ? { x: 0 - y, y: x } : turn === 2 ? { x: 0 - x, y: 0 - y } : { x: y, y: 0 - x }
}

/** A distance on the screen as it lies in the image: turned() backwards. */
export function unturned(distance: Point, turn: Turn = 0): Point {
  return turned(distance, ((4 - turn) % 4) as Turn)
}

/** A size of the image as it stands on the screen, or the other way round. */
export function turnedSize(size: Size, turn: Turn = 0): Size {
  return turn % 2 === 0 ? size : { width: size.height, height: size.width }
}

export function withTurn(camera: Camera, turn: Turn): Camera {
  const { centerX, centerY, scale } = camera
  return turn === 0 ? { centerX, centerY, scale } : { centerX, centerY, scale, turn }
}

/** 'fit' follows the viewport when it changes size; 'free' stays where the user put it. */
export type CameraMode = 'fit' | 'free'

export const MIN_SCALE = 0.005
export const MAX_SCALE = 64
/** Screen px kept free around a fitted image, so that handles on its border can be seen and grabbed. */
export const FIT_PADDING_PX = 12

export function toScreen(camera: Camera, viewport: Size, point: Point): Point {
  const { x, y } = turned({ x: (point.x - camera.centerX) * camera.scale, y: (point.y - camera.centerY) * camera.scale }, camera.turn)
  return { x: x + viewport.width / 2, y: y + viewport.height / 2 }
}

export function toImage(camera: Camera, viewport: Size, screen: Point): Point {
  const { x, y } = unturned({ x: (screen.x - viewport.width / 2) / camera.scale, y: (screen.y - viewport.height / 2) / camera.scale }, camera.turn)
  return { x: x + camera.centerX, y: y + camera.centerY }
}

/** A screen distance in image px. */
export function toImageDistance(camera: Camera, screen: Point): Point {
  return unturned({ x: screen.x / camera.scale, y: screen.y / camera.scale }, camera.turn)
}

/** Screen position of the image's top left corner: what a canvas translates by. */
export function cameraOffset(camera: Camera, viewport: Size): Point {
  return toScreen(camera, viewport, { x: 0, y: 0 })
}

/** Lets the context draw in image px from here on. */
export function applyCamera(context: CanvasRenderingContext2D, camera: Camera, viewport: Size): void {
  const offset = cameraOffset(camera, viewport)
  const x = turned({ x: camera.scale, y: 0 }, camera.turn)
  const y = turned({ x: 0, y: camera.scale }, camera.turn)
  context.transform(x.x, x.y, y.x, y.y, offset.x, offset.y)
}

export function clampScale(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale))
}

/** The whole image, centred. An empty viewport gives scale 1, so that nothing becomes NaN before the first layout. */
export function fitCamera(image: Size, viewport: Size, turn: Turn = 0, padding = FIT_PADDING_PX): Camera {
  const width = viewport.width - 2 * padding
  const height = viewport.height - 2 * padding
  const shown = turnedSize(image, turn)
  const scale = width > 0 && height > 0 && image.width > 0 && image.height > 0 ? Math.min(width / shown.width, height / shown.height) : 1
  return withTurn({ centerX: image.width / 2, centerY: image.height / 2, scale: clampScale(scale) }, turn)
}

/** Zooms by a factor; the image point under the cursor stays under the cursor. */
export function zoomAt(camera: Camera, viewport: Size, cursor: Point, factor: number): Camera {
  const scale = clampScale(camera.scale * factor)
  if (scale === camera.scale) return camera
  const fixed = toImage(camera, viewport, cursor)
  const { x, y } = unturned({ x: (cursor.x - viewport.width / 2) / scale, y: (cursor.y - viewport.height / 2) / scale }, camera.turn)
  return { ...camera, scale, centerX: fixed.x - x, centerY: fixed.y - y }
}

/** Moves the picture by a screen distance. Callers keep the camera of the gesture's start, so a long drag cannot drift. */
export function panBy(camera: Camera, dxPx: number, dyPx: number): Camera {
  const { x, y } = toImageDistance(camera, { x: dxPx, y: dyPx })
  return { ...camera, centerX: camera.centerX - x, centerY: camera.centerY - y }
}

/** Brings boxes to fill the given share of the viewport. Without boxes the camera stays. */
export function zoomToBoxes(camera: Camera, viewport: Size, boxes: readonly Box[], share = 0.6): Camera {
  if (boxes.length === 0 || viewport.width <= 0 || viewport.height <= 0) return camera
  const x1 = Math.min(...boxes.map((box) => Math.min(box[0], box[2])))
  const y1 = Math.min(...boxes.map((box) => Math.min(box[1], box[3])))
  const x2 = Math.max(...boxes.map((box) => Math.max(box[0], box[2])))
  const y2 = Math.max(...boxes.map((box) => Math.max(box[1], box[3])))
  const room = turnedSize(viewport, camera.turn)
  const scale = Math.min((room.width * share) / Math.max(x2 - x1, 1), (room.height * share) / Math.max(y2 - y1, 1))
  return { ...camera, centerX: (x1 + x2) / 2, centerY: (y1 + y2) / 2, scale: clampScale(scale) }
}

/** Keeps at least a strip of the image on screen, so that it cannot be lost by panning. */
export function keepVisible(camera: Camera, viewport: Size, image: Size, stripPx = 48): Camera {
  const strip = stripPx / camera.scale
  const seen = turnedSize(viewport, camera.turn)
  const halfWidth = seen.width / 2 / camera.scale
  const halfHeight = seen.height / 2 / camera.scale
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
