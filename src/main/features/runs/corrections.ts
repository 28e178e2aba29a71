/**
 * What people corrected, as a run sees it: regions whose phrase or shape is other than it was imported, and those that somebody drew.
 * A review that changes neither is no correction.
 */
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { EngineContext } from '../../engine/context.ts'
import type { RegionFields, RegionFilter } from '../../../shared/domain.ts'
import type { ManifestSample } from '../../../shared/manifest.ts'
import type { Db } from '../../store/db.ts'
import { asksScore, filterTables, filterWhere, regionWhere, scoreWhere } from '../../store/region-filter.ts'
import { REGION_COLUMNS, type RegionRow, toShape } from '../../store/region-rows.ts'
import { askedFilter } from '../../store/view-rows.ts'
import { readLines } from '../../train/files.ts'
import { runPaths } from '../../train/run-folder.ts'
import type { RunRow } from './rows.ts'

type Context = Pick<EngineContext, 'db' | 'project'>
type Content = Pick<ManifestSample, 'phrase' | 'boxes' | 'outlines'>

export const manifestOf = ({ project }: Pick<Context, 'project'>, run: RunRow): Promise<ManifestSample[]> => readLines<ManifestSample>(runPaths(project.fromStored(run.folder)).manifest)

/** Phrase and shape as one text, to be held against another. */
const contentOf = ({ phrase, boxes, outlines }: Content): string => JSON.stringify([phrase, boxes, outlines ?? []])
const contentOfRow = (row: RegionRow): string => contentOf({ phrase: row.phrase, ...toShape(row) })

/**
 * As a region was last imported; null where somebody drew it. Only of regions that were ever edited: nothing else can be a correction.
 * @param wanted regions; one with a revision as it was last imported up to that one: what came from the source later is no matter of a run frozen before
 */
function imported(db: Db, wanted: readonly { readonly regionId: string; readonly revision?: number }[]): Map<string, string | null> {
  const rows = db.all<{ id: string; actor: string; fields: string }>(
    `SELECT v.region_id AS id, v.actor, v.fields FROM json_each(?) wanted CROSS JOIN revisions v ON v.region_id = json_extract(wanted.value, '$[0]')
     WHERE v.revision = (SELECT max(w.revision) FROM revisions w WHERE w.region_id = v.region_id AND w.revision <= coalesce(json_extract(wanted.value, '$[1]'), w.revision) AND (w.revision = 1 OR w.actor = 'import'))`,
    JSON.stringify(wanted.map(({ regionId, revision }) => [regionId, revision ?? null])),
  )
  return new Map(rows.map(({ id, actor, fields }) => [id, actor === 'import' ? contentOf(JSON.parse(fields) as RegionFields) : null]))
}

const REGION_ID = /"regionId":"([^"]+)"/

/** Line by line, so that a long file holds nothing up. A run whose folder is gone has none. */
async function eachLine(path: string, see: (line: string) => void): Promise<void> {
  if (!existsSync(path)) return
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) if (line !== '') see(line)
}

/** Those of the wanted regions that no run of the dataset (before this number) was frozen with as they are now. */
async function unseen(context: Context, datasetId: string, wanted: ReadonlyMap<string, string>, before: number): Promise<Set<string>> {
  const left = new Set(wanted.keys())
  for (const run of context.db.all<RunRow>('SELECT * FROM runs WHERE dataset_id = ? AND number < ?', datasetId, before)) {
    if (left.size === 0) break
    await eachLine(runPaths(context.project.fromStored(run.folder)).manifest, (line) => {
      // Of a long list few are wanted: the others are not even read.
      const id = REGION_ID.exec(line)?.[1]
      if (id !== undefined && left.has(id) && contentOf(JSON.parse(line) as ManifestSample) === wanted.get(id)) left.delete(id)
    })
  }
  return left
}

/** Of a run's frozen samples, the corrections that no earlier run on its dataset has seen. */
export async function firstSeenBy(context: Context, run: RunRow, samples: readonly ManifestSample[]): Promise<ManifestSample[]> {
  const before = imported(context.db, samples)
  const corrected = samples.filter((sample) => before.has(sample.regionId) && before.get(sample.regionId) !== contentOf(sample))
  const fresh = await unseen(context, run.dataset_id, new Map(corrected.map((sample) => [sample.regionId, contentOf(sample)])), run.number)
  return corrected.filter(({ regionId }) => fresh.has(regionId))
}

export interface ChangedSince {
  /** The run that the checkpoint is from, where it was trained on this dataset; null: all corrections since the import count. */
  readonly run: { readonly id: string; readonly number: number } | null
  readonly corrected: number
  /** Of these, in the split train. */
  readonly train: number
  /** What that run was frozen with and a new one leaves out: rejected or deleted since. */
  readonly leftOut: number
  /** Of the corrections, those that no run on this dataset has seen. */
  readonly firstSeen: number
}

/** What a run from this checkpoint would see that the checkpoint has not. @throws AppError 'not-found' when the dataset, the view or the checkpoint is not there */
export async function changedSince(context: Context, input: { datasetId: string; viewId?: string | undefined; startCheckpointId: string; includeRejected?: boolean | undefined }): Promise<ChangedSince> {
  const { db } = context
  const { filter } = askedFilter(db, input)
  const keepsRejected = input.includeRejected === true
  const run = db.get<RunRow>('SELECT r.* FROM checkpoints c JOIN runs r ON r.id = c.run_id WHERE c.id = ? AND r.dataset_id = ?', input.startCheckpointId, input.datasetId) ?? null
  const where = filterWhere(filter)
  const edited = db.all<RegionRow>(
    `SELECT ${REGION_COLUMNS} FROM ${filterTables(filter)} WHERE ${where.sql} AND r.box_count > 0 AND r.phrase <> '' AND r.split IN ('train', 'val')
     ${keepsRejected || filter.statuses?.length ? '' : "AND r.status <> 'rejected'"} AND EXISTS (SELECT 1 FROM revisions v WHERE v.region_id = r.id)`, ...where.values,
  )
  const frozen = run ? await manifestOf(context, run) : []
  const known = new Map(frozen.map((sample) => [sample.regionId, sample]))
  const before = imported(db, edited.filter((row) => !known.has(row.id)).map((row) => ({ regionId: row.id })))
  const changed = edited.filter((row) => {
    const sample = known.get(row.id)
    return contentOfRow(row) !== (sample ? contentOf(sample) : before.get(row.id))
  })
  const fresh = await unseen(context, input.datasetId, new Map(changed.map((row) => [row.id, contentOfRow(row)])), Infinity)
  return {
    run: run && { id: run.id, number: run.number }, corrected: changed.length, train: changed.filter((row) => row.split === 'train').length,
    leftOut: leftOut(db, filter, run ? frozen.map(({ regionId }) => regionId) : null, keepsRejected), firstSeen: fresh.size,
  }
}

/**
 * Imported regions (or those of a run) of the view that were rejected or deleted since. What the view says of statuses is what changed; and the
 * scores of a deleted region went with it.
 */
function leftOut(db: Db, { statuses: _statuses, ...filter }: RegionFilter, of: readonly string[] | null, keepsRejected: boolean): number {
  const regions = regionWhere(filter, true)
  const scores = asksScore(filter) ? scoreWhere(filter) : null
  const gone = keepsRejected ? 'r.deleted = 1' : "(r.deleted = 1 OR r.status = 'rejected')"
  const within = `${regions.sql}${scores ? ` AND (r.deleted = 1 OR EXISTS (SELECT 1 FROM scores s WHERE s.region_id = r.id AND ${scores.sql}))` : ''}`
  const values = [...regions.values, ...(scores?.values ?? [])]
  const edited = "EXISTS (SELECT 1 FROM revisions v WHERE v.region_id = r.id AND v.revision = 1 AND v.actor = 'import')"
  const row = of === null
    ? db.get<{ n: number }>(`SELECT count(*) AS n FROM regions r WHERE ${within} AND r.split IN ('train', 'val') AND ${gone} AND ${edited}`, ...values)
    : db.get<{ n: number }>(`SELECT count(*) AS n FROM json_each(?) wanted CROSS JOIN regions r ON r.id = wanted.value WHERE ${within} AND ${gone}`, JSON.stringify(of), ...values)
  return row!.n
}
