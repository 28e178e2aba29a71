/** The saved state of timm's cosine scheduler, as the published loop sets it up. */
import { compareExactly, compareNumbers, failed, type Check } from './compare.ts'

/** The `schedular` section of the published settings. */
export interface SchedulerJson {
  readonly sched: string
  readonly epochs: number
  readonly min_lr: number
  readonly decay_rate?: number
  readonly warmup_lr: number
  readonly warmup_epochs: number
  readonly cooldown_epochs?: number
  /** Never read: the base rate is the optimizer's. */
  readonly lr?: number
}

/** @param rates the base rate of each parameter group */
export function schedulerChecks(what: string, state: Readonly<Record<string, unknown>>, sched: SchedulerJson, rates: readonly number[]): Check[] {
  const { warmup_epochs: warmup, warmup_lr: start } = sched
  const numbers: Readonly<Record<string, readonly number[]>> = {
    base_values: rates,
    t_initial: [sched.epochs],
    t_mul: [1],
    lr_min: [sched.min_lr],
    decay_rate: [sched.decay_rate ?? 1],
    cycle_limit: [1],
    warmup_t: [warmup],
    warmup_lr_init: [start],
    warmup_steps: rates.map((rate) => (warmup > 0 ? (rate - start) / warmup : 1)),
  }
  const texts: Readonly<Record<string, unknown>> = {
    param_group_field: 'lr', _initial_param_group_field: 'initial_lr', metric: null, warmup_prefix: true, t_in_epochs: true,
    // No noise: the published settings have none, so these are timm's own.
    noise_range_t: null, noise_pct: 0.67, noise_type: 'normal', noise_std: 1, noise_seed: 42,
  }
  return Object.keys(state).flatMap((key): Check[] => {
    if (key in numbers) return [compareNumbers(`${what}: ${key}`, numbers[key]!, [state[key]].flat() as number[], { ofLargest: 1e-12 })]
    return key in texts ? [compareExactly(`${what}: ${key}`, texts[key], state[key])] : [failed(`${what}: ${key}`, 'nothing here knows it')]
  })
}

const KNOWN = ['sched', 'lr', 'epochs', 'min_lr', 'decay_rate', 'warmup_lr', 'warmup_epochs', 'cooldown_epochs']

/** Another kind of schedule, or more settings than the published ones, is not known here. */
export function scheduleChecks(what: string, sched: SchedulerJson): Check[] {
  const unknown = Object.keys(sched).filter((key) => !KNOWN.includes(key))
  return [compareExactly(`${what}: kind`, 'cosine', sched.sched), ...unknown.map((key) => failed(`${what}: ${key}`, 'nothing here knows this setting'))]
}

export const SCHEDULE_UNUSED: Readonly<Record<string, string>> = {
  lr: 'the published scheduler never reads it: the base rate is the optimizer\'s',
  cooldown_epochs: 'it lengthens the published loop, no rate depends on it',
}
