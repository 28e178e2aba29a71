/**
 * AdamW with decoupled weight decay, one variable at a time so that temporaries stay as large as one tensor. Decay spares
 * biases and 1-dimensional parameters, as the reference's parameter groups do (its temperature, 0-dimensional, is decayed).
 */
import { variableOf } from '../model/params.ts'
import { tf, type Scalar, type Tensor, type Variable } from '../model/tf.ts'
import type { ModelParams } from '../model/types.ts'

export interface AdamWSettings {
  readonly weightDecay: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

export const REFERENCE_ADAMW: AdamWSettings = { weightDecay: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }

export interface AdamWState {
  readonly settings: AdamWSettings
  readonly moments: Map<string, { readonly first: Variable; readonly second: Variable; step: number }>
}

export function createAdamW(settings: AdamWSettings): AdamWState {
  return { settings, moments: new Map() }
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
  const gradientNorm = globalNorm(gradients)
  // PyTorch's clip_grad_norm_ divides by the norm + 1e-6.
  const scale = step.clipNorm === null ? 1 : Math.min(1, step.clipNorm / (gradientNorm + 1e-6))
  for (const [name, gradient] of gradients) {
    updateVariable(state, name, variableOf(params, name), gradient, step.learningRate, scale)
    gradient.dispose()
  }
  gradients.clear()
  return { gradientNorm }
}

function globalNorm(gradients: ReadonlyMap<string, Tensor>): number {
  return tf.tidy(() => {
    const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)) as Scalar)
    return squares.length === 0 ? 0 : Math.sqrt(tf.sum(tf.stack(squares)).dataSync()[0]!)
  })
}

function updateVariable(state: AdamWState, name: string, variable: Variable, gradient: Tensor, learningRate: number, scale: number): void {
  const { beta1, beta2, epsilon, weightDecay } = state.settings
  const moment = momentOf(state, name, variable)
  moment.step += 1
  const correction1 = 1 - beta1 ** moment.step
  const correction2 = Math.sqrt(1 - beta2 ** moment.step)
  tf.tidy(() => {
    const g = scale === 1 ? gradient : tf.mul(gradient, scale)
    moment.first.assign(tf.add(tf.mul(moment.first, beta1), tf.mul(g, 1 - beta1)))
    moment.second.assign(tf.add(tf.mul(moment.second, beta2), tf.mul(tf.square(g), 1 - beta2)))
    const divisor = tf.add(tf.div(tf.sqrt(moment.second as Tensor), correction2), epsilon)
    const decayed = isDecayed(name, variable.rank) ? tf.mul(variable, 1 - learningRate * weightDecay) : variable
    variable.assign(tf.sub(decayed, tf.mul(tf.div(moment.first, divisor), learningRate / correction1)))
  })
}

function momentOf(state: AdamWState, name: string, variable: Variable) {
  let moment = state.moments.get(name)
  if (!moment) {
    const zeros = (): Variable => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false))
    moment = { first: zeros(), second: zeros(), step: 0 }
    state.moments.set(name, moment)
  }
  return moment
}

export function disposeAdamW(state: AdamWState): void {
  for (const { first, second } of state.moments.values()) {
    first.dispose()
    second.dispose()
  }
  state.moments.clear()
}
