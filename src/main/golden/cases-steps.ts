/** Parameters, momentum copy and queues after optimizer steps; the step after resuming from a checkpoint. */
import { openPth, type PthFile } from '../checkpoints/pth.ts'
import { PyTuple } from '../checkpoints/pickle.ts'
import { TorchTensor } from '../checkpoints/torch-objects.ts'
import { toFloat32, type TensorFile } from '../checkpoints/tensor-file.ts'
import { exportTensors } from '../model/load-params.ts'
import { disposeParams, variableOf } from '../model/params.ts'
import { stepGradients } from '../model/step.ts'
import { tf } from '../model/tf.ts'
import type { ModelParams } from '../model/types.ts'
import {
  applyAdamW, createAdamW, disposeAdamW, isDecayed, REFERENCE_ADAMW, restoreMoments,
  type AdamWSettings, type AdamWState, type Moment,
} from '../train/optimizer.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { keyBiasParts } from './cases-gradients.ts'
import { namedLosses } from './cases-forward.ts'
import { floatsOf, tensorOf, type GoldenFolder } from './folder.ts'
import type { GoldenCase, GoldenSetup } from './setup.ts'

/** The recorded steps' constant rate where the folder does not say it. */
const USUAL_RATE = 1e-3

const GROUPS = 'optimizer_groups.json'

interface StepsJson {
  readonly losses: { readonly f32: readonly Readonly<Record<string, number>>[] }
}

interface GroupsJson {
  readonly no_decay: readonly string[]
  readonly decay: readonly string[]
  readonly group_options?: readonly { readonly weight_decay: number; readonly lr: number; readonly betas: readonly [number, number]; readonly eps: number }[]
}

/** The constant rate and AdamW's settings of the recorded steps. */
function optimizerOf(folder: GoldenFolder): { rate: number; settings: AdamWSettings } {
  const groups = folder.has(GROUPS) ? (folder.json<GroupsJson>(GROUPS).group_options ?? []) : []
  const decayed = groups.find((group) => group.weight_decay > 0)
  if (!decayed) return { rate: USUAL_RATE, settings: REFERENCE_ADAMW }
  const { lr: rate, weight_decay: weightDecay, betas, eps: epsilon } = decayed
  return { rate, settings: { weightDecay, beta1: betas[0], beta2: betas[1], epsilon } }
}

export function stepCases(setup: GoldenSetup): GoldenCase[] {
  const { folder } = setup
  const cases: GoldenCase[] = []
  if (folder.has('steps.json')) cases.push({ name: 'steps', run: () => unbroken(setup) })
  if (folder.has('queues_after_forward.safetensors')) cases.push({ name: 'queues after one forward pass', run: () => queuesCase(setup) })
  if (folder.has(GROUPS)) cases.push({ name: 'optimizer groups', run: () => groupsCase(setup) })
  for (const file of folder.files) {
    const done = Number(/^ckpt_step(\d+)\.pth$/.exec(file)?.[1] ?? NaN)
    if (done >= 0 && folder.has('steps.json')) cases.push({ name: `resume after step ${done}`, run: () => resumed(setup, file, done) })
  }
  return cases
}

/** From the first checkpoint through every recorded step. */
async function unbroken(setup: GoldenSetup): Promise<Check[]> {
  const { folder } = setup
  const losses = folder.json<StepsJson>('steps.json').losses.f32
  const params = await setup.load()
  const optimizer = createAdamW(optimizerOf(folder).settings)
  const checks: Check[] = []
  try {
    for (let step = 1; step <= losses.length; step++) {
      checks.push(...takeStep(setup, params, optimizer, step, losses[step - 1]!))
      const file = `step${step}.safetensors`
      if (folder.has(file)) checks.push(...compareState(params, folder.tensors(file), { step: step, rate: optimizerOf(folder).rate, prefix: `after step ${step}: ` }))
    }
    return checks
  } finally {
    disposeParams(params)
    disposeAdamW(optimizer)
  }
}

async function queuesCase(setup: GoldenSetup): Promise<Check[]> {
  const { folder } = setup
  const params = await setup.load()
  try {
    const { gradients } = stepGradients(params, setup.batch, setup.options, { choices: setup.choices })
    tf.dispose([...gradients.values()])
    return compareState(params, folder.tensors('queues_after_forward.safetensors'), { step: 1, rate: optimizerOf(folder).rate, prefix: '' })
  } finally {
    disposeParams(params)
  }
}

/** One step on the recorded batch, with its losses compared. */
function takeStep(setup: GoldenSetup, params: ModelParams, optimizer: AdamWState, step: number, want: Readonly<Record<string, number>>): Check[] {
  const result = stepGradients(params, setup.batch, setup.options, { choices: setup.choices })
  applyAdamW(optimizer, params, result.gradients, { learningRate: optimizerOf(setup.folder).rate, clipNorm: null })
  const named = namedLosses(result, setup.options)
  const tolerance = step <= 3 ? TOLERANCES.stepLosses : TOLERANCES.lateStepLosses
  const checks = Object.entries(named).flatMap(([name, got]) =>
    name in want ? [compareNumbers(`step ${step}: ${name}`, [got ?? NaN], [want[name]!], tolerance)] : [],
  )
  if ('temp_after' in want) {
    checks.push(compareNumbers(`step ${step}: temperature`, variableOf(params, 'temp').dataSync(), [want['temp_after']], TOLERANCES.stepLosses))
  }
  for (const [key, pointer] of [['queue_ptr_img', params.queues?.imagePointer], ['queue_ptr_txt', params.queues?.textPointer]] as const) {
    if (key in want) checks.push(compareExactly(`step ${step}: ${key}`, pointer, want[key]))
  }
  return checks
}

/** Every recorded tensor against the model's; the share of entries further off is counted over all parameters together. */
function compareState(params: ModelParams, recorded: TensorFile, { step, rate, prefix }: { step: number; rate: number; prefix: string }): Check[] {
  const state = exportTensors(params)
  const { absolute, share } = TOLERANCES.parameters
  let [outside, entries] = [0, 0]
  const checks = [...recorded.tensors.keys()].flatMap((name): Check[] => {
    const got = state.get(name)
    if (!got) return [failed(`${prefix}${name}`, 'the model has no such tensor')]
    if (got.data instanceof BigInt64Array) {
      return [compareExactly(`${prefix}${name}`, Array.from(got.data, Number), Array.from(tensorOf(recorded, name).data as BigInt64Array, Number))]
    }
    const want = floatsOf(recorded, name)
    if (name.endsWith('_queue')) return [compareNumbers(`${prefix}${name}`, got.data, want, TOLERANCES.queues)]
    // The noise of a key bias's gradient moves it by up to the rate each step, in either direction: right or wrong, no more is known.
    const drift = { absolute: 2 * rate * step, text: 'key biases 2 rates a step' }
    return keyBiasParts(name, got.data, want).map((part) => {
      if (part.keyBias) return { ...compareNumbers(`${prefix}${part.what}`, part.got, part.want, drift), absError: 0, relError: 0 }
      entries += part.want.length
      outside += part.want.reduce((sum, value, i) => sum + (Math.abs(value - part.got[i]!) <= share.most ? 0 : 1), 0)
      return compareNumbers(`${prefix}${part.what}`, part.got, part.want, { absolute })
    })
  })
  const what = `${prefix}entries within ${share.most}`
  return [...checks, outside <= share.outside * entries ? passed(what) : failed(what, `${outside} of ${entries} are further off`)]
}

function groupsCase({ folder, load }: GoldenSetup): Promise<Check[]> {
  const groups = folder.json<GroupsJson>(GROUPS)
  return load().then((params) => {
    const names = (decayed: boolean): string[] => params.trainable.filter((name) => isDecayed(name, variableOf(params, name).rank) === decayed).sort()
    const checks = [
      compareExactly('without decay', names(false), [...groups.no_decay].sort()),
      compareExactly('with decay', names(true), [...groups.decay].sort()),
    ]
    disposeParams(params)
    return checks
  })
}

/** Loads a checkpoint with its optimizer and takes the next recorded step. */
async function resumed(setup: GoldenSetup, file: string, done: number): Promise<Check[]> {
  const { folder } = setup
  const want = folder.json<StepsJson>('steps.json').losses.f32[done]
  if (!want) return [failed(file, `no losses of step ${done + 1} are recorded`)]
  const params = await setup.load(file)
  const optimizer = createAdamW(optimizerOf(folder).settings)
  const pth = await openPth(folder.path(file))
  try {
    restoreMoments(optimizer, torchMoments(pth, folder.json<GroupsJson>(GROUPS)))
    const checks = takeStep(setup, params, optimizer, done + 1, want)
    const probe = `step${done + 1}_probe.safetensors`
    if (folder.has(probe)) checks.push(...compareState(params, folder.tensors(probe), { step: done + 1, rate: optimizerOf(folder).rate, prefix: `after step ${done + 1}: ` }))
    return checks
  } finally {
    pth.close()
    disposeParams(params)
    disposeAdamW(optimizer)
  }
}

/** PyTorch's AdamW state, which names parameters by their place in the groups. */
function torchMoments(file: PthFile, groups: GroupsJson): Map<string, Moment> {
  const optimizer = (file.root as Map<string, unknown>).get('optimizer') as Map<string, unknown>
  const state = optimizer.get('state') as Map<number, Map<string, unknown>>
  const ids = (optimizer.get('param_groups') as unknown[]).flatMap((group) => listOf((group as Map<string, unknown>).get('params')) as number[])
  const moments = new Map<string, Moment>()
  ;[...groups.no_decay, ...groups.decay].forEach((name, place) => {
    const entry = state.get(ids[place]!)
    if (!entry) return
    const read = (key: string): { shape: readonly number[]; data: Float32Array } => {
      const tensor = file.entryOf(entry.get(key) as TorchTensor, `${name}.${key}`).read()
      return { shape: tensor.shape, data: toFloat32(tensor) }
    }
    const step = entry.get('step')
    const first = read('exp_avg')
    moments.set(name, {
      shape: first.shape,
      first: first.data,
      second: read('exp_avg_sq').data,
      // Newer versions of PyTorch keep the count as a tensor.
      step: step instanceof TorchTensor ? read('step').data[0]! : Number(step),
    })
  })
  return moments
}

const listOf = (value: unknown): readonly unknown[] => (value instanceof PyTuple ? value.items : (value as unknown[]))
