import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset, Job } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { count, listed } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useJobs } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Note } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import table from '../../ui/table.module.css'
import styles from './export.module.css'

type Side = 'mine' | 'theirs'
interface State {
  readonly phrase: string
  readonly boxes: readonly unknown[]
  readonly status: string
  readonly deleted: boolean
}
interface Report {
  readonly addedImages: number
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly same: number
  readonly resolved: number
  readonly conflicts: readonly { readonly regionId: string; readonly image: string; readonly mine: State; readonly theirs: State | null }[]
}
const SHOWN = 200

/** Reads the source again: first what would change, then, with a decision for each conflict, the change. */
export function UpdateDialog({ dataset, onClose }: { dataset: Dataset | null; onClose: () => void }) {
  return dataset ? <Open key={dataset.id} dataset={dataset} onClose={onClose} /> : null
}

function Open({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const jobs = useJobs()
  const [sides, setSides] = useState<Readonly<Record<string, Side>>>({})
  const look = useMutation({ mutationFn: () => api.datasets.update({ id: dataset.id, dryRun: true }) })
  const { mutate } = look
  useEffect(() => mutate(), [mutate])
  const apply = useMutation({ mutationFn: () => api.datasets.update({ id: dataset.id, decisions: { ...sides } }) })
  const current = (started: Job | undefined): Job | null => (started ? (jobs.data?.find((one) => one.id === started.id) ?? started) : null)
  const [looked, applied] = [current(look.data), current(apply.data)]
  const job = applied ?? looked
  const running = job === null || job.state === 'running' || job.state === 'waiting'
  const report = looked?.state === 'done' ? (looked.result as Report) : null
  const done = applied?.state === 'done' ? (applied.result as Report) : null
  const error = look.error ?? apply.error ?? (job?.state === 'failed' && job.error ? fromErrorData(job.error as ErrorData) : null)
  const nothing = report !== null && report.added + report.addedImages + report.changed + report.removed + report.conflicts.length === 0
  const doing = applied ? t('Updating') : t('Reading the source')
  const all = (side: Side) => setSides(Object.fromEntries((report?.conflicts ?? []).map((one) => [one.regionId, side])))
  return (
    <Dialog open onClose={onClose} title={t('Update {name}', { name: dataset.name })} width="wide" closable description={t('Reads the files it was imported from again. Nothing comes twice, and nothing you changed is overwritten.')}
      actions={done || nothing ? <Button size="l" kind="primary" onClick={onClose}>{t('Done')}</Button> : (
        <>
          <Button size="l" onClick={onClose}>{t('Cancel')}</Button>
          <Button size="l" kind="primary" disabled={report === null || applied !== null} busy={apply.isPending} onClick={() => apply.mutate()}>{t('Update')}</Button>
        </>
      )}>
      {error ? <ErrorNote error={error} title={t('Nothing was updated')} /> : done ? <Note tone="positive">{sentence(done)}{done.conflicts.length > 0 ? ` ${t('{n, plural, one {# conflict} other {# conflicts}} not decided: those regions stayed as they were.', { n: done.conflicts.length })}` : ''}</Note> : running || report === null ? (
        <div className={styles.job}>
          <Progress value={job && job.total > 0 ? job.done / job.total : null} label={doing} />
          <p className="t12 c2">{listed([doing, ...(job && job.done > 0 ? [t('{n, plural, one {# image} other {# images}} compared', { n: job.done })] : [])])}</p>
        </div>
      ) : nothing ? <Note tone="positive">{t('Nothing has changed there: {n, plural, one {# region} other {# regions}} as before.', { n: report.same })}</Note> : (
        <>
          <dl className={styles.list}>
            {([[report.added, t('regions are new')], [report.addedImages, t('of the images are new')], [report.changed, t('changed there and not here')], [report.removed, t('are gone there; they can be brought back from their history')], [report.same, t('as before')]] as const).filter(([n]) => n > 0).map(([n, what]) => <div key={what}><dt>{count(n)}</dt><dd className={styles.rest}>{what}</dd></div>)}
          </dl>
          {report.conflicts.length > 0 ? (
            <section aria-label={t('Conflicts')} className={styles.losses}>
              <div className={styles.both}>
                <h3 className="t13 med">{t('{n, plural, one {# region} other {# regions}} changed here and there', { n: report.conflicts.length })}</h3>
                <span className="push"><Button size="s" onClick={() => all('mine')}>{t('Keep all mine')}</Button> <Button size="s" onClick={() => all('theirs')}>{t('Take all theirs')}</Button></span>
              </div>
              <div className={`scroll ${styles.conflicts}`} tabIndex={0} role="region" aria-label={t('Regions in conflict')}>
                <table className={table.table}>
                  <thead><tr><th>{t('Here')}</th><th>{t('There')}</th><th>{t('Take')}</th></tr></thead>
                  <tbody>
                    {report.conflicts.slice(0, SHOWN).map((one) => (
                      <tr key={one.regionId}>
                        <td className={styles.cell} title={one.image}>{words(one.mine)}</td><td className={styles.cell}>{one.theirs ? words(one.theirs) : <span className="c3">{t('gone')}</span>}</td>
                        <td><Segmented small label={t('Which to take of {phrase}', { phrase: one.mine.phrase })} value={(sides[one.regionId] ?? '') as Side} onChange={(side) => setSides({ ...sides, [one.regionId]: side })} options={[{ value: 'mine', label: t('Mine') }, { value: 'theirs', label: t('Theirs') }]} /></td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              <p className="hint">{report.conflicts.length > SHOWN ? `${t('The first {n} are listed.', { n: SHOWN })} ` : ''}{t('What is not decided stays as it is here, and is asked again next time.')}</p>
            </section>
          ) : null}
        </>
      )}
    </Dialog>
  )
}

function statusWord(status: string): string {
  switch (status) {
    case 'accepted': return t('accepted')
    case 'rejected': return t('rejected')
    case 'skipped': return t('skipped')
    default: return status
  }
}

function words(state: State) {
  return state.deleted ? <span className="c3">{t('deleted')}</span> : <>{state.phrase} <span className="c2">{listed([t('{n, plural, one {# box} other {# boxes}}', { n: state.boxes.length }), ...(state.status === 'unreviewed' ? [] : [statusWord(state.status)])])}</span></>
}

function sentence({ added, changed, removed, resolved }: Report): string {
  const values = { added, changed: count(changed), removed: count(removed), resolved }
  return resolved > 0 ? t('{added, plural, one {# region} other {# regions}} added, {changed} changed, {removed} removed, {resolved, plural, one {# conflict} other {# conflicts}} decided.', values)
    : t('{added, plural, one {# region} other {# regions}} added, {changed} changed, {removed} removed.', values)
}
