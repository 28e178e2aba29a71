/**
 * Texts that the engine wrote in English (errors, cures, titles of jobs, labels of edits, reports of imports) in the language of the page. The engine
 * serves several pages and the command line at once, and keeps some of these texts, so it writes one language; the page finds the sentence by
 * its shape. A sentence that is not in the catalogue stays as it came.
 */
import { type Catalogue, currentLanguage } from './messages.ts'

interface Shape {
  readonly pattern: RegExp
  /** Numbers of the values, in their order in the pattern. */
  readonly names: readonly string[]
  readonly text: string
}

let exact: Catalogue = {}
let shapes: readonly Shape[] = []
const known = new Map<string, string>()
/** Beyond this the newest texts are not kept: some of them hold counts that change ten times a second. */
const MOST_KNOWN = 2000

/** @param catalogue sentence -> sentence, with {0}, {1}, ... where values stand; a value may be left out or come elsewhere */
export function useEngineTexts(catalogue: Catalogue): void {
  known.clear()
  exact = catalogue
  // Those that say most come first: "{0} is missing" must not take what "The image {0} is missing" means.
  shapes = Object.entries(catalogue).filter(([sentence]) => PLACE.test(sentence)).toSorted(([a], [b]) => literalLength(b) - literalLength(a)).map(([sentence, text]) => ({
    pattern: new RegExp(`^${sentence.split(PLACE).map((part, i) => (i % 2 === 0 ? escaped(part) : '([\\s\\S]*?)')).join('')}$`),
    names: sentence.split(PLACE).filter((_, i) => i % 2 === 1), text,
  }))
}

const PLACE = /\{(\d+)\}/
const literalLength = (sentence: string): number => sentence.split(PLACE).reduce((sum, part, i) => sum + (i % 2 === 0 ? part.length : 0), 0)
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export function engineText(text: string): string {
  if (currentLanguage() === 'en' || text === '') return text
  const before = known.get(text)
  if (before !== undefined) return before
  const found = translated(text)
  if (known.size < MOST_KNOWN) known.set(text, found)
  return found
}

function translated(text: string): string {
  if (Object.hasOwn(exact, text)) return exact[text]!
  for (const { pattern, names, text: target } of shapes) {
    const values = pattern.exec(text)
    // A value may be a sentence itself: "Undo: {0}", "The image {0} was left out: {1}".
    if (values) return target.split(PLACE).map((part, i) => (i % 2 === 0 ? part : engineText(values[names.indexOf(part) + 1] ?? ''))).join('')
  }
  return text
}
