import type { ReactNode } from 'react'
import type { LucideIcon } from 'lucide-react'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import styles from './tag.module.css'

export function Tag({ tone = 'neutral', icon, children }: { tone?: 'neutral' | 'line' | 'accent' | 'positive' | 'negative' | 'warning'; icon?: LucideIcon; children: ReactNode }) {
  return <span className={cx(styles.tag, styles[tone])}>{icon ? <Icon of={icon} size="xs" /> : null}<span className="trunc">{children}</span></span>
}
