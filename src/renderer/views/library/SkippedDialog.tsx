import { useQuery } from '@tanstack/react-query'
import type { Dataset } from '../../../shared/domain.ts'
import { count, counted } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import table from '../../ui/table.module.css'
import { reasonCounts } from './reasons.ts'
import styles from './library.module.css'

const SHOWN = 500

/** What an import left out, with file, line and reason. */
export function SkippedDialog({ dataset, onClose }: { dataset: Dataset | null; onClose: () => void }) {
  return (
    <Dialog open={dataset !== null} onClose={onClose} title="Skipped at import" description={dataset ? `${dataset.name}: ${counted(dataset.skipped, 'entry', 'entries')} left out. Mend the files, then import again.` : ''} width="wide" closable>
      {dataset ? <Report dataset={dataset} /> : null}
    </Dialog>
  )
}

function Report({ dataset }: { dataset: Dataset }) {
  const skipped = useQuery({ queryKey: keys.skipped(dataset.id), queryFn: ({ signal }) => api.datasets.skipped({ id: dataset.id }, { signal }) })
  if (skipped.isPending) return <Loading>Loading the report</Loading>
  if (skipped.error) return <ErrorNote error={skipped.error} onRetry={() => void skipped.refetch()} />
  return <SkippedList entries={skipped.data} />
}

export function SkippedList({ entries }: { entries: readonly { readonly file: string; readonly line: number | null; readonly reason: string }[] }) {
  return (
    <>
      <dl className={styles.reasons}>
        {reasonCounts(entries).map((reason) => <div key={reason.reason}><dt className="neg">{count(reason.count)}</dt><dd>{reason.reason}</dd></div>)}
      </dl>
      <div className={`scroll ${styles.report}`} tabIndex={0} role="region" aria-label="Skipped entries">
        <table className={table.table}>
          <thead><tr><th>File</th><th className={table.num}>Line</th><th>Reason</th></tr></thead>
          <tbody>
            {entries.slice(0, SHOWN).map((entry, i) => (
              <tr key={i}><td className="mono" data-selectable>{entry.file}</td><td className={table.num}>{entry.line ?? '–'}</td><td>{entry.reason}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {entries.length > SHOWN ? <p className="hint">The first {SHOWN} of {count(entries.length)} are listed.</p> : null}
    </>
  )
}
