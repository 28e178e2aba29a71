import { useMutation } from '@tanstack/react-query'
import { Scale } from 'lucide-react'
import { useState } from 'react'
import { letter } from '../../../shared/charts/captions.ts'
import type { Job } from '../../../shared/domain.ts'
import type { Comparison } from '../../../shared/contract/compare.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, duration } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useJobs } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { EmptyState, ErrorNote } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import type { ProjectChoice } from './choice.ts'
import { titleOf } from './words.ts'
import styles from './compare.module.css'

interface MissingProps {
  readonly comparison: Comparison
  readonly choice: ProjectChoice
}

const isUnderWay = (job: Job): boolean => job.state === 'running' || job.state === 'waiting'

/** Starts what is missing, and follows it. Jobs started elsewhere show in the title bar as well. */
function useScoring({ comparison, choice: { dataset, view, split } }: MissingProps) {
  const jobs = useJobs()
  const [ids, setIds] = useState<readonly string[]>([])
  const start = useMutation({
    mutationFn: async () => {
      const started: Job[] = []
      for (const { id, missing } of comparison.checkpoints) {
        if (missing > 0) started.push(await api.scores.compute({ datasetId: dataset.id, checkpointId: id, ...(view ? { viewId: view.id } : {}), ...(split === null ? {} : { splits: [split] }) }))
      }
      return started
    },
    onSuccess: (started) => setIds(started.map((job) => job.id)),
  })
  const compared = comparison.checkpoints.map(({ id }) => id)
  const known = (jobs.data ?? []).filter((job) => ids.includes(job.id) || (job.kind === 'score' && isUnderWay(job) && job.about?.datasetId === dataset.id && compared.includes(job.about.checkpointId ?? '')))
  const own = known.length > 0 ? known : (start.data ?? [])
  return { start, running: own.filter(isUnderWay), failed: own.find((job) => job.state === 'failed') ?? null }
}

export function MissingScores(props: MissingProps) {
  const { comparison } = props
  const { start, running, failed } = useScoring(props)
  const lacking = comparison.checkpoints.flatMap(({ name, missing }, place) => (missing > 0 ? [t('{letter}, {name}: {n, plural, one {# region} other {# regions}}', { letter: letter(place), name, n: missing })] : []))
  return (
    <div className={styles.missing}>
      <EmptyState icon={Scale} title={t('Scores are missing')} actions={running.length === 0 ? <Button kind="primary" busy={start.isPending} onClick={() => start.mutate()}>{lacking.length === 1 ? t('Score it') : lacking.length === 2 ? t('Score both') : t('Score all {n}', { n: lacking.length })}</Button> : undefined}>
        <p>{t('To compare on {title}, each checkpoint looks at every region once. Not yet scored:', { title: titleOf(props.choice, comparison) })}</p>
        <ul>{lacking.map((line) => <li key={line}>{line}</li>)}</ul>
      </EmptyState>
      <Followed running={running} />
      {start.error ? <ErrorNote error={start.error} title={t('Scoring did not start')} /> : null}
      {failed?.error ? <ErrorNote error={fromErrorData(failed.error as ErrorData)} title={t('Scoring failed')} /> : null}
    </div>
  )
}

/** A line over results that are there, when some regions have no score, as after an edit of their phrase. */
export function SomeMissing(props: MissingProps) {
  const { start, running, failed } = useScoring(props)
  const { missing, total } = props.comparison
  if (missing === 0) return null
  return (
    <div className={styles.some} role="status">
      <span>{running.length > 0 ? t('Scoring: {n, plural, one {# region} other {# regions}} of {total} still to come. The numbers below are of what is there.', { n: missing, total: count(total) }) : t('{n, plural, one {# region} other {# regions}} of {total} left out: not scored by all, as after an edit of the phrase.', { n: missing, total: count(total) })}</span>
      {running.length > 0 ? <span className={styles.someProgress}><Progress value={running[0]!.total > 0 ? running[0]!.done / running[0]!.total : null} label={t('Scoring')} /></span> : <Button size="s" busy={start.isPending} onClick={() => start.mutate()}>{t('Score them')}</Button>}
      {start.error || failed ? <span className="neg">{start.error?.message ?? failed?.error?.message}</span> : null}
    </div>
  )
}

function progressSaid({ total, done, state, secondsLeft }: Job): string {
  if (total === 0) return state === 'waiting' ? t('waiting') : ''
  if (secondsLeft === null) return t('{n} of {total}', { n: count(done), total: count(total) })
  return t('{n} of {total} · {time} left', { n: count(done), total: count(total), time: duration(secondsLeft) })
}

function Followed({ running }: { running: readonly Job[] }) {
  return (
    <>
      {running.map((job) => (
        <div key={job.id} className={styles.job}>
          <div className="row t12">
            <span className="trunc">{job.title}</span>
            <span className="push c2 nowrap">{progressSaid(job)}</span>
            <Button size="s" onClick={() => void api.jobs.cancel({ id: job.id })}>{t('Cancel')}</Button>
          </div>
          <Progress value={job.total > 0 ? job.done / job.total : null} label={job.title} />
        </div>
      ))}
    </>
  )
}
