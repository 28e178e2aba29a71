/**
 * Operations with gradients of our own. tfjs has tf.customGrad, but it computes the gradient of every input even where only
 * one is asked for, which doubles the work of the gradient through the gradient; the engine underneath is lazy. This is
 * the one place that reaches it (the version of tfjs is pinned).
 */
import { tf, type Tensor } from './tf.ts'

export type Save = (...tensors: Tensor[]) => void
export type Gradients = Record<string, () => Tensor>

interface LazyEngine {
  runKernelFunc(call: {
    forwardFunc: (backend: unknown, save: (tensors: Tensor[]) => void) => Tensor
    backwardsFunc: (dy: Tensor, saved: Tensor[]) => Gradients
    inputs: Record<string, Tensor>
  }): Tensor
  readonly state: { readonly gradientDepth: number; readonly kernelDepth: number }
}

const engine = (): LazyEngine => tf.engine() as unknown as LazyEngine

/**
 * @param inputs what gradients are defined for, by name.
 * @param forward computes the value; whatever the gradient needs (but variables) must be saved, since the rest is freed.
 *   Only INPUTS may be saved if the gradient is to be differentiated again: a saved output is cut off from the tape.
 * @param backward one function for each input; only those that are asked for run.
 */
export function customOp<T extends Tensor>(
  inputs: Record<string, Tensor>,
  forward: (save: Save) => T,
  backward: (dy: Tensor, saved: Tensor[]) => Gradients,
): T {
  return engine().runKernelFunc({
    inputs,
    forwardFunc: (_, save) => forward((...tensors) => save(tensors)),
    backwardsFunc: backward,
  }) as T
}

/** A gradient that may use saved outputs is right once only; asked for twice it fails loudly, never silently. */
export function onceOnly(name: string): void {
  if (engine().state.gradientDepth > 0) {
    throw new Error(`The gradient of ${name} was asked to be differentiated again; use its twice differentiable form.`)
  }
}

/** Value and vector-Jacobian product: {value: f(), gradient: d sum(f * dy) / d x}, both still on an open tape. */
export function valueAndGradient<T extends Tensor>(f: () => T, x: Tensor, dy: Tensor): { value: T; gradient: Tensor } {
  const { value, grads } = tf.engine().gradients(f, [x], dy as T)
  return { value, gradient: grads[0]! }
}

/** Whether operations are being taped right now, so that a reverse pass will follow. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = engine().state
  return gradientDepth > 0 && kernelDepth === 0
}
