import { useQuery } from '@tanstack/react-query'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset } from '../../../shared/domain.ts'
import { count } from '../../app/format.ts'
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
    <Dialog open={dataset !== null} onClose={onClose} title={t('Skipped at import')} description={dataset ? t('{name}: {n, plural, one {# entry} other {# entries}} left out. Mend the files, then import again.', { name: dataset.name, n: dataset.skipped }) : ''} width="wide" closable>
      {dataset ? <Report dataset={dataset} /> : null}
    </Dialog>
  )
}

function Report({ dataset }: { dataset: Dataset }) {
  const skipped = useQuery({ queryKey: keys.skipped(dataset.id), queryFn: ({ signal }) => api.datasets.skipped({ id: dataset.id }, { signal }) })
  if (skipped.isPending) return <Loading>{t('Loading the report')}</Loading>
  if (skipped.error) return <ErrorNote error={skipped.error} onRetry={() => void skipped.refetch()} />
  return <SkippedList entries={skipped.data} />
}

export function SkippedList({ entries }: { entries: readonly { readonly file: string; readonly line: number | null; readonly reason: string }[] }) {
  return (
    <>
      <dl className={styles.reasons}>
        {reasonCounts(entries).map((reason) => <div key={reason.reason}><dt className="neg">{count(reason.count)}</dt><dd>{engineText(reason.reason)}</dd></div>)}
      </dl>
      <div className={`scroll ${styles.report}`} tabIndex={0} role="region" aria-label={t('Skipped entries')}>
        <table className={table.table}>
          <thead><tr><th>{t('File')}</th><th className={table.num}>{t('Line')}</th><th>{t('Reason')}</th></tr></thead>
          <tbody>
            {entries.slice(0, SHOWN).map((entry, i) => (
              <tr key={i}><td className="mono" data-selectable>{entry.file}</td><td className={table.num}>{entry.line ?? '–'}</td><td>{engineText(entry.reason)}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {entries.length > SHOWN ? <p className="hint">{t('The first {shown} of {total} are listed.', { shown: SHOWN, total: count(entries.length) })}</p> : null}
    </>
  )
}
