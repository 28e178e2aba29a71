import { CircleAlert, CircleCheck, CircleDashed, CirclePause, LoaderCircle, type LucideIcon } from 'lucide-react'
import type { Run } from '../../../shared/domain.ts'
import { percent } from '../../app/format.ts'
import { setParams } from '../../app/routes.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Section } from '../../ui/Pane.tsx'
import { ownName, type RunState, stateWord } from './states.ts'
import styles from './train.module.css'

const ICONS: Readonly<Record<RunState, LucideIcon>> = {
  waiting: CircleDashed, starting: LoaderCircle, training: LoaderCircle, stopping: LoaderCircle, stopped: CirclePause, finished: CircleCheck, failed: CircleAlert,
}

/** All runs: those under way and waiting first, then the finished, newest first. */
export function RunQueue({ runs, shownId }: { runs: readonly Run[]; shownId: string | null }) {
  if (runs.length === 0) return null
  const rank = (run: Run) => (run.state === 'waiting' ? 1 : ['starting', 'training', 'stopping'].includes(run.state) ? 0 : 2)
  const sorted = [...runs].sort((a, b) => rank(a) - rank(b) || (rank(a) === 1 ? a.number - b.number : b.number - a.number))
  const waiting = runs.filter((run) => run.state === 'waiting').length
  return (
    <Section title="Queue" aside={waiting > 0 ? `${waiting} waiting` : `${runs.length === 1 ? '1 run' : `${runs.length} runs`}`}>
      <div className={styles.queue}>
        {sorted.map((run) => (
          <button key={run.id} type="button" className={cx(styles.queueRow, run.id === shownId && styles.shown)} aria-current={run.id === shownId ? 'true' : undefined} onClick={() => setParams({ run: run.id })} data-testid="run-row">
            <span className={run.state === 'failed' ? 'neg' : 'c2'}><Icon of={ICONS[run.state]} /></span>
            <span className="trunc"><span className="med">Run {run.number}</span>{ownName(run) ? ` · ${ownName(run)}` : ''}</span>
            <span className="c3">{run.state === 'training' && run.totalSteps > 0 ? percent(run.step / run.totalSteps) : stateWord(run.state).toLowerCase()}</span>
          </button>
        ))}
      </div>
    </Section>
  )
}
