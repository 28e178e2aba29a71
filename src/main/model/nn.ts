/**
 * Layers with exact first and second derivatives. Rows are always two-dimensional, [rows, width]. tfjs' own softmax, exp and
 * tanh are silently wrong when differentiated twice (a saved output is taken for a constant), so what the Grad-CAM
 * gradient passes through is written here from inputs alone.
 */
import { customOp } from './custom-op.ts'
import { tf, type Tensor, type Tensor1D, type Tensor2D } from './tf.ts'

const INV_SQRT2 = Math.SQRT1_2
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI)

/** x W^T + b with W [out, in] as PyTorch keeps it. */
export function linear(x: Tensor2D, weight: Tensor, bias: Tensor | null): Tensor2D {
  const [outputs, inputs] = [weight.shape[0]!, weight.size / weight.shape[0]!]
  const isVariable = weight instanceof tf.Variable
  const flat = (w: Tensor): Tensor2D => (w.rank === 2 ? (w as Tensor2D) : tf.reshape(w, [outputs, inputs]))
  return customOp<Tensor2D>(
    bias ? { x, weight, bias } : { x, weight },
    (save) => {
      if (isVariable) save(x)
      else save(x, weight)
      const product = tf.matMul(x, flat(weight), false, true)
      return (bias ? tf.add(product, bias) : product) as Tensor2D
    },
    (dy, saved) => ({
      x: () => tf.matMul(dy as Tensor2D, flat(isVariable ? weight : saved[1]!)),
      weight: () => {
        const gradient: Tensor = tf.matMul(dy as Tensor2D, saved[0] as Tensor2D, true, false)
        return weight.rank === 2 ? gradient : tf.reshape(gradient, weight.shape)
      },
      bias: () => tf.sum(dy, 0),
    }),
  )
}

/** Layer normalisation over the last axis of [rows, width]. */
export function layerNorm(x: Tensor2D, gamma: Tensor, beta: Tensor, epsilon: number): Tensor2D {
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)) // [rows, 1]
  return tf.add(tf.mul(tf.mul(centred, scale), gamma), beta)
}

/** GELU in its erf form, with derivatives in closed form. */
export function gelu<T extends Tensor>(x: T): T {
  return customOp(
    { x },
    (save) => {
      save(x)
      return tf.mul(x, cumulative(x)) as T
    },
    (dy, [saved]) => ({ x: () => tf.mul(dy, geluSlope(saved!)) }),
  )
}

/** Phi(x) + x phi(x). */
function geluSlope(x: Tensor): Tensor {
  return customOp(
    { x },
    (save) => {
      save(x)
      return tf.add(cumulative(x), tf.mul(x, density(x)))
    },
    (dy, [saved]) => ({ x: () => tf.mul(dy, tf.mul(density(saved!), tf.sub(2, tf.square(saved!)))) }),
  )
}

function cumulative(x: Tensor): Tensor {
  return tf.add(tf.mul(tf.erf(tf.mul(x, INV_SQRT2)), 0.5), 0.5)
}

function density(x: Tensor): Tensor {
  return tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), INV_SQRT_2PI)
}

/** Softmax over the last axis; the input is kept and the output computed anew in the gradient, so it may be differentiated twice. */
export function softmax<T extends Tensor>(x: T): T {
  return customOp(
    { x },
    (save) => {
      save(x)
      return tf.softmax(x) // inside an op nothing is taped
    },
    (dy, [saved]) => ({
      x: () => {
        const y = softmax(saved!)
        return tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true)))
      },
    }),
  )
}

/** Rows of a table, [ids, width]. The gradient adds up rows by id; an id of `skip` gives none (padding_idx of PyTorch). */
export function rowsOf(table: Tensor, ids: Int32Array, skip = -1): Tensor2D {
  return customOp(
    { table },
    () => tf.gather(table, tf.tensor1d(ids, 'int32')) as Tensor2D,
    (dy) => ({
      table: () => {
        const kept = skip < 0 ? ids : ids.map((id) => (id === skip ? -1 : id))
        return tf.unsortedSegmentSum(dy, tf.tensor1d(kept, 'int32'), table.shape[0]!)
      },
    }),
  )
}

/** 1 where x passes the comparison with 0, else 0; its slope is 0 everywhere, which tfjs' comparisons refuse to say. */
function flatStep(x: Tensor, compare: (x: Tensor, zero: number) => Tensor): Tensor {
  return customOp({ x }, () => tf.cast(compare(x, 0), 'float32'), (dy) => ({ x: () => tf.zerosLike(dy) }))
}

/** max(x, 0) with PyTorch's clamp gradient: 1 at 0, so that an exact zero still learns. */
export function clampAtZero<T extends Tensor>(x: T): T {
  return customOp(
    { x },
    (save) => {
      save(x)
      return tf.relu(x)
    },
    (dy, [saved]) => ({ x: () => tf.mul(dy, flatStep(saved!, tf.greaterEqual)) }),
  )
}

/** max(x, 0) with no gradient at 0. */
export function relu<T extends Tensor>(x: T): T {
  return customOp(
    { x },
    (save) => {
      save(x)
      return tf.relu(x)
    },
    (dy, [saved]) => ({ x: () => tf.mul(dy, flatStep(saved!, tf.greater)) }),
  )
}

/** Maximum of every row of [rows, n]; of equal maxima the first alone gets the gradient. [rows] */
export function firstMax(x: Tensor2D): Tensor {
  const [rows, columns] = x.shape
  return customOp(
    { x },
    (save) => {
      const starts = tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(columns, 'int32'))
      save(tf.add(starts, tf.argMax(x, 1))) // where in the flattened x: [rows]
      return tf.max(x, 1)
    },
    (dy, [places]) => ({ x: () => tf.reshape(tf.unsortedSegmentSum(dy, places as Tensor1D, x.size), [rows, columns]) }),
  )
}

/** Minimum of every row of [rows, n]; of equal minima the first alone gets the gradient. [rows] */
export function firstMin(x: Tensor2D): Tensor {
  return tf.neg(firstMax(tf.neg(x)))
}

