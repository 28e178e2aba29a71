import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { preCaption } from './pre-caption.ts'
import { createTokenizer } from './tokenizer.ts'

const golden = join(import.meta.dirname, '../../../test/golden/tiny-a')
const json = (name: string): unknown => JSON.parse(readFileSync(join(golden, name), 'utf8'))
const lines = (name: string): string[] => readFileSync(join(golden, name), 'utf8').replace(/\n$/, '').split('\n')

interface Cases {
  single: { text: string; tokens: string[]; input_ids: number[] }[]
  batch_train_truncate25: { texts: string[]; max_length: number; input_ids: number[][]; attention_mask: number[][] }
  batch_eval: { texts: string[]; input_ids: number[][]; attention_mask: number[][] }
  special: Record<string, number>
}

describe.each([['tokenizer_small.json', 'vocab.txt'], ['tokenizer_bert.json', 'bert_vocab.txt']])('%s', (cases, vocabulary) => {
  const expected = json(cases) as Cases
  const tokenizer = createTokenizer(lines(vocabulary))

  test('the same pieces and ids for every text, accents, CJK, emoji and control characters included', () => {
    expect(tokenizer.special).toEqual(expected.special)
    for (const { text, tokens, input_ids } of expected.single) {
      expect(tokenizer.tokenize(text), JSON.stringify(text)).toEqual(tokens)
      expect(tokenizer.encode(text).ids, JSON.stringify(text)).toEqual(input_ids)
    }
  })

  test('the same batches, cut to the training length and whole', () => {
    for (const batch of [expected.batch_train_truncate25, { ...expected.batch_eval, max_length: undefined }]) {
      const { ids, mask, length } = tokenizer.encodeBatch(batch.texts, batch.max_length)
      batch.texts.forEach((text, n) => {
        expect(Array.from(ids.subarray(n * length, (n + 1) * length)), text).toEqual(batch.input_ids[n])
        expect(Array.from(mask.subarray(n * length, (n + 1) * length)), text).toEqual(batch.attention_mask[n])
      })
    }
  })
})

test('pre_caption as the reference, every case', () => {
  const cases = json('pre_caption.json') as { inp: string; max_words: number; out: string }[]
  expect(cases.length).toBeGreaterThan(50)
  for (const { inp, max_words, out } of cases) expect(preCaption(inp, max_words), JSON.stringify(inp)).toBe(out)
})

test('a vocabulary without a special piece is refused by name', () => {
  expect(() => createTokenizer(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'dog'])).toThrow(/no \[MASK\]/)
})
