import type { ReactNode } from 'react'
import { cx } from './cx.ts'
import styles from './pane.module.css'

/** A named part of a screen. Panes meet at 1 px lines. */
export function Pane({ label, className, children }: { label: string; className?: string | undefined; children: ReactNode }) {
  return <section aria-label={label} className={cx(styles.pane, className)}>{children}</section>
}

/** 40 px head of a pane, or 32 where it heads a part of one. */
export function PaneHead({ title, children, low = false }: { title?: ReactNode; children?: ReactNode; low?: boolean }) {
  return (
    <div className={cx(styles.head, low && styles.low)}>
      {title ? <h2 className={low ? styles.lowTitle : styles.title}>{title}</h2> : null}
      {children}
    </div>
  )
}

/** A section of a pane with a small heading; `aside` stands beside it, `action` at the right end. */
export function Section({ title, aside, action, children, className }: { title?: ReactNode; aside?: ReactNode; action?: ReactNode; children: ReactNode; className?: string | undefined }) {
  return (
    <div className={cx(styles.section, className)}>
      {title ? (
        <div className={styles.sectionHead}>
          <h3>{title}</h3>
          {aside ? <span className="c3 t12 trunc">{aside}</span> : null}
          {action ? <span className={styles.action}>{action}</span> : null}
        </div>
      ) : null}
      {children}
    </div>
  )
}
