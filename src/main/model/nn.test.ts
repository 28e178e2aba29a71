import { expect, test } from 'vitest'
import { attentionProbabilities } from './attention.ts'
import { fixed, once, type Graph, type Node } from './graph.ts'
import * as layers from './layers.ts'
import * as nn from './nn.ts'
import { createRandom } from './random.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'

const random = createRandom(3)
const values = (count: number, scale = 1): number[] => Array.from({ length: count }, () => scale * random.normal())
/** A fixed weighting, so that no gradient cancels by symmetry. */
const weigh = (x: Tensor): Scalar => tf.sum(tf.mul(x, tf.reshape(tf.tensor1d(Array.from({ length: x.size }, (_, i) => Math.sin(1.3 * i + 0.4))), x.shape)))

/** Central differences of a scalar function; the step suits float32. */
function numericGradient(f: (x: Tensor) => Scalar, at: readonly number[], shape: number[], step = 2e-2): number[] {
  const value = (x: readonly number[]): number => tf.tidy(() => f(tf.tensor(x as number[], shape)).dataSync()[0]!)
  const moved = (i: number, by: number): number[] => at.map((v, j) => (i === j ? v + by : v))
  // Five points: the error falls with the fourth power of the step, so it may be large against rounding.
  return at.map((_, i) => (8 * (value(moved(i, step)) - value(moved(i, -step))) - (value(moved(i, 2 * step)) - value(moved(i, -2 * step)))) / (12 * step))
}

function analyticGradient(f: (x: Tensor) => Scalar, at: readonly number[], shape: number[]): Float32Array {
  return tf.tidy(() => tf.grad(f)(tf.tensor(at as number[], shape)).dataSync<'float32'>())
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 3e-3): void {
  const largest = Math.max(...Array.from(want, Math.abs), 1e-3)
  Array.from(want).forEach((w, i) => expect(Math.abs(got[i]! - w) / largest, `entry ${i}: ${got[i]} instead of ${w}`).toBeLessThan(tolerance))
}

/** The gradient of (weighted gradient of f), against differences of the analytic first gradient. */
function secondOrder(f: (x: Tensor) => Tensor) {
  return (x: Tensor): Scalar => weigh(tf.grad((y: Tensor) => weigh(tf.square(f(y))))(x))
}

describeWithTensorFlow('second derivatives agree with finite differences', () => {
  const [gamma, beta] = [tf?.tensor1d(values(5)), tf?.tensor1d(values(5))]
  const keys = tf?.tensor4d(values(2 * 4 * 3), [1, 2, 4, 3])
  const weight = tf?.tensor2d(values(20), [4, 5])
  const functions: Record<string, { shape: number[]; f: (x: Tensor) => Tensor }> = {
    softmax: { shape: [3, 5], f: (x) => nn.softmax(x) },
    gelu: { shape: [3, 5], f: (x) => nn.gelu(x) },
    'layer norm': { shape: [3, 5], f: (x) => nn.layerNorm(x as Tensor2D, gamma, beta, 1e-6) },
    linear: { shape: [3, 5], f: (x) => nn.linear(x as Tensor2D, weight, tf.tensor1d([1, 2, 3, 4])) },
    'attention probabilities': { shape: [1, 2, 3, 3], f: (x) => attentionProbabilities(x as Tensor4D, keys, null) },
  }
  for (const [name, { shape, f }] of Object.entries(functions)) {
    const at = values(shape.reduce((a, b) => a * b))
    test(`${name}: first`, () => {
      const scalar = (x: Tensor): Scalar => weigh(tf.square(f(x)))
      expectClose(analyticGradient(scalar, at, shape), numericGradient(scalar, at, shape))
    })
    test(`${name}: second`, () => {
      const scalar = secondOrder(f)
      expectClose(analyticGradient(scalar, at, shape), numericGradient(scalar, at, shape))
    })
  }

  test('the softmax of tfjs itself fails this very check, so the check can fail', () => {
    const scalar = secondOrder((x) => tf.softmax(x))
    const at = values(15)
    expect(() => expectClose(analyticGradient(scalar, at, [3, 5]), numericGradient(scalar, at, [3, 5]))).toThrow(/instead of/)
  })
})

describeWithTensorFlow('gradients at the edges are those of PyTorch', () => {
  test('of equal maxima the first alone gets the gradient, of equal minima too', () => {
    const x = [[1, 3, 3, 0], [2, 2, 2, 2]]
    const gradient = (f: (x: Tensor2D) => Tensor): number[] =>
      Array.from(tf.tidy(() => tf.grad((t: Tensor) => tf.sum(f(t as Tensor2D)))(tf.tensor2d(x)).dataSync()), (value) => value + 0) // -0 is 0 too
    expect(gradient(nn.firstMax)).toEqual([0, 1, 0, 0, 1, 0, 0, 0])
    expect(gradient(nn.firstMin)).toEqual([0, 0, 0, 1, 1, 0, 0, 0])
  })

  test('at zero the clamp passes the gradient and relu does not', () => {
    const at = (f: (x: Tensor) => Tensor): number[] => Array.from(tf.tidy(() => tf.grad((x: Tensor) => tf.sum(f(x)))(tf.tensor1d([-1, 0, 2])).dataSync()))
    expect(at(nn.clampAtZero)).toEqual([0, 1, 1])
    expect(at(nn.relu)).toEqual([0, 0, 1])
  })

  test('a row looked up twice gets both gradients, the padding row none', () => {
    const gradient = tf.tidy(() => tf.grad((table: Tensor) => tf.sum(nn.rowsOf(table, Int32Array.of(0, 2, 2), 0)))(tf.ones([3, 2])).dataSync())
    expect(Array.from(gradient)).toEqual([0, 0, 0, 0, 2, 2])
  })
})

describeWithTensorFlow('layers on bare kernels agree with the twice differentiable ones', () => {
  /** Value and gradient by x of the same function in both forms. */
  function compare(shape: number[], quick: (graph: Graph, x: Node) => Node, slow: (x: Tensor) => Tensor): void {
    tf.tidy(() => {
      const x = tf.tensor(values(shape.reduce((a, b) => a * b)), shape)
      const fast = (t: Tensor): Tensor => once('the test', [t], quick)
      expectClose(fast(x).dataSync(), slow(x).dataSync(), 1e-5)
      const gradient = (f: (t: Tensor) => Tensor): Float32Array => tf.grad((t: Tensor) => weigh(f(t)))(x).dataSync<'float32'>()
      expectClose(gradient(fast), gradient(slow), 1e-4)
    })
  }
  test('layer norm', () => {
    const [gamma, beta] = [tf.tensor1d(values(8)), tf.tensor1d(values(8))]
    compare([6, 8], (g, x) => layers.layerNorm(g, x, fixed(gamma), fixed(beta), 1e-6), (x) => nn.layerNorm(x as Tensor2D, gamma, beta, 1e-6))
  })

  test('feed-forward with its constants folded into the weights', () => {
    const [w1, b1, w2, b2] = [tf.tensor2d(values(40), [10, 4]), tf.tensor1d(values(10)), tf.tensor2d(values(30), [3, 10]), tf.tensor1d(values(3))]
    compare(
      [5, 4],
      (g, x) => layers.feedForward(g, x, fixed(w1), fixed(b1), fixed(w2), fixed(b2)),
      (x) => nn.linear(nn.gelu(nn.linear(x as Tensor2D, w1, b1)), w2, b2),
    )
  })

  test('self-attention with a mask', () => {
    const [batch, tokens, heads, depth] = [2, 3, 2, 4]
    const bias = tf.tensor4d([0, 0, -10000, 0, 0, 0], [batch, 1, 1, tokens])
    compare(
      [batch * tokens, 3 * heads * depth],
      (g, x) => layers.selfAttend(g, x, batch, heads, bias),
      (x) => {
        const five = tf.transpose(tf.reshape(x, [batch, tokens, 3, heads, depth]), [2, 0, 3, 1, 4])
        const [q, k, v] = tf.unstack(five) as [Tensor4D, Tensor4D, Tensor4D]
        const context = tf.matMul(attentionProbabilities(q, k, bias), v) as Tensor4D
        return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch * tokens, heads * depth])
      },
    )
  })

  test('unit rows', () => compare([4, 5], layers.unitRows, (x) => tf.div(x, tf.sqrt(tf.sum(tf.square(x), -1, true)))))

  test('the kinks at 0 have a second derivative too: that of what surrounds them', () => {
    const x = tf.tensor1d([-2, -0.5, 0, 0.5, 3])
    for (const [kink, atZero] of [[nn.relu, 0], [nn.clampAtZero, 1]] as const) {
      const cube = (y: Tensor): Scalar => tf.sum(tf.mul(tf.mul(kink(y), y), y)) // x^3 above 0: 3 x^2, then 6 x
      const slope = (y: Tensor): Tensor => tf.grad(cube)(y)
      const twice = tf.tidy(() => tf.grad((y: Tensor) => tf.sum(slope(y)))(x).dataSync<'float32'>())
      expect([...twice].map((value) => value + 0)).toEqual([0, 0, 0, 3, 18])
      expect([...tf.tidy(() => tf.grad((y: Tensor) => tf.sum(kink(y)))(x).dataSync())]).toEqual([0, 0, atZero, 1, 1])
    }
    x.dispose()
  })

  test('asking for a second derivative of the quick form fails loudly', () => {
    const quick = (x: Tensor): Tensor => once('a quick layer', [x], (g, node) => layers.gelu(g, node))
    expect(() => tf.tidy(() => tf.grad((x: Tensor) => tf.sum(tf.grad((y: Tensor) => tf.sum(quick(y)))(x)))(tf.ones([2, 2])))).toThrow(/a quick layer/)
  })
})
