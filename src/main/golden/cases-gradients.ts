/** Every gradient: of the total, and of the consistency loss alone (through the gradient). */
import { stepGradients } from '../model/step.ts'
import { tf, type Tensor } from '../model/tf.ts'
import type { ModelParams, StepOptions } from '../model/types.ts'
import { compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { withModel } from './cases-forward.ts'
import { floatsOf, type GoldenFolder } from './folder.ts'
import type { GoldenCase, GoldenSetup } from './setup.ts'

const INFO = 'grads_info.json'
const VERIFIED = 'verify.json'

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
  checks.push(...exactGradientChecks(setup.folder, kind, gradients))
  tf.dispose([...gradients.values()])
  return checks
}

type InfoJson = Readonly<Record<string, Readonly<Record<string, { readonly f64_absmax: number; readonly f64_norm: number }>> | readonly string[]>>

interface VerifyJson {
  readonly fd?: readonly { readonly param: string; readonly index: number; readonly analytic: number }[]
}

/** What was recorded of the same gradients in float64: largest entries, norms, single entries, and which there are none of. */
function exactGradientChecks(folder: GoldenFolder, kind: string, gradients: ReadonlyMap<string, Tensor>): Check[] {
  const info: InfoJson = folder.has(INFO) ? folder.json<InfoJson>(INFO) : {}
  const { ofLargest, norm: ofNorm } = TOLERANCES.gradients
  const checks: Check[] = []
  const largest = new Map<string, number>()
  for (const [name, { f64_absmax: most, f64_norm: norm }] of Object.entries(info[kind] ?? {})) {
    largest.set(name, most)
    const got = gradients.get(name)?.dataSync<'float32'>() ?? new Float32Array(1)
    if (name.endsWith('.self.key.bias')) continue
    checks.push(compareNumbers(`${name}: largest entry in float64`, [got.reduce((high, value) => Math.max(high, Math.abs(value)), 0)], [most], { ofLargest }))
    checks.push(compareNumbers(`${name}: norm in float64`, [Math.sqrt(got.reduce((sum, value) => sum + value * value, 0))], [norm], { ofLargest: ofNorm }))
  }
  for (const name of (info[`no_grad_${kind}`] ?? []) as readonly string[]) {
    const got = gradients.get(name)?.dataSync() ?? [0]
    checks.push(compareNumbers(`${name}: no gradient`, got, new Float32Array(got.length), TOLERANCES.keyBiasGradients))
  }
  // Single entries that finite differences in float64 confirmed, of the consistency loss alone.
  if (kind !== 'amc' || !folder.has(VERIFIED)) return checks
  for (const { param, index, analytic } of folder.json<VerifyJson>(VERIFIED).fd ?? []) {
    const allowed = ofLargest * (largest.get(param) ?? Math.abs(analytic))
    checks.push(compareNumbers(`${param}, entry ${index}`, [gradients.get(param)?.dataSync()[index] ?? NaN], [analytic], { absolute: allowed, text: `${ofLargest} of the largest entry` }))
  }
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
