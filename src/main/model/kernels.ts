/**
 * TensorFlow's kernels without tfjs' bookkeeping around them: about half the host time of the same tf.* call, and a few
 * kernels tfjs does not offer (BiasAdd and its gradient). Nothing here is taped: use it inside a graph (graph.ts) only.
 * Shapes are the caller's business. Results belong to the surrounding tidy.
 */
import { tf, type Tensor } from './tf.ts'

interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: number | boolean | string | readonly number[]
}

/** What tfjs-node's backend offers beneath its registered kernels (its version is pinned). */
interface NativeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_ATTR_BOOL: number; readonly TF_ATTR_INT: number; readonly TF_ATTR_STRING: number; readonly TF_FLOAT: number; readonly TF_INT32: number }
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor
  executeMultipleOutputs(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[], outputs: number): Tensor[]
}

const backend = (): NativeBackend => tf.backend() as unknown as NativeBackend

const typeAttribute = (name: string, int32 = false): Attribute => {
  const { binding } = backend()
  return { name, type: binding.TF_ATTR_TYPE, value: int32 ? binding.TF_INT32 : binding.TF_FLOAT }
}
const boolAttribute = (name: string, value: boolean): Attribute => ({ name, type: backend().binding.TF_ATTR_BOOL, value })
const intAttribute = (name: string, value: number): Attribute => ({ name, type: backend().binding.TF_ATTR_INT, value })

const attributeSets = new Map<string, readonly Attribute[]>()
/** Attribute lists never change: made once for each key. */
function attributes(key: string, make: () => readonly Attribute[]): readonly Attribute[] {
  let set = attributeSets.get(key)
  if (!set) attributeSets.set(key, (set = make()))
  return set
}

const constants = new Map<string, Tensor>()
/** Small tensors that kernels take as arguments; made once, never freed. */
function constant(key: string, make: () => Tensor): Tensor {
  let value = constants.get(key)
  if (!value) constants.set(key, (value = tf.keep(make())))
  return value
}

/** Constants made so far; leak checks subtract them. */
export const constantCount = (): number => constants.size

const float = (): readonly Attribute[] => attributes('T', () => [typeAttribute('T')])
const scalar = (value: number): Tensor => constant(`f${value}`, () => tf.scalar(value))
const ints = (values: readonly number[]): Tensor => constant(`i${values.join()}`, () => tf.tensor1d(values as number[], 'int32'))

const unary = (name: string) => (x: Tensor): Tensor => backend().executeSingleOutput(name, float(), [x])
const binary = (name: string) => (a: Tensor, b: Tensor | number): Tensor =>
  backend().executeSingleOutput(name, float(), [a, typeof b === 'number' ? scalar(b) : b])

export const add = binary('AddV2')
export const sub = binary('Sub')
export const mul = binary('Mul')
export const div = binary('RealDiv')
export const square = unary('Square')
export const sqrt = unary('Sqrt')
export const exp = unary('Exp')
export const erf = unary('Erf')
export const rsqrt = unary('Rsqrt')
export const softmax = unary('Softmax')
/** constant - x */
export const subFrom = (value: number, x: Tensor): Tensor => backend().executeSingleOutput('Sub', float(), [scalar(value), x])
/** [M, n] + [n] */
export const biasAdd = (x: Tensor, bias: Tensor): Tensor => backend().executeSingleOutput('BiasAdd', float(), [x, bias])
/** Sum over all but the last axis. */
export const biasGradient = unary('BiasAddGrad')

/** Two-dimensional. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const set = attributes(`mm${transposeA}${transposeB}`, () => [typeAttribute('T'), boolAttribute('transpose_a', transposeA), boolAttribute('transpose_b', transposeB)])
  return backend().executeSingleOutput('MatMul', set, [a, b])
}

/** Over the last two axes of equal leading ones. */
export function batchMatMul(a: Tensor, b: Tensor, adjointA = false, adjointB = false): Tensor {
  const set = attributes(`bmm${adjointA}${adjointB}`, () => [typeAttribute('T'), boolAttribute('adj_x', adjointA), boolAttribute('adj_y', adjointB)])
  return backend().executeSingleOutput('BatchMatMulV2', set, [a, b])
}

const reduceAttributes = (): readonly Attribute[] =>
  attributes('reduce', () => [boolAttribute('keep_dims', true), typeAttribute('T'), typeAttribute('Tidx', true)])
/** Over the last axis, which stays as 1. */
export const lastMean = (x: Tensor): Tensor => backend().executeSingleOutput('Mean', reduceAttributes(), [x, ints([x.rank - 1])])
export const lastSum = (x: Tensor): Tensor => backend().executeSingleOutput('Sum', reduceAttributes(), [x, ints([x.rank - 1])])

export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const set = attributes('transpose', () => [typeAttribute('T'), typeAttribute('Tperm', true)])
  return backend().executeSingleOutput('Transpose', set, [x, ints(order)])
}

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const set = attributes('reshape', () => [typeAttribute('T'), typeAttribute('Tshape', true)])
  return backend().executeSingleOutput('Reshape', set, [x, ints(shape)])
}

export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const set = attributes('slice', () => [typeAttribute('T'), typeAttribute('Index', true)])
  return backend().executeSingleOutput('Slice', set, [x, ints(begin), ints(size)])
}

export function pad(x: Tensor, paddings: readonly (readonly [number, number])[]): Tensor {
  const set = attributes('pad', () => [typeAttribute('T'), typeAttribute('Tpaddings', true)])
  const amounts = constant(`p${paddings.join(';')}`, () => tf.tensor2d(paddings as [number, number][], undefined, 'int32'))
  return backend().executeSingleOutput('Pad', set, [x, amounts])
}

/** Along axis 0 of [n, ...]. */
export function unstack(x: Tensor): Tensor[] {
  const count = x.shape[0]!
  const set = attributes(`unpack${count}`, () => [typeAttribute('T'), intAttribute('num', count), intAttribute('axis', 0)])
  return backend().executeMultipleOutputs('Unpack', set, [x], count)
}

/** Along a new axis 0. */
export function stack(parts: readonly Tensor[]): Tensor {
  const set = attributes(`pack${parts.length}`, () => [typeAttribute('T'), intAttribute('N', parts.length), intAttribute('axis', 0)])
  return backend().executeSingleOutput('Pack', set, parts)
}

/** Along axis 0. */
export function concat(parts: readonly Tensor[]): Tensor {
  const set = attributes(`concat${parts.length}`, () => [typeAttribute('T'), typeAttribute('Tidx', true), intAttribute('N', parts.length)])
  const axis = constant('axis0', () => tf.scalar(0, 'int32'))
  return backend().executeSingleOutput('ConcatV2', set, [...parts, axis])
}

/** 'same' padding, channels last. x [B, H, W, in], filter [h, w, in, out] */
export const convolve = (x: Tensor, filter: Tensor, stride: number): Tensor =>
  backend().executeSingleOutput('Conv2D', convolutionAttributes(stride), [x, filter])

export const convolveFilterGradient = (x: Tensor, dy: Tensor, filterShape: readonly number[], stride: number): Tensor =>
  backend().executeSingleOutput('Conv2DBackpropFilter', convolutionAttributes(stride), [x, ints(filterShape), dy])

export const convolveInputGradient = (dy: Tensor, filter: Tensor, inputShape: readonly number[], stride: number): Tensor =>
  backend().executeSingleOutput('Conv2DBackpropInput', convolutionAttributes(stride), [ints(inputShape), filter, dy])

function convolutionAttributes(stride: number): readonly Attribute[] {
  return attributes(`conv${stride}`, () => {
    const { TF_ATTR_INT: type, TF_ATTR_STRING: text } = backend().binding
    return [
      typeAttribute('T'),
      { name: 'strides', type, value: [1, stride, stride, 1] },
      { name: 'padding', type: text, value: 'SAME' },
      { name: 'data_format', type: text, value: 'NHWC' },
      { name: 'dilations', type, value: [1, 1, 1, 1] },
    ]
  })
}

/** Lengths along axis 0 of a vector. */
export function splitVector(x: Tensor, lengths: readonly number[]): Tensor[] {
  const set = attributes(`split${lengths.length}`, () => [typeAttribute('T'), typeAttribute('Tlen', true), intAttribute('num_split', lengths.length)])
  const axis = constant('axis0', () => tf.scalar(0, 'int32'))
  return backend().executeMultipleOutputs('SplitV', set, [x, ints(lengths), axis], lengths.length)
}
