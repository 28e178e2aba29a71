import { useMutation } from '@tanstack/react-query'
import { ArrowDown, ArrowUp, CircleAlert, CircleCheck, CircleDashed, CirclePause, CircleStop, LoaderCircle, type LucideIcon } from 'lucide-react'
import type { KeyboardEvent } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { percent } from '../../app/format.ts'
import { setParams } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { sentence } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Section } from '../../ui/Pane.tsx'
import { toast } from '../../ui/toast.tsx'
import { inQueue, isActive, ownName, type RunState, stateWord } from './states.ts'
import styles from './train.module.css'

const ICONS: Readonly<Record<RunState, LucideIcon>> = {
  waiting: CircleDashed, starting: LoaderCircle, training: LoaderCircle, pausing: LoaderCircle, paused: CirclePause, stopping: LoaderCircle, stopped: CircleStop, finished: CircleCheck, failed: CircleAlert,
}

/** What trains and what waits, in the order of their turns; below it what has ended, newest first. */
export function RunQueue({ runs, shownId }: { runs: readonly Run[]; shownId: string | null }) {
  const move = useMutation({
    mutationFn: ({ run, index }: { run: Run; index: number }) => api.runs.move({ id: run.id, index }),
    onError: (error) => toast({ tone: 'negative', title: t('The queue was not changed'), detail: sentence(error) }),
  })
  if (runs.length === 0) return null
  const active = runs.filter((run) => isActive(run.state))
  const queue = inQueue(runs)
  const ended = runs.filter((run) => !isActive(run.state) && !queue.includes(run)).sort((a, b) => b.number - a.number)
  const row = (run: Run) => <Row key={run.id} run={run} shown={run.id === shownId} />
  return (
    <>
      {active.length + queue.length > 0 ? (
        <Section title={t('Queue')} aside={queue.length > 0 ? t('{n} in line', { n: queue.length }) : undefined}>
          <ol className={styles.queue} aria-label={t('Queue')}>
            {active.map((run) => <li key={run.id} className={cx(styles.queueLine, run.id === shownId && styles.shown)}>{row(run)}</li>)}
            {queue.map((run, i) => {
              const to = (index: number) => { if (index >= 0 && index < queue.length) move.mutate({ run, index }) }
              const onKeyDown = (event: KeyboardEvent) => {
                if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return
                event.preventDefault()
                to(i + (event.key === 'ArrowUp' ? -1 : 1))
              }
              return (
                <li key={run.id} className={cx(styles.queueLine, run.id === shownId && styles.shown)} onKeyDown={onKeyDown}>
                  {row(run)}
                  <IconButton size="s" icon={ArrowUp} label={t('Move run {number} up', { number: run.number })} hint={t('Move up (Alt+Up on the row)')} disabled={i === 0} onClick={() => to(i - 1)} />
                  <IconButton size="s" icon={ArrowDown} label={t('Move run {number} down', { number: run.number })} hint={t('Move down (Alt+Down on the row)')} disabled={i === queue.length - 1} onClick={() => to(i + 1)} />
                </li>
              )
            })}
          </ol>
        </Section>
      ) : null}
      {ended.length > 0 ? (
        <Section title={t('Earlier runs')} aside={String(ended.length)}>
          <ul className={styles.queue} aria-label={t('Earlier runs')}>{ended.map((run) => <li key={run.id} className={cx(styles.queueLine, run.id === shownId && styles.shown)}>{row(run)}</li>)}</ul>
        </Section>
      ) : null}
    </>
  )
}

function Row({ run, shown }: { run: Run; shown: boolean }) {
  return (
    <button type="button" className={styles.queueRow} aria-current={shown ? 'true' : undefined} onClick={() => setParams({ run: run.id })} data-testid="run-row">
      <span className={run.state === 'failed' ? 'neg' : 'c2'}><Icon of={ICONS[run.state]} /></span>
      <span className="trunc"><span className="med">{t('Run {number}', { number: run.number })}</span>{ownName(run) ? ` · ${ownName(run)}` : ''}{run.tags.length > 0 ? <span className="c3"> · {run.tags.join(', ')}</span> : null}</span>
      <span className="c3">{run.state === 'training' && run.totalSteps > 0 ? percent(run.step / run.totalSteps) : stateWord(run).toLowerCase()}</span>
    </button>
  )
}
