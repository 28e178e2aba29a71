import { cx } from './cx.ts'
import styles from './segmented.module.css'

export interface SegmentedProps<T extends string> {
  readonly label: string
  readonly options: readonly { readonly value: T; readonly label: string; readonly disabled?: boolean }[]
  readonly value: T
  readonly onChange: (value: T) => void
  readonly small?: boolean
}

/** One of two to four ways to look at the same thing. */
export function Segmented<T extends string>({ label, options, value, onChange, small = false }: SegmentedProps<T>) {
  return (
    <span role="group" aria-label={label} className={cx(styles.group, small && styles.small)}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} disabled={option.disabled} onClick={() => onChange(option.value)}>{option.label}</button>
      ))}
    </span>
  )
}
