/**
 * Interpolation as matrices: up = U map U^T. tfjs has no bicubic and its bilinear gradient ignores half-pixel centres, so
 * the weights of PyTorch's interpolation are built once and multiplied.
 */
import { tf, type Tensor2D } from './tf.ts'

/** Bilinear weights [outputs, inputs] row-major, align_corners = False: source (i + 0.5) * scale - 0.5, clamped at 0. */
export function bilinearMatrix(inputs: number, outputs: number): Float32Array {
  const matrix = new Float32Array(outputs * inputs)
  for (let i = 0; i < outputs; i++) {
    addLinear(matrix, i, Math.max(0, Math.fround(Math.fround(inputs / outputs) * (i + 0.5) - 0.5)), inputs)
  }
  return matrix
}

function addLinear(matrix: Float32Array, row: number, source: number, inputs: number): void {
  const low = Math.min(Math.floor(source), inputs - 1)
  const fraction = source - low
  matrix[row * inputs + low]! += 1 - fraction
  matrix[row * inputs + Math.min(low + 1, inputs - 1)]! += fraction
}

/** Bicubic weights, a = -0.75, align_corners = False, borders repeated, no antialiasing (PyTorch). */
export function bicubicMatrix(inputs: number, outputs: number): Float64Array {
  const matrix = new Float64Array(outputs * inputs)
  const scale = inputs / outputs
  for (let i = 0; i < outputs; i++) {
    const source = scale * (i + 0.5) - 0.5
    const low = Math.floor(source)
    cubicWeights(source - low).forEach((weight, tap) => {
      const column = Math.min(Math.max(low - 1 + tap, 0), inputs - 1)
      matrix[i * inputs + column]! += weight
    })
  }
  return matrix
}

const A = -0.75

/** Weights of the four neighbours at -1, 0, 1, 2 for a fraction in [0, 1). */
function cubicWeights(t: number): [number, number, number, number] {
  const near = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1
  const far = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A
  return [far(t + 1), near(t), near(1 - t), far(2 - t)]
}

/** Upsamples maps [K, g, g] bilinearly to [K, size, size]; differentiable. */
export function upsampleMaps(maps: Tensor2D, grid: number, size: number): Tensor2D {
  const count = maps.shape[0]
  const u = tf.tensor2d(bilinearMatrix(grid, size), [size, grid])
  const wide = tf.matMul(tf.reshape(maps, [count * grid, grid]) as Tensor2D, u, false, true) // [K * g, size]
  const batched = tf.reshape(wide, [count, grid, size])
  const uBatch = tf.tile(tf.reshape(u, [1, size, grid]), [count, 1, 1])
  return tf.reshape(tf.matMul(uBatch, batched), [count, size * size])
}
