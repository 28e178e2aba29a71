/**
 * WordPiece as BERT's uncased tokenizer, with the reference's turn: [CLS] in front and no [SEP] behind. A vocabulary of
 * whole words works the same way.
 */
import { AppError } from '../../shared/errors.ts'
import { PYTHON_SPACE } from './pre-caption.ts'
import type { SpecialTokens, TokenBatch } from './types.ts'

const LONGEST_WORD = 100
const SPACES = new RegExp(`[${PYTHON_SPACE}]+`, 'u')
const CJK_RANGES: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f], [0x2b740, 0x2b81f], [0x2b820, 0x2ceaf], [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
]

export interface TokenizerIds extends SpecialTokens {
  readonly unk: number
  readonly sep: number
}

export interface EncodedBatch extends TokenBatch {
  /** 1 for each text that was longer than allowed. */
  readonly truncated: Uint8Array
}

export interface Tokenizer {
  readonly ids: TokenizerIds
  readonly words: readonly string[]
  /** Word pieces without [CLS]. */
  tokenize(text: string): string[]
  /** [CLS] and word pieces, cut to maxTokens when given. */
  encode(text: string, maxTokens?: number): number[]
  /** Padded to the longest of the batch, or to `length` when given. */
  encodeBatch(texts: readonly string[], options?: { maxTokens?: number; length?: number }): EncodedBatch
}

/** @param words the vocabulary, id = place. @throws AppError 'bad-input' when a special token is missing. */
export function createTokenizer(words: readonly string[], place = 'the vocabulary'): Tokenizer {
  const idOf = new Map(words.map((word, id) => [word, id]))
  const special = (word: string): number => {
    const id = idOf.get(word)
    if (id === undefined) {
      throw new AppError('bad-input', `${place} has no ${word}.`, 'Use a BERT vocabulary: one word piece a line, with [PAD], [UNK], [CLS], [SEP] and [MASK].', place)
    }
    return id
  }
  const ids: TokenizerIds = { pad: special('[PAD]'), unk: special('[UNK]'), cls: special('[CLS]'), sep: special('[SEP]'), mask: special('[MASK]') }
  const tokenize = (text: string): string[] => basicWords(text).flatMap((word) => wordPieces(word, idOf))
  const encode = (text: string, maxTokens = Infinity): number[] => {
    const pieces = tokenize(text).map((piece) => idOf.get(piece)!)
    return [ids.cls, ...pieces].slice(0, maxTokens)
  }
  const encodeBatch: Tokenizer['encodeBatch'] = (texts, { maxTokens = Infinity, length: fixed } = {}) => {
    const full = texts.map((text) => encode(text))
    const rows = full.map((row) => row.slice(0, Math.min(maxTokens, fixed ?? Infinity)))
    const length = fixed ?? Math.max(1, ...rows.map((row) => row.length))
    const batch = { ids: new Int32Array(texts.length * length).fill(ids.pad), mask: new Int32Array(texts.length * length) }
    rows.forEach((row, n) => {
      batch.ids.set(row, n * length)
      batch.mask.fill(1, n * length, n * length + row.length)
    })
    return { ...batch, count: texts.length, length, truncated: Uint8Array.from(full, (row, n) => (row.length > rows[n]!.length ? 1 : 0)) }
  }
  return { ids, words, tokenize, encode, encodeBatch }
}

/** A vocabulary file's text: one word piece a line, its id its line from 0. */
export function parseVocabulary(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const SPECIAL_WORDS = new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'])

/** Clean text, words and punctuation apart, lower case without accents; special tokens that stand alone stay as they are. */
function basicWords(text: string): string[] {
  let clean = ''
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (/[ \t\n\r]|\p{Zs}/u.test(char)) clean += ' '
    else if (code === 0xfffd || /\p{C}/u.test(char)) continue
    else clean += CJK_RANGES.some(([low, high]) => code >= low && code <= high) ? ` ${char} ` : char
  }
  return clean
    .split(SPACES)
    .filter(Boolean)
    .flatMap((word) => (SPECIAL_WORDS.has(word) ? [word] : splitPunctuation(stripAccents(word.toLowerCase()))))
    .flatMap((word) => word.split(SPACES).filter(Boolean))
}

function stripAccents(word: string): string {
  return word.normalize('NFD').replace(/\p{Mn}/gu, '')
}

function splitPunctuation(word: string): string[] {
  const parts: string[] = []
  let open = false
  for (const char of word) {
    // BERT counts every ASCII symbol as punctuation, such as $ and ^, which Unicode does not.
    if (/[!-/:-@[-`{-~]|\p{P}/u.test(char)) {
      parts.push(char)
      open = false
    } else if (open) {
      parts[parts.length - 1] += char
    } else {
      parts.push(char)
      open = true
    }
  }
  return parts
}

/** The longest piece of the vocabulary first; a word that cannot be covered is one [UNK]. */
function wordPieces(word: string, idOf: ReadonlyMap<string, number>): string[] {
  const chars = [...word]
  if (chars.length > LONGEST_WORD) return ['[UNK]']
  const pieces: string[] = []
  let start = 0
  while (start < chars.length) {
    let end = chars.length
    let piece = ''
    for (; end > start; end--) {
      piece = (start > 0 ? '##' : '') + chars.slice(start, end).join('')
      if (idOf.has(piece)) break
    }
    if (end === start) return ['[UNK]']
    pieces.push(piece)
    start = end
  }
  return pieces
}
