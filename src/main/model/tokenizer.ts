/**
 * WordPiece exactly as the reference's BertTokenizer does it: clean, split off CJK and punctuation, lower case, strip
 * accents, longest match first. A phrase becomes [CLS] and its pieces; the reference adds no [SEP].
 */
import { AppError } from '../../shared/errors.ts'
import type { TokenBatch } from './types.ts'
import { NONSPACING_MARKS, OTHER } from './unicode-14.ts'

const MAX_WORD_CODE_POINTS = 100

export interface Tokenizer {
  readonly special: { readonly pad: number; readonly unk: number; readonly cls: number; readonly sep: number; readonly mask: number }
  readonly size: number
  /** Word pieces without [CLS]. */
  tokenize(text: string): string[]
  /** [CLS] and the ids of the pieces, cut to maxTokens (with [CLS]) when given. */
  encode(text: string, maxTokens?: number): { ids: number[]; tokens: string[]; truncated: boolean }
  /** Padded to the longest of the batch. */
  encodeBatch(texts: readonly string[], maxTokens?: number): TokenBatch
}

/**
 * @param vocabulary one piece a line of vocab.txt; the id is the position
 * @throws AppError 'bad-input' when [PAD], [UNK], [CLS], [SEP] or [MASK] is missing
 */
export function createTokenizer(vocabulary: readonly string[]): Tokenizer {
  const ids = new Map(vocabulary.map((piece, id) => [piece, id]))
  const idOf = (piece: string): number => {
    const id = ids.get(piece)
    if (id === undefined) throw new AppError('bad-input', `The vocabulary has no ${piece}.`, 'Use a BERT vocabulary file: one piece a line, with [PAD], [UNK], [CLS], [SEP] and [MASK].')
    return id
  }
  const special = { pad: idOf('[PAD]'), unk: idOf('[UNK]'), cls: idOf('[CLS]'), sep: idOf('[SEP]'), mask: idOf('[MASK]') }
  const kept = new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'])
  const tokenize = (text: string): string[] => basicTokens(text, kept).flatMap((word) => (kept.has(word) ? [word] : wordPieces(word, ids)))
  const encode = (text: string, maxTokens = Infinity) => {
    const all = tokenize(text)
    const tokens = all.slice(0, Math.max(0, maxTokens - 1))
    return { ids: [special.cls, ...tokens.map((piece) => ids.get(piece) ?? special.unk)], tokens: ['[CLS]', ...tokens], truncated: tokens.length < all.length }
  }
  return {
    special,
    size: vocabulary.length,
    tokenize,
    encode,
    encodeBatch: (texts, maxTokens) => padded(texts.map((text) => encode(text, maxTokens).ids), special.pad),
  }
}

function padded(rows: readonly (readonly number[])[], pad: number): TokenBatch {
  const length = rows.reduce((longest, row) => Math.max(longest, row.length), 0)
  const ids = new Int32Array(rows.length * length).fill(pad)
  const mask = new Int32Array(rows.length * length)
  rows.forEach((row, n) => {
    ids.set(row, n * length)
    mask.fill(1, n * length, n * length + row.length)
  })
  return { ids, mask, count: rows.length, length }
}

function basicTokens(text: string, kept: ReadonlySet<string>): string[] {
  return words(spaceOutCjk(cleanText(lowerCase(text, kept)))).flatMap((word) => {
    if (kept.has(word)) return [word]
    return words(splitPunctuation(stripAccents(word.toLowerCase())).join(' '))
  })
}

/** Python's str.split() of what cleanText leaves: spaces, and the two separators that are neither control nor Zs. */
function words(text: string): string[] {
  return text.split(/[\s\u2028\u2029]+/u).filter((word) => word !== '')
}

/** Letter by letter, as the reference does before all else, so that a final sigma stays a common one; special pieces as they are. */
function lowerCase(text: string, kept: ReadonlySet<string>): string {
  return text.replace(/\[[A-Z]+\]|[^]/gu, (part) => (kept.has(part) ? part : lettersOf(part)))
}

/** A letter that is not there yet has no small form either. */
const lettersOf = (text: string): string => Array.from(text, (letter) => (letter > '\x7f' && OTHER.test(letter) ? letter : letter.toLowerCase())).join('')

function cleanText(text: string): string {
  let result = ''
  for (const character of text) {
    if (/[\t\n\r]|\p{Zs}/u.test(character)) result += ' '
    else if (character !== '\ufffd' && !OTHER.test(character)) result += character
  }
  return result
}

function spaceOutCjk(text: string): string {
  // The blocks BERT names as CJK ideographs; Hangul, Hiragana and Katakana are words like others.
  return text.replace(
    /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu,
    ' $& ',
  )
}

function stripAccents(text: string): string {
  return text.normalize('NFD').replace(NONSPACING_MARKS, '')
}

function splitPunctuation(word: string): string[] {
  return word.split(/([!-/:-@[-`{-~]|\p{P})/u).filter((part) => part !== '')
}

function wordPieces(word: string, ids: ReadonlyMap<string, number>): string[] {
  const points = Array.from(word)
  if (points.length > MAX_WORD_CODE_POINTS) return ['[UNK]']
  const pieces: string[] = []
  for (let start = 0; start < points.length; ) {
    let end = points.length
    let piece = ''
    for (; end > start; end--) {
      piece = (start > 0 ? '##' : '') + points.slice(start, end).join('')
      if (ids.has(piece)) break
    }
    if (end === start) return ['[UNK]']
    pieces.push(piece)
    start = end
  }
  return pieces
}
