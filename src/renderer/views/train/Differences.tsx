import { ArrowRight, RotateCcw } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { type Setting, shownValue } from './form.ts'
import styles from './train.module.css'

/** What differs from the preset, value by value, each with its way back. */
export function Differences({ settings, overrides, onBack }: { settings: readonly Setting[]; overrides: Readonly<Record<string, unknown>>; onBack: (key: string) => void }) {
  const changed = settings.filter(({ key }) => key in overrides)
  if (changed.length === 0) return null
  return (
    <ul className={styles.differences} aria-label={t('Differences from the preset')}>
      {changed.map(({ key, label, value }) => (
        <li key={key}>
          <span className="trunc" title={key}>{label}</span>
          <span className="c3 trunc">{shownValue(value)}</span>
          <span className="c3"><Icon of={ArrowRight} size="xs" /><span className="visually-hidden">{t('becomes')}</span></span>
          <span className="med trunc">{shownValue(overrides[key])}</span>
          <IconButton size="s" icon={RotateCcw} label={t('{setting} back to the preset', { setting: label })} onClick={() => onBack(key)} />
        </li>
      ))}
    </ul>
  )
}
