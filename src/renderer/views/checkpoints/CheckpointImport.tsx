import { useMutation } from '@tanstack/react-query'
import { CircleCheck, X } from 'lucide-react'
import { useState } from 'react'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, parameters } from '../../app/format.ts'
import { setParams } from '../../app/routes.ts'
import { PathField } from '../../app/PathField.tsx'
import { api } from '../../state/engine.ts'
import { errorData } from '../../state/errors.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Field, Input } from '../../ui/Field.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote, Note } from '../../ui/Notes.tsx'
import { Pane, PaneHead, Section } from '../../ui/Pane.tsx'
import { Tag } from '../../ui/Tag.tsx'
import styles from './checkpoints.module.css'

/** Weights from a file. What does not fit is listed by name before anything is used: heat of a half-loaded model looks plausible and is wrong. */
export function CheckpointImport({ onClose }: { onClose: () => void }) {
  const [path, setPath] = useState('')
  const [name, setName] = useState('')
  const [modelConfig, setModelConfig] = useState('')
  const [allowMissing, setAllowMissing] = useState(false)
  const load = useMutation({
    mutationFn: () => api.checkpoints.import({ path: path.trim(), ...(name.trim() ? { name: name.trim() } : {}), ...(modelConfig.trim() ? { modelConfig: modelConfig.trim() } : {}), ...(allowMissing ? { allowMissing } : {}) }),
  })
  const done = load.data
  const isRefused = load.error !== null && errorData(load.error).code === 'bad-input'
  return (
    <Pane label={t('Import a checkpoint')}>
      <PaneHead title={t('Import a checkpoint')}>
        <span className="grow" />
        <IconButton icon={X} label={t('Close')} onClick={onClose} />
      </PaneHead>
      <div className="scroll grow">
        <Section>
          <div className={styles.form}>
            <PathField label={t('File')} value={path} onChange={(value) => { setPath(value); load.reset() }} filesOnly endings={['pth', 'pt', 'safetensors']} hint={t('The reference’s and ALBEF’s .pth, or .safetensors.')} />
            <Field label={t('Name')} hint={t('The file’s own name when left empty.')}>{({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={name} onChange={(event) => setName(event.currentTarget.value)} />}</Field>
            <Field label={t('Model')} hint={t('Name of a model configuration. Recognised by its shapes when left empty.')}>{({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={modelConfig} onChange={(event) => setModelConfig(event.currentTarget.value)} />}</Field>
            <Checkbox small checked={allowMissing} onChange={setAllowMissing}>{t('Load even when weights are missing')}</Checkbox>
            {allowMissing ? <Note tone="warning">{t('Missing weights start from random values. Heatmaps would look plausible and be wrong until the model is trained.')}</Note> : null}
          </div>
        </Section>
        {load.error ? <Section><ErrorNote error={load.error} title={isRefused ? t('This file was not loaded') : t('The import failed')} /></Section> : null}
        {done ? (
          <Section title={t('Key report')} action={<Tag tone={done.keys.missing.length ? 'warning' : 'positive'} icon={CircleCheck}>{done.keys.missing.length ? t('loaded with gaps') : t('loaded')}</Tag>}>
            <p className="t12 c2">{t('{name}, {n} parameters, {model}', { name: done.checkpoint.name, n: parameters(done.checkpoint.parameters), model: done.checkpoint.modelName })}</p>
            {done.notes.map((note) => <Note key={note}>{engineText(note)}</Note>)}
            <dl className={styles.facts} style={{ marginTop: 8 }}>
              <dt>{t('Loaded')}</dt><dd>{count(done.keys.loaded)}</dd>
              <dt>{t('Missing')}</dt><dd className={done.keys.missing.length ? 'neg' : ''}>{count(done.keys.missing.length)}</dd>
              <dt>{t('Not used')}</dt><dd>{count(done.keys.unexpected.length)}</dd>
              <dt>{t('Reshaped')}</dt><dd>{count(done.keys.reshaped.length)}</dd>
            </dl>
            <KeyList title={t('Missing')} names={done.keys.missing} />
            <KeyList title={t('Not used')} names={done.keys.unexpected} />
            <KeyList title={t('Reshaped')} names={done.keys.reshaped} />
          </Section>
        ) : null}
      </div>
      <div className={styles.foot}>
        <span className="hint grow">{t('The file stays where it is; a copy goes into the project.')}</span>
        {done ? <Button kind="primary" onClick={() => setParams({ import: null, id: done.checkpoint.id })}>{t('Show it')}</Button> : (
          <>
            <Button onClick={onClose}>{t('Cancel')}</Button>
            <Button kind="primary" disabled={!path.trim()} busy={load.isPending} onClick={() => load.mutate()}>{t('Import')}</Button>
          </>
        )}
      </div>
    </Pane>
  )
}

function KeyList({ title, names }: { title: string; names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <details className={styles.keys}>
      <summary className="t12">{t('{title}: {n}', { title, n: count(names.length) })}</summary>
      <ul className="t11 mono c2" data-selectable>{names.slice(0, 400).map((name) => <li key={name}>{name}</li>)}</ul>
    </details>
  )
}
