/** Tokenizers and text cleaning. */
import { createHash } from 'node:crypto'
import { preCaption } from '../model/pre-caption.ts'
import { createTokenizer, type Tokenizer } from '../model/tokenizer.ts'
import { compareExactly, failed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import { vocabularyOf, type GoldenCase } from './setup.ts'

export function wordCases(folder: GoldenFolder): GoldenCase[] {
  const files = folder.files.filter((name) => /^tokenizer_\w+\.json$/.test(name))
  const cases: GoldenCase[] = files.map((file) => ({ name: file.replace(/\.json$/, ''), run: async () => tokenizerCase(folder, file) }))
  if (folder.has('pre_caption.json')) cases.push({ name: 'pre_caption', run: async () => captionCase(folder) })
  return cases
}

interface TokenizerJson {
  readonly vocab_size: number
  readonly special: Readonly<Record<string, number>>
  readonly single: readonly SingleJson[]
  readonly [batch: string]: unknown
}

interface SingleJson {
  readonly text: string
  readonly tokens: readonly string[]
  readonly input_ids: readonly number[]
  readonly attention_mask?: readonly number[]
  readonly token_type_ids?: readonly number[]
}

interface TokenBatchJson {
  readonly texts: readonly string[]
  readonly max_length?: number
  readonly input_ids: readonly (readonly number[])[]
  readonly attention_mask: readonly (readonly number[])[]
  readonly token_type_ids?: readonly (readonly number[])[]
}

/** The vocabulary that everybody has: bert-base-uncased. */
const PUBLISHED = { words: 30522, md5: '64800d5d8528ce344256daf115d4965e' }

/** The vocabulary is the one of the size that the file names. */
function tokenizerCase(folder: GoldenFolder, file: string): Check[] {
  const recorded = folder.json<TokenizerJson>(file)
  const found = vocabularyOf(folder, recorded.vocab_size, file.replace(/^tokenizer_|\.json$/g, ''))
  if (!found) return [failed(file, `no vocabulary of ${recorded.vocab_size} words is in the folder`)]
  const tokenizer = createTokenizer(found.words)
  const checks = [compareExactly('special ids', sorted(tokenizer.special), sorted(recorded.special))]
  if (tokenizer.size === PUBLISHED.words) {
    const md5 = createHash('md5').update(folder.text(found.name)).digest('hex')
    checks.push(compareExactly(`${found.name} is the published vocabulary`, md5, PUBLISHED.md5))
  }
  for (const single of recorded.single) checks.push(...singleChecks(tokenizer, single))
  for (const name of Object.keys(recorded)) {
    if (name.startsWith('batch')) checks.push(...batchChecks(tokenizer, name, recorded[name] as TokenBatchJson))
  }
  return checks
}

function singleChecks(tokenizer: Tokenizer, { text, tokens, input_ids: ids, attention_mask: mask, token_type_ids: types }: SingleJson): Check[] {
  const what = JSON.stringify(text)
  const got = tokenizer.encode(text).ids
  return [
    compareExactly(`pieces of ${what}`, tokenizer.tokenize(text), tokens),
    compareExactly(`ids of ${what}`, got, ids),
    ...(mask ? [compareExactly(`attention mask of ${what}`, got.map(() => 1), mask)] : []),
    ...(types ? [compareExactly(`token types of ${what}`, typesOf(got), types)] : []),
  ]
}

/** The reference counts a [SEP] that it never adds: one type more than ids, all of them 0. */
const typesOf = (ids: readonly unknown[]): number[] => [...ids.map(() => 0), 0]

function batchChecks(tokenizer: Tokenizer, name: string, batch: TokenBatchJson): Check[] {
  const got = tokenizer.encodeBatch(batch.texts, batch.max_length)
  const rows = (values: Int32Array): number[][] => Array.from({ length: got.count }, (_, n) => Array.from(values.subarray(n * got.length, (n + 1) * got.length)))
  return [
    compareExactly(`${name}: ids`, rows(got.ids), batch.input_ids),
    compareExactly(`${name}: mask`, rows(got.mask), batch.attention_mask),
    ...(batch.token_type_ids ? [compareExactly(`${name}: token types`, rows(got.ids).map(typesOf), batch.token_type_ids)] : []),
  ]
}

const sorted = (record: Readonly<Record<string, number>>): [string, number][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))

function captionCase(folder: GoldenFolder): Check[] {
  const cases = folder.json<{ inp: string; max_words: number; out: string }[]>('pre_caption.json')
  return cases.map(({ inp, max_words: words, out }) => compareExactly(JSON.stringify(inp), preCaption(inp, words), out))
}
