import { t } from '../../../shared/messages/messages.ts'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { cx } from '../../ui/cx.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { Select } from '../../ui/Select.tsx'
import { Tooltip } from '../../ui/Tooltip.tsx'
import { type Setting, settingText } from './form.ts'
import styles from './train.module.css'

/** One setting of a run. `input` is what was typed, undefined where the preset's value stands; null gives it back to the preset. */
export function SettingField({ setting, input, error, onChange, explained = false }: {
  setting: Setting; input: string | boolean | undefined; error: string | null; onChange: (value: string | boolean | null) => void; explained?: boolean
}) {
  const changed = input !== undefined && (typeof input === 'boolean' ? input !== setting.value : input !== settingText(setting.value))
  const preset = setting.kind === 'boolean' ? (setting.value ? t('on') : t('off')) : settingText(setting.value)
  const hint = explained ? <>{setting.help} {changed ? <b className="med c2">{t('Preset: {value}.', { value: preset })}</b> : null}</> : changed ? t('Preset: {value}', { value: preset }) : undefined
  const label = explained ? setting.label : <Tooltip text={setting.help} side="top"><span>{setting.label}</span></Tooltip>
  if (setting.kind === 'boolean') {
    return (
      <Field label={label} hint={hint} error={error} className={cx(explained && styles.full)}>
        {({ id, describedBy }) => <Checkbox id={id} describedBy={describedBy} small checked={typeof input === 'boolean' ? input : Boolean(setting.value)} onChange={(value) => onChange(value === setting.value ? null : value)}>{t('On')}</Checkbox>}
      </Field>
    )
  }
  if (setting.kind === 'choice') {
    return (
      <Field label={label} hint={hint} error={error} className={cx(explained && styles.full)}>
        {({ id }) => <Select id={id} label={setting.label} value={typeof input === 'string' ? input : String(setting.value)} onChange={(value) => onChange(value === setting.value ? null : value)} options={(setting.choices ?? []).map((choice) => ({ value: choice, label: choice }))} />}
      </Field>
    )
  }
  return (
    <Field label={label} hint={hint} error={error} className={cx(explained && styles.full)}>
      {({ id, describedBy, invalid }) => (
        <Input id={id} aria-describedby={describedBy} invalid={invalid} inputMode={setting.kind === 'text' ? 'text' : 'decimal'} value={typeof input === 'string' ? input : settingText(setting.value)}
          onChange={(event) => onChange(event.currentTarget.value === settingText(setting.value) ? null : event.currentTarget.value)} onBlur={(event) => event.currentTarget.value.trim() === '' && onChange(null)} />
      )}
    </Field>
  )
}
