import { MessageSquare, Plus, X } from 'lucide-react'
import { useState } from 'react'
import type { Region } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Section } from '../../ui/Pane.tsx'
import { useKeptDraft } from './edits.ts'
import type { Workbench } from './workbench.ts'
import { quote } from './words.ts'
import styles from './inspector.module.css'

export function NoteSection({ work, region }: { work: Workbench; region: Region }) {
  const { verbs } = work
  const [adding, setAdding] = useState(false)
  const [tag, setTag] = useState('')
  const [note, setNote] = useState<string | null>(null)
  const addTag = (more: boolean) => {
    const name = tag.trim()
    if (name && !region.tags.includes(name)) verbs.editOf(region, t('Tag added: {name}', { name }), { tags: [...region.tags, name] })
    setTag('')
    setAdding(more)
  }
  const takeNote = () => {
    const text = note?.trim()
    if (text !== undefined && text !== region.note) verbs.editOf(region, text ? t('Note: {text}', { text: quote(text) }) : t('Note removed'), { note: text })
    setNote(null)
  }
  // The next sample, another screen or a closing window take the field away: what stands in it is kept.
  useKeptDraft(() => {
    if (adding) addTag(false)
    takeNote()
  })
  return (
    <Section title={t('Tags and note')}>
      <div className={styles.tags}>
        {region.tags.map((name) => (
          <span key={name} className={styles.tag}>
            <span className="trunc">{name}</span>
            <button type="button" aria-label={t('Remove tag {name}', { name })} onClick={() => verbs.edit(t('Tag removed: {name}', { name }), { tags: region.tags.filter((entry) => entry !== name) })}><Icon of={X} size="xs" /></button>
          </span>
        ))}
        {adding ? (
          <Input
            compact autoFocus className={styles.tagField} aria-label={t('New tag')} placeholder={t('Tag')} value={tag} onChange={(event) => setTag(event.currentTarget.value)} onBlur={() => addTag(false)}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return
              if (event.key === 'Enter') addTag(true)
              else if (event.key === 'Escape') {
                setTag('')
                setAdding(false)
              } else return
              event.preventDefault()
            }}
          />
        ) : <Button size="s" kind="ghost" icon={Plus} onClick={() => setAdding(true)}>{t('Tag')}</Button>}
      </div>
      <Input
        aria-label={t('Note')} data-testid="note" placeholder={t('Add a note')} before={<Icon of={MessageSquare} size="s" />} value={note ?? region.note} onChange={(event) => setNote(event.currentTarget.value)} onBlur={takeNote}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter') event.currentTarget.blur()
          else if (event.key === 'Escape') setNote(null)
        }}
      />
    </Section>
  )
}
