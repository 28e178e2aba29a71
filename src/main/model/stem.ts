/**
 * Convolutions before the transformer, for small images: 5x5 stride 3, then twice 3x3 stride 2, each followed by a
 * normalisation over the whole sample and GELU, then 1x1. Cells of 12 px. 'same' padding (one pixel more at the far side where it is odd).
 */
import { accumulate, emit, fixed, hold, once, param, type Graph, type Node } from './graph.ts'
import * as k from './kernels.ts'
import * as layers from './layers.ts'
import { variableOf } from './params.ts'
import type { Tensor2D, Tensor4D } from './tf.ts'
import type { ModelParams } from './types.ts'

const STRIDES = [3, 2, 2] as const
const GROUP_EPSILON = 1e-5

/** [B, 3, S, S] -> [B * g * g, width] */
export function convStem(params: ModelParams, images: Tensor4D, prefix: string): Tensor2D {
  return once('the convolutional stem', [], (graph) => {
    const p = (key: string): Node => param(graph, variableOf(params, `${prefix}.stem.${key}`))
    // Channels last: the only layout TensorFlow convolves on a CPU. Pixels do not learn, so the first layer hands nothing down.
    let x = fixed(k.transpose(images, [0, 2, 3, 1]))
    STRIDES.forEach((stride, i) => {
      const convolved = convolution(graph, x, p(`${i}.conv.weight`), p(`${i}.conv.bias`), stride)
      x = layers.gelu(graph, sampleNorm(graph, convolved, p(`${i}.norm.weight`), p(`${i}.norm.bias`)))
    })
    const width = x.value.shape[3]!
    const last = x
    const rows = emit(graph, k.reshape(last.value, [last.value.size / width, width]), (dy) => accumulate(last, () => k.reshape(dy, last.value.shape)))
    const weight = p('proj.weight')
    const matrix = emit(graph, k.reshape(weight.value, [width, width]), (dy) => accumulate(weight, () => k.reshape(dy, weight.value.shape)))
    return layers.linear(graph, rows, matrix, p('proj.bias'))
  })
}

/** x [B, H, W, C], weight [out, in, h, w] as PyTorch keeps it. */
function convolution(graph: Graph, x: Node, weight: Node, bias: Node, stride: number): Node {
  const filter = hold(graph, k.transpose(weight.value, [2, 3, 1, 0]))  // [h, w, in, out]
  const input = hold(graph, x.value)
  const value = k.biasAdd(k.convolve(x.value, filter, stride), bias.value)
  return emit(graph, value, (dy) => {
    accumulate(bias, () => k.biasGradient(dy))
    accumulate(weight, () => k.transpose(k.convolveFilterGradient(input, dy, filter.shape, stride), [3, 2, 0, 1]))
    accumulate(x, () => k.convolveInputGradient(dy, filter, input.shape, stride))
  })
}

/** GroupNorm with one group: normalised over height, width and channels of each sample, [B, H, W, C]. */
function sampleNorm(graph: Graph, x: Node, gamma: Node, beta: Node): Node {
  const shape = x.value.shape
  const flatShape = [shape[0]!, x.value.size / shape[0]!]
  const flat = k.reshape(x.value, flatShape)
  const centred = k.sub(flat, k.lastMean(flat))
  const scale = hold(graph, k.rsqrt(k.add(k.lastMean(k.square(centred)), GROUP_EPSILON))) // [B, 1]
  const normal = hold(graph, k.mul(centred, scale)) // [B, H * W * C]
  const scaled = k.mul(k.reshape(normal, shape), gamma.value)
  return emit(graph, k.biasAdd(scaled, beta.value), (dy) => {
    accumulate(gamma, () => k.biasGradient(k.mul(dy, k.reshape(normal, shape))))
    accumulate(beta, () => k.biasGradient(dy))
    accumulate(x, () => {
      const d = k.reshape(k.mul(dy, gamma.value), flatShape)
      const parallel = k.mul(normal, k.lastMean(k.mul(d, normal)))
      return k.reshape(k.mul(k.sub(k.sub(d, k.lastMean(d)), parallel), scale), shape)
    })
  })
}
