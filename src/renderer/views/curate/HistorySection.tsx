import { useQuery } from '@tanstack/react-query'
import { Check, Import, MessageSquare, Move, RotateCcw, Tag, Trash2, X, type LucideIcon } from 'lucide-react'
import type { Region, Revision } from '../../../shared/domain.ts'
import { counted, when } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { MoreButton, useLongList } from './LongList.tsx'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

const ICONS: readonly (readonly [RegExp, LucideIcon])[] = [
  [/^import/i, Import], [/phrase|note/i, MessageSquare], [/^accept/i, Check], [/^reject/i, X], [/tag/i, Tag], [/delete/i, Trash2], [/undo|restore|back/i, RotateCcw],
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
  const restore = (revision: Revision) => work.verbs.edit(`Restored revision ${revision.revision}`, revision.fields)
  return (
    <Section title="History" aside={saved ? counted(revisions.length, 'revision') : 'not saved yet'}>
      {history.isError ? <ErrorNote compact error={history.error} onRetry={() => void history.refetch()} /> : null}
      <ol className={styles.history}>
        {list.shown.map((revision, i) => (
          <li key={revision.revision} className={styles.revision}>
            <Icon of={ICONS.find(([pattern]) => pattern.test(revision.label))?.[1] ?? Move} size="s" className="c3" />
            <span className="trunc" title={`${revision.label}, ${revision.actor}`}>{revision.label}</span>
            <span className="c3 t11">{when(revision.at)}</span>
            {i > 0 ? <IconButton size="s" icon={RotateCcw} label={`Restore revision ${revision.revision}`} hint={`Restore: as it was after “${revision.label}”`} onClick={() => restore(revision)} /> : null}
          </li>
        ))}
      </ol>
      <MoreButton of={list} noun="revision" />
    </Section>
  )
}
