/** What a run tells while it goes on. Plain data: it crosses process borders and becomes lines of files. */
import type { MetricRow } from '../../shared/domain.ts'

export interface TrainProgress {
  /** Steps done. */
  readonly step: number
  readonly totalSteps: number
  readonly epoch: number
  readonly elapsedSeconds: number
  readonly secondsLeft: number | null
  readonly samplesPerSecond: number | null
  /** Share of the time spent waiting for images, in [0, 1]. */
  readonly dataWaitShare: number | null
  readonly lastSavedStep: number | null
}

export type RunEvent =
  | { readonly type: 'train.progress'; readonly progress: TrainProgress }
  | { readonly type: 'train.metrics'; readonly rows: readonly MetricRow[] }
  | {
      readonly type: 'train.checkpoint'
      readonly path: string
      readonly step: number
      readonly best: boolean
      readonly metrics: Readonly<Record<string, number>>
    }
  | { readonly type: 'train.log'; readonly at: string; readonly text: string }
  | { readonly type: 'train.probes'; readonly step: number }

export interface TrialEvent {
  readonly type: 'trial.step'
  readonly done: number
  readonly total: number
}

export interface TrialResult {
  /** Each measured step; first those of the part with ITC alone, where the run has one. */
  readonly stepSeconds: readonly number[]
  /** One validation, from a few of its images. */
  readonly validationSeconds: number
  readonly totalSeconds: number
}

export interface RunResult {
  readonly state: 'finished' | 'stopped'
  /** Steps done. */
  readonly step: number
}
