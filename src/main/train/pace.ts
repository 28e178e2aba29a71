/** How fast a run goes: time left and share of waiting, from the last steps, so that a change of stage shows soon. */
import type { TrainProgress } from './run-events.ts'

export interface Pace {
  /** After every step: how long it waited for its batch and how many images it saw. Returns the share of the step that was waiting. */
  tick(waitedMs: number, images: number): number
  elapsedSeconds(): number
  progress(step: number, lastSavedStep: number | null, epoch: number): TrainProgress
}

const WINDOW = 20

/** @param elapsedBefore seconds of earlier parts of the run */
export function createPace(totalSteps: number, elapsedBefore: number, now: () => number = () => performance.now()): Pace {
  const began = now()
  let last = began
  const recent: { ms: number; waitedMs: number; images: number }[] = []
  const elapsedSeconds = (): number => elapsedBefore + (now() - began) / 1000
  return {
    tick(waitedMs, images) {
      const at = now()
      recent.push({ ms: at - last, waitedMs, images })
      if (recent.length > WINDOW) recent.shift()
      const wait = at > last ? Math.min(1, waitedMs / (at - last)) : 0
      last = at
      return Math.round(wait * 1e4) / 1e4
    },
    elapsedSeconds,
    progress(step, lastSavedStep, epoch) {
      const sum = (of: (entry: (typeof recent)[number]) => number): number => recent.reduce((total, entry) => total + of(entry), 0)
      const ms = sum((entry) => entry.ms)
      const known = recent.length > 0 && ms > 0
      return {
        step, totalSteps, epoch, lastSavedStep,
        elapsedSeconds: elapsedSeconds(),
        secondsLeft: known ? ((totalSteps - step) * ms) / recent.length / 1000 : null,
        samplesPerSecond: known ? (sum((entry) => entry.images) * 1000) / ms : null,
        dataWaitShare: known ? Math.min(1, sum((entry) => entry.waitedMs) / ms) : null,
      }
    },
  }
}
