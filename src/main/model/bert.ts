/**
 * BERT split in two: layers before `fusion_layer` read the text, the others also look at the image through
 * cross-attention. Post-LayerNorm, erf GELU. Rows are [texts * tokens, width]; N texts, L tokens, I images, P image tokens.
 * Written as parts of a graph (differentiable once); the parts the Grad-CAM gradient passes through are in bert-tapped.ts.
 */
import { accumulate, emit, once, param, settleLike, type Graph, type Node } from './graph.ts'
import * as layers from './layers.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'

export const BERT_EPSILON = 1e-12
const MASKED_SCORE = -10000

/** Which model of the two: '' the trained one, '_m' its momentum copy. */
export type Copy = '' | '_m'

/** Keys and values of images for one fusion layer: [I, h, P, d]. */
export interface KeysValues {
  readonly keys: Tensor4D
  readonly values: Tensor4D
}

/** Score added for padding: [N, 1, 1, L] */
export function paddingBias(text: TokenBatch): Tensor4D {
  const bias = Float32Array.from(text.mask, (kept) => (1 - kept) * MASKED_SCORE)
  return settleLike(tf.tensor4d(bias, [text.count, 1, 1, text.length]))
}

/** One BERT layer within a graph. */
export interface LayerParts {
  /** Self-attention, residual, norm. `firstOnly`: the [CLS] row of each text alone asks, -> [N, W]. */
  selfAttention(x: Node, bias: Tensor4D, firstOnly?: boolean): Node
  /** Cross-attention of consecutive rows, each stretch on its own images; residual, norm. */
  crossAttention(x: Node, sources: readonly CrossSource[]): Node
  feedForward(x: Node): Node
}

/** Rows that look at the same set of keys and values, [I, h, P, d]: the rows of one image side by side. */
export interface CrossSource {
  readonly rows: number
  readonly keys: Node
  readonly values: Node
}

export function layerParts(graph: Graph, params: ModelParams, copy: Copy, index: number, count: number): LayerParts {
  const { heads } = params.config.text
  const p = (key: string): Node => param(graph, variableOf(params, `text_encoder${copy}.bert.encoder.layer.${index}.${key}`))
  const dense = (x: Node, key: string): Node => layers.linear(graph, x, p(`${key}.weight`), p(`${key}.bias`))
  const normed = (x: Node, residual: Node, key: string): Node =>
    layers.layerNorm(graph, layers.add(graph, x, residual), p(`${key}.weight`), p(`${key}.bias`), BERT_EPSILON)
  const joined = (names: readonly string[], kind: string): Node => layers.joinRows(graph, names.map((name) => p(`attention.self.${name}.${kind}`)))

  return {
    selfAttention: (x, bias, firstOnly = false) => {
      let asking = x
      let context: Node
      if (firstOnly) {
        asking = layers.firstRows(graph, x, count)
        const keys = layers.splitHeads(graph, dense(x, 'attention.self.key'), count, heads)
        const values = layers.splitHeads(graph, dense(x, 'attention.self.value'), count, heads)
        context = layers.attend(graph, dense(asking, 'attention.self.query'), keys, values, bias)
      } else {
        const names = ['query', 'key', 'value']
        const qkv = layers.linear(graph, x, joined(names, 'weight'), joined(names, 'bias'))
        context = layers.selfAttend(graph, qkv, count, heads, bias)
      }
      return normed(dense(context, 'attention.output.dense'), asking, 'attention.output.LayerNorm')
    },
    crossAttention: (x, sources) => {
      const q = dense(x, 'crossattention.self.query')
      let start = 0
      const contexts = sources.map(({ rows, keys, values }) => {
        const asking = layers.sliceRows(graph, q, start, rows)
        start += rows
        return layers.attend(graph, asking, keys, values, null)
      })
      const context = contexts.length === 1 ? contexts[0]! : layers.joinRows(graph, contexts)
      return normed(dense(context, 'crossattention.output.dense'), x, 'crossattention.output.LayerNorm')
    },
    feedForward: (x) => {
      const [w1, b1, w2, b2] = [p('intermediate.dense.weight'), p('intermediate.dense.bias'), p('output.dense.weight'), p('output.dense.bias')]
      return normed(layers.feedForward(graph, x, w1, b1, w2, b2), x, 'output.LayerNorm')
    },
  }
}

/** Word + position + segment embeddings, normalised. A [PAD] word learns nothing from being looked up. -> [N * L, W] */
export function embedTokens(params: ModelParams, text: TokenBatch, pad: number, copy: Copy = ''): Tensor2D {
  const { width, max_positions: positions } = params.config.text
  const { count, length } = text
  return once('the word embeddings', [], (graph) => {
    const p = (key: string): Node => param(graph, variableOf(params, `text_encoder${copy}.bert.embeddings.${key}`))
    const words = layers.takeRows(graph, p('word_embeddings.weight'), text.ids, pad)
    const [position, segment] = [p('position_embeddings.weight'), p('token_type_embeddings.weight')]
    const place = tf.add(tf.slice(position.value, [0, 0], [length, width]), tf.slice(segment.value, [0, 0], [1, width])) // [L, W]
    const sum = tf.add(tf.reshape(words.value, [count, length, width]), place)
    const summed = emit(graph, tf.reshape(sum, [count * length, width]), (dy) => {
      accumulate(words, () => tf.clone(dy))
      const dPlace = tf.sum(tf.reshape(dy, [count, length, width]), 0) // [L, W]
      accumulate(position, () => tf.pad(dPlace, [[0, positions - length], [0, 0]]))
      accumulate(segment, () => tf.pad(tf.sum(dPlace, 0, true), [[0, 1], [0, 0]]))
    })
    return layers.layerNorm(graph, summed, p('LayerNorm.weight'), p('LayerNorm.bias'), BERT_EPSILON)
  })
}

/** The text alone, through the layers before fusion. -> [N * L, W] */
export function encodeText(params: ModelParams, text: TokenBatch, bias: Tensor4D, pad: number, copy: Copy = ''): Tensor2D {
  let x = embedTokens(params, text, pad, copy)
  for (let index = 0; index < params.config.text.fusion_layer; index++) {
    x = once('a text layer', [x, bias], (graph, input, padding) => {
      const layer = layerParts(graph, params, copy, index, text.count)
      return layer.feedForward(layer.selfAttention(input, padding.value as Tensor4D))
    })
  }
  return x
}

/** Keys and values of image tokens [I * P, Wv] for every fusion layer. */
export function imageSources(params: ModelParams, imageTokens: Tensor2D, images: number, copy: Copy = ''): KeysValues[] {
  const { fusion_layer, layers: all, heads } = params.config.text
  return Array.from({ length: all - fusion_layer }, (_, i) => {
    const project = (kind: 'key' | 'value'): Tensor4D =>
      once(`the image's ${kind}s`, [imageTokens], (graph, input) => {
        const name = `text_encoder${copy}.bert.encoder.layer.${fusion_layer + i}.crossattention.self.${kind}`
        const p = (key: string): Node => param(graph, variableOf(params, `${name}.${key}`))
        return layers.splitHeads(graph, layers.linear(graph, input, p('weight'), p('bias')), images, heads)
      })
    return { keys: project('key'), values: project('value') }
  })
}

/** Logits over the vocabulary for rows [M, W]: dense, GELU, norm, decoder tied to the word embeddings. -> [M, V] */
export function maskedWordLogits(params: ModelParams, x: Tensor2D, copy: Copy = ''): Tensor2D {
  return once('the masked-word head', [x], (graph, input) => {
    const p = (key: string): Node => param(graph, variableOf(params, `text_encoder${copy}.${key}`))
    const head = 'cls.predictions'
    const transformed = layers.gelu(graph, layers.linear(graph, input, p(`${head}.transform.dense.weight`), p(`${head}.transform.dense.bias`)))
    const normal = layers.layerNorm(graph, transformed, p(`${head}.transform.LayerNorm.weight`), p(`${head}.transform.LayerNorm.bias`), BERT_EPSILON)
    return layers.linear(graph, normal, p('bert.embeddings.word_embeddings.weight'), p(`${head}.bias`))
  })
}
