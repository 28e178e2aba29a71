import { useMutation } from '@tanstack/react-query'
import { Timer, X } from 'lucide-react'
import { useState } from 'react'
import { duration, fixed } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useJobs } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import styles from './train.module.css'

type Input = Parameters<typeof api.runs.trial>[0]
interface Measured {
  readonly stepSeconds: readonly number[]
  readonly validationSeconds: number
  readonly totalSeconds: number
}

/** The time a run will take, measured on three of its steps. What is shown belongs to the settings it was measured with. */
export function Measure({ input, ready }: { input: Input; ready: boolean }) {
  const jobs = useJobs()
  const asked = JSON.stringify({ ...input, name: undefined })
  const [started, setStarted] = useState<{ readonly jobId: string; readonly asked: string } | null>(null)
  const start = useMutation({ mutationFn: () => api.runs.trial(input), onSuccess: (job) => setStarted({ jobId: job.id, asked }) })
  const cancel = useMutation({ mutationFn: (id: string) => api.jobs.cancel({ id }) })
  const job = started ? jobs.data?.find((one) => one.id === started.jobId) : undefined
  const underWay = job?.state === 'waiting' || job?.state === 'running'
  const measured = job?.state === 'done' && started?.asked === asked ? (job.result as Measured) : null
  const mean = measured ? measured.stepSeconds.reduce((sum, time) => sum + time, 0) / measured.stepSeconds.length : 0
  return (
    <div className={styles.measure}>
      {underWay
        ? <><span className="t12 c2" role="status">Measuring: {job.done} of {job.total} steps</span><Button size="s" icon={X} onClick={() => cancel.mutate(job.id)}>Cancel</Button></>
        : <Button size="s" icon={Timer} disabled={!ready} busy={start.isPending} onClick={() => start.mutate()}>{measured ? 'Measure again' : 'Measure three steps'}</Button>}
      {measured ? <p className="t12" data-testid="measured"><b className="med">{duration(measured.totalSeconds)}</b> <span className="c3">by three steps measured here: {fixed(mean, mean < 1 ? 2 : 1)} s a step, {fixed(measured.validationSeconds, 1)} s a validation</span></p> : null}
      {start.error ? <ErrorNote error={start.error} compact /> : job?.state === 'failed' && job.error ? <ErrorNote error={new Error(job.error.message)} title={job.error.message} compact><span className="t12 c2">{job.error.cure}</span></ErrorNote> : null}
    </div>
  )
}
