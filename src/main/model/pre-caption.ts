/** The reference's pre_caption: what happens to a phrase before the tokenizer sees it. */

// Python's str.isspace, which its split and strip use: Unicode whitespace and also the separators U+001C to U+001F.
const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPACE_RUN = new RegExp(`[${PYTHON_SPACE}]{2,}`, 'gu')
const TRAILING_NEWLINES = /\n+$/

/**
 * Lower case, punctuation removed, hyphens and slashes to spaces, at most maxWords words.
 * Source: dataset/utils.py of the reference.
 */
export function preCaption(phrase: string, maxWords: number): string {
  const cleaned = phrase
    .toLowerCase()
    .replace(/[,.'!?"()*#:;~]/g, '')
    .replaceAll('-', ' ')
    .replaceAll('/', ' ')
    .replaceAll('<person>', 'person')
    .replace(SPACE_RUN, ' ')
    .replace(TRAILING_NEWLINES, '')
    .replace(/^ +| +$/g, '')
  const words = cleaned.split(' ')
  return words.length > maxWords ? words.slice(0, maxWords).join(' ') : cleaned
}
