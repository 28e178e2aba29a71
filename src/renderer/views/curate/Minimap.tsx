import { type KeyboardEvent, type PointerEvent, useLayoutEffect, useRef } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import { fromOverview, overviewOf } from '../../canvas/overview.ts'
import type { Scene } from '../../canvas/scene.ts'
import { thumbUrl } from '../../state/queries.ts'
import { unturned } from '../../canvas/camera.ts'
import styles from './minimap.module.css'

const LONGEST_PX = 132
/** Screen px that an arrow key moves the picture by. */
const STEP_PX = 80
const STEPS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

/** The whole image, small, with the part that is seen; drag there to go there. Written past React: it follows each frame of a pan. */
export function Minimap({ scene, pane, imageId }: { scene: Scene; pane: string; imageId: string }) {
  const host = useRef<HTMLDivElement>(null)
  const seen = useRef<HTMLSpanElement>(null)
  const read = () => {
    const { image, camera, viewports } = scene.store.getState()
    return { image, camera, overview: overviewOf(image, camera, viewports[pane] ?? { width: 0, height: 0 }, LONGEST_PX) }
  }
  useLayoutEffect(() => {
    const write = () => {
      const [element, frame] = [host.current, seen.current]
      if (!element || !frame) return
      const { overview, camera } = read()
      element.hidden = overview === null
      if (!overview) return
      const { size, seen: part } = overview
      Object.assign(element.style, { width: `${size.width}px`, height: `${size.height}px`, transform: camera.turn ? `rotate(${camera.turn * 90}deg)` : '' })
      Object.assign(frame.style, { left: `${part.x}px`, top: `${part.y}px`, width: `${part.width}px`, height: `${part.height}px` })
    }
    write()
    return scene.subscribe(write)
  }, [scene, pane])
  const look = (event: PointerEvent<HTMLDivElement>) => {
    const { image, overview, camera } = read()
    if (!overview) return
    const bounds = event.currentTarget.getBoundingClientRect()
    // From the middle outwards, because a turned element keeps only its middle.
    const at = unturned({ x: event.clientX - bounds.left - bounds.width / 2, y: event.clientY - bounds.top - bounds.height / 2 }, camera.turn)
    scene.lookAt(fromOverview(image, overview, { x: at.x + overview.size.width / 2, y: at.y + overview.size.height / 2 }))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key]
    if (!step) return
    event.preventDefault()
    event.stopPropagation()
    scene.pan(step[0] * STEP_PX, step[1] * STEP_PX)
  }
  return (
    <div className={styles.corner}>
      <div
        ref={host} className={styles.map} role="group" tabIndex={0} aria-label={t('Overview: drag or use the arrows to move the picture')} data-testid={`minimap-${pane}`} hidden
        onPointerDown={(event) => (event.currentTarget.setPointerCapture(event.pointerId), look(event))}
        onPointerMove={(event) => event.buttons === 1 && look(event)} onKeyDown={onKeyDown}
      >
        <img src={thumbUrl(imageId)} alt="" draggable={false} />
        <span ref={seen} className={styles.seen} />
      </div>
    </div>
  )
}
