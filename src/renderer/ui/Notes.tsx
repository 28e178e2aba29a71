import { CircleAlert, Info, RotateCcw, TriangleAlert, type LucideIcon } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { errorData } from '../state/errors.ts'
import { Button } from './Button.tsx'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import styles from './notes.module.css'

/** What went wrong and what to do, in the place where the answer would stand. */
export function ErrorNote({ error, title, onRetry, detail, children, compact = false }: { error: unknown; title?: string; onRetry?: () => void; detail?: ReactNode; children?: ReactNode; compact?: boolean }) {
  const data = errorData(error)
  return (
    <div role="alert" className={cx(styles.error, compact && styles.compact)}>
      <span className="neg"><Icon of={CircleAlert} /></span>
      <div className={styles.words}>
        <span className="med" data-selectable>{title ?? data.message}</span>
        {title ? <span className="t12 c2" data-selectable>{data.message}</span> : null}
        {data.place && !data.message.includes(data.place) ? <span className="t12 c2 mono" data-selectable>{data.place}</span> : null}
        {data.cure ? <span className="t12 c2" data-selectable>{data.cure}</span> : null}
        {detail}
        {onRetry || children ? <div className={styles.actions}>{onRetry ? <Button size="s" icon={RotateCcw} onClick={onRetry}>{t('Retry')}</Button> : null}{children}</div> : null}
      </div>
    </div>
  )
}

export function Note({ tone = 'info', children }: { tone?: 'info' | 'warning' | 'negative' | 'positive'; children: ReactNode }) {
  const icon: LucideIcon = tone === 'warning' ? TriangleAlert : tone === 'negative' ? CircleAlert : Info
  return <div className={cx(styles.note, styles[tone])}><Icon of={icon} /><div>{children}</div></div>
}

export function EmptyState({ icon, title, children, actions, frame = false }: { icon: LucideIcon; title: string; children?: ReactNode; actions?: ReactNode; frame?: boolean }) {
  return (
    <div className={cx(styles.empty, frame && styles.frame)}>
      <span className={styles.plate}><Icon of={icon} /></span>
      <h2 className="t15">{title}</h2>
      {children ? <div className="c2">{children}</div> : null}
      {actions ? <div className={styles.emptyActions}>{actions}</div> : null}
    </div>
  )
}

/** Nothing for the first 150 ms, then what is being waited for: quick answers never flicker. */
export function Loading({ children = t('Loading') }: { children?: ReactNode }) {
  const late = useLate(150)
  return <div className={styles.loading} aria-busy="true" role="status">{late ? children : null}</div>
}

/** True once this many milliseconds have passed since the component was mounted. */
export function useLate(ms: number): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), ms)
    return () => window.clearTimeout(timer)
  }, [ms])
  return late
}
