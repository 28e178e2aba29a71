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
import { applyAdamW, createAdamW, disposeAdamW, restoreMoments, type AdamWState, type Moment } from '../train/optimizer.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check, type Tolerance } from './compare.ts'
import { keyBiasParts } from './cases-gradients.ts'
import { namedLosses } from './cases-forward.ts'
import { floatsOf, tensorOf } from './folder.ts'
import { GROUPS, groupsCase, optimizerOf, type GroupsJson } from './optimizer-groups.ts'
import type { GoldenCase, GoldenSetup } from './setup.ts'

type StepLosses = Readonly<Record<string, number>>

interface Spread {
  readonly max_abs_diff_f32_f64: number
  readonly n_diff_gt_1e5: number
  readonly numel: number
}

interface StepsJson {
  readonly losses: { readonly f32: readonly StepLosses[]; readonly f64?: readonly StepLosses[] }
  /** By step, 'step1'. */
  readonly f32_vs_f64?: Readonly<Record<string, Readonly<Record<string, Spread>>>>
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
  const json = folder.json<StepsJson>('steps.json')
  const losses = json.losses.f32
  const params = await setup.load()
  const optimizer = createAdamW(optimizerOf(folder).settings)
  const checks: Check[] = []
  try {
    for (let step = 1; step <= losses.length; step++) {
      checks.push(...takeStep(setup, params, optimizer, { step, want: losses[step - 1]!, exact: json.losses.f64?.[step - 1] }))
      for (const file of [`step${step}.safetensors`, `step${step}_probe.safetensors`].filter((name) => folder.has(name))) {
        checks.push(...compareState(params, folder.tensors(file), { step, rate: optimizerOf(folder).rate, prefix: `after step ${step}: ` }))
      }
      checks.push(...spreadChecks(params, json.f32_vs_f64?.[`step${step}`] ?? {}, `step ${step}`))
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

/** How far float32 may drift from float64 within a few steps. */
const FLOAT64 = { absolute: 3e-4 }

interface RecordedStep {
  readonly step: number
  readonly want: StepLosses
  /** The same in float64. */
  readonly exact?: StepLosses | undefined
}

/** One step on the recorded batch, with its losses compared. */
function takeStep(setup: GoldenSetup, params: ModelParams, optimizer: AdamWState, { step, want, exact }: RecordedStep): Check[] {
  const result = stepGradients(params, setup.batch, setup.options, { choices: setup.choices })
  applyAdamW(optimizer, params, result.gradients, { learningRate: optimizerOf(setup.folder).rate, clipNorm: null })
  const computed: Record<string, number | undefined> = { ...namedLosses(result, setup.options), temp_after: variableOf(params, 'temp').dataSync()[0] }
  const pointers: Record<string, number | undefined> = { queue_ptr_img: params.queues?.imagePointer, queue_ptr_txt: params.queues?.textPointer, step }
  const compare = (recorded: StepLosses, which: string, tolerance: Tolerance): Check[] =>
    Object.keys(recorded).map((name) => {
      const what = `step ${step}: ${name}${which}`
      if (name in pointers) return compareExactly(what, pointers[name], recorded[name])
      return name in computed ? compareNumbers(what, [computed[name] ?? NaN], [recorded[name]!], tolerance) : failed(what, 'nothing here computes it')
    })
  const tolerance = step <= 3 ? TOLERANCES.stepLosses : TOLERANCES.lateStepLosses
  return [...compare(want, '', tolerance), ...compare(exact ?? {}, ' in float64', FLOAT64)]
}

/** What is recorded of float32 against float64 after a step is of the model's own tensors, and agrees with itself. */
function spreadChecks(params: ModelParams, spread: Readonly<Record<string, Spread>>, prefix: string): Check[] {
  const state = exportTensors(params)
  return Object.keys(spread).map((name) => {
    const what = `${prefix}: float32 and float64 of ${name}`
    const { max_abs_diff_f32_f64: most, n_diff_gt_1e5: far, numel } = spread[name]!
    if (state.get(name)?.data.length !== numel) return failed(what, `it has ${state.get(name)?.data.length ?? 'no'} entries, ${numel} are recorded`)
    return far > 0 === most > 1e-5 && far >= 0 && far <= numel ? passed(what) : failed(what, `${far} entries are further off than 1e-5 and the largest difference is ${most}`)
  })
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
    const checks = takeStep(setup, params, optimizer, { step: done + 1, want })
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
