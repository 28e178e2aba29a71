import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { api } from '../../state/engine.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { ownName } from './states.ts'
import styles from './train.module.css'

type Edit = Omit<Parameters<typeof api.runs.edit>[0], 'id'>

const tagsOf = (text: string): string[] => text.split(',').map((tag) => tag.trim()).filter((tag) => tag !== '')

/** Name, tags and notes of a run; kept when the field is left. */
export function RunNotes({ run }: { run: Run }) {
  const edit = useMutation({ mutationFn: (change: Edit) => api.runs.edit({ id: run.id, ...change }) })
  return (
    <Section title={t('Notes')}>
      <div className={styles.notes}>
        <Field label={t('Name')}>{({ id }) => <Kept value={ownName(run)} onKeep={(name) => edit.mutate({ name: name.trim() || `Run ${run.number}` })}>{(input) => <Input id={id} compact maxLength={80} {...input} />}</Kept>}</Field>
        <Field label={t('Tags')} hint={t('Commas between them.')}>{({ id, describedBy }) => <Kept value={run.tags.join(', ')} onKeep={(text) => edit.mutate({ tags: tagsOf(text) })}>{(input) => <Input id={id} aria-describedby={describedBy} compact {...input} />}</Kept>}</Field>
        <Field label={t('Note')}>{({ id }) => <Kept value={run.note} onKeep={(note) => edit.mutate({ note })}>{(input) => <textarea id={id} className={styles.noteText} rows={3} maxLength={20_000} {...input} />}</Kept>}</Field>
        {edit.error ? <ErrorNote error={edit.error} title={t('This was not saved')} compact /> : null}
      </div>
    </Section>
  )
}

interface Typed {
  readonly value: string
  readonly onChange: (event: { currentTarget: { value: string } }) => void
  readonly onBlur: () => void
}

/** A text that follows what is stored while nobody types, and is stored when the field is left. */
function Kept({ value, onKeep, children }: { value: string; onKeep: (value: string) => void; children: (input: Typed) => React.ReactNode }) {
  const [typed, setTyped] = useState<string | null>(null)
  useEffect(() => setTyped(null), [value])
  return children({
    value: typed ?? value,
    onChange: (event) => setTyped(event.currentTarget.value),
    onBlur: () => { if (typed !== null && typed !== value) onKeep(typed) },
  })
}
