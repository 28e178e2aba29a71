import type { Job } from '../../../shared/domain.ts'
import { count, duration } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { Progress } from '../../ui/Progress.tsx'
import styles from './library.module.css'

/** The demo that is being made now, if there is one. */
export function runningDemo(jobs: readonly Job[] | undefined): Job | null {
  return jobs?.find((job) => job.kind === 'demo' && (job.state === 'running' || job.state === 'waiting')) ?? null
}

export function DemoProgress({ job }: { job: Job }) {
  return (
    <div className={styles.demo}>
      <div className="row">
        <span className="med trunc">{job.title}</span>
        <span className="push c2 t12 nowrap">{job.total > 0 ? `${count(job.done)} of ${count(job.total)}${job.unit ? ` ${job.unit}` : ''}` : ''}{job.secondsLeft === null ? '' : `, ${duration(job.secondsLeft)} left`}</span>
        <Button size="s" onClick={() => void api.jobs.cancel({ id: job.id })}>Cancel</Button>
      </div>
      <Progress value={job.total > 0 ? job.done / job.total : null} label={job.title} />
      <p className="hint">{job.message || 'Drawn once from artwork that comes with the program. It takes less than a minute or two.'}</p>
    </div>
  )
}
