/**
 * The demo model's words. One whole word is one token: a BERT vocabulary without continuation pieces, so the ordinary
 * tokenizer reads it. resources/demo/vocabulary.txt holds the same list, one word a line.
 */
import { CATEGORIES, COLOURS } from './categories.ts'

export const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const

export const DEMO_VOCABULARY: readonly string[] = [
  ...SPECIAL_TOKENS,
  'a',
  'an',
  'the',
  'on',
  'at',
  'left',
  'right',
  'top',
  'bottom',
  'large',
  'small',
  ...COLOURS,
  ...CATEGORIES.map((category) => category.name),
]

/** [CLS], at most six words, [SEP]. */
export const DEMO_MAX_TOKENS = 8

/** The list as a vocabulary file: one token a line, its id is its line counted from 0. */
export function vocabularyText(): string {
  return DEMO_VOCABULARY.join('\n') + '\n'
}
