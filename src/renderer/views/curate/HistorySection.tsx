import { useQuery } from '@tanstack/react-query'
import { Check, Import, MessageSquare, Move, RotateCcw, Tag, Trash2, X, type LucideIcon } from 'lucide-react'
import type { Region, Revision } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { when } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { labelWords } from './label-words.ts'
import { MoreButton, useLongList } from './LongList.tsx'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

/** By what the label of an edit says, in whichever language it was made. */
const ICONS: readonly (readonly [RegExp, LucideIcon])[] = [
  [/^import/i, Import], [/phrase|note|短语|备注/i, MessageSquare], [/^accept|^已?接受/i, Check], [/^reject|^已?拒绝/i, X], [/tag|标签/i, Tag], [/delete|删除/i, Trash2], [/undo|restore|back|撤销|恢复|退回/i, RotateCcw],
]

/** Who changed what and when, newest first; any earlier state can be put back, as a new edit. */
export function HistorySection({ work, region }: { work: Workbench; region: Region }) {
  const saved = region.revision > 0
  const history = useQuery({
    // The revision is part of the key: each saved edit brings a new history.
    queryKey: [...keys.regions, 'history', region.id, region.revision],
    queryFn: ({ signal }) => api.regions.history({ id: region.id }, { signal }),
    enabled: saved,
    placeholderData: (before, query) => (query?.queryKey[2] === region.id ? before : undefined),
  })
  const revisions = [...(history.data ?? [])].sort((a, b) => b.revision - a.revision)
  const list = useLongList(revisions, 30)
  const restore = (revision: Revision) => work.verbs.edit(t('Restored revision {n}', { n: revision.revision }), revision.fields)
  return (
    <Section title={t('History')} aside={saved ? t('{n, plural, one {# revision} other {# revisions}}', { n: revisions.length }) : t('not saved yet')}>
      {history.isError ? <ErrorNote compact error={history.error} onRetry={() => void history.refetch()} /> : null}
      <ol className={styles.history}>
        {list.shown.map((revision, i) => (
          <li key={revision.revision} className={styles.revision}>
            <Icon of={ICONS.find(([pattern]) => pattern.test(revision.label))?.[1] ?? Move} size="s" className="c3" />
            <span className="trunc" title={t('{edit}, {person}', { edit: labelWords(revision.label), person: revision.actor })}>{labelWords(revision.label)}</span>
            <span className="c3 t11">{when(revision.at)}</span>
            {i > 0 ? <IconButton size="s" icon={RotateCcw} label={t('Restore revision {n}', { n: revision.revision })} hint={t('Restore: as it was after “{edit}”', { edit: labelWords(revision.label) })} onClick={() => restore(revision)} /> : null}
          </li>
        ))}
      </ol>
      <MoreButton of={list} label={(n) => t('Show more of {n, plural, one {# other revision} other {# other revisions}}', { n })} />
    </Section>
  )
}
