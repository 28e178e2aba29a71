import { Menu as Base } from '@base-ui/react/menu'
import type { ReactElement } from 'react'
import { Check, type LucideIcon } from 'lucide-react'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import { Keys } from './Keys.tsx'
import styles from './menu.module.css'

export interface MenuEntry {
  readonly label: string
  readonly icon?: LucideIcon
  readonly keys?: string
  readonly detail?: string
  readonly danger?: boolean
  readonly disabled?: boolean
  /** An entry that is on or off; the menu stays open while several are chosen. */
  readonly checked?: boolean
  readonly onSelect: () => void
}

/** A menu on a button; null in `entries` draws a line. */
export function Menu({ trigger, entries, align = 'start' }: { trigger: ReactElement<Record<string, unknown>>; entries: readonly (MenuEntry | null)[]; align?: 'start' | 'end' }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className={styles.positioner}>
          <Base.Popup className={styles.popup}>
            {entries.map((entry, i) => entry === null ? <Base.Separator key={i} className={styles.line} /> : entry.checked !== undefined ? (
              <Base.CheckboxItem key={i} checked={entry.checked} disabled={entry.disabled ?? false} closeOnClick={false} onCheckedChange={entry.onSelect} className={styles.item}>
                <span className={styles.icon}>{entry.checked ? <Icon of={Check} /> : null}</span>
                <span className="trunc">{entry.label}</span>
                {entry.detail ? <span className="t12 c3">{entry.detail}</span> : <span />}
              </Base.CheckboxItem>
            ) : (
              <Base.Item key={i} disabled={entry.disabled ?? false} onClick={entry.onSelect} className={cx(styles.item, entry.danger && styles.danger)}>
                <span className={styles.icon}>{entry.icon ? <Icon of={entry.icon} /> : null}</span>
                <span className="trunc">{entry.label}</span>
                {entry.detail ? <span className="t12 c3">{entry.detail}</span> : entry.keys ? <Keys of={entry.keys} /> : <span />}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
