/** What a canvas tells the outside, and what it hears from pointer and wheel. */
import type { Size } from '../../shared/geometry.ts'
import { cameraOffset, wheelFactor } from './camera.ts'
import { pointInHand, type SceneState } from './scene-state.ts'
import type { Scene } from './scene.ts'

/** Camera and image size as attributes, so that tests and tools can turn image px into screen px. */
export function describe(element: HTMLElement, state: SceneState, viewport: Size): void {
  const offset = cameraOffset(state.camera, viewport)
  const data = {
    scale: state.camera.scale, offsetX: offset.x, offsetY: offset.y, imageWidth: state.image.width, imageHeight: state.image.height,
    caret: state.caret ? `${state.caret.x},${state.caret.y}` : '', point: pointInHand(state) ?? '', tool: state.tool, gesture: state.gesture.kind, turn: state.camera.turn ?? 0,
  }
  for (const [name, value] of Object.entries(data)) {
    const text = String(value)
    if (element.dataset[name] !== text) element.dataset[name] = text
  }
}

export function listen(element: HTMLElement, scene: Scene, pane: string): () => void {
  const local = (event: MouseEvent) => {
    const bounds = element.getBoundingClientRect()
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top }
  }
  const word = (type: 'down' | 'move' | 'up') => (event: PointerEvent) => {
    if (!event.isPrimary) return
    if (type === 'down') {
      element.setPointerCapture(event.pointerId)
      // No text selection and no middle-button scrolling; focus by hand, because this also stops the browser's own.
      event.preventDefault()
      element.focus({ preventScroll: true })
    }
    scene.pointer(pane, { type, screen: local(event), button: event.button, shift: event.shiftKey, alt: event.altKey })
  }
  const down = word('down')
  const move = word('move')
  const up = word('up')
  const cancel = () => void scene.cancel()
  const leave = () => scene.leave()
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    if (event.shiftKey) return
    scene.wheel(pane, local(event), wheelFactor(event.deltaY, event.deltaMode))
  }
  element.addEventListener('pointerdown', down)
  element.addEventListener('pointermove', move)
  element.addEventListener('pointerup', up)
  element.addEventListener('pointercancel', cancel)
  element.addEventListener('pointerleave', leave)
  element.addEventListener('wheel', wheel, { passive: false })
  return () => {
    element.removeEventListener('pointerdown', down)
    element.removeEventListener('pointermove', move)
    element.removeEventListener('pointerup', up)
    element.removeEventListener('pointercancel', cancel)
    element.removeEventListener('pointerleave', leave)
    element.removeEventListener('wheel', wheel)
  }
}
