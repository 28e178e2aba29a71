import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronDown } from 'lucide-react'
import { type ComponentProps, type ReactNode, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { cx } from './cx.ts'
import { Icon } from './Icon.tsx'
import styles from './select.module.css'

export interface Option<T extends string = string> {
  readonly value: T
  readonly label: string
  /** Small text at the right end: a count, a score. */
  readonly detail?: string
  /** So many characters at the end of the label stay where there is no room for all: names that differ there alone. */
  readonly tail?: number
  /** Options of the same group stand under one heading, in order of appearance. */
  readonly group?: string
  readonly disabled?: boolean
}

export interface SelectProps<T extends string> {
  readonly options: readonly Option<T>[]
  readonly value: T | null
  readonly onChange: (value: T) => void
  /** The accessible name; a visible <label> may use `id` instead. */
  readonly label: string
  readonly id?: string
  readonly placeholder?: string
  /** 'field' full width with a control border; 'soft' as wide as its text; 'quiet' without border. */
  readonly look?: 'field' | 'soft' | 'quiet'
  readonly size?: 's' | 'm'
  readonly disabled?: boolean
  /** Shown before the label, e.g. the A or B plate of Compare. */
  readonly prefix?: ReactNode
  readonly className?: string
  readonly testId?: string
}

type TriggerKeyDown = NonNullable<ComponentProps<typeof Base.Trigger>['onKeyDown']>

/** One of a few. Opens with Space, Enter or an arrow; typing then finds an option. While it is closed letters are the screen's commands. */
export function Select<T extends string>({ options, value, onChange, label, id, placeholder = t('Choose'), look = 'field', size = 'm', disabled = false, prefix, className, testId }: SelectProps<T>) {
  const chosen = options.find((option) => option.value === value)
  const [open, setOpen] = useState(false)
  const onKeyDown: TriggerKeyDown = (event) => {
    if (!open && event.key.length === 1 && event.key !== ' ') event.preventBaseUIHandler()
  }
  const groups = [...new Set(options.map((option) => option.group ?? ''))]
  return (
    <Base.Root value={value} onValueChange={(next) => next !== null && onChange(next as T)} items={options as Option<T>[]} disabled={disabled} modal={false} open={open} onOpenChange={setOpen}>
      <Base.Trigger id={id} aria-label={label} data-testid={testId} onKeyDown={onKeyDown} className={cx(styles.trigger, styles[look], size === 's' && styles.s, className)}>
        {prefix}
        {chosen?.tail ? <span className={styles.parted} title={chosen.label}><span>{chosen.label.slice(0, -chosen.tail)}</span><span>{chosen.label.slice(-chosen.tail)}</span></span> : <span className={cx('trunc', !chosen && styles.placeholder)}>{chosen ? chosen.label : placeholder}</span>}
        {look === 'field' && chosen?.detail ? <span className={styles.detail}>{chosen.detail}</span> : null}
        <Base.Icon className={styles.icon}><Icon of={ChevronDown} size="xs" /></Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className={styles.positioner}>
          <Base.Popup className={styles.popup} aria-label={label}>
            <Base.List className={styles.list}>
              {groups.map((group) => (
                <Base.Group key={group}>
                  {group ? <Base.GroupLabel className={styles.group}>{group}</Base.GroupLabel> : null}
                  {options.filter((option) => (option.group ?? '') === group).map((option) => (
                    <Base.Item key={option.value} value={option.value} disabled={option.disabled ?? false} className={styles.item}>
                      <span className={styles.check}><Base.ItemIndicator><Icon of={Check} size="s" /></Base.ItemIndicator></span>
                      <Base.ItemText className="trunc">{option.label}</Base.ItemText>
                      {option.detail ? <span className={styles.detail}>{option.detail}</span> : null}
                    </Base.Item>
                  ))}
                </Base.Group>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
