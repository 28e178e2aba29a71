import { t } from '../../../shared/messages/messages.ts'
import type { Job } from '../../../shared/domain.ts'
import { duration, listed, progressText } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { Progress } from '../../ui/Progress.tsx'
import styles from './library.module.css'

/** The demo that is being made now, if there is one. */
export function runningDemo(jobs: readonly Job[] | undefined): Job | null {
  return jobs?.find((job) => job.kind === 'demo' && (job.state === 'running' || job.state === 'waiting')) ?? null
}

export function DemoProgress({ job }: { job: Job }) {
  const title = job.title
  return (
    <div className={styles.demo}>
      <div className="row">
        <span className="med trunc">{title}</span>
        <span className="push c2 t12 nowrap">{listed([...(job.total > 0 ? [progressText(job)] : []), ...(job.secondsLeft === null ? [] : [t('{time} left', { time: duration(job.secondsLeft) })])])}</span>
        <Button size="s" onClick={() => void api.jobs.cancel({ id: job.id })}>{t('Cancel')}</Button>
      </div>
      <Progress value={job.total > 0 ? job.done / job.total : null} label={title} />
      <p className="hint">{job.message || t('Drawn once from artwork that comes with the program. It takes less than a minute or two.')}</p>
    </div>
  )
}
