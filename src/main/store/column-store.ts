/**
 * Columns of what the queue filters and sorts by, kept in memory. In SQL an arbitrary combination of conditions over a million regions
 * takes seconds, because no index serves it; here it is one pass. Triggers on this connection note which rows were written, whoever
 * writes them, and those are read again before the next question.
 */
import { setImmediate } from 'node:timers/promises'
import type { Db } from './db.ts'
import { DELETED, emptyColumns, type FacetRow, FACETS, placeOfRow, putFacets, type RegionColumns, SCORE_COLUMNS, scoreKey, scoreOfKey } from './region-columns.ts'
import { PROTOCOL } from './region-rows.ts'
import { indexRegions } from './region-search.ts'

export interface ColumnStore {
  /** The columns as they stand now; null while they are being read, which this begins. Small datasets are read at once. */
  now(datasetId: string, scores: readonly string[]): RegionColumns | null
  /** The same, waited for; null when the dataset is not there. */
  load(datasetId: string, scores: readonly string[]): Promise<RegionColumns | null>
}

/** Rows read in one turn of the event loop. */
const ROWS_AT_ONCE = 10_000
/** A dataset of so many rows is read while one waits: a few hundredths of a second. */
const FEW = 20_000
const DATASETS_KEPT = 3
/** Numbers kept for all datasets together, at most: some 400 MB. One dataset alone may have more. */
const NUMBERS_KEPT = 50_000_000
const CHECKPOINTS_KEPT = 3

const stores = new WeakMap<Db, ColumnStore>()
/** One a database: views are counted from the same columns that the queue reads. */
export function columnsOf(db: Db): ColumnStore {
  const known = stores.get(db)
  if (known) return known
  const made = createColumnStore(db)
  stores.set(db, made)
  return made
}

interface Entry {
  readonly columns: RegionColumns
  reading: Promise<void> | null
  facets: boolean
  /** Checkpoints whose scores are read to their end. */
  readonly scored: Set<string>
}

function createColumnStore(db: Db): ColumnStore {
  const entries = new Map<string, Entry>()
  let watching = false

  function watch(datasetId: string): void {
    if (!watching) db.exec(WATCH)
    watching = true
    db.arrays('INSERT OR IGNORE INTO temp.watched_datasets (id) VALUES (?) RETURNING id', datasetId)
  }

  function forget(datasetId: string): void {
    entries.delete(datasetId)
    db.arrays('DELETE FROM temp.watched_datasets WHERE id = ? RETURNING id', datasetId)
  }

  /** Reads again what was written since. */
  function refresh(): void {
    if (!watching) return
    const changed = db.column<number>('SELECT n FROM temp.changed_regions ORDER BY n')
    if (changed.length === 0) return
    db.exec('DELETE FROM temp.changed_regions')
    for (const datasetId of db.column<string>('SELECT id FROM temp.rephrased_datasets')) {
      const entry = entries.get(datasetId)
      if (entry) entry.columns.byPhrase = null
    }
    db.exec('DELETE FROM temp.rephrased_datasets')
    const list = JSON.stringify(changed)
    for (const [datasetId, { columns }] of entries) {
      const rows = db.arrays<FacetRow>(`SELECT ${FACETS} FROM json_each(?) j CROSS JOIN regions r ON r.rowid = j.value WHERE r.dataset_id = ?`, list, datasetId)
      const there = new Set(rows.map((row) => row[0]))
      for (const row of rows) putFacets(columns, row)
      if (rows.some((row) => row[6] === null)) for (const _ of indexRegions(db, datasetId)); // moved here from where nothing was indexed
      for (const n of changed) {
        const at = placeOfRow(columns, n)
        if (at >= 0 && !there.has(n)) columns.bits[at] = DELETED // the row itself is gone
      }
      for (const checkpointId of new Set(Array.from(columns.scores.keys(), (key) => scoreOfKey(key)[1]))) {
        const values = SCORE_COLUMNS.map((column) => columns.scores.get(scoreKey(checkpointId, column))!)
        for (const n of there) for (const one of values) one[placeOfRow(columns, n)] = NaN
        putScores(columns, values, db.arrays<ScoreRow>(
          `SELECT r.rowid, ${SCORES} FROM json_each(?) j CROSS JOIN regions r ON r.rowid = j.value CROSS JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id WHERE r.dataset_id = ?`,
          list, checkpointId, PROTOCOL, datasetId,
        ))
      }
    }
  }

  function entryOf(datasetId: string): Entry | null {
    if (!db.get("SELECT 1 FROM datasets WHERE id = ? AND state = 'ready'", datasetId)) {
      if (entries.has(datasetId)) forget(datasetId)
      return null
    }
    const known = entries.get(datasetId)
    const entry: Entry = known ?? { columns: emptyColumns(), reading: null, facets: false, scored: new Set() }
    entries.delete(datasetId)
    entries.set(datasetId, entry)
    if (!known) watch(datasetId)
    while (entries.size > DATASETS_KEPT || (entries.size > 1 && numbersKept() > NUMBERS_KEPT)) forget(entries.keys().next().value!)
    return entry
  }

  function numbersKept(): number {
    let sum = 0
    for (const { columns } of entries.values()) sum += columns.rowids.length * (5 + columns.scores.size)
    return sum
  }

  function* readFacets(datasetId: string, { columns }: Entry): Generator<void> {
    for (let from = columns.count > 0 ? columns.rowids[columns.count - 1]! : 0; ; ) {
      const rows = db.arrays<FacetRow>(`SELECT ${FACETS} FROM regions r NOT INDEXED WHERE r.rowid > ? AND r.dataset_id = ? ORDER BY r.rowid LIMIT ${ROWS_AT_ONCE}`, from, datasetId)
      for (const row of rows) putFacets(columns, row)
      if (rows.length < ROWS_AT_ONCE) break
      from = rows.at(-1)![0]
      yield
    }
    // Rows that were brought in without the search being told, e.g. by a program that was ended between the two.
    if (columns.area.subarray(0, columns.count).some(Number.isNaN)) for (const _ of indexRegions(db, datasetId)) yield
  }

  /** All scores of a checkpoint at once: finding a row's scores is what takes time, and the next order or filter asks for another of them. */
  function* readScores(datasetId: string, { columns }: Entry, checkpointId: string): Generator<void> {
    const keys = SCORE_COLUMNS.map((column) => scoreKey(checkpointId, column))
    for (const key of keys) columns.scores.set(key, new Float64Array(columns.rowids.length).fill(NaN))
    for (let from = 0; from < columns.count; from += ROWS_AT_ONCE) {
      const last = columns.rowids[Math.min(columns.count, from + ROWS_AT_ONCE) - 1]!
      const rows = db.arrays<ScoreRow>(
        `SELECT r.rowid, ${SCORES} FROM regions r NOT INDEXED CROSS JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id WHERE r.rowid BETWEEN ? AND ? AND r.dataset_id = ?`,
        checkpointId, PROTOCOL, columns.rowids[from]!, last, datasetId,
      )
      putScores(columns, keys.map((key) => columns.scores.get(key)!), rows) // they may have grown meanwhile
      yield
    }
  }

  /** What is not there yet of what is asked for, one after the other; null when nothing is missing. */
  function missing(datasetId: string, entry: Entry, scores: readonly string[]): Generator<void> | null {
    const { columns } = entry
    const asked = [...new Set(scores.map((key) => scoreOfKey(key)[1]))]
    const wanted = asked.filter((checkpointId) => !entry.scored.has(checkpointId))
    if (entry.facets && wanted.length === 0) return null
    return (function* () {
      if (!entry.facets) yield* readFacets(datasetId, entry)
      entry.facets = true
      for (const checkpointId of wanted) {
        for (const old of entry.scored) {
          if (entry.scored.size < CHECKPOINTS_KEPT || asked.includes(old)) continue
          entry.scored.delete(old)
          for (const column of SCORE_COLUMNS) columns.scores.delete(scoreKey(old, column))
        }
        yield* readScores(datasetId, entry, checkpointId)
        entry.scored.add(checkpointId)
      }
    })()
  }

  /** One reader a dataset at a time; columns that are half read are not given out. */
  async function read(datasetId: string, entry: Entry, scores: readonly string[]): Promise<void> {
    while (entry.reading) await entry.reading
    const work = missing(datasetId, entry, scores)
    if (!work) return
    // It may end without having waited once, so the note of it is made and taken away out here.
    const running = (async () => {
      while (!work.next().done) await setImmediate()
    })()
    entry.reading = running
    try {
      await running
    } finally {
      entry.reading = null
    }
  }

  const drop = (columns: RegionColumns, scores: readonly string[]): void => {
    // A checkpoint that was removed takes its scores along without a word.
    for (const key of scores) if (columns.scores.has(key) && !db.get('SELECT 1 FROM checkpoints WHERE id = ?', scoreOfKey(key)[1])) columns.scores.get(key)!.fill(NaN)
  }

  return {
    now(datasetId, scores) {
      const entry = entryOf(datasetId)
      if (!entry) return null
      const work = missing(datasetId, entry, scores)
      if (work) {
        if (entry.reading) return null
        const size = entry.facets ? entry.columns.count : db.get<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM regions WHERE dataset_id = ? LIMIT ${FEW + 1})`, datasetId)!.n
        if (size > FEW) {
          read(datasetId, entry, scores).catch((error: unknown) => console.error('Reading the columns of the queue:', error))
          return null
        }
        while (!work.next().done);
      }
      refresh()
      drop(entry.columns, scores)
      return entry.columns
    },
    async load(datasetId, scores) {
      const entry = entryOf(datasetId)
      if (!entry) return null
      await read(datasetId, entry, scores)
      if (entries.get(datasetId) !== entry) return null // removed, or given up for others, meanwhile
      refresh()
      drop(entry.columns, scores)
      return entry.columns
    },
  }
}

/** The row's number, then its scores in the order of SCORE_COLUMNS. */
type ScoreRow = readonly (number | null)[]
const SCORES = SCORE_COLUMNS.map((column) => `s.${column}`).join(', ')

function putScores(columns: RegionColumns, values: readonly Float64Array[], rows: readonly ScoreRow[]): void {
  for (const row of rows) {
    const at = placeOfRow(columns, row[0]!)
    for (let i = 0; i < values.length; i++) values[i]![at] = row[i + 1] ?? NaN
  }
}

/** Tells which rows were written by this connection. In a temporary database in memory: nothing of it is on disk. */
const WATCH = `
CREATE TEMP TABLE watched_datasets (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE changed_regions (n INTEGER PRIMARY KEY);
CREATE TEMP TABLE rephrased_datasets (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TRIGGER note_phrase AFTER UPDATE OF phrase, position ON main.regions WHEN (new.phrase IS NOT old.phrase OR new.position IS NOT old.position)
  AND EXISTS (SELECT 1 FROM watched_datasets WHERE id = new.dataset_id)
  BEGIN INSERT OR IGNORE INTO rephrased_datasets VALUES (new.dataset_id); END;
CREATE TEMP TRIGGER note_insert AFTER INSERT ON main.regions WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = new.dataset_id)
  BEGIN INSERT OR IGNORE INTO changed_regions VALUES (new.rowid); END;
CREATE TEMP TRIGGER note_update AFTER UPDATE ON main.regions WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = new.dataset_id)
  BEGIN INSERT OR IGNORE INTO changed_regions VALUES (new.rowid); END;
CREATE TEMP TRIGGER note_delete AFTER DELETE ON main.regions WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = old.dataset_id)
  BEGIN INSERT OR IGNORE INTO changed_regions VALUES (old.rowid); END;
CREATE TEMP TRIGGER note_score AFTER INSERT ON main.scores WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = new.dataset_id)
  BEGIN INSERT OR IGNORE INTO changed_regions SELECT rowid FROM main.regions WHERE id = new.region_id; END;
CREATE TEMP TRIGGER note_rescore AFTER UPDATE OF inside_energy, pointing_hit, match_probability, mean_margin, max_margin, amc_mean, amc_max, soft_iou, trust ON main.scores
  WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = new.dataset_id)
  BEGIN INSERT OR IGNORE INTO changed_regions SELECT rowid FROM main.regions WHERE id = new.region_id; END;
CREATE TEMP TRIGGER note_unscore AFTER DELETE ON main.scores
  WHEN EXISTS (SELECT 1 FROM watched_datasets WHERE id = old.dataset_id) AND EXISTS (SELECT 1 FROM main.checkpoints WHERE id = old.checkpoint_id)
  BEGIN INSERT OR IGNORE INTO changed_regions SELECT rowid FROM main.regions WHERE id = old.region_id; END;
`

