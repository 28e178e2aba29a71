import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBertFolder } from '../../../src/main/checkpoints/hf/sentences.ts'
import { createSentenceEncoder } from '../../../src/main/model/sentence.ts'
import { createTokenizer } from '../../../src/main/model/tokenizer.ts'
import { describeWithTensorFlow } from '../../support/tensorflow.ts'

interface Expected {
  readonly sentences: readonly { readonly text: string; readonly ids: readonly number[]; readonly embedding: readonly number[] }[]
}
const { sentences } = JSON.parse(readFileSync(join(import.meta.dirname, 'expected.json'), 'utf8')) as Expected

/** The folder of config.json below what fetch.mjs unpacked. */
function fetched(): string | null {
  const unpacked = join(import.meta.dirname, '../../../.cache/minilm/unpacked')
  if (!existsSync(unpacked)) return null
  const found = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).find((name) => /(^|[\\/])config\.json$/.test(name) && !/[\\/]\d_/.test(name))
  return found ? join(unpacked, found, '..') : null
}
const folder = fetched()

// Skipped where the model was not fetched: node test/golden/minilm/fetch.mjs (90 MB).
describeWithTensorFlow('a BERT from a Hugging Face folder', () => {
  test.skipIf(folder === null)('gives ten sentences the embeddings that PyTorch computes with it', async () => {
    const bert = await openBertFolder(folder!)
    const tokenizer = createTokenizer(bert.vocabulary)
    const encoder = createSentenceEncoder(bert.sizes, bert.tensors, tokenizer, 256)
    const rows = encoder.encode(sentences.map(({ text }) => text))
    encoder.dispose()
    bert.close()
    expect(sentences).toHaveLength(10)
    sentences.forEach(({ text, ids, embedding }, n) => {
      expect([...tokenizer.encode(text).ids, tokenizer.special.sep], text).toEqual(ids)
      const worst = Math.max(...embedding.map((value, i) => Math.abs(value - rows[n]![i]!)))
      expect(worst, text).toBeLessThan(2e-6)
    })
  })
})
