import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, duration } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import type { TrustState } from './use-trust.ts'
import styles from './compare.module.css'

/** Tests under way, each with its end; and why the last one came to none. What was measured before stays. */
export function TrustProgress({ trust: { running, failed, startError } }: { trust: TrustState }) {
  return (
    <>
      {running.map((job) => (
        <div key={job.id} className={styles.testing}>
          <p className="t12 c2">{job.title}</p>
          <span className="t12 c3 num">{job.total > 0 ? t('{n} of {total}', { n: count(job.done), total: count(job.total) }) : t('waiting')}{job.secondsLeft === null ? '' : ` · ${t('{time} left', { time: duration(job.secondsLeft) })}`}</span>
          <Button size="s" onClick={() => void api.jobs.cancel({ id: job.id })}>{t('Cancel')}</Button>
          <Progress label={job.title} value={job.total > 0 ? job.done / job.total : null} />
        </div>
      ))}
      {failed?.error ? <ErrorNote error={fromErrorData(failed.error as ErrorData)} title={t('The test failed')} /> : null}
      {startError ? <ErrorNote error={startError} title={t('The test did not start')} /> : null}
    </>
  )
}
