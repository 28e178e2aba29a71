/** A whole BERT as an encoder of sentences: every layer, tokens averaged, length one. It shows that foreign weights are read right. */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import { encodeText, paddingBias } from './bert.ts'
import type { StoredTensor } from './load-params.ts'
import { parameterSpecs } from './params.ts'
import { tf, type Variable } from './tf.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { ModelParams, TokenBatch } from './types.ts'

export interface SentenceSizes {
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly intermediate: number
  readonly vocabSize: number
  readonly maxPositions: number
}

export interface SentenceEncoder {
  /** One row of `width` numbers a sentence, each of length one. */
  encode(sentences: readonly string[]): Float32Array[]
  dispose(): void
}

/**
 * @param tensors under the names of our text encoder
 * @throws AppError 'bad-input' naming a tensor that is missing or of another size
 */
export function createSentenceEncoder(sizes: SentenceSizes, tensors: ReadonlyMap<string, StoredTensor>, tokenizer: Tokenizer, maxTokens: number): SentenceEncoder {
  const config = textOnly(sizes)
  const variables = new Map<string, Variable>()
  const dispose = (): void => variables.forEach((variable) => variable.dispose())
  try {
    for (const { name, shape } of parameterSpecs(config)) {
      if (!name.startsWith('text_encoder.bert.')) continue
      const tensor = tensors.get(name)
      const fits = tensor && tensor.shape.length === shape.length && tensor.shape.every((n, i) => n === shape[i])
      if (!fits) throw new AppError('bad-input', `The weights ${tensor ? 'have another size in' : 'lack'} ${name.slice('text_encoder.bert.'.length)}.`, 'Fetch the folder again.', name)
      variables.set(name, tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(tensor.read().data as ArrayLike<number>), [...shape], 'float32'), false)))
    }
  } catch (error) {
    dispose()
    throw error
  }
  const params: ModelParams = { config, variables, trainable: [], queues: null }
  return {
    dispose,
    encode: (sentences) => {
      const batch = batchOf(sentences, tokenizer, maxTokens)
      const rows = tf.tidy(() => {
        const x = tf.reshape(encodeText(params, batch, paddingBias(batch), tokenizer.special.pad), [batch.count, batch.length, sizes.width]) // [N, L, W]
        const kept = tf.tensor3d(Float32Array.from(batch.mask), [batch.count, batch.length, 1])
        const mean = tf.div(tf.sum(tf.mul(x, kept), 1), tf.sum(kept, 1)) // [N, W]
        return tf.div(mean, tf.maximum(tf.norm(mean, 2, 1, true), 1e-12)).dataSync<'float32'>()
      })
      return sentences.map((_, n) => rows.slice(n * sizes.width, (n + 1) * sizes.width))
    },
  }
}

/** [CLS] pieces [SEP], padded: how BERT's own users write a sentence (the phrases of this program have no [SEP]). */
function batchOf(sentences: readonly string[], tokenizer: Tokenizer, maxTokens: number): TokenBatch {
  const rows = sentences.map((sentence) => [...tokenizer.encode(sentence, maxTokens - 1).ids, tokenizer.special.sep])
  const length = Math.max(...rows.map((row) => row.length))
  const ids = new Int32Array(rows.length * length).fill(tokenizer.special.pad)
  const mask = new Int32Array(rows.length * length)
  rows.forEach((row, n) => {
    ids.set(row, n * length)
    mask.fill(1, n * length, n * length + row.length)
  })
  return { ids, mask, count: rows.length, length }
}

/** All layers read the text alone. Sizes of an image encoder that is never made fill the rest. */
function textOnly({ width, layers, heads, intermediate, vocabSize, maxPositions }: SentenceSizes): ModelConfig {
  return {
    name: 'sentences',
    image: { size: 1, patch: 1, width: 1, depth: 1, heads: 1, mlp_ratio: 1, stem: 'patch' },
    text: { vocabulary: '', vocab_size: vocabSize, width, layers, fusion_layer: layers, heads, intermediate, max_positions: maxPositions },
    embed_dim: 1, queue_size: 0, momentum: null, temperature: 0.07, gradcam_layer: layers - 1, mask_size: 1, max_tokens: maxPositions, mlm_probability: 0.15, init: 'bert',
  }
}
