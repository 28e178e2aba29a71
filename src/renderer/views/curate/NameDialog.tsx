import { useEffect, useState } from 'react'
import type { BulkAction } from '../../../shared/contract/bulk.ts'
import { t } from '../../../shared/messages/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { isEnter } from '../../ui/enter.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { useFacets } from './use-facets.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

export type NamedAction = 'tag' | 'untag' | 'split' | 'assign'

const WORDS: Readonly<Record<NamedAction, { readonly title: string; readonly field: string; readonly button: string; readonly from: 'tags' | 'splits' | 'assignees'; readonly note?: string }>> = {
  tag: { title: t('Add a tag'), field: t('Tag'), button: t('Add tag'), from: 'tags' },
  untag: { title: t('Take a tag off'), field: t('Tag'), button: t('Take off'), from: 'tags' },
  split: { title: t('Move to split'), field: t('Split'), button: t('Move'), from: 'splits', note: t('Regions of one image should stay in one split: what was trained on is otherwise measured with.') },
  assign: { title: t('Assign to'), field: t('Person'), button: t('Assign'), from: 'assignees', note: t('The name that person edits under, as it stands in Settings.') },
}
const SUGGESTED = 8

const actionOf = (kind: NamedAction, name: string): BulkAction =>
  kind === 'tag' ? { kind, tag: name } : kind === 'untag' ? { kind, tag: name } : kind === 'split' ? { kind, split: name } : { kind, to: name }

/** Asks for the one name that an edit of the selected regions needs; names that are there already are one click away. */
export function NameDialog({ work, size, action, onClose }: { work: Workbench; size: number; action: NamedAction | null; onClose: () => void }) {
  const facets = useFacets(work.dataset.id)
  const [name, setName] = useState('')
  useEffect(() => setName(''), [action])
  const words = WORDS[action ?? 'tag']
  const known = [...(facets.data?.[words.from] ?? []), ...(action === 'assign' ? (facets.data?.reviewers ?? []) : [])].map((entry) => entry.name)
  const run = (chosen: string) => {
    if (action === null || !chosen.trim()) return
    void work.bulk.act(actionOf(action, chosen))
    onClose()
  }
  return (
    <Dialog
      open={action !== null} onClose={onClose} title={words.title} description={t('{n, plural, one {# selected region} other {# selected regions}}, as one step of undo.', { n: size })}
      actions={<><Button onClick={onClose}>{t('Cancel')}</Button><Button kind="primary" disabled={!name.trim()} onClick={() => run(name)}>{words.button}</Button></>}
    >
      <Field label={words.field} hint={words.note}>
        {({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={name} onChange={(event) => setName(event.currentTarget.value)} onKeyDown={(event) => isEnter(event) && run(name)} />}
      </Field>
      {known.length > 0 ? (
        <div className={styles.suggestions} role="group" aria-label={t('Known names')}>
          {[...new Set(known)].slice(0, SUGGESTED).map((entry) => <Button key={entry} size="s" onClick={() => setName(entry)}>{entry}</Button>)}
        </div>
      ) : null}
    </Dialog>
  )
}
