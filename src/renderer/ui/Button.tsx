import type { ComponentProps, ReactNode } from 'react'
import { LoaderCircle, type LucideIcon } from 'lucide-react'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import { Keys } from './Keys.tsx'
import styles from './button.module.css'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  /** One 'primary' a screen. 'danger' is red text; its dialog says what is kept. */
  readonly kind?: 'plain' | 'primary' | 'ghost' | 'danger'
  /** s 24, m 28, l 32 px high. */
  readonly size?: 's' | 'm' | 'l'
  readonly icon?: LucideIcon
  /** Binding shown as caps at the right end. Pressing the key is the command registry's work. */
  readonly keys?: string
  readonly busy?: boolean
  readonly wide?: boolean
  readonly children?: ReactNode
}

export function Button({ kind = 'plain', size = 'm', icon, keys, busy = false, wide = false, className, children, type = 'button', ...rest }: ButtonProps) {
  return (
    <button type={type} className={cx(styles.button, styles[kind], styles[size], wide && styles.wide, className)} aria-busy={busy || undefined} {...rest}>
      {busy ? <LoaderCircle aria-hidden="true" width={14} height={14} strokeWidth={1.6} className={styles.spin} /> : icon ? <Icon of={icon} size={size === 's' ? 'xs' : 's'} /> : null}
      {children !== undefined && children !== null ? <span className={styles.text}>{children}</span> : null}
      {keys ? <Keys of={keys} /> : null}
    </button>
  )
}

/** A link that looks like a button, for going to another screen. */
export function ButtonLink({ kind = 'plain', size = 'm', icon, keys, className, children, ...rest }: Omit<ComponentProps<'a'>, 'children'> & Pick<ButtonProps, 'kind' | 'size' | 'icon' | 'keys' | 'children'>) {
  return (
    <a className={cx(styles.button, styles[kind], styles[size], className)} {...rest}>
      {icon ? <Icon of={icon} size={size === 's' ? 'xs' : 's'} /> : null}
      <span className={styles.text}>{children}</span>
      {keys ? <Keys of={keys} /> : null}
    </a>
  )
}
