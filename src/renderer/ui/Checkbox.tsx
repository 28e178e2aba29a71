import type { ReactNode } from 'react'
import { cx } from './cx.ts'
import styles from './checkbox.module.css'

export function Checkbox({ checked, onChange, children, disabled = false, small = false, id, describedBy }: { checked: boolean; onChange: (checked: boolean) => void; children?: ReactNode; disabled?: boolean; small?: boolean; id?: string; describedBy?: string | undefined }) {
  return (
    <label className={cx(styles.check, small && styles.small, disabled && styles.disabled)}>
      <input type="checkbox" id={id} aria-describedby={describedBy} checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3.5 8.5l3 3 6-7" /></svg>
      {children ? <span>{children}</span> : null}
    </label>
  )
}
