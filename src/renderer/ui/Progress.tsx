import { cx } from './cx.ts'
import styles from './progress.module.css'

/** A bar from 0 to 1, or moving when the amount is not known. `label` is its accessible name. */
export function Progress({ value, label, tone = 'accent', tall = false }: { value: number | null; label: string; tone?: 'accent' | 'neutral' | 'positive' | 'negative' | 'warning'; tall?: boolean }) {
  const share = value === null ? null : Math.min(1, Math.max(0, value))
  return (
    <span role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      className={cx(styles.bar, styles[tone], tall && styles.tall, share === null && styles.unknown)}>
      <i style={{ width: `${(share ?? 0.3) * 100}%` }} />
    </span>
  )
}

/** The same bar where it is a measure among others in a row, named by its neighbours. */
export function Bar({ share, tone = 'neutral', tall = false }: { share: number; tone?: 'accent' | 'neutral' | 'positive' | 'negative' | 'warning'; tall?: boolean }) {
  return (
    <span aria-hidden="true" className={cx(styles.bar, styles[tone], tall && styles.tall)}>
      <i style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
    </span>
  )
}

/** A ring of 14 px for the title bar. */
export function Ring({ value }: { value: number | null }) {
  const length = 2 * Math.PI * 5.5
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" style={{ flex: 'none', display: 'block' }} className={value === null ? styles.turning : undefined}>
      <circle cx="7" cy="7" r="5.5" fill="none" stroke="var(--track)" strokeWidth="2" />
      <circle cx="7" cy="7" r="5.5" fill="none" stroke="var(--accent-line)" strokeWidth="2" strokeDasharray={`${length * Math.min(1, Math.max(0, value ?? 0.25))} ${length}`} transform="rotate(-90 7 7)" />
    </svg>
  )
}
