import { useMutation, useQuery } from '@tanstack/react-query'
import { Scale } from 'lucide-react'
import { useState } from 'react'
import { ends } from '../../../shared/charts/captions.ts'
import type { ComparePair } from '../../../shared/contract/compare.ts'
import type { Job, Run } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, fixed, signed } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys, useCheckpoints, useDatasets, useJobs } from '../../state/queries.ts'
import { comparisonLink, comparisonOf, type RunComparison } from '../../state/run-comparison.ts'
import { Button, ButtonLink } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import styles from './train.module.css'

/** What a run that began from a checkpoint has changed on what is held out; offered by itself once it has ended. */
export function Outcome({ run }: { run: Run }) {
  const checkpoints = useCheckpoints()
  const datasets = useDatasets()
  const comparison = comparisonOf(run, checkpoints.data ?? [], datasets.data ?? [])
  return comparison ? <Compared key={`${comparison.start.id} ${comparison.best.id}`} comparison={comparison} /> : null
}

function Compared({ comparison }: { comparison: RunComparison }) {
  const { start, best, datasetId, split } = comparison
  const population = { datasetId, ...(split === null ? {} : { split }) }
  const answer = useQuery({
    queryKey: keys.comparison(['run', datasetId, split ?? '', start.id, best.id]), enabled: split !== null,
    queryFn: ({ signal }) => api.compare.get({ population, checkpointIds: [start.id, best.id] }, { signal }),
  })
  const { running, failed, score } = useScoring(comparison, answer.data?.checkpoints ?? [])
  const pair = answer.data?.pairs[0]
  const missing = answer.data?.missing ?? 0
  return (
    <section className={styles.outcome} aria-label={t('Against where it started')} data-testid="outcome">
      <div className={styles.outcomeHead}>
        <span className="c2"><Icon of={Scale} /></span>
        <span className="med nowrap">{t('Against where it started')}</span>
        <span className="c2 trunc" title={t('{best} against {start}', { best: best.name, start: start.name })}>{t('{best} against {start}', { best: best.name, start: start.name })}</span>
        <span className="grow" />
        {missing > 0 ? <Button size="s" busy={score.isPending || running !== null} onClick={() => score.mutate()}>{t('Score what is missing')}</Button> : null}
        <ButtonLink size="s" icon={Scale} href={comparisonLink(comparison)}>{t('Compare')}</ButtonLink>
      </div>
      {split === null ? <p className="t12 c2">{t('The dataset has no split that is held out, so there is no number to trust here.')}</p> : null}
      {pair && answer.data && answer.data.regions > 0 ? (
        <dl className={styles.figures}>
          <Figure name={t('Consistency')} of={pair.headline.consistency} factor={1} digits={3} unit="" />
          <Figure name={t('Pointing game')} of={pair.headline.pointingGame} factor={100} digits={1} unit=" %" />
          <div><dt>{t('Measured on')}</dt><dd className="t12">{t('{split}, {n, plural, one {# region} other {# regions}}', { split: split!, n: answer.data.regions })}{split === 'val' ? <small className={styles.wideOnly}> {t('(val also chose the best)')}</small> : null}</dd></div>
        </dl>
      ) : null}
      {missing > 0 ? <p className="t12 c2" role="status">{running ? t('Scoring: {done} of {total}', { done: count(running.done), total: count(running.total) }) : t('{n, plural, one {# region of {split} lacks a score by one of the two.} other {# regions of {split} lack a score by one of the two.}}', { n: missing, split: split! })}</p> : null}
      {answer.error ?? score.error ? <ErrorNote error={answer.error ?? score.error} compact /> : failed?.error ? <ErrorNote error={fromErrorData(failed.error as ErrorData)} compact /> : null}
    </section>
  )
}

/** Before, after, and the change with its interval; coloured only where the interval leaves no doubt. */
function Figure({ name, of, factor, digits, unit }: { name: string; of: ComparePair['headline']['consistency']; factor: number; digits: number; unit: string }) {
  if (!of) return null
  const interval = ends(of.interval, 'BCa')
  const clear = interval !== null && (interval.low > 0 || interval.high < 0)
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className="c2">{fixed(of.a * factor, digits)}{unit}</span> <span className="c3" role="img" aria-label={t('becomes')}>→</span> {fixed(of.b * factor, digits)}{unit}{' '}
        <span className={cx(styles.gain, clear ? (of.change > 0 ? 'pos' : 'neg') : 'c2')}>{signed(of.change * factor, digits)}</span>{' '}
        {interval ? <small className={styles.wideOnly}>{t('95 % {low} to {high}', { low: signed(interval.low * factor, digits), high: signed(interval.high * factor, digits) })}</small> : null}
      </dd>
    </div>
  )
}

/** Scores what one of the two has not looked at yet, and follows it. */
function useScoring({ datasetId, split }: RunComparison, sides: readonly { readonly id: string; readonly missing: number }[]) {
  const jobs = useJobs()
  /** The jobs this asked for: one of another day that failed tells nothing of these. */
  const [asked, setAsked] = useState<readonly string[]>([])
  const score = useMutation({
    mutationFn: async () => {
      setAsked([])
      for (const { id, missing } of sides) {
        if (missing === 0) continue
        const job = await api.scores.compute({ datasetId, checkpointId: id, ...(split === null ? {} : { splits: [split] }) })
        setAsked((old) => [...old, job.id])
      }
    },
  })
  const own = (jobs.data ?? []).filter((job: Job) => job.kind === 'score' && job.about?.datasetId === datasetId && sides.some(({ id }) => id === job.about?.checkpointId))
  return { score, running: own.find((job) => job.state === 'running' || job.state === 'waiting') ?? null, failed: own.find((job) => job.state === 'failed' && asked.includes(job.id)) }
}
