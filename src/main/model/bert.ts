/**
 * BERT split in two: layers before `fusion_layer` read the text, the others also look at the image through
 * cross-attention. Post-LayerNorm, erf GELU. Rows are [texts * tokens, width]; N texts, L tokens, I images, P image tokens.
 */
import { attendOnce, attentionProbabilities, mergeHeads, splitHeads } from './attention.ts'
import { gelu, layerNorm, linear, rowsOf, type Order } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'

export const BERT_EPSILON = 1e-12
const MASKED_SCORE = -10000

/** Which model of the two: '' the trained one, '_m' its momentum copy. */
export type Copy = '' | '_m'

/** One image's keys and values for one fusion layer: [I, h, P, d]. */
export interface KeysValues {
  readonly keys: Tensor4D
  readonly values: Tensor4D
}

export interface LayerContext {
  readonly params: ModelParams
  readonly copy: Copy
  readonly index: number
  /** Texts N. */
  readonly count: number
}

/** Score added for padding: [N, 1, 1, L] */
export function paddingBias(text: TokenBatch): Tensor4D {
  const bias = Float32Array.from(text.mask, (kept) => (1 - kept) * MASKED_SCORE)
  return tf.tensor4d(bias, [text.count, 1, 1, text.length])
}

const layerVariable = ({ params, copy, index }: LayerContext, key: string): Variable =>
  variableOf(params, `text_encoder${copy}.bert.encoder.layer.${index}.${key}`)

function dense(layer: LayerContext, x: Tensor2D, key: string): Tensor2D {
  return linear(x, layerVariable(layer, `${key}.weight`), layerVariable(layer, `${key}.bias`))
}

function norm(layer: LayerContext, x: Tensor2D, key: string, order: Order): Tensor2D {
  return layerNorm(x, layerVariable(layer, `${key}.weight`), layerVariable(layer, `${key}.bias`), BERT_EPSILON, order)
}

/** Word + position + segment embeddings, normalised. -> [N * L, W] */
export function embedTokens(params: ModelParams, text: TokenBatch, pad: number, copy: Copy = ''): Tensor2D {
  const { width } = params.config.text
  const v = (key: string): Variable => variableOf(params, `text_encoder${copy}.bert.embeddings.${key}`)
  const words = rowsOf(v('word_embeddings.weight'), text.ids, pad)
  const positions = tf.slice(v('position_embeddings.weight') as Tensor2D, [0, 0], [text.length, width]) // [L, W]
  const segment = tf.slice(v('token_type_embeddings.weight') as Tensor2D, [0, 0], [1, width]) // [1, W]
  const sum = tf.add(tf.reshape(words, [text.count, text.length, width]), tf.add(positions, segment))
  return layerNorm(tf.reshape(sum, [-1, width]), v('LayerNorm.weight'), v('LayerNorm.bias'), BERT_EPSILON)
}

/** The text alone, through the layers before fusion. -> [N * L, W] */
export function encodeText(params: ModelParams, text: TokenBatch, bias: Tensor4D, pad: number, copy: Copy = ''): Tensor2D {
  let x = embedTokens(params, text, pad, copy)
  for (let index = 0; index < params.config.text.fusion_layer; index++) {
    const layer = { params, copy, index, count: text.count }
    x = feedForward(layer, selfAttention(layer, x, bias))
  }
  return x
}

/** Self-attention, its residual and norm. `firstOnly`: the [CLS] row of each text alone asks, -> [N, W]. */
export function selfAttention(layer: LayerContext, x: Tensor2D, bias: Tensor4D, order: Order = 'once', firstOnly = false): Tensor2D {
  const { heads } = layer.params.config.text
  const asking = firstOnly ? firstRows(x, layer.count) : x
  const q = splitHeads(dense(layer, asking, 'attention.self.query'), layer.count, heads) // [N, h, L or 1, d]
  const k = splitHeads(dense(layer, x, 'attention.self.key'), layer.count, heads)
  const v = splitHeads(dense(layer, x, 'attention.self.value'), layer.count, heads)
  const context =
    order === 'once' ? attendOnce(q, k, v, bias) : (tf.matMul(attentionProbabilities(q, k, bias), v) as Tensor4D)
  const out = dense(layer, mergeHeads(context), 'attention.output.dense')
  return norm(layer, tf.add(out, asking), 'attention.output.LayerNorm', order)
}

/** The first of every L rows: [N * L, W] -> [N, W] */
export function firstRows(x: Tensor2D, count: number): Tensor2D {
  const length = x.shape[0] / count
  if (length === 1) return x
  const width = x.shape[1]
  const grouped = tf.reshape(x, [count, length * width]) as Tensor2D
  return tf.slice(grouped, [0, 0], [count, width])
}

export function feedForward(layer: LayerContext, x: Tensor2D, order: Order = 'once'): Tensor2D {
  const inner = gelu(dense(layer, x, 'intermediate.dense'))
  return norm(layer, tf.add(dense(layer, inner, 'output.dense'), x), 'output.LayerNorm', order)
}

/** Keys and values of the image tokens [I * P, Wv] for a fusion layer. */
export function crossKeysValues(layer: LayerContext, imageTokens: Tensor2D, images: number): KeysValues {
  const { heads } = layer.params.config.text
  return {
    keys: splitHeads(dense(layer, imageTokens, 'crossattention.self.key'), images, heads),
    values: splitHeads(dense(layer, imageTokens, 'crossattention.self.value'), images, heads),
  }
}

/**
 * Queries of the texts of one image side by side, so that its keys and values are used in place: N = I * k texts of R rows
 * -> [I, h, k * R, d]
 */
export function crossQueries(layer: LayerContext, x: Tensor2D, images: number): Tensor4D {
  return splitHeads(dense(layer, x, 'crossattention.self.query'), images, layer.params.config.text.heads)
}

/** Residual and norm after the cross-attention's context [I, h, k * R, d]. -> [N * R, W] */
export function crossOutput(layer: LayerContext, context: Tensor4D, x: Tensor2D, order: Order = 'once'): Tensor2D {
  const out = dense(layer, mergeHeads(context), 'crossattention.output.dense')
  return norm(layer, tf.add(out, x), 'crossattention.output.LayerNorm', order)
}

export function crossAttention(layer: LayerContext, x: Tensor2D, source: KeysValues, order: Order = 'once'): Tensor2D {
  const { keys, values } = source
  const q = crossQueries(layer, x, keys.shape[0])
  const context =
    order === 'once' ? attendOnce(q, keys, values, null) : (tf.matMul(attentionProbabilities(q, keys, null), values) as Tensor4D)
  return crossOutput(layer, context, x, order)
}

/** Logits over the vocabulary for rows [M, W]: dense, GELU, norm, decoder tied to the word embeddings. -> [M, V] */
export function maskedWordLogits(params: ModelParams, x: Tensor2D, copy: Copy = ''): Tensor2D {
  const v = (key: string): Variable => variableOf(params, `text_encoder${copy}.${key}`)
  const head = 'cls.predictions'
  const transformed = gelu(linear(x, v(`${head}.transform.dense.weight`), v(`${head}.transform.dense.bias`)))
  const normal = layerNorm(transformed, v(`${head}.transform.LayerNorm.weight`), v(`${head}.transform.LayerNorm.bias`), BERT_EPSILON)
  return linear(normal, v('bert.embeddings.word_embeddings.weight'), v(`${head}.bias`))
}

