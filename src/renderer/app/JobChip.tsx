import { Popover } from '@base-ui/react/popover'
import { t } from '../../shared/messages/messages.ts'
import type { Job, Run } from '../../shared/domain.ts'
import { api } from '../state/engine.ts'
import { sentence, useJobs, useRuns } from '../state/queries.ts'
import { Button } from '../ui/Button.tsx'
import { Progress, Ring } from '../ui/Progress.tsx'
import { toast } from '../ui/toast.tsx'
import { count, duration, percent, progressText } from './format.ts'
import { formatHash } from './routes.ts'
import styles from './app.module.css'

interface Work {
  readonly key: string
  readonly title: string
  readonly share: number | null
  readonly secondsLeft: number | null
  readonly detail: string
  readonly href: string | null
  readonly stop: (() => Promise<unknown>) | null
  readonly stopWord: string
  /** When it did not stop. */
  readonly failed: string
}

const RUNNING: ReadonlySet<Run['state']> = new Set(['starting', 'training', 'pausing', 'stopping'])

function workOfRun(run: Run): Work {
  return {
    key: `run-${run.id}`, title: t('Run {number}', { number: run.number }), share: run.totalSteps > 0 ? run.step / run.totalSteps : null, secondsLeft: run.secondsLeft,
    detail: run.state === 'stopping' ? t('stopping') : run.state === 'pausing' ? t('pausing') : t('step {step} of {total}', { step: count(run.step), total: count(run.totalSteps) }), href: formatHash('train', { run: run.id }),
    stop: run.state === 'training' ? () => api.runs.stop({ id: run.id }) : null, stopWord: t('Stop'), failed: t('Could not stop'),
  }
}

function workOfJob(job: Job): Work {
  return {
    key: `job-${job.id}`, title: job.title, share: job.total > 0 ? job.done / job.total : null, secondsLeft: job.secondsLeft,
    detail: job.state === 'waiting' ? t('waiting') : job.total > 0 ? progressText(job) : job.message, href: null,
    stop: () => api.jobs.cancel({ id: job.id }), stopWord: t('Cancel'), failed: t('Could not cancel'),
  }
}

/** What is being worked on: one chip in the title bar, all of it on click, each with a stop that works. */
export function JobChip() {
  const runs = useRuns()
  const jobs = useJobs()
  const work = [
    ...(runs.data ?? []).filter((run) => RUNNING.has(run.state)).map(workOfRun),
    ...(jobs.data ?? []).filter((job) => job.kind !== 'train' && (job.state === 'running' || job.state === 'waiting')).map(workOfJob),
  ]
  const first = work[0]
  if (!first) return null
  return (
    <Popover.Root>
      <Popover.Trigger className={styles.jobs} data-testid="job-chip">
        <Ring value={first.share} />
        <span className="visually-hidden">{t('Running:')} </span>
        <span className="trunc">{first.title}{first.share === null ? '' : ` · ${percent(first.share)}`}{work.length > 1 ? ` · ${t('{n} more', { n: work.length - 1 })}` : ''}</span>
        {first.secondsLeft !== null ? <span className={`${styles.left} ${styles.wide}`}>{t('{time} left', { time: duration(first.secondsLeft) })}</span> : null}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="end" className={styles.positioner}>
          <Popover.Popup className={styles.popover} aria-label={t('Running work')}>
            {work.map((entry) => <WorkRow key={entry.key} work={entry} />)}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function WorkRow({ work }: { work: Work }) {
  return (
    <div className={styles.job}>
      <div className="row">
        {work.href ? <a className="med trunc" href={work.href}>{work.title}</a> : <span className="med trunc">{work.title}</span>}
        <span className="push c2 nowrap">{work.secondsLeft === null ? '' : t('{time} left', { time: duration(work.secondsLeft) })}</span>
        {work.stop ? <Button size="s" onClick={() => void work.stop?.().catch((error: unknown) => toast({ tone: 'negative', title: work.failed, detail: sentence(error) }))}>{work.stopWord}</Button> : null}
      </div>
      <Progress value={work.share} label={work.title} />
      <span className="c3">{work.detail}</span>
    </div>
  )
}
