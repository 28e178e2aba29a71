import { useMutation } from '@tanstack/react-query'
import { CirclePause, CircleStop, Copy, Ellipsis, Play, RotateCcw, SlidersHorizontal, Trash2 } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useCommands } from '../../app/commands.ts'
import { count, duration, fixed, percent } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { rich } from '../../ui/rich.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { RemoveRun } from './RemoveRun.tsx'
import { isActive, isResumable, ownName, type RunState, stateWord } from './states.ts'
import styles from './train.module.css'

const TONES: Readonly<Record<RunState, 'neutral' | 'accent' | 'positive' | 'negative' | 'warning'>> = {
  waiting: 'neutral', starting: 'accent', training: 'accent', pausing: 'accent', paused: 'warning', stopping: 'accent', stopped: 'neutral', finished: 'positive', failed: 'negative',
}

const small = (inside: ReactNode) => <small>{inside}</small>

/** What a run is doing, and everything that can be done with it. */
export function RunHead({ run, onSetup, onDuplicate }: { run: Run; onSetup: () => void; onDuplicate: () => void }) {
  const [asking, setAsking] = useState<'stop' | 'remove' | null>(null)
  const close = () => setAsking(null)
  const stop = useMutation({ mutationFn: () => api.runs.stop({ id: run.id }), onSuccess: close })
  const pause = useMutation({ mutationFn: () => api.runs.pause({ id: run.id }) })
  const resume = useMutation({ mutationFn: () => api.runs.resume({ id: run.id }) })
  const underWay = run.state === 'training' || run.state === 'starting'
  const pausable = underWay || run.state === 'waiting'
  const stoppable = pausable || run.state === 'paused'
  // A run that has ended meanwhile cannot be stopped any more; the question must not come back when it is resumed.
  useEffect(() => setAsking((old) => (old === 'stop' && !stoppable ? null : old)), [stoppable])
  const queued = run.state === 'waiting' || run.state === 'paused'
  const removable = !isActive(run.state) && run.state !== 'waiting'
  const failed = run.state === 'failed'
  const resumeWord = failed ? t('Retry') : t('Resume')
  const number = run.number
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : 0
  useCommands([
    { id: 'run.pause', title: t('Pause run {number}', { number }), group: t('Train'), icon: CirclePause, enabled: pausable, run: () => pause.mutate() },
    { id: 'run.stop', title: t('Stop run {number}', { number }), group: t('Train'), icon: CircleStop, enabled: stoppable, run: () => setAsking('stop') },
    { id: 'run.resume', title: failed ? t('Retry run {number}', { number }) : t('Resume run {number}', { number }), group: t('Train'), icon: Play, enabled: isResumable(run), run: () => resume.mutate() },
    { id: 'run.duplicate', title: t('Duplicate run {number} with changes', { number }), group: t('Train'), icon: Copy, run: onDuplicate },
    { id: 'run.remove', title: t('Delete run {number}', { number }), group: t('Train'), icon: Trash2, enabled: removable, run: () => setAsking('remove') },
  ])
  const epochs = typeof run.config.epochs === 'number' && run.config.steps === 0 ? run.config.epochs : null
  return (
    <div className={styles.runHead}>
      <div className="row">
        <h2 className="t15 nowrap">{t('Run {number}', { number })}</h2>
        <span className="c2 trunc">{ownName(run)}</span>
        <Tag tone={TONES[run.state]}>{stateWord(run)}</Tag>
        <span className="grow" />
        <span className={styles.narrowOnly}><Button size="s" icon={SlidersHorizontal} onClick={onSetup}>{t('Next run')}</Button></span>
        {isResumable(run) ? <Button size="s" icon={run.state === 'failed' ? RotateCcw : Play} busy={resume.isPending} onClick={() => resume.mutate()}>{resumeWord}</Button> : null}
        {pausable ? <Button size="s" icon={CirclePause} busy={pause.isPending} onClick={() => pause.mutate()}>{run.state === 'waiting' ? t('Hold') : t('Pause')}</Button> : null}
        {stoppable ? <Button size="s" kind="danger" icon={CircleStop} onClick={() => setAsking('stop')}>{queued ? t('Take out of queue') : t('Stop')}</Button> : null}
        <Menu align="end" trigger={<Button size="s" kind="ghost" icon={Ellipsis} aria-label={t('More for run {number}', { number })} />} entries={[
          { label: t('Duplicate with changes'), icon: Copy, onSelect: onDuplicate },
          null,
          { label: t('Delete this run'), icon: Trash2, danger: true, disabled: !removable, onSelect: () => setAsking('remove') },
        ]} />
      </div>
      <Progress value={run.state === 'starting' ? null : run.state === 'finished' ? 1 : share} label={t('Progress of run {number}', { number })} tone={run.state === 'failed' ? 'negative' : run.state === 'stopped' || run.state === 'paused' ? 'neutral' : 'accent'} tall />
      <dl className={styles.facts}>
        <div><dt>{t('Step')}</dt><dd>{rich('{n} <small>of {total}</small>', { n: count(run.step), total: count(run.totalSteps), small })}</dd></div>
        <div><dt>{t('Epoch')}</dt><dd>{epochs === null ? fixed(run.epoch) : rich('{n}<small> of {total}</small>', { n: fixed(run.epoch), total: epochs, small })}</dd></div>
        <div><dt>{t('Elapsed')}</dt><dd>{duration(run.elapsedSeconds)}</dd></div>
        <div><dt>{t('Remaining')}</dt><dd>{isActive(run.state) ? duration(run.secondsLeft) : '–'}</dd></div>
        <div><dt>{t('Throughput')}</dt><dd>{run.samplesPerSecond === null ? '–' : rich('{n} <small>samples/s</small>', { n: fixed(run.samplesPerSecond, 1), small })}</dd></div>
        <div className={styles.wideOnly}><dt>{t('Waiting for data')}</dt><dd>{run.dataWaitShare === null ? '–' : rich('{n} <small>% of time</small>', { n: fixed(run.dataWaitShare * 100, 1), small })}</dd></div>
      </dl>
      {run.error ? <ErrorNote error={fromErrorData(run.error as ErrorData)} compact /> : null}
      {resume.error ? <ErrorNote error={resume.error} title={t('The run was not resumed')} compact /> : null}
      {pause.error ? <ErrorNote error={pause.error} title={t('The run was not paused')} compact /> : null}
      <Dialog open={asking === 'stop' && stoppable} onClose={close} title={queued ? t('Take run {number} out of the queue?', { number }) : t('Stop run {number}?', { number })}
        description={queued
          ? run.step === 0 ? t('It has not begun, so nothing is lost. It can be resumed later, at the end of the queue.') : t('The state at step {step} is kept. It can be resumed later, at the end of the queue.', { step: count(run.lastSavedStep ?? 0) })
          : t('It is at {share}. The state at step {step} is kept, so you can resume it later from here. To let others train first and keep its place in the queue, pause it instead.', { share: percent(share), step: count(run.step) })}
        actions={<><Button size="l" onClick={close}>{queued ? t('Keep it') : t('Keep training')}</Button><Button size="l" busy={stop.isPending} onClick={() => stop.mutate()}>{queued ? t('Take out') : t('Stop and keep state')}</Button></>}>
        {stop.error ? <ErrorNote error={stop.error} compact /> : null}
      </Dialog>
      <RemoveRun run={run} open={asking === 'remove'} onClose={close} />
    </div>
  )
}
