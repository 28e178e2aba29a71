import { useLayoutEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { boxArea, boxHeight, boxWidth } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { MINUS, percent } from '../../app/format.ts'
import { liveBox } from '../../canvas/scene-state.ts'
import { draftOf } from '../../canvas/tools.ts'
import { Keys } from '../../ui/Keys.tsx'
import { rich } from '../../ui/rich.tsx'
import type { Workbench } from './workbench.ts'
import { px } from './words.ts'
import styles from './canvases.module.css'

/** Pointer and box, written past React as they move. */
export function BoxReadout({ work }: { work: Workbench }) {
  const { scene } = work
  const tool = useStore(scene.store, (state) => state.tool)
  const byKeys = useStore(scene.store, (state) => state.caret !== null)
  const pointer = useRef<HTMLElement>(null)
  const size = useRef<HTMLElement>(null)
  const share = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const put = (element: HTMLElement | null, text: string) => {
      if (element && element.textContent !== text) element.textContent = text
    }
    const write = () => {
      const state = scene.store.getState()
      const at = state.caret ?? state.pointer?.at
      put(pointer.current, at && state.image.width > 0 ? `${Math.floor(at.x)}, ${Math.floor(at.y)}`.replace(/-/g, MINUS) : '–')
      const draft = draftOf(state.gesture)
      const box = draft && draft.key === null ? draft.box : liveBox(state, state.selected)?.box
      put(size.current, box ? `${px(boxWidth(box))} × ${px(boxHeight(box))}` : '–')
      put(share.current, box && state.image.width > 0 ? percent(boxArea(box) / (state.image.width * state.image.height)) : '–')
    }
    write()
    return scene.subscribe(write)
  }, [scene])
  return (
    <>
      <span>{t('Pointer')} <b ref={pointer} className={styles.pointer} /></span>
      <span>{t('Box')} <b ref={size} /></span>
      <span className={styles.wide}>{rich('<share></share> of image', { share: () => <b ref={share} /> })}</span>
      <span className="grow" />
      {tool === 'polygon' && byKeys ? <span className={styles.wide}>{rich('<enter></enter> point <close></close> close', { enter: () => <Keys of="Enter" />, close: () => <Keys of="c" /> })}</span> : tool === 'polygon' ? <span className={styles.wide}>{rich('<enter></enter> closes <back></back> takes a point back', { enter: () => <Keys of="Enter" />, back: () => <Keys of="Backspace" /> })}</span> : <span className={styles.wide}><Keys of="ArrowLeft ArrowRight" /> {t('1 px')}</span>}
    </>
  )
}
