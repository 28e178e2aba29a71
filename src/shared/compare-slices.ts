/** Parts of what is compared that are looked at on their own, each with the group it belongs to. */
import type { CompareRow } from './contract/compare.ts'

export interface SliceOf {
  readonly group: string
  readonly name: string
  readonly rows: readonly number[]
}

type Belongs = (row: CompareRow) => boolean

const wordCount = (phrase: string) => phrase.trim().split(/\s+/).length
const COLOUR = /\b(red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y)\b/i
const POSITION = /\b(left|right|top|bottom|upper|lower|front|back|behind|above|below|middle|center|centre|near|next|between)\b/i
const SIZE = /\b(small|smaller|smallest|little|tiny|big|bigger|biggest|large|larger|largest|tall|short)\b/i

/** Box sizes by share of the image: below 1 %, 1 to 10 %, above, as COCO's 32 and 96 px squares at its usual image size. */
const FIXED: readonly (readonly [group: string, name: string, belongs: Belongs])[] = [
  ['Box size', 'Box: small', (row) => row.boxAreaShare !== null && row.boxAreaShare < 0.01],
  ['Box size', 'Box: medium', (row) => row.boxAreaShare !== null && row.boxAreaShare >= 0.01 && row.boxAreaShare < 0.1],
  ['Box size', 'Box: large', (row) => row.boxAreaShare !== null && row.boxAreaShare >= 0.1],
  ['Phrase length', '1–2 words', (row) => wordCount(row.phrase) <= 2],
  ['Phrase length', '3–5 words', (row) => wordCount(row.phrase) >= 3 && wordCount(row.phrase) <= 5],
  ['Phrase length', '6+ words', (row) => wordCount(row.phrase) >= 6],
  ['Words', 'Colour word', (row) => COLOUR.test(row.phrase)],
  ['Words', 'Size word', (row) => SIZE.test(row.phrase)],
  ['Words', 'Position word', (row) => POSITION.test(row.phrase)],
  ['Number of boxes', '1 box', (row) => row.boxes === 1],
  ['Number of boxes', '2 boxes', (row) => row.boxes === 2],
  ['Number of boxes', '3+ boxes', (row) => row.boxes !== null && row.boxes >= 3],
]

/** Of each open list (tags, concepts, splits) the most frequent. */
const MOST = 12

/** Slices with something in them and not everything: the whole is the headline. */
export function slicesOf(rows: readonly CompareRow[]): SliceOf[] {
  const listed: (readonly [string, string, Belongs])[] = [
    ...frequent(rows, (row) => row.concepts).map((name) => ['Concept', `Concept: ${name}`, (row: CompareRow) => row.concepts.includes(name)] as const),
    ...frequent(rows, (row) => row.tags).map((name) => ['Tag', `Tag: ${name}`, (row: CompareRow) => row.tags.includes(name)] as const),
    ...frequent(rows, (row) => [row.split]).map((name) => ['Split', `Split: ${name}`, (row: CompareRow) => row.split === name] as const),
  ]
  return [...FIXED, ...listed].flatMap(([group, name, belongs]) => {
    const inside = rows.flatMap((row, i) => (belongs(row) ? [i] : []))
    return inside.length > 0 && inside.length < rows.length ? [{ group, name, rows: inside }] : []
  })
}

function frequent(rows: readonly CompareRow[], listOf: (row: CompareRow) => readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const row of rows) for (const name of new Set(listOf(row))) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST).map(([name]) => name)
}
