/**
 * The one place the model gets TensorFlow from. Model code knows the interface only; the process that computes loads the
 * library (compute/backend.ts) and hands it over before anything else here is called.
 */
import type * as TensorFlow from '@tensorflow/tfjs'

export type Tf = typeof TensorFlow
export type Tensor = TensorFlow.Tensor
export type Tensor1D = TensorFlow.Tensor1D
export type Tensor2D = TensorFlow.Tensor2D
export type Tensor3D = TensorFlow.Tensor3D
export type Tensor4D = TensorFlow.Tensor4D
export type Scalar = TensorFlow.Scalar
export type Variable = TensorFlow.Variable

/** A live binding: set once by setTf. */
export let tf: Tf

export function setTf(library: Tf): void {
  tf = library
}
