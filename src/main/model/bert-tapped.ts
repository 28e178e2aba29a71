/**
 * The parts of a fusion layer after its cross-attention probabilities, and whole layers above it, twice differentiable: the
 * Grad-CAM gradient passes through them and is itself differentiated. Compare bert.ts, which computes the same.
 */
import { attentionProbabilities, mergeHeads, splitHeads } from './attention.ts'
import { BERT_EPSILON, type KeysValues } from './bert.ts'
import { gelu, layerNorm, linear } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { ModelParams } from './types.ts'

export interface TappedLayer {
  readonly params: ModelParams
  readonly index: number
  /** Texts N. */
  readonly count: number
}

const layerVariable = ({ params, index }: TappedLayer, key: string): Variable =>
  variableOf(params, `text_encoder.bert.encoder.layer.${index}.${key}`)

function dense(layer: TappedLayer, x: Tensor2D, key: string): Tensor2D {
  return linear(x, layerVariable(layer, `${key}.weight`), layerVariable(layer, `${key}.bias`))
}

function norm(layer: TappedLayer, x: Tensor2D, key: string): Tensor2D {
  return layerNorm(x, layerVariable(layer, `${key}.weight`), layerVariable(layer, `${key}.bias`), BERT_EPSILON)
}

/** Looks at attention probabilities and hands on what the layer goes on with. */
export type Tap = (probabilities: Tensor4D) => Tensor4D
const untouched: Tap = (probabilities) => probabilities

/** Self-attention, its residual and norm. `firstOnly`: the [CLS] row of each text alone asks, -> [N, W]. */
export function selfAttention(layer: TappedLayer, x: Tensor2D, bias: Tensor4D, firstOnly: boolean, tap = untouched): Tensor2D {
  const { heads } = layer.params.config.text
  const asking = firstOnly ? firstRows(x, layer.count) : x
  const q = splitHeads(dense(layer, asking, 'attention.self.query'), layer.count, heads) // [N, h, L or 1, d]
  const k = splitHeads(dense(layer, x, 'attention.self.key'), layer.count, heads)
  const v = splitHeads(dense(layer, x, 'attention.self.value'), layer.count, heads)
  const context = tf.matMul(tap(attentionProbabilities(q, k, bias)), v) as Tensor4D
  const out = dense(layer, mergeHeads(context), 'attention.output.dense')
  return norm(layer, tf.add(out, asking), 'attention.output.LayerNorm')
}

/** The first of every L rows: [N * L, W] -> [N, W] */
export function firstRows(x: Tensor2D, count: number): Tensor2D {
  const length = x.shape[0] / count
  if (length === 1) return x
  const width = x.shape[1]
  const grouped = tf.reshape(x, [count, length * width]) as Tensor2D
  return tf.slice(grouped, [0, 0], [count, width])
}

export function feedForward(layer: TappedLayer, x: Tensor2D): Tensor2D {
  const inner = gelu(dense(layer, x, 'intermediate.dense'))
  return norm(layer, tf.add(dense(layer, inner, 'output.dense'), x), 'output.LayerNorm')
}

/** Cross-attention probabilities, the texts of an image side by side: N = I * k texts of R rows -> [I, h, k * R, P] */
export function crossProbabilities(layer: TappedLayer, x: Tensor2D, { keys }: KeysValues): Tensor4D {
  const q = splitHeads(dense(layer, x, 'crossattention.self.query'), keys.shape[0], layer.params.config.text.heads)
  return attentionProbabilities(q, keys, null)
}

/** The rest of cross-attention: context, residual, norm. -> [N * R, W] */
export function crossOutput(layer: TappedLayer, probabilities: Tensor4D, { values }: KeysValues, x: Tensor2D): Tensor2D {
  const context = tf.matMul(probabilities, values) as Tensor4D
  const out = dense(layer, mergeHeads(context), 'crossattention.output.dense')
  return norm(layer, tf.add(out, x), 'crossattention.output.LayerNorm')
}
