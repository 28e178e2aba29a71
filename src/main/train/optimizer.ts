/**
 * AdamW with decoupled weight decay. Small tensors are worked on together, laid end to end, since a kernel call costs more
 * than their arithmetic; large ones one at a time and huge ones in pieces, so that temporaries stay small. Decay spares biases and
 * 1-dimensional parameters, as the reference's parameter groups do (its temperature, 0-dimensional, is decayed).
 */
import * as k from '../model/kernels.ts'
import { inPieces, pieceSpans, PIECE_VALUES } from '../model/pieces.ts'
import { variableOf } from '../model/params.ts'
import { tf, type Tensor, type Variable } from '../model/tf.ts'
import type { ModelParams } from '../model/types.ts'

export interface AdamWSettings {
  readonly weightDecay: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

export const REFERENCE_ADAMW: AdamWSettings = { weightDecay: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }

/** One parameter's moments on the host. */
export interface Moment {
  readonly shape: readonly number[]
  readonly first: Float32Array
  readonly second: Float32Array
  /** Updates made so far. */
  readonly step: number
}

/** Parameters that share their number of updates and whether they decay, end to end. */
interface Bucket {
  readonly names: readonly string[]
  readonly sizes: readonly number[]
  readonly shapes: readonly (readonly number[])[]
  readonly decayed: boolean
  /** Of the stretches of pieceSpans: more than one only where a single parameter is huge. */
  readonly first: readonly Variable[]
  readonly second: readonly Variable[]
  step: number
}

export interface AdamWState {
  readonly settings: AdamWSettings
  buckets: readonly Bucket[]
  /** Moments of parameters that had no gradient last time. */
  resting: Map<string, Moment>
}

export function createAdamW(settings: AdamWSettings): AdamWState {
  return { settings, buckets: [], resting: new Map() }
}

export function isDecayed(name: string, rank: number): boolean {
  return rank !== 1 && !name.endsWith('.bias')
}

export interface AdamWStep {
  readonly learningRate: number
  /** Gradients are scaled so that their common norm is at most this; null: never. */
  readonly clipNorm: number | null
}

/**
 * Applies the gradients and disposes them. A parameter without a gradient stays as it is (no decay either, as in PyTorch).
 * @returns the norm of all gradients together, before clipping.
 */
export function applyAdamW(state: AdamWState, params: ModelParams, gradients: Map<string, Tensor>, step: AdamWStep): { gradientNorm: number } {
  const names = [...gradients.keys()]
  if (!sameNames(state.buckets, names)) arrange(state, params, names)
  const flat = state.buckets.map((bucket) => {
    const pieces = bucket.names.map((name) => gradients.get(name)!)
    const joined = tf.tidy(() => joinFlat(pieces))
    tf.dispose(pieces)
    return joined
  })
  gradients.clear()
  const gradientNorm = Math.sqrt(flat.reduce((sum, gradient) => sum + squareSum(gradient), 0))
  // PyTorch's clip_grad_norm_ divides by the norm + 1e-6.
  const scale = step.clipNorm === null ? 1 : Math.min(1, step.clipNorm / (gradientNorm + 1e-6))
  state.buckets.forEach((bucket, i) => {
    tf.tidy(() => updateBucket(state.settings, bucket, params, flat[i]!, step.learningRate, scale))
    flat[i]!.dispose()
  })
  return { gradientNorm }
}

function joinFlat(pieces: readonly Tensor[]): Tensor {
  const flat = pieces.map((piece) => k.reshape(piece, [piece.size]))
  return flat.length === 1 ? flat[0]! : k.concat(flat)
}

function squareSum(x: Tensor): number {
  const flat = tf.tidy(() => k.reshape(x, [x.size]))
  const sums = pieceSpans(x.size).map(({ start, length }) =>
    tf.tidy(() => tf.sum(k.square(length === x.size ? flat : k.slice(flat, [start], [length]))).dataSync()[0]!),
  )
  flat.dispose()
  return sums.reduce((sum, part) => sum + part, 0)
}

function updateBucket(settings: AdamWSettings, bucket: Bucket, params: ModelParams, gradient: Tensor, rate: number, scale: number): void {
  bucket.step += 1
  const variables = bucket.names.map((name) => variableOf(params, name))
  const kept = bucket.decayed ? tf.scalar(1 - rate * settings.weightDecay) : null
  const moved = (variable: Tensor, change: Tensor): Tensor => k.sub(kept ? k.mul(variable, kept) : variable, change)
  if (bucket.first.length > 1) {
    const variable = variables[0]!
    variable.assign(inPieces([variable, gradient], ([values, g], i) => moved(values!, changeOf(settings, bucket, i, g!, rate, scale))))
    return
  }
  const change = changeOf(settings, bucket, 0, gradient, rate, scale)
  const parts = variables.length === 1 ? [change] : k.splitVector(change, bucket.sizes)
  parts.forEach((part, i) => variables[i]!.assign(moved(variables[i]!, k.reshape(part, bucket.shapes[i]!))))
}

/** Moves the moments of a stretch and returns what is taken off its values. */
function changeOf({ beta1, beta2, epsilon }: AdamWSettings, bucket: Bucket, piece: number, gradient: Tensor, rate: number, scale: number): Tensor {
  const { step } = bucket
  const [first, second] = [bucket.first[piece]!, bucket.second[piece]!]
  const g = scale === 1 ? gradient : k.mul(gradient, tf.scalar(scale))
  first.assign(k.add(k.mul(first, beta1), k.mul(g, 1 - beta1)))
  second.assign(k.add(k.mul(second, beta2), k.mul(k.square(g), 1 - beta2)))
  const divisor = k.add(k.div(k.sqrt(second), tf.scalar(Math.sqrt(1 - beta2 ** step))), epsilon)
  return k.mul(k.div(first, divisor), tf.scalar(rate / (1 - beta1 ** step)))
}

function sameNames(buckets: readonly Bucket[], names: readonly string[]): boolean {
  const known = new Set(buckets.flatMap((bucket) => bucket.names))
  return known.size === names.length && names.every((name) => known.has(name))
}

/** Groups the parameters that have gradients now; rare, since losses switch on and off seldom. Buckets that stay as they are are not touched, the others change one at a time. */
function arrange(state: AdamWState, params: ModelParams, names: readonly string[]): void {
  const moments = liveMoments(state)
  const groups = new Map<string, string[][]>()
  for (const name of names) {
    const { size, rank } = variableOf(params, name)
    const key = `${isDecayed(name, rank)} ${moments.get(name)?.step ?? 0}`
    const lists = groups.get(key) ?? []
    groups.set(key, lists)
    const open = lists.at(-1)
    const filled = open?.reduce((sum, other) => sum + variableOf(params, other).size, 0) ?? 0
    if (open && filled + size <= PIECE_VALUES) open.push(name)
    else lists.push([name])
  }
  const same = new Map(state.buckets.map((bucket) => [bucket.names.join('\n'), bucket]))
  const buckets = [...groups.values()].flat().map((list) => same.get(list.join('\n')) ?? makeBucket(params, list, moments))
  const active = new Set(names)
  const resting = new Map<string, Moment>()
  for (const [name, moment] of moments) {
    if (active.has(name)) continue
    const { shape, first, second, step } = moment // read now: their bucket goes
    resting.set(name, { shape, first, second, step })
  }
  const kept = new Set(buckets)
  for (const bucket of state.buckets) if (!kept.has(bucket)) tf.dispose([...bucket.first, ...bucket.second])
  state.buckets = buckets
  state.resting = resting
}

function makeBucket(params: ModelParams, names: readonly string[], moments: ReadonlyMap<string, Moment>): Bucket {
  const shapes = names.map((name) => variableOf(params, name).shape)
  const sizes = names.map((name) => variableOf(params, name).size)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const join = (which: 'first' | 'second'): Variable[] => {
    // New moments are made where they stay: zeros from the host would lie about as garbage, twice the size of the model.
    const isNew = !names.some((name) => moments.has(name))
    const data = isNew ? null : joinMoments(names.map((name) => moments.get(name)?.[which] ?? null), sizes)
    return pieceSpans(total).map(({ start, length }) =>
      tf.tidy(() => tf.variable(data ? tf.tensor1d(data.subarray(start, start + length)) : tf.fill([length], 0), false)),
    )
  }
  const decayed = isDecayed(names[0]!, shapes[0]!.length)
  return { names, sizes, shapes, decayed, first: join('first'), second: join('second'), step: moments.get(names[0]!)?.step ?? 0 }
}

/** End to end; zeros where there are none. */
function joinMoments(parts: readonly (Float32Array | null)[], sizes: readonly number[]): Float32Array {
  const joined = new Float32Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  parts.forEach((part, i) => {
    if (part) joined.set(part, at)
    at += sizes[i]!
  })
  return joined
}

/** All moments by parameter, with their values as they are now. */
export function readMoments(state: AdamWState): Map<string, Moment> {
  return new Map(Array.from(liveMoments(state), ([name, { shape, first, second, step }]) => [name, { shape, first, second, step }]))
}

/** All moments by parameter, to be saved: values are read from TensorFlow each time they are asked for, a bucket at a time. */
export function liveMoments(state: AdamWState): Map<string, Moment> {
  const moments = new Map(state.resting)
  for (const { names, sizes, shapes, first, second, step } of state.buckets) {
    const [firsts, seconds] = [rememberedOnce(first), rememberedOnce(second)]
    let start = 0
    names.forEach((name, i) => {
      const [from, end] = [start, start + sizes[i]!]
      const isLast = i === names.length - 1
      const part = (all: (forget: boolean) => Float32Array): Float32Array => (names.length === 1 ? all(true) : all(isLast).slice(from, end)) // no second copy of the large ones
      moments.set(name, {
        shape: shapes[i]!, step,
        get first() { return part(firsts) },
        get second() { return part(seconds) },
      })
      start = end
    })
  }
  return moments
}

/** The values of a bucket, kept from the first of its parameters to the last, so that they are read once where all are asked in order. */
function rememberedOnce(pieces: readonly Variable[]): (forget: boolean) => Float32Array {
  let kept: Float32Array | null = null
  return (forget) => {
    const values = kept ?? hostValues(pieces)
    kept = forget ? null : values
    return values
  }
}

function hostValues(pieces: readonly Variable[]): Float32Array {
  if (pieces.length === 1) return pieces[0]!.dataSync<'float32'>()
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.size, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece.dataSync<'float32'>(), at)
    at += piece.size
  }
  return all
}

/** Puts saved moments in place of all there are. */
export function restoreMoments(state: AdamWState, moments: ReadonlyMap<string, Moment>): void {
  disposeAdamW(state)
  state.resting = new Map(moments)
}

export function disposeAdamW(state: AdamWState): void {
  for (const { first, second } of state.buckets) {
    tf.dispose([...first, ...second])
  }
  state.buckets = []
  state.resting = new Map()
}
