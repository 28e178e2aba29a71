/** Words that are looked for in phrases, tags and notes: as a question to the search table, and the table filled after an import. */
import type { Db } from './db.ts'
import { AREA } from './migrations/0007-search.ts'
import type { Where } from './region-filter.ts'

/** Scripts without spaces between words, where a word is found inside another one only by reading the text. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const WORD = /[\p{L}\p{N}\p{Co}]/u

export interface SearchText {
  /** For MATCH; null when no part has a word that the index knows. */
  readonly match: string | null
  /** Parts that must occur as they are written, in any case: signs, and scripts that the index cannot divide. */
  readonly literal: readonly string[]
}

/** Every part must be found. A part is a word, which may go on ("umb" finds "umbrella"), or a "quoted run of words". */
export function parseSearch(text: string): SearchText {
  const parts = [...text.matchAll(/"([^"]*)"?|(\S+)/g)].map((found) => ({ text: (found[1] ?? found[2] ?? '').trim(), quoted: found[1] !== undefined })).filter((part) => part.text !== '')
  const literal = parts.filter((part) => UNSPACED.test(part.text) || !WORD.test(part.text)).map((part) => part.text)
  const words = parts.filter((part) => !literal.includes(part.text)).map((part) => `"${part.text.replaceAll('"', '""')}"${part.quoted ? '' : ' *'}`)
  return { match: words.length > 0 ? words.join(' AND ') : null, literal }
}

/** The same as conditions on `regions r`. */
export function searchWhere(text: string): Where[] {
  const { match, literal } = parseSearch(text)
  return [
    ...(match === null ? [] : [{ sql: 'r.rowid IN (SELECT rowid FROM region_search WHERE region_search MATCH ?)', values: [match] }]),
    ...literal.map((part) => ({ sql: "r.phrase || char(10) || r.tags || char(10) || r.note LIKE ? ESCAPE '\\'", values: [`%${part.replace(/[\\%_]/g, '\\$&')}%`] })),
  ]
}

/** Row numbers of every dataset that the text matches. */
export function searchRows(db: Db, datasetId: string, text: string): number[] | null {
  const { match, literal } = parseSearch(text)
  if (literal.length > 0) {
    const where = searchWhere(text)
    return db.column<number>(`SELECT r.rowid FROM regions r WHERE r.dataset_id = ? AND ${where.map((part) => part.sql).join(' AND ')}`, datasetId, ...where.flatMap((part) => part.values))
  }
  return match === null ? null : db.column<number>('SELECT rowid FROM region_search WHERE region_search MATCH ?', match)
}

/** Of an image that has another size now. Rows that are not in the search yet get theirs with it. */
export function measureRegions(db: Db, imageId: string): void {
  db.run(`UPDATE regions SET area = ${AREA} WHERE image_id = ? AND area IS NOT NULL`, imageId)
}

const ROWS_AT_ONCE = 5000

/** Puts the rows of a dataset that are not in the search yet into it, in steps that each are a transaction. The iterator tells how many were done. */
export function* indexRegions(db: Db, datasetId: string): Generator<number> {
  let from = 0
  for (let done = 0; ; ) {
    const rows = db.column<number>('SELECT rowid FROM regions NOT INDEXED WHERE rowid > ? AND dataset_id = ? AND area IS NULL ORDER BY rowid LIMIT ?', from, datasetId, ROWS_AT_ONCE)
    if (rows.length === 0) return
    const [first, last] = [rows[0]!, rows.at(-1)!]
    db.transaction(() => {
      db.run(
        `INSERT INTO region_search (rowid, phrase, tags, note) SELECT rowid, phrase, tags, note FROM regions WHERE rowid BETWEEN ? AND ? AND dataset_id = ? AND area IS NULL`,
        first, last, datasetId,
      )
      db.run(`UPDATE regions SET area = ${AREA} WHERE rowid BETWEEN ? AND ? AND dataset_id = ? AND area IS NULL`, first, last, datasetId)
    })
    from = last
    yield (done += rows.length)
  }
}
