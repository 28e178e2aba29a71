/** Every gradient: of the total, and of the consistency loss alone (through the gradient). */
import { stepGradients } from '../model/step.ts'
import { tf } from '../model/tf.ts'
import type { ModelParams, StepOptions } from '../model/types.ts'
import { compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { withModel } from './cases-forward.ts'
import { floatsOf } from './folder.ts'
import { differenceChecks, exactGradientChecks } from './exact-gradients.ts'
import type { GoldenCase, GoldenSetup } from './setup.ts'

export function gradientCases(setup: GoldenSetup): GoldenCase[] {
  return setup.folder.files.flatMap((file) => {
    const kind = /^grads_(\w+)\.safetensors$/.exec(file)?.[1]
    return kind ? [{ name: `gradients ${kind}`, run: () => gradientCase(setup, file, kind) }] : []
  })
}

/** grads_total: all losses; grads_amc: consistency alone; grads_amc_layerN: with the heatmap of that layer. */
function optionsOf(setup: GoldenSetup, kind: string): StepOptions | null {
  if (kind === 'total') return setup.options
  const match = /^amc(?:_layer_?(\d+))?$/.exec(kind)
  if (!match) return null
  const alone = { ...setup.options, itc: false, itm: false, mlm: false }
  return match[1] ? { ...alone, gradcamLayer: Number(match[1]) } : alone
}

async function gradientCase(setup: GoldenSetup, file: string, kind: string): Promise<Check[]> {
  const options = optionsOf(setup, kind)
  if (!options) return [failed(file, 'nothing here knows this kind of gradient')]
  const checks: Check[] = []
  for (const fullLastLayer of [true, false]) {
    checks.push(...(await withModel(setup, (params) => compareGradients(setup, params, { file, kind }, { ...options, fullLastLayer }))))
  }
  return checks
}

function compareGradients(setup: GoldenSetup, params: ModelParams, { file, kind }: { file: string; kind: string }, options: StepOptions): Check[] {
  const recorded = setup.folder.tensors(file)
  const { gradients } = stepGradients(params, setup.batch, options, { choices: setup.choices })
  const checks: Check[] = []
  for (const name of recorded.tensors.keys()) {
    const want = floatsOf(recorded, name)
    // A parameter the loss does not reach may be recorded as zeros.
    const isZero = want.every((v) => v === 0)
    const got = gradients.get(name)?.dataSync<'float32'>() ?? (isZero ? want : null)
    if (!got) checks.push(failed(name, 'it got no gradient'))
    else for (const part of keyBiasParts(name, got, want)) checks.push(compareNumbers(part.what, part.got, part.want, part.keyBias || isZero ? TOLERANCES.keyBiasGradients : TOLERANCES.gradients))
  }
  for (const [name, gradient] of gradients) {
    if (recorded.tensors.has(name)) continue
    const largest = tf.tidy(() => tf.max(tf.abs(gradient)).dataSync()[0]!)
    if (largest > TOLERANCES.keyBiasGradients.absolute) checks.push(failed(name, `it got a gradient of ${largest}, the reference gives none`))
  }
  checks.push(...exactGradientChecks(setup.folder, kind, gradients), ...(kind === 'amc' ? differenceChecks(setup.folder, gradients) : []))
  tf.dispose([...gradients.values()])
  return checks
}

export interface Part {
  readonly what: string
  readonly got: Float32Array
  readonly want: Float32Array
  /** Mathematically without influence, so its gradient is rounding noise. */
  readonly keyBias: boolean
}

/** Splits off key biases: every *.self.key.bias and the middle third of the image encoder's qkv.bias. */
export function keyBiasParts(name: string, got: Float32Array, want: Float32Array): Part[] {
  if (name.endsWith('.self.key.bias')) return [{ what: name, got, want, keyBias: true }]
  if (!name.endsWith('.attn.qkv.bias') || want.length % 3 !== 0 || got.length !== want.length) return [{ what: name, got, want, keyBias: false }]
  const third = want.length / 3
  const cut = (data: Float32Array, from: number, to: number): Float32Array => data.subarray(from * third, to * third)
  const without = (data: Float32Array): Float32Array => Float32Array.from([...cut(data, 0, 1), ...cut(data, 2, 3)])
  return [
    { what: `${name} (queries, values)`, got: without(got), want: without(want), keyBias: false },
    { what: `${name} (keys)`, got: cut(got, 1, 2), want: cut(want, 1, 2), keyBias: true },
  ]
}
