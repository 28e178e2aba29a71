import { beforeAll, describe, expect, test } from 'vitest'
import { loadBackend, readInstalledRuntime } from '../compute/backend.ts'
import { valueAndGradient } from './custom-op.ts'
import { clampAtZero, firstMax, firstMin, gelu, layerNorm, linear, relu, rowsOf, softmax } from './nn.ts'
import { createRandom } from './random.ts'
import { setTf, tf, type Tensor, type Tensor2D } from './tf.ts'

const hasTensorFlow = readInstalledRuntime() !== null

type Op = (x: Tensor2D) => Tensor

const [ROWS, WIDTH] = [2, 4] as const
const random = createRandom(7)
const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal())
const matrix = (data: Float32Array): Tensor2D => tf.tensor2d(data, [ROWS, data.length / ROWS])

/** A smooth function of op(x): each entry weighted and squared, so that no derivative is constant. */
function first(op: Op, x: Tensor2D, weights: Float32Array): Tensor {
  return valueAndGradient(() => {
    const y = op(x)
    return tf.sum(tf.mul(tf.square(y), tf.tensor(weights.subarray(0, y.size), y.shape)))
  }, x, tf.scalar(1)).gradient
}

/** sum(direction * first derivative), as a function of x alone. */
function slope(op: Op, values: Float32Array, weights: Float32Array, direction: Float32Array): number {
  return tf.tidy(() => tf.sum(tf.mul(first(op, matrix(values), weights), matrix(direction))).dataSync()[0]!)
}

function second(op: Op, values: Float32Array, weights: Float32Array, direction: Float32Array): Float32Array {
  return tf.tidy(() => {
    const x = matrix(values)
    return valueAndGradient(() => tf.sum(tf.mul(first(op, x, weights), matrix(direction))), x, tf.scalar(1)).gradient.dataSync<'float32'>()
  })
}

/** Largest distance of the second derivative from a central difference, as a share of the largest entry. */
function disagreement(op: Op, values: Float32Array): number {
  const weights = draw(ROWS * WIDTH * 2)
  const direction = draw(values.length)
  const exact = second(op, values, weights, direction)
  const step = 1e-2
  let worst = 0
  values.forEach((value, i) => {
    const at = (x: number): number => slope(op, values.with(i, x), weights, direction)
    const difference = (at(value + step) - at(value - step)) / (2 * step)
    worst = Math.max(worst, Math.abs(difference - exact[i]!))
  })
  return worst / exact.reduce((high, value) => Math.max(high, Math.abs(value)), 0)
}

describe.skipIf(!hasTensorFlow)(`layers that the Grad-CAM gradient passes through${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, () => {
  let gamma: Tensor, beta: Tensor, weight: Tensor
  beforeAll(async () => {
    setTf((await loadBackend()).tf)
    ;[gamma, beta, weight] = [tf.tensor1d(draw(WIDTH)), tf.tensor1d(draw(WIDTH)), tf.tensor2d(draw(WIDTH * 2), [2, WIDTH])]
  })

  const ops: Record<string, Op> = {
    softmax: (x) => softmax(x),
    'scaled softmax of a product': (x) => softmax(tf.mul(tf.matMul(x, x, false, true), 0.5)),
    gelu: (x) => gelu(x),
    layerNorm: (x) => layerNorm(x, gamma, beta, 1e-6),
    linear: (x) => linear(x, weight, null),
    clampAtZero: (x) => clampAtZero(x),
    'the largest of a row': (x) => firstMax(x),
    'the smallest of a row': (x) => firstMin(x),
    'rows of a table': (x) => rowsOf(x, Int32Array.of(1, 0, 1)),
    'min-max normalisation': (x) => tf.div(tf.sub(x, tf.expandDims(firstMin(x), 1)), tf.expandDims(tf.add(firstMax(x), 4), 1)),
  }
  test.each(Object.keys(ops))('the second derivative of %s is that of finite differences', (name) => {
    // No two entries closer than a step: what is largest must not change on the way.
    const values = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => 0.31 * ((i * 5) % 8) - 1.2)
    expect(disagreement(ops[name]!, values)).toBeLessThan(2e-2)
  })

  test("TensorFlow.js' own softmax is wrong there, which the check above notices", () => {
    expect(disagreement((x) => tf.softmax(x), draw(ROWS * WIDTH))).toBeGreaterThan(0.1)
  })

  test('relu, which the loss ends in, is refused a second derivative rather than given a wrong one', () => {
    expect(() => second((x) => relu(x), draw(ROWS * WIDTH), draw(ROWS * WIDTH), draw(ROWS * WIDTH))).toThrow(/gradient/)
  })

  test('of equal maxima and minima the first alone learns', () => {
    const values = tf.tensor2d([[1, 3, 3, 0, 0], [2, 2, 2, 2, 2], [-1, -1, 5, 5, -1]])
    const gradient = (op: Op): number[][] => tf.tidy(() => (valueAndGradient(() => tf.sum(op(values)), values, tf.scalar(1)).gradient as Tensor2D).arraySync())
    expect(gradient(firstMax)).toEqual([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
    expect(gradient(firstMin)).toEqual([[0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
  })

  test('at exactly zero relu learns nothing and clampAtZero passes the gradient on', () => {
    const zero = tf.tensor2d([[0, -1, 1]])
    const gradient = (op: (x: Tensor2D) => Tensor): number[] => Array.from(tf.tidy(() => valueAndGradient(() => tf.sum(op(zero)), zero, tf.scalar(1)).gradient.dataSync()))
    expect(gradient((x) => relu(x))).toEqual([0, 0, 1])
    expect(gradient((x) => clampAtZero(x))).toEqual([1, 0, 1])
  })

  test('a padded word learns nothing from being looked up', () => {
    const table = tf.tensor2d([[1, 2], [3, 4], [5, 6]])
    const gradient = tf.tidy(() => (valueAndGradient(() => tf.sum(rowsOf(table, Int32Array.of(0, 1, 0, 1), 0)), table, tf.scalar(1)).gradient as Tensor2D).arraySync())
    expect(gradient).toEqual([[0, 0], [2, 2], [0, 0]])
  })
})
