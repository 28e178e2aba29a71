import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { cx } from './cx.ts'
import { IconButton } from './IconButton.tsx'
import styles from './dialog.module.css'

export interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly description?: ReactNode
  readonly children?: ReactNode
  /** Buttons at the foot, the one that acts last. */
  readonly actions?: ReactNode
  readonly width?: 'narrow' | 'wide'
  /** Show a close button in the corner; for dialogs that decide nothing. */
  readonly closable?: boolean
}

/** Escape and a click outside close it; focus stays inside and goes back to where it was. */
export function Dialog({ open, onClose, title, description, children, actions, width = 'narrow', closable = false }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.scrim} />
        <Base.Popup ref={popup} {...(closable ? { initialFocus: popup } : {})} className={cx(styles.dialog, width === 'wide' && styles.wide)}>
          <div className={styles.head}>
            <Base.Title className="t15">{title}</Base.Title>
            {closable ? <IconButton icon={X} label={t('Close')} size="s" onClick={onClose} /> : null}
          </div>
          {description ? <Base.Description className="c2">{description}</Base.Description> : null}
          {children}
          {actions ? <div className={styles.foot}>{actions}</div> : null}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
