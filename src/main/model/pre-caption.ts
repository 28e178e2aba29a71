/** The cleaning that the published training and evaluation give every text before tokenising. */

/** What Python's \s matches: not JavaScript's (separators U+001C to U+001F and U+0085 belong to it, U+FEFF does not). */
export const PYTHON_SPACE = '\\t\\n\\v\\f\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPACES = new RegExp(`[${PYTHON_SPACE}]{2,}`, 'gu')

/** Lower case, punctuation removed, hyphens and slashes to spaces, at most `maxWords` words. */
export function preCaption(text: string, maxWords: number): string {
  const clean = text
    .toLowerCase()
    .replace(/[,.'!?"()*#:;~]/g, '')
    .replaceAll('-', ' ')
    .replaceAll('/', ' ')
    .replaceAll('<person>', 'person')
    .replace(SPACES, ' ')
    .replace(/\n+$/, '')
    .replace(/^ +| +$/g, '')
  const words = clean.split(' ')
  return words.length > maxWords ? words.slice(0, maxWords).join(' ') : clean
}
