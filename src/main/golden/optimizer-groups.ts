/** The parameter groups as recorded: which parameters decay, and AdamW's settings. */
import { isDecayed, REFERENCE_ADAMW, type AdamWSettings } from '../train/optimizer.ts'
import { disposeParams, variableOf } from '../model/params.ts'
import { compareExactly, failed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import type { GoldenSetup } from './setup.ts'

export const GROUPS = 'optimizer_groups.json'

/** The recorded steps' constant rate where the folder does not say it. */
const USUAL_RATE = 1e-3

export interface GroupOptions {
  readonly weight_decay: number
  readonly lr: number
  readonly betas: readonly [number, number]
  readonly eps: number
  readonly initial_lr?: number
  readonly [option: string]: unknown
}

export interface GroupsJson {
  readonly no_decay: readonly string[]
  readonly decay: readonly string[]
  readonly group_options?: readonly GroupOptions[]
  readonly torch?: string
}

/** Options whose other values would be another optimizer. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  amsgrad: [false], maximize: [false], capturable: [false], differentiable: [false], decoupled_weight_decay: [true],
  // Ways to compute the same.
  foreach: [null, false, true], fused: [null, false, true],
}

export const GROUP_OPTIONS: readonly string[] = ['weight_decay', 'lr', 'betas', 'eps', 'initial_lr', ...Object.keys(FIXED)]

/** The constant rate and AdamW's settings of the recorded steps. */
export function optimizerOf(folder: GoldenFolder): { rate: number; settings: AdamWSettings } {
  const groups = folder.has(GROUPS) ? (folder.json<GroupsJson>(GROUPS).group_options ?? []) : []
  const decayed = groups.find((group) => group.weight_decay > 0)
  if (!decayed) return { rate: USUAL_RATE, settings: REFERENCE_ADAMW }
  const { lr: rate, weight_decay: weightDecay, betas, eps: epsilon } = decayed
  return { rate, settings: { weightDecay, beta1: betas[0], beta2: betas[1], epsilon } }
}

export async function groupsCase({ folder, load }: GoldenSetup): Promise<Check[]> {
  const groups = folder.json<GroupsJson>(GROUPS)
  folder.leaveOut(GROUPS, 'torch', 'the version that recorded it')
  const params = await load()
  const names = (decayed: boolean): string[] => params.trainable.filter((name) => isDecayed(name, variableOf(params, name).rank) === decayed).sort()
  const checks = [
    compareExactly('without decay', names(false), [...groups.no_decay].sort()),
    compareExactly('with decay', names(true), [...groups.decay].sort()),
    ...(groups.group_options ?? []).flatMap((options, n) => optionChecks(folder, options, n)),
  ]
  disposeParams(params)
  return checks
}

/** Group 0 does not decay; all else is the same in both, and what the steps were computed with. */
function optionChecks(folder: GoldenFolder, options: GroupOptions, n: number): Check[] {
  const { rate, settings } = optimizerOf(folder)
  const what = `group ${n}`
  const known: Readonly<Record<string, unknown>> = {
    weight_decay: n === 0 ? 0 : settings.weightDecay, lr: rate, initial_lr: rate, betas: [settings.beta1, settings.beta2], eps: settings.epsilon,
  }
  return Object.keys(options).flatMap((key): Check[] => {
    if (key in known) return [compareExactly(`${what}: ${key}`, known[key], options[key])]
    const fixed = FIXED[key]
    if (!fixed) return [failed(`${what}: ${key}`, 'nothing here knows it')]
    return [fixed.includes(options[key]) ? compareExactly(`${what}: ${key}`, options[key], options[key]) : failed(`${what}: ${key}`, `${String(options[key])} would be another optimizer`)]
  })
}
