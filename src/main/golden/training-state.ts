/** What a checkpoint of a training run holds beside the model: settings, optimizer groups, the scheduler's state, the epoch. */
import type { PthFile } from '../checkpoints/pth.ts'
import { modelTensors, paramsFromTensors } from '../model/load-params.ts'
import { disposeParams } from '../model/params.ts'
import { compareExactly, compareNumbers, failed, passed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import { GROUP_OPTIONS, type GroupOptions, type GroupsJson } from './optimizer-groups.ts'
import { plain } from './plain.ts'
import { schedulerChecks, type SchedulerJson } from './scheduler-state.ts'
import { modelConfigOf } from './setup.ts'

const KNOWN = ['model', 'optimizer', 'lr_scheduler', 'config', 'epoch']

interface SavedState {
  readonly optimizer?: { readonly param_groups: readonly (GroupOptions & { readonly params: readonly number[] })[]; readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
  readonly lr_scheduler?: Readonly<Record<string, unknown>>
  readonly config?: Readonly<Record<string, unknown>>
  readonly epoch?: number
}

export async function trainingStateChecks(folder: GoldenFolder, name: string, file: PthFile): Promise<Check[]> {
  const state = Object.fromEntries([...(file.root as ReadonlyMap<string, unknown>)].filter(([key]) => key !== 'model').map(([key, value]) => [key, plain(value)])) as SavedState
  const checks = Object.keys(state).filter((key) => !KNOWN.includes(key)).map((key) => failed(`${name}: ${key}`, 'nothing here knows it'))
  checks.push(...(await modelChecks(folder, name, file)))
  if (state.config) checks.push(compareExactly('config', sortedKeys(state.config), sortedKeys(folder.json<object>('config.json'))))
  if (state.optimizer) checks.push(...optimizerChecks(folder, state))
  if (state.lr_scheduler) {
    const { schedular: schedule } = folder.json<{ schedular?: SchedulerJson }>('config.json')
    const rates = state.optimizer?.param_groups.map((group) => group.initial_lr ?? group.lr) ?? []
    if (!schedule) checks.push(failed('lr_scheduler', 'config.json says nothing of a schedule'))
    else checks.push(...schedulerChecks('lr_scheduler', state.lr_scheduler, schedule, rates))
  }
  const epoch = /^checkpoint_(\d+)\.pth$/.exec(name)?.[1]
  if (state.epoch !== undefined) checks.push(epoch === undefined ? wholeNumber('epoch', state.epoch) : compareExactly('epoch', state.epoch, Number(epoch)))
  return checks
}

/** Every tensor finds its place in the model, and every parameter its tensor, momentum copy included. */
async function modelChecks(folder: GoldenFolder, name: string, file: PthFile): Promise<Check[]> {
  const config = await modelConfigOf(folder)
  const { params, report } = paramsFromTensors(config, file.tensors, { place: name })
  disposeParams(params)
  const named = [...modelTensors(file.tensors).keys()]
  const copies = named.filter((one) => /^\w+_m\./.test(one))
  const { unexpected, reshaped, unused } = report
  const redundant = unused.filter((one) => !/(\.position_ids|\.decoder\.(weight|bias)|^queue_ptr\w*|^idx_queue)$/.test(one))
  return [
    compareExactly('tensors that the model has no place for', [...unexpected, ...redundant], []),
    compareExactly('tensors of another size', reshaped.map((one) => one.name), []),
    copies.length > 0 || config.momentum === null ? passed('momentum copy') : failed('momentum copy', 'there is none'),
  ]
}

function optimizerChecks(folder: GoldenFolder, { optimizer, lr_scheduler: scheduler }: SavedState): Check[] {
  const { param_groups: groups, state } = optimizer!
  const ids = groups.flatMap(({ params }) => params)
  const checks = [compareExactly('places of the parameters', ids, ids.map((_, place) => place))]
  const list = 'optimizer_groups.json'
  const listed = folder.has(list) ? folder.json<GroupsJson>(list) : null
  groups.forEach((group, n) => {
    const what = `parameter group ${n}`
    const { params, lr: rate, initial_lr: initial, ...options } = group
    if (listed) {
      checks.push(compareExactly(`${what}: parameters`, params.length, [listed.no_decay, listed.decay][n]?.length))
      const { lr: _, initial_lr: __, ...want } = { ...listed.group_options?.[n] }
      if (listed.group_options) checks.push(compareExactly(`${what}: options`, sortedKeys(options), sortedKeys(want)))
    }
    const rates = [initial, scheduler?.['warmup_lr_init']].filter((one) => one !== undefined)
    if (rates.length > 0) checks.push(rates.includes(rate) ? passed(`${what}: rate`) : failed(`${what}: rate`, `${rate} is neither the first nor the warm-up's`))
    for (const key of Object.keys(options)) if (!GROUP_OPTIONS.includes(key)) checks.push(failed(`${what}: ${key}`, 'nothing here knows it'))
  })
  for (const [place, entry] of Object.entries(state)) {
    checks.push(ids.includes(Number(place)) ? passed(`state of parameter ${place}`) : failed(`state of parameter ${place}`, 'no group holds it'))
    for (const key of Object.keys(entry)) if (!['step', 'exp_avg', 'exp_avg_sq'].includes(key)) checks.push(failed(`state of parameter ${place}: ${key}`, 'nothing here knows it'))
  }
  return checks
}

function wholeNumber(what: string, value: number): Check {
  return Number.isInteger(value) && value >= 0 ? passed(what) : compareNumbers(what, [value], [Math.max(0, Math.round(value))], { absolute: 0 })
}

/** Dictionaries compare whatever the order of their keys. */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sortedKeys(one)]))
}
