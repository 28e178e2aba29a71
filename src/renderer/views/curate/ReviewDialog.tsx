import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import { count, fixed, percent } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Bar } from '../../ui/Progress.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import table from '../../ui/table.module.css'
import { STATUS_WORDS } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

const LISTED = 300

/** Who decided how much on which day, and where two people disagree. */
export function ReviewDialog({ work, open, onClose }: { work: Workbench; open: boolean; onClose: () => void }) {
  const [tab, setTab] = useState<'progress' | 'agreement'>('progress')
  return (
    <Dialog open={open} onClose={onClose} title={t('Review')} description={t('{dataset}: decisions that stand, by person.', { dataset: work.dataset.name })} width="wide" closable>
      <Segmented label={t('Shown')} value={tab} options={[{ value: 'progress', label: t('Progress') }, { value: 'agreement', label: t('Agreement') }]} onChange={setTab} />
      {open ? tab === 'progress' ? <ProgressTables datasetId={work.dataset.id} /> : <AgreementTables work={work} onClose={onClose} /> : null}
    </Dialog>
  )
}

function ProgressTables({ datasetId }: { datasetId: string }) {
  const progress = useQuery({ queryKey: [...keys.regions, 'progress', datasetId], queryFn: ({ signal }) => api.regions.progress({ datasetId }, { signal }) })
  if (progress.isPending) return <Loading>{t('Counting decisions')}</Loading>
  if (progress.error) return <ErrorNote error={progress.error} onRetry={() => void progress.refetch()} />
  const { days, assigned } = progress.data
  return (
    <div className={`scroll ${styles.report}`} tabIndex={0} role="region" aria-label={t('Progress')}>
      {days.length === 0 && assigned.length === 0 ? <p className="c3 t12">{t('Nobody has decided anything yet. Accept or reject a region, and it is counted here.')}</p> : null}
      {assigned.length > 0 ? (
        <table className={table.table}>
          <thead><tr><th>{t('Assigned to')}</th><th>{t('Decided')}</th><th className={table.num}>{t('Regions')}</th></tr></thead>
          <tbody>
            {assigned.map((row) => <tr key={row.to}><td>{row.to}</td><td><div className={styles.share}><Bar share={row.decided / row.total} /><span>{percent(row.decided / row.total)}</span></div></td><td className={table.num}>{t('{done} of {total}', { done: count(row.decided), total: count(row.total) })}</td></tr>)}
          </tbody>
        </table>
      ) : null}
      {days.length > 0 ? (
        <table className={table.table}>
          <thead><tr><th>{t('Day')}</th><th>{t('Person')}</th><th className={table.num}>{t('Accepted')}</th><th className={table.num}>{t('Rejected')}</th><th className={table.num}>{t('Second reviews')}</th></tr></thead>
          <tbody>
            {days.map((row) => <tr key={`${row.day} ${row.by}`}><td>{row.day}</td><td>{row.by}</td><td className={table.num}>{count(row.accepted)}</td><td className={table.num}>{count(row.rejected)}</td><td className={table.num}>{count(row.second)}</td></tr>)}
          </tbody>
        </table>
      ) : null}
    </div>
  )
}

function AgreementTables({ work, onClose }: { work: Workbench; onClose: () => void }) {
  const datasetId = work.dataset.id
  const agreement = useQuery({ queryKey: [...keys.regions, 'agreement', datasetId], queryFn: ({ signal }) => api.regions.agreement({ datasetId, limit: LISTED }, { signal }) })
  if (agreement.isPending) return <Loading>{t('Comparing decisions')}</Loading>
  if (agreement.error) return <ErrorNote error={agreement.error} onRetry={() => void agreement.refetch()} />
  const { pairs, regions } = agreement.data
  if (regions.length === 0) return <p className="c3 t12">{t('No region was decided by two people yet. Turn on “Second review” in the view menu, then decide what somebody else has decided.')}</p>
  const show = (row: (typeof regions)[number]) => {
    work.verbs.show({ regionId: row.regionId, imageId: row.imageId, index: work.queue.indexOf(row.regionId) })
    onClose()
  }
  return (
    <div className={`scroll ${styles.report}`} tabIndex={0} role="region" aria-label={t('Agreement')}>
      <table className={table.table}>
        <thead><tr><th>{t('First and second')}</th><th className={table.num}>{t('Regions')}</th><th className={table.num}>{t('Same outcome')}</th><th className={table.num}>{t('Mean IoU')}</th><th className={table.num}>{t('Same phrase')}</th></tr></thead>
        <tbody>
          {pairs.map((pair) => (
            <tr key={`${pair.first} ${pair.second}`}>
              <td>{pair.first}, {pair.second}</td><td className={table.num}>{count(pair.regions)}</td><td className={table.num}>{percent(pair.sameStatus / pair.regions)}</td><td className={table.num}>{fixed(pair.meanIou)}</td><td className={table.num}>{percent(pair.samePhrase / pair.regions)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table className={table.table}>
        <thead><tr><th>{t('Region, the furthest apart first')}</th><th>{t('First')}</th><th>{t('Second')}</th><th className={table.num}>{t('IoU')}</th><th>{t('Phrase')}</th></tr></thead>
        <tbody>
          {regions.map((row) => (
            <tr key={row.regionId}>
              <td><button type="button" className={styles.link} onClick={() => show(row)}>{row.phrase || t('No phrase')}</button></td>
              <td>{row.first}: {STATUS_WORDS[row.firstStatus]}</td><td>{row.second}: {STATUS_WORDS[row.secondStatus]}</td><td className={table.num}>{fixed(row.iou)}</td><td>{row.samePhrase ? t('same') : t('differs')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {regions.length === LISTED ? <p className="hint">{t('The first {n, plural, one {# region} other {# regions}} are listed; the filter “Second review: differs” walks all.', { n: LISTED })}</p> : null}
    </div>
  )
}
