import { CircleAlert } from 'lucide-react'
import { type ComponentProps, type ReactNode, useId } from 'react'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import styles from './field.module.css'

/** A label, its control, and below it a hint or what is wrong. `children` gets the ids that tie the three together. */
export function Field({ label, hint, error, className, children }: { label: ReactNode; hint?: ReactNode; error?: string | null; className?: string; children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ReactNode }) {
  const id = useId()
  const note = `${id}-note`
  const invalid = Boolean(error)
  return (
    <div className={cx(styles.field, className)}>
      <label htmlFor={id} className={styles.label}>{label}</label>
      {children({ id, describedBy: error || hint ? note : undefined, invalid })}
      {error ? <span id={note} className={styles.error}><Icon of={CircleAlert} size="xs" />{error}</span> : hint ? <span id={note} className="hint">{hint}</span> : null}
    </div>
  )
}

export interface InputProps extends ComponentProps<'input'> {
  readonly compact?: boolean
  readonly invalid?: boolean
  readonly before?: ReactNode
  readonly after?: ReactNode
}

/** A text field; the frame takes the ring, so that icons and key caps may stand inside. */
export function Input({ compact = false, invalid = false, before, after, className, disabled, ...rest }: InputProps) {
  return (
    <span className={cx(styles.input, compact && styles.compact, invalid && styles.invalid, disabled && styles.disabled, className)}>
      {before}
      <input spellCheck={false} autoComplete="off" disabled={disabled} aria-invalid={invalid || undefined} {...rest} />
      {after}
    </span>
  )
}
