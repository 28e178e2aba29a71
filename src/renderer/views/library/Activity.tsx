import { Activity as Pulse, CircleAlert, CircleSlash, Archive, Import, Images, Microscope, Scale, type LucideIcon } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import type { Job, Run } from '../../../shared/domain.ts'
import { count, when } from '../../app/format.ts'
import { formatHash } from '../../app/routes.ts'
import { useCheckpoints, useDatasets, useJobs, useRuns } from '../../state/queries.ts'
import { comparisonLink, comparisonOf } from '../../state/run-comparison.ts'
import { Icon } from '../../ui/Icon.tsx'
import styles from './library.module.css'

interface Happening {
  readonly key: string
  readonly at: string
  readonly icon: LucideIcon
  readonly tone: '' | 'warn' | 'neg'
  readonly text: string
  readonly link: { readonly href: string; readonly label: string } | null
}

const ENDED: ReadonlySet<Job['state']> = new Set(['done', 'failed', 'cancelled'])
const JOB_ICONS: Readonly<Record<Job['kind'], LucideIcon>> = { import: Import, score: Scale, trust: Microscope, train: Pulse, trial: Pulse, demo: Images, export: Import, archive: Archive }

function happeningOfJob(job: Job): Happening {
  const title = job.title
  const text = job.state === 'failed' ? t('{work} failed: {reason}', { work: title, reason: job.error?.message ?? job.message }) : job.state === 'cancelled' ? t('{work} was cancelled; nothing of it was kept', { work: title }) : job.message ? t('{work}: {outcome}', { work: title, outcome: job.message }) : t('{work} done', { work: title })
  return {
    key: job.id, at: job.updatedAt, text, icon: job.state === 'failed' ? CircleAlert : job.state === 'cancelled' ? CircleSlash : JOB_ICONS[job.kind],
    tone: job.state === 'failed' ? 'neg' : '', link: (job.kind === 'score' || job.kind === 'trust') && job.state === 'done' ? { href: formatHash('compare'), label: t('Compare') } : null,
  }
}

/** A run happens when its work last ended; one that waits, when it was added. */
function happeningOfRun(run: Run, jobs: readonly Job[]): Happening {
  const ended = jobs.filter((job) => job.about?.runId === run.id && ENDED.has(job.state)).map((job) => job.updatedAt).sort().at(-1)
  const { number, name } = run
  const where = { number, step: count(run.step), total: count(run.totalSteps) }
  const text = run.state === 'failed' ? t('Run {number} failed at step {step} of {total}: {reason}', { ...where, reason: run.error?.message ?? '' })
    : run.state === 'stopped' ? t('Run {number} stopped at step {step} of {total}; it can be resumed', where)
      : run.state === 'paused' ? t('Run {number} paused at step {step} of {total}; it can be resumed', where)
        : run.state === 'finished' ? t('Run {number} finished: {name}', { number, name }) : t('Run {number} added: {name}', { number, name })
  return { key: run.id, at: ended ?? run.createdAt, text, icon: run.state === 'failed' ? CircleAlert : Pulse, tone: run.state === 'failed' ? 'neg' : '', link: { href: formatHash('train', { run: run.id }), label: t('Train') } }
}

/** The last things that happened to the project, newest first. */
export function Activity() {
  const jobs = useJobs()
  const runs = useRuns()
  const checkpoints = useCheckpoints()
  const datasets = useDatasets()
  /** A run that began from a checkpoint leads to what it changed. */
  const withComparison = (happening: Happening, run: Run): Happening => {
    const comparison = run.state === 'finished' ? comparisonOf(run, checkpoints.data ?? [], datasets.data ?? []) : null
    return comparison ? { ...happening, link: { href: comparisonLink(comparison), label: t('Compare') } } : happening
  }
  const list = [...(jobs.data ?? []).filter((job) => ENDED.has(job.state) && job.kind !== 'train' && job.kind !== 'trial').map(happeningOfJob), ...(runs.data ?? []).map((run) => withComparison(happeningOfRun(run, jobs.data ?? []), run))]
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, 5)
  if (list.length === 0) return null
  return (
    <section className={styles.activity} aria-label={t('Activity')}>
      <h3 className="t12 strong">{t('Activity')}</h3>
      <ul>
        {list.map((entry) => (
          <li key={entry.key} className={styles.happening}>
            <span className={entry.tone || 'c2'}><Icon of={entry.icon} /></span>
            <span className="trunc" title={entry.text}>{entry.text}</span>
            {entry.link ? <a className={styles.go} href={entry.link.href}>{entry.link.label}</a> : <span />}
            <span className="c3">{when(entry.at)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
