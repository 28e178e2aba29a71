import type { ComponentProps } from 'react'
import type { LucideIcon } from 'lucide-react'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import { Tooltip } from './Tooltip.tsx'
import styles from './icon-button.module.css'

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children' | 'aria-label'> {
  readonly icon: LucideIcon
  /** The accessible name, and the tooltip's text. */
  readonly label: string
  /** More words for the tooltip than the name, e.g. what undo would undo. */
  readonly hint?: string
  readonly keys?: string
  readonly pressed?: boolean
  readonly size?: 's' | 'm'
  readonly danger?: boolean
}

export function IconButton({ icon, label, hint, keys, pressed, size = 'm', danger = false, className, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={hint ?? label} {...(keys ? { keys } : {})}>
      <button type="button" aria-label={label} aria-pressed={pressed} className={cx(styles.button, size === 's' && styles.s, danger && styles.danger, className)} {...rest}>
        <Icon of={icon} size={size === 's' ? 's' : 'm'} />
      </button>
    </Tooltip>
  )
}
