/**
 * Every attention of the network in one pass: image blocks, self-attention of all text layers, cross-attention of the fusion layers;
 * and, where asked, the gradient of the target by each of them. Slower than explain.ts, which looks into one layer alone.
 */
import { splitHeads } from './attention.ts'
import { embedTokens, encodeText, paddingBias, type KeysValues } from './bert.ts'
import * as tapped from './bert-tapped.ts'
import { textFeature } from './features.ts'
import { layerNorm, linear } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'
import { embedImage, tappedBlock, VIT_EPSILON } from './vit.ts'

/** By block or layer, from 0. T = P image tokens, L text tokens, [CLS] first in both. */
export interface AttentionStack {
  readonly image: readonly Tensor4D[] // [I, h, T, T]
  readonly self: readonly Tensor4D[] // [N, h, L, L]
  /** Fusion layers, the first first; the texts of an image side by side. */
  readonly cross: readonly Tensor4D[] // [I, h, k * L, T]
}

export interface StackInput {
  readonly params: ModelParams
  /** Normalised pixels, [I, 3, S, S]; k texts an image, in order. With gradients k is 1. */
  readonly images: Float32Array
  readonly text: TokenBatch
  readonly pad: number
}

export interface TappedStack {
  readonly attention: AttentionStack
  /** d (sum of the targets) / d attention, in the same places; null where it was not asked for. */
  readonly gradient: AttentionStack | null
  /** Match logits [N, 2] for 'itm', each image's similarity to its own text over the temperature [N, N] for 'itc'. */
  readonly values: Tensor2D
}

/** Meets the attention probabilities in the order of the pass. */
type Visit = (probabilities: Tensor4D) => Tensor4D

/** Attention of the pass that ends in the match logits; nothing is differentiated. The caller's scope owns the tensors. */
export function matchAttention({ params, images, text, pad }: StackInput): TappedStack {
  const seen: Tensor4D[] = []
  const start = startOf(params, images, text, pad)
  const values = matchPass(params, start, text, (probabilities) => {
    seen.push(probabilities)
    return probabilities
  })
  return { attention: sorted(params, seen), gradient: null, values }
}

/** The same with the gradient of the match logit (class 1) by every attention. One image a text. */
export function matchAttentionGradients({ params, images, text, pad }: StackInput): TappedStack {
  const { image, text: sizes } = params.config
  const start = startOf(params, images, text, pad)
  const [count, tokens] = [text.count, start.image.shape[0] / start.images]
  const shapes = [
    ...Array.from({ length: image.depth }, () => [count, image.heads, tokens, tokens]),
    ...Array.from({ length: sizes.layers }, (_, index) => index).flatMap((index) => [
      [count, sizes.heads, text.length, text.length], ...(index >= sizes.fusion_layer ? [[count, sizes.heads, text.length, tokens]] : []),
    ]),
  ]
  const chosen = tf.tile(tf.tensor2d([[0, 1]]), [count, 1]) as Tensor2D
  return differentiated(params, shapes, chosen, (visit) => matchPass(params, start, text, visit))
}

/** The gradient of each image's similarity to its own text by every attention of the image encoder. One image a text. */
export function similarityAttentionGradients({ params, images, text, pad }: StackInput): TappedStack {
  const { image } = params.config
  const start = embedImage(params, pixelsOf(params, images))
  const [count, tokens] = [text.count, start.shape[0] / text.count]
  const textUnit = textFeature(params, encodeText(params, text, paddingBias(text), pad), count)
  const temperature = variableOf(params, 'temp') as Tensor
  return differentiated(params, Array.from({ length: image.depth }, () => [count, image.heads, tokens, tokens]), tf.eye(count), (visit) => {
    const rows = tapped.firstRows(imagePass(params, start, count, visit), count)
    const projected = linear(rows, variableOf(params, 'vision_proj.weight'), variableOf(params, 'vision_proj.bias'))
    const unit = tf.div(projected, tf.maximum(tf.sqrt(tf.sum(tf.square(projected), 1, true)), SMALLEST_NORM)) as Tensor2D
    return tf.div(tf.matMul(unit, textUnit, false, true), temperature) as Tensor2D
  })
}

const SMALLEST_NORM = 1e-12

/** Zeros are added to every attention and the target differentiated by them: the derivative by the attention itself. */
function differentiated(params: ModelParams, shapes: readonly number[][], dy: Tensor2D, pass: (visit: Visit) => Tensor2D): TappedStack {
  const zeros = shapes.map((shape) => tf.zeros([...shape] as [number, number, number, number]))
  const seen: Tensor4D[] = []
  const run = (): Tensor2D =>
    pass((probabilities) => {
      seen.push(tf.keep(tf.clone(probabilities))) // shares the memory
      return tf.add(probabilities, zeros[seen.length - 1]!) as Tensor4D
    })
  const { value, grads } = tf.engine().gradients(run, zeros, dy)
  // Kept beyond the tape; the clones belong to the caller's scope as everything else does.
  const attention = seen.map((one) => tf.clone(one))
  tf.dispose(seen)
  return { attention: sorted(params, attention), gradient: sorted(params, grads as Tensor4D[]), values: value }
}

function sorted({ config }: ModelParams, seen: readonly Tensor4D[]): AttentionStack {
  const { fusion_layer: fusion, layers } = config.text
  const image = seen.slice(0, config.image.depth)
  const [self, cross]: [Tensor4D[], Tensor4D[]] = [[], []]
  let at = image.length
  for (let index = 0; index < layers && at < seen.length; index++) {
    self.push(seen[at++]!)
    if (index >= fusion) cross.push(seen[at++]!)
  }
  return { image, self, cross }
}

interface Start {
  readonly images: number
  readonly image: Tensor2D // [I * T, Wv]
  readonly words: Tensor2D // [N * L, W]
}

const startOf = (params: ModelParams, images: Float32Array, text: TokenBatch, pad: number): Start => {
  const pixels = pixelsOf(params, images)
  return { images: pixels.shape[0], image: embedImage(params, pixels), words: embedTokens(params, text, pad) }
}

function pixelsOf(params: ModelParams, images: Float32Array): Tensor4D {
  const { size } = params.config.image
  return tf.tensor4d(images, [images.length / (3 * size * size), 3, size, size])
}

/** Through all image blocks and the last norm. */
function imagePass(params: ModelParams, start: Tensor2D, images: number, visit: Visit): Tensor2D {
  let x = start
  for (let index = 0; index < params.config.image.depth; index++) {
    const { attention, rest } = tappedBlock(params, index, x, images)
    x = rest(visit(attention))
  }
  return layerNorm(x, variableOf(params, 'visual_encoder.norm.weight'), variableOf(params, 'visual_encoder.norm.bias'), VIT_EPSILON)
}

/** Image, text and fusion layers up to the match logits, [N, 2]. All rows of every layer, so that every attention is whole. */
function matchPass(params: ModelParams, start: Start, text: TokenBatch, visit: Visit): Tensor2D {
  const { fusion_layer: fusion, layers } = params.config.text
  const tokens = imagePass(params, start.image, start.images, visit)
  const bias = paddingBias(text)
  let x = start.words
  for (let index = 0; index < layers; index++) {
    const layer: tapped.TappedLayer = { params, index, count: text.count }
    x = tapped.selfAttention(layer, x, bias, false, visit)
    if (index >= fusion) {
      const source = keysValues(params, index, tokens, start.images)
      x = tapped.crossOutput(layer, visit(tapped.crossProbabilities(layer, x, source)), source, x)
    }
    x = tapped.feedForward(layer, x)
  }
  return linear(tapped.firstRows(x, text.count), variableOf(params, 'itm_head.weight'), variableOf(params, 'itm_head.bias'))
}

function keysValues(params: ModelParams, index: number, tokens: Tensor2D, images: number): KeysValues {
  const of = (kind: 'key' | 'value'): Tensor4D => {
    const v = (key: string): Variable => variableOf(params, `text_encoder.bert.encoder.layer.${index}.crossattention.self.${kind}.${key}`)
    return splitHeads(linear(tokens, v('weight'), v('bias')), images, params.config.text.heads)
  }
  return { keys: of('key'), values: of('value') }
}
