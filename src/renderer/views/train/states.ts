import type { Run } from '../../../shared/domain.ts'

export type RunState = Run['state']

export const isActive = (state: RunState): boolean => state === 'starting' || state === 'training' || state === 'pausing' || state === 'stopping'
export const isResumable = (run: Run): boolean => (run.state === 'paused' || run.state === 'stopped' || run.state === 'failed') && run.step < run.totalSteps

const WORDS: Readonly<Record<RunState, string>> = {
  waiting: 'Waiting', starting: 'Starting', training: 'Training', pausing: 'Pausing', paused: 'Paused', stopping: 'Stopping', stopped: 'Stopped', finished: 'Finished', failed: 'Failed',
}
export const stateWord = (state: RunState): string => WORDS[state]

/** The name a person gave, empty where it only repeats the number. */
export const ownName = (run: Run): string => (run.name === `Run ${run.number}` ? '' : run.name)
