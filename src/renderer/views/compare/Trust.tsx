import { useMutation, useQuery } from '@tanstack/react-query'
import { TRUST_FIGURES, type TrustResult } from '../../../shared/contract/trust.ts'
import type { Checkpoint, Dataset } from '../../../shared/domain.ts'
import { DEFAULT_PROTOCOL } from '../../../shared/explainers.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys, useJobs } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { Progress } from '../../ui/Progress.tsx'
import table from '../../ui/table.module.css'
import { Letter } from './Letter.tsx'
import styles from './compare.module.css'

/** How far the explanations of A and B can be trusted, beside what they hit. */
export function Trust({ a, b, dataset, split }: { a: Checkpoint; b: Checkpoint; dataset: Dataset; split: string | null }) {
  const results = useQuery({ queryKey: keys.trust(dataset.id), queryFn: ({ signal }) => api.trust.list({ datasetId: dataset.id }, { signal }) })
  const jobs = useJobs()
  const of = (checkpoint: Checkpoint): TrustResult | null =>
    results.data?.findLast((one) => one.checkpointId === checkpoint.id && one.viewId === null && one.split === split && one.protocol === DEFAULT_PROTOCOL) ?? null
  const [first, second] = [of(a), of(b)]
  const lacking = [...(first ? [] : [a]), ...(second || a.id === b.id ? [] : [b])]
  const start = useMutation({
    mutationFn: async () => {
      for (const checkpoint of lacking.length > 0 ? lacking : [a, b]) await api.trust.compute({ datasetId: dataset.id, checkpointId: checkpoint.id, ...(split === null ? {} : { split }) })
    },
  })
  const own = (jobs.data ?? []).filter((job) => job.kind === 'trust' && job.about?.datasetId === dataset.id && (job.about.checkpointId === a.id || job.about.checkpointId === b.id))
  const running = own.filter((job) => job.state === 'running' || job.state === 'waiting')
  const failed = own[0]?.state === 'failed' ? own[0] : null
  const known = first ?? second
  return (
    <Section title={t('Trust in the explanation')} aside={known ? t('{n, plural, one {# region} other {# regions}}', { n: known.samples }) : undefined}>
      <div className={styles.trust} data-testid="trust">
        {known ? (
          <table className={cx(table.table, table.dense, table.flush)}>
            <thead><tr><th><span className="visually-hidden">{t('Test', undefined, 'a test')}</span></th><th className={table.num}><Letter of={0} /></th><th className={table.num}><Letter of={1} /></th></tr></thead>
            <tbody>
              {TRUST_FIGURES.map(({ key, title, better, says, of: figure }) => (
                <tr key={key} title={says}>
                  <td>{title} <span className="c3 t11">{better === 'lower' ? t('low is good') : t('high is good')}</span><p className={cx('c2', styles.says)}>{says}</p></td>
                  <td className={table.num}>{first ? fixed(figure(first)) : '–'}</td>
                  <td className={table.num}>{second ? fixed(figure(second)) : '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : <p className="t12 c2">{t('Does the match rest on what is hot, does the heat show what was learned, and does it move with the image? Not yet tested here.')}</p>}
        {running.map((job) => <div key={job.id}><p className="t11 c2 trunc">{job.title}</p><Progress label={job.title} value={job.total > 0 ? job.done / job.total : null} /></div>)}
        {failed ? <ErrorNote error={new Error(failed.error?.message ?? failed.message)} title={failed.error?.message ?? t('The test failed')} /> : null}
        {start.error ? <ErrorNote error={start.error} title={t('The test did not start')} /> : null}
        {running.length === 0 ? <Button size="s" busy={start.isPending} onClick={() => start.mutate()}>{lacking.length > 0 ? t('Test on 32 regions') : t('Test again')}</Button> : null}
      </div>
    </Section>
  )
}
