import { useMutation } from '@tanstack/react-query'
import { Timer, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { duration, fixed, percent } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useJobs } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { rich } from '../../ui/rich.tsx'
import styles from './train.module.css'

type Input = Parameters<typeof api.runs.trial>[0]
interface Measured {
  readonly stepSeconds: readonly number[]
  readonly validationSeconds: number
  readonly totalSeconds: number
}

/** The time a run will take, measured on three of its steps. What is shown belongs to the settings it was measured with. */
export function Measure({ input, ready, onMeasured }: { input: Input; ready: boolean; onMeasured: (totalSeconds: number | null) => void }) {
  const jobs = useJobs()
  const asked = JSON.stringify({ ...input, name: undefined })
  const [started, setStarted] = useState<{ readonly jobId: string; readonly asked: string } | null>(null)
  const start = useMutation({ mutationFn: () => api.runs.trial(input), onSuccess: (job) => setStarted({ jobId: job.id, asked }) })
  const cancel = useMutation({ mutationFn: (id: string) => api.jobs.cancel({ id }) })
  const job = started ? jobs.data?.find((one) => one.id === started.jobId) : undefined
  const underWay = job?.state === 'waiting' || job?.state === 'running'
  const measured = job?.state === 'done' && started?.asked === asked ? (job.result as Measured) : null
  const mean = measured ? measured.stepSeconds.reduce((sum, time) => sum + time, 0) / measured.stepSeconds.length : 0
  const totalSeconds = measured?.totalSeconds ?? null
  useEffect(() => onMeasured(totalSeconds), [totalSeconds])
  return (
    <div className={styles.measure}>
      {underWay
        ? <><span className="t12 c2" role="status">{job.total > 0 ? t('Measuring: {share} done', { share: percent(job.done / job.total) }) : t('Measuring')}</span><Button size="s" icon={X} onClick={() => cancel.mutate(job.id)}>{t('Cancel')}</Button></>
        : <Button size="s" icon={Timer} disabled={!ready} busy={start.isPending} onClick={() => start.mutate()}>{measured ? t('Measure again') : t('Measure three steps')}</Button>}
      {measured ? <p className="t12" data-testid="measured">{rich('<b>{total}</b> <s>by three steps measured here: {step} s a step, {validation} s a validation</s>', {
        total: duration(measured.totalSeconds), step: fixed(mean, mean < 1 ? 2 : 1), validation: fixed(measured.validationSeconds, 1),
        b: (inside) => <b className="med">{inside}</b>, s: (inside) => <span className="c3">{inside}</span>,
      })}</p> : null}
      {start.error ? <ErrorNote error={start.error} compact /> : job?.state === 'failed' && job.error ? <ErrorNote error={fromErrorData(job.error as ErrorData)} compact /> : null}
    </div>
  )
}
