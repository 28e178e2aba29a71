/**
 * Learning rates. Two schedules: by steps (ours: linear warm-up, then one half cosine over the run) and the published
 * training code's, which drives timm's cosine scheduler by epochs and warms up every hundred iterations of epoch 0 only.
 */
import type { RunConfig } from '../../shared/config/run-config.ts'

export interface ReferenceSchedule {
  readonly baseRate: number
  readonly minRate: number
  readonly warmupRate: number
  /** Length of the warm-up in scheduler units: hundreds of iterations. */
  readonly warmupUnits: number
  /** Epochs of the one half cosine. */
  readonly periodEpochs: number
}

const WARMUP_STRIDE = 100

/** timm's CosineLRScheduler at time t with a warm-up prefix and one cycle: the raw value of `scheduler.step(t)`. */
export function cosineRateAt(schedule: ReferenceSchedule, t: number): number {
  const { baseRate, minRate, warmupRate, warmupUnits, periodEpochs } = schedule
  if (t < warmupUnits) return warmupRate + t * ((baseRate - warmupRate) / warmupUnits)
  const elapsed = t - warmupUnits
  if (elapsed >= periodEpochs) return minRate
  return minRate + 0.5 * (baseRate - minRate) * (1 + Math.cos((Math.PI * elapsed) / periodEpochs))
}

/**
 * The rate used at one iteration of one epoch (both from 0), as the published loop computes it: in epoch 0 the scheduler
 * advances AFTER the iterations 0, 100, 200 ... up to the end of the warm-up, so the first 101 iterations use the first
 * rate; later epochs are one value each, even when the warm-up was cut short by a small epoch 0.
 */
export function referenceRate(schedule: ReferenceSchedule, epoch: number, iteration: number): number {
  if (epoch > 0) return cosineRateAt(schedule, epoch + schedule.warmupUnits)
  if (iteration === 0) return schedule.warmupUnits > 0 ? schedule.warmupRate : schedule.baseRate
  return cosineRateAt(schedule, Math.min(Math.floor((iteration - 1) / WARMUP_STRIDE), schedule.warmupUnits))
}

/** Linear warm-up, then a half cosine down to finalShare of the base rate at the last step. Steps count from 1. */
export function stepRate(baseRate: number, warmupSteps: number, finalShare: number, step: number, totalSteps: number): number {
  if (step <= warmupSteps) return (baseRate * step) / warmupSteps
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
  return baseRate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)))
}

/** The learning rate of a run's step (from 1). */
export function learningRate(config: RunConfig, step: number, totalSteps: number, stepsPerEpoch: number): number {
  const { optimizer, schedule } = config
  if (schedule.kind === 'steps') return stepRate(optimizer.learningRate, schedule.warmupSteps, schedule.finalShare, step, totalSteps)
  const epoch = Math.floor((step - 1) / stepsPerEpoch)
  return referenceRate(
    {
      baseRate: optimizer.learningRate,
      minRate: schedule.minLearningRate,
      warmupRate: schedule.warmupLearningRate,
      warmupUnits: schedule.warmupHundreds,
      periodEpochs: schedule.periodEpochs,
    },
    epoch,
    (step - 1) % stepsPerEpoch,
  )
}

/** Share of the momentum model's soft targets at a step (from 1): up in a line over epoch 0, as published, then constant. */
export function distillationShare(config: RunConfig, step: number, stepsPerEpoch: number): number {
  return config.loss.distillation * Math.min(1, (step - 1) / stepsPerEpoch)
}
