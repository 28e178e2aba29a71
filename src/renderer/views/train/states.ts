import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'

export type RunState = Run['state']

export const isActive = (state: RunState): boolean => state === 'starting' || state === 'training' || state === 'pausing' || state === 'stopping'
export const isResumable = (run: Run): boolean => (run.state === 'paused' || run.state === 'stopped' || run.state === 'failed') && run.step < run.totalSteps

const WORDS: Readonly<Record<RunState, string>> = {
  waiting: t('Waiting'), starting: t('Starting'), training: t('Training'), pausing: t('Pausing'), paused: t('Paused'), stopping: t('Stopping'), stopped: t('Stopped'), finished: t('Finished'), failed: t('Failed'),
}
export const stateWord = (run: Run): string => (run.state === 'finished' && run.step < run.totalSteps ? t('Finished early') : WORDS[run.state])

/** The name a person gave, empty where it only repeats the number. */
export const ownName = (run: Run): string => (run.name === `Run ${run.number}` ? '' : run.name)

/** Runs that wait or pause, in the order of their turns. */
export const inQueue = (runs: readonly Run[]): readonly Run[] =>
  runs.filter((run) => (run.state === 'waiting' || run.state === 'paused') && run.queuePlace !== null).sort((a, b) => a.queuePlace! - b.queuePlace!)
