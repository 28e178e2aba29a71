/**
 * The fusion layers: text meets image. Texts come grouped by image (text n looks at image floor(n / k)), unless keys and
 * values were gathered for each text on its own (k = 1). The Grad-CAM pass stops at one layer's attention probabilities A
 * and goes on from them, so that what follows is a function of A and can be differentiated by it, twice.
 */
import {
  crossAttention,
  crossKeysValues,
  crossOutput,
  crossQueries,
  feedForward,
  firstRows,
  selfAttention,
  type Copy,
  type KeysValues,
  type LayerContext,
} from './bert.ts'
import { attentionProbabilities } from './attention.ts'
import { valueAndGradient } from './custom-op.ts'
import { linear, type Order } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams } from './types.ts'

export interface FusionInput {
  readonly params: ModelParams
  readonly copy?: Copy
  /** Texts N. */
  readonly count: number
  readonly bias: Tensor4D // [N, 1, 1, L]
  /** Keys and values by fusion layer, first fusion layer first. */
  readonly sources: readonly KeysValues[]
}

const layerOf = ({ params, copy = '', count }: FusionInput, index: number): LayerContext => ({ params, copy, index, count })

/** Keys and values of image tokens [I * P, Wv] for every fusion layer. */
export function imageSources(params: ModelParams, imageTokens: Tensor2D, images: number, copy: Copy = ''): KeysValues[] {
  const { fusion_layer, layers } = params.config.text
  const sources: KeysValues[] = []
  for (let index = fusion_layer; index < layers; index++) {
    sources.push(crossKeysValues({ params, copy, index, count: 0 }, imageTokens, images))
  }
  return sources
}

/** Self-attention of the first fusion layer: it sees the text alone, so one result serves every pass over that text. [N * L, W] */
export function fusionEntry(input: FusionInput, textRows: Tensor2D): Tensor2D {
  return selfAttention(layerOf(input, input.params.config.text.fusion_layer), textRows, input.bias)
}

/**
 * Through all fusion layers from the entry [N * L, W].
 * @param firstOnly only the [CLS] rows of the last layer: [N, W] instead of [N * L, W]; the others are not read by the match head.
 */
export function fuse(input: FusionInput, entry: Tensor2D, firstOnly: boolean): Tensor2D {
  const { fusion_layer } = input.params.config.text
  return fuseFrom(input, fusion_layer, attentionRows(input, fusion_layer, entry, firstOnly), firstOnly, 'once')
}

const isLast = ({ params }: FusionInput, index: number): boolean => index === params.config.text.layers - 1

/** The rows that go on after self-attention: in the last layer possibly the [CLS] rows alone. */
function attentionRows(input: FusionInput, index: number, entry: Tensor2D, firstOnly: boolean): Tensor2D {
  return firstOnly && isLast(input, index) ? firstRows(entry, input.count) : entry
}

/** From the rows after layer `start`'s self-attention to the end. */
function fuseFrom(input: FusionInput, start: number, rows: Tensor2D, firstOnly: boolean, order: Order): Tensor2D {
  const { fusion_layer, layers } = input.params.config.text
  let x = rows
  for (let index = start; index < layers; index++) {
    const layer = layerOf(input, index)
    if (index > start) x = selfAttention(layer, x, input.bias, order, firstOnly && isLast(input, index))
    x = feedForward(layer, crossAttention(layer, x, input.sources[index - fusion_layer]!, order), order)
  }
  return x
}

/** Match logits from last-layer rows; [CLS] rows are taken out first. [N, 2], class 1: match */
export function matchLogits(params: ModelParams, rows: Tensor2D, count: number): Tensor2D {
  return linear(firstRows(rows, count), variableOf(params, 'itm_head.weight'), variableOf(params, 'itm_head.bias'))
}

export interface TappedFusion {
  /** Match logits of the pairs, [N, 2] */
  readonly logits: Tensor2D
  /** Cross-attention probabilities of the Grad-CAM layer, [I, h, k * R, P] with R = L or, [CLS] alone, 1. */
  readonly attention: Tensor4D
  /** d (sum of class-1 logits) / d attention, differentiable; same shape. */
  readonly gradient: Tensor4D
}

/** The pass over matching pairs that also gives what the heatmap is made of. */
export function fuseTapped(input: FusionInput, entry: Tensor2D, tapLayer: number, firstOnly: boolean): TappedFusion {
  const { fusion_layer } = input.params.config.text
  const layer = layerOf(input, tapLayer)
  const source = input.sources[tapLayer - fusion_layer]!
  let x = attentionRows(input, fusion_layer, entry, firstOnly)
  for (let index = fusion_layer; index < tapLayer; index++) {
    const before = layerOf(input, index)
    x = feedForward(before, crossAttention(before, x, input.sources[index - fusion_layer]!))
    const after = layerOf(input, index + 1)
    x = selfAttention(after, x, input.bias, 'once', firstOnly && isLast(input, index + 1))
  }
  const rows = x
  const attention = attentionProbabilities(crossQueries(layer, rows, source.keys.shape[0]), source.keys, null)
  const rest = (): Tensor2D => {
    const context = tf.matMul(attention, source.values) as Tensor4D
    let y = feedForward(layer, crossOutput(layer, context, rows, 'twice'), 'twice')
    if (!isLast(input, tapLayer)) {
      const next = layerOf(input, tapLayer + 1)
      const attended = selfAttention(next, y, input.bias, 'twice', firstOnly && isLast(input, tapLayer + 1))
      y = fuseFrom(input, tapLayer + 1, attended, firstOnly, 'twice')
    }
    return matchLogits(input.params, y, input.count)
  }
  const chooseMatch: Tensor = tf.tile(tf.tensor2d([[0, 1]]), [input.count, 1])
  const { value, gradient } = valueAndGradient(rest, attention, chooseMatch)
  return { logits: value, attention, gradient: gradient as Tensor4D }
}
