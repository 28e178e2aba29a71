/** The tokenizer against recordings of the published one (words.json, made by make/words.py): many strings, and every character there is. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTokenizer } from '../../src/main/model/tokenizer.ts'

/** A few seconds of work, on a machine that may be busy. */
const TIMEOUT_MS = 600_000

interface Recorded {
  readonly cases: readonly (readonly [text: string, ids: readonly number[]])[]
  readonly blocks: Readonly<Record<string, { readonly points: readonly (readonly [number, number])[]; readonly sha256: string }>>
}

const { cases, blocks } = JSON.parse(readFileSync(join(import.meta.dirname, 'words.json'), 'utf8')) as Recorded
const tokenizer = createTokenizer(readFileSync(join(import.meta.dirname, 'tiny-a/bert_vocab.txt'), 'utf8').trimEnd().split('\n'))
const ids = (text: string): number[] => tokenizer.encode(text).ids.slice(1)

test('mixed strings of every kind of character', () => {
  expect(cases.length).toBeGreaterThanOrEqual(500)
  for (const [text, want] of cases) expect(ids(text), JSON.stringify(text)).toEqual(want)
})

test('every character within a word, alone, and at the start of a word', () => {
  const wrong = Object.entries(blocks).filter(([, { points, sha256 }]) => {
    const codes = points.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
    const lines = codes.map((code) => String.fromCodePoint(code)).map((c) => ids(`a${c}b ${c} ${c}a`).join(' '))
    return createHash('sha256').update(lines.join('\n')).digest('hex') !== sha256
  })
  expect(Object.keys(blocks).length).toBeGreaterThan(30)
  expect(wrong.map(([start]) => Number(start).toString(16))).toEqual([])
}, TIMEOUT_MS)

test('characters that Unicode 14 does not have are dropped, whatever Node knows of them', () => {
  expect(tokenizer.tokenize('great\u{1fae8} dog \u{1fae8}')).toEqual(['great', 'dog'])
})

test('cleaning, cutting and padding keep to their rules whatever the text', () => {
  for (const [text] of cases) {
    const all = tokenizer.encode(text)
    expect(all.ids[0]).toBe(tokenizer.special.cls)
    expect(all.ids.every((id) => id >= 0 && id < tokenizer.size)).toBe(true)
    const cut = tokenizer.encode(text, 7)
    expect(cut.ids).toEqual(all.ids.slice(0, 7))
    expect(cut.truncated).toBe(all.ids.length > 7)
    const { ids: padded, mask, length } = tokenizer.encodeBatch([text, ''], 9)
    expect(Array.from(padded.subarray(0, length)).filter((_, i) => mask[i] === 1)).toEqual(all.ids.slice(0, 9))
    expect(Array.from(mask.subarray(length))).toEqual([1, ...Array.from({ length: length - 1 }, () => 0)])
  }
})
