import { Plus, X } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Field, Input } from '../../ui/Field.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Select } from '../../ui/Select.tsx'
import { type Setting, settingText, type SweepDraft } from './form.ts'
import styles from './train.module.css'

/** Several values of one or two settings: each combination becomes a run. */
export function Sweep({ settings, axes, errors, runs, onChange }: { settings: readonly Setting[]; axes: readonly SweepDraft[]; errors: readonly (string | null)[]; runs: number; onChange: (axes: readonly SweepDraft[]) => void }) {
  const sweepable = settings.filter((setting) => setting.kind !== 'text')
  const replace = (at: number, axis: SweepDraft | null) => onChange(axes.flatMap((old, i) => (i !== at ? [old] : axis ? [axis] : [])))
  const add = () => {
    const setting = sweepable.find(({ key }) => !axes.some((axis) => axis.key === key) && (axes.length > 0 || key === 'optimizer.learningRate')) ?? sweepable[0]
    if (setting) onChange([...axes, { key: setting.key, text: settingText(setting.value) }])
  }
  return (
    <>
      {axes.map((axis, i) => {
        const setting = sweepable.find(({ key }) => key === axis.key)
        return (
          <div key={i} className={styles.sweep}>
            <Field label={i === 0 ? t('Sweep over') : t('and over')}>
              {({ id }) => <Select id={id} label={t('Setting {i} of the sweep', { i: i + 1 })} value={axis.key} onChange={(key) => replace(i, { key, text: settingText(sweepable.find((one) => one.key === key)?.value) })} options={sweepable.map(({ key, label }) => ({ value: key, label, detail: key }))} />}
            </Field>
            <span className={styles.sweepRemove}><IconButton size="s" icon={X} label={t('Do not sweep over {setting}', { setting: setting?.label ?? axis.key })} onClick={() => replace(i, null)} /></span>
            <Field label={t('Values')} hint={setting?.choices ? t('Commas between them: {choices}.', { choices: setting.choices.join(', ') }) : setting?.kind === 'boolean' ? 'on, off' : t('Commas between them, for example 1e-5, 3e-5, 1e-4.')} error={errors[i] ?? null} className={styles.full}>
              {({ id, describedBy, invalid }) => <Input id={id} aria-describedby={describedBy} aria-label={t('Values of {setting}', { setting: setting?.label ?? axis.key })} invalid={invalid} value={axis.text} onChange={(event) => replace(i, { ...axis, text: event.currentTarget.value })} />}
            </Field>
          </div>
        )
      })}
      <div className={styles.sweepLine}>
        {axes.length < 2 ? <Button size="s" kind="ghost" icon={Plus} onClick={add}>{axes.length === 0 ? t('Sweep over several values') : t('Sweep over a second setting')}</Button> : null}
        {axes.length > 0 && runs > 0 ? <span className="hint">{t('{n} runs, named by their values', { n: runs })}</span> : null}
      </div>
    </>
  )
}
