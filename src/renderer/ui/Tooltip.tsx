import { Tooltip as Base } from '@base-ui/react/tooltip'
import type { ReactElement } from 'react'
import { Keys } from './Keys.tsx'
import styles from './tooltip.module.css'

export const TooltipProvider = Base.Provider

/** The name of a control and its key, on hover and on keyboard focus. The child must take a ref and props (a plain element does). */
export function Tooltip({ text, keys, children, side = 'bottom' }: { text: string; keys?: string; children: ReactElement<Record<string, unknown>>; side?: 'top' | 'bottom' | 'left' | 'right' }) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={6} className={styles.positioner}>
          <Base.Popup className={styles.tip}>
            <span>{text}</span>
            {keys ? <Keys of={keys} /> : null}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
