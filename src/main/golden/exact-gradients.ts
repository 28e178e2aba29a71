/** What is recorded of the gradients in float64: sizes of every tensor, single entries confirmed by finite differences. */
import type { Tensor } from '../model/tf.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, type GoldenFolder } from './folder.ts'

const INFO = 'grads_info.json'
const VERIFIED = 'verify.json'

interface TensorInfo {
  readonly f64_absmax: number
  readonly f64_norm: number
  readonly f64_sum?: number
  /** How far the published code's own float32 is from its float64, at most. */
  readonly max_abs_diff_f32_f64?: number
  readonly exact_zero_entries?: number
  readonly numel?: number
}

type InfoJson = Readonly<Record<string, Readonly<Record<string, TensorInfo>> | readonly string[]>>

/** Below this a gradient is rounding noise. */
const NOTHING = 1e-9

type Gradients = ReadonlyMap<string, Tensor>

const isKeyBias = (name: string): boolean => name.endsWith('.self.key.bias')

export function exactGradientChecks(folder: GoldenFolder, kind: string, gradients: Gradients): Check[] {
  const info: InfoJson = folder.has(INFO) ? folder.json<InfoJson>(INFO) : {}
  const { ofLargest, norm: ofNorm } = TOLERANCES.gradients
  const checks: Check[] = []
  const tensors = (info[kind] ?? {}) as Readonly<Record<string, TensorInfo>>
  for (const name of Object.keys(tensors)) {
    const want = tensors[name]!
    checks.push(...recordedChecks(folder, kind, name, want))
    const { f64_absmax: most, f64_norm: norm, max_abs_diff_f32_f64: gap = 0 } = want
    if (isKeyBias(name)) continue
    const got = gradients.get(name)?.dataSync<'float32'>() ?? new Float32Array(1)
    // Our float32 is as near to the recorded one as allowed; that one is `gap` away from float64.
    checks.push(compareNumbers(`${name}: largest entry in float64`, [largestOf(got)], [most], { absolute: ofLargest * most + gap, text: `${ofLargest} of the largest entry`, noise: most < NOTHING }))
    checks.push(compareNumbers(`${name}: norm in float64`, [normOf(got)], [norm], { absolute: ofNorm * norm + gap * Math.sqrt(got.length), text: `${ofNorm} of the norm`, noise: most < NOTHING }))
  }
  for (const name of (info[`no_grad_${kind}`] ?? []) as readonly string[]) {
    const got = gradients.get(name)?.dataSync() ?? [0]
    checks.push(compareNumbers(`${name}: no gradient`, got, new Float32Array(got.length), TOLERANCES.keyBiasGradients))
  }
  return checks
}

const largestOf = (values: Float32Array): number => values.reduce((high, value) => Math.max(high, Math.abs(value)), 0)
const normOf = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

/** The recorded float32 tensor is as near to the recorded float64 numbers as it is said to be: no entry differs by more. */
function recordedChecks(folder: GoldenFolder, kind: string, name: string, want: TensorInfo): Check[] {
  const file = folder.tensors(`grads_${kind}.safetensors`)
  if (!file.tensors.has(name)) return [failed(name, `grads_${kind}.safetensors has no such tensor`)]
  const values = floatsOf(file, name)
  const checks: Check[] = []
  const { max_abs_diff_f32_f64: gap, exact_zero_entries: zeros, numel, f64_sum: sum } = want
  if (numel !== undefined) checks.push(compareExactly(`${name}: entries`, values.length, numel))
  if (gap !== undefined) {
    const within = (what: string, got: number, expected: number, allowed: number): void => {
      checks.push(compareNumbers(`${name}: recorded ${what}`, [got], [expected], { absolute: allowed * (1 + 1e-9) + 1e-12 * Math.abs(expected), text: 'as far as float32 is recorded to be from float64' }))
    }
    within('largest entry', largestOf(values), want.f64_absmax, gap)
    within('norm', normOf(values), want.f64_norm, gap * Math.sqrt(values.length))
    if (sum !== undefined) within('sum', values.reduce((total, value) => total + value, 0), sum, gap * values.length)
    if (zeros !== undefined) checks.push(zeroCheck(name, values, zeros, gap))
  }
  return checks
}

/** Where float64 gives exactly nothing, float32 gives nothing, or no more than its rounding. */
function zeroCheck(name: string, values: Float32Array, zeros: number, gap: number): Check {
  const [exact, small] = [values.filter((value) => value === 0).length, values.filter((value) => Math.abs(value) <= gap).length]
  const most = isKeyBias(name) || name.endsWith('.qkv.bias') ? values.length : small
  // Sums of float32 can cancel where those of float64 do not, seldom.
  const least = isKeyBias(name) || name.endsWith('.qkv.bias') ? 0 : exact - Math.ceil(values.length / 500)
  return zeros >= least && zeros <= most ? passed(`${name}: zeros`) : failed(`${name}: zeros`, `${zeros} are recorded of float64, the recorded tensor has ${exact}`)
}

interface VerifyJson {
  readonly results?: { readonly fd_n?: number; readonly fd_max_abs_err?: number; readonly fd_max_rel_err?: number }
  readonly fd?: readonly Difference[]
}

interface Difference {
  readonly param: string
  readonly index: number
  readonly analytic: number
  readonly numeric?: number
  readonly abs_err?: number
  readonly rel_err?: number
}

/** Single entries of the consistency loss's gradient that finite differences in float64 confirmed. */
export function differenceChecks(folder: GoldenFolder, gradients: Gradients): Check[] {
  if (!folder.has(VERIFIED)) return []
  const { results, fd = [] } = folder.json<VerifyJson>(VERIFIED)
  folder.leaveOut(VERIFIED, 'results', 'what the recording found when it checked itself')
  const info = folder.has(INFO) ? ((folder.json<InfoJson>(INFO)['amc'] ?? {}) as Readonly<Record<string, TensorInfo>>) : {}
  const checks = fd.flatMap((one): Check[] => {
    const { param, index, analytic, numeric = analytic } = one
    const gap32 = info[param]?.max_abs_diff_f32_f64 ?? 0
    const all = gradients.get(param)?.dataSync<'float32'>() ?? new Float32Array(0)
    const allowed = { absolute: TOLERANCES.gradients.ofLargest * Math.max(largestOf(all), Math.abs(analytic)) + gap32, text: `${TOLERANCES.gradients.ofLargest} of the largest entry` }
    const what = `${param}, entry ${index}`
    const gap = Math.abs(analytic - numeric)
    return [
      compareNumbers(what, [all[index] ?? NaN], [analytic], allowed),
      compareNumbers(`${what}, by differences`, [all[index] ?? NaN], [numeric], allowed),
      ...(one.abs_err === undefined ? [] : [compareNumbers(`${what}, gap`, [gap], [one.abs_err], ROUNDING)]),
      ...(one.rel_err === undefined ? [] : [compareNumbers(`${what}, relative gap`, [gap / Math.max(Math.abs(analytic), Math.abs(numeric))], [one.rel_err], ROUNDING)]),
    ]
  })
  if (results?.fd_n !== undefined) checks.push(compareExactly('finite differences', fd.length, results.fd_n))
  if (results?.fd_max_abs_err !== undefined) checks.push(compareNumbers('largest gap', [Math.max(...fd.map((one) => one.abs_err ?? 0))], [results.fd_max_abs_err], ROUNDING))
  if (results?.fd_max_rel_err !== undefined) checks.push(compareNumbers('largest relative gap', [Math.max(...fd.map((one) => one.rel_err ?? 0))], [results.fd_max_rel_err], ROUNDING))
  return checks
}

const ROUNDING = { ofLargest: 1e-3, text: 'to rounding' }
