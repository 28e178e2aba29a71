/**
 * A still of thousands of boxes: while the picture is panned they all keep their distances, so they are drawn once, with some room around
 * what is seen, and the still is moved. Drawing 10,000 boxes anew costs a whole frame; moving their still costs the same as moving one.
 */
import type { Point, Size } from '../../shared/geometry.ts'
import { toScreen } from './camera.ts'
import { CASED_UP_TO, paintBoxes } from './paint.ts'
import type { SceneState } from './scene-state.ts'

/** Room on each side, as a share of the viewport. */
const ROOM = 0.25
/** What the boxes look like hangs on these. */
const PARTS = ['boxes', 'mine', 'proposals', 'selected', 'image'] as const

export interface StillCanvas {
  width: number
  height: number
  getContext(kind: '2d'): CanvasRenderingContext2D | null
}
interface Still {
  readonly canvas: StillCanvas
  readonly state: SceneState
  readonly viewport: Size
  readonly ratio: number
}

/** Paints boxes as paintBoxes does, by way of a still where that is worth it. One for each canvas. */
export function createBoxPainter(makeCanvas: () => StillCanvas, paint: typeof paintBoxes = paintBoxes): typeof paintBoxes {
  let still: Still | null = null

  const take = (state: SceneState, viewport: Size, ratio: number): Still | null => {
    const whole = { width: viewport.width + 2 * roomOf(viewport).x, height: viewport.height + 2 * roomOf(viewport).y }
    const canvas = still?.canvas ?? makeCanvas()
    // Another size empties a canvas; the same size does too.
    canvas.width = Math.ceil(whole.width * ratio)
    canvas.height = Math.ceil(whole.height * ratio)
    const context = canvas.getContext('2d')
    if (!context) return null
    context.scale(ratio, ratio)
    // The camera looks at the middle of whatever it is given, so a larger viewport shows the same with more around it.
    paint(context, state, whole)
    return { canvas, state, viewport, ratio }
  }

  return (context, state, viewport) => {
    if (state.gesture.kind !== 'panning' || state.boxes.length <= CASED_UP_TO) {
      still = null
      paint(context, state, viewport)
      return
    }
    const ratio = context.getTransform().a
    if (!still || !fits(still, state, viewport, ratio)) still = take(state, viewport, ratio)
    if (!still) {
      paint(context, state, viewport)
      return
    }
    const [by, room] = [shiftOf(still.state, state, viewport), roomOf(viewport)]
    // On whole pixels of the screen: between them it would be blurred.
    const on = (value: number): number => Math.round(value * ratio) / ratio
    context.drawImage(still.canvas as HTMLCanvasElement, on(by.x - room.x), on(by.y - room.y), still.canvas.width / ratio, still.canvas.height / ratio)
  }
}

const roomOf = ({ width, height }: Size): Point => ({ x: Math.round(width * ROOM), y: Math.round(height * ROOM) })

/** How far the picture has moved on the screen since. */
function shiftOf(then: SceneState, now: SceneState, viewport: Size): Point {
  const { x, y } = toScreen(now.camera, viewport, { x: then.camera.centerX, y: then.camera.centerY })
  return { x: x - viewport.width / 2, y: y - viewport.height / 2 }
}

function fits({ state, viewport, ratio }: Still, now: SceneState, size: Size, nowRatio: number): boolean {
  if (ratio !== nowRatio || viewport.width !== size.width || viewport.height !== size.height) return false
  if (state.camera.scale !== now.camera.scale || state.camera.turn !== now.camera.turn || PARTS.some((part) => state[part] !== now[part])) return false
  const [by, room] = [shiftOf(state, now, size), roomOf(size)]
  return Math.abs(by.x) <= room.x && Math.abs(by.y) <= room.y
}
