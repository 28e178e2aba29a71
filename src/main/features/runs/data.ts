/** The data of a run: which revision of which region it was frozen with, what is new to it, and what became of it since. */
import type { EngineContext } from '../../engine/context.ts'
import type { RegionFilter } from '../../../shared/domain.ts'
import type { ManifestSample } from '../../../shared/manifest.ts'
import { filterTables, filterWhere } from '../../store/region-filter.ts'
import { REGION_COLUMNS, type RegionRow, toShape } from '../../store/region-rows.ts'
import { readJson } from '../../train/files.ts'
import { type RunRecord, runPaths } from '../../train/run-folder.ts'
import { firstSeenBy, manifestOf } from './corrections.ts'
import type { RunRow } from './rows.ts'

type Context = Pick<EngineContext, 'db' | 'project'>

const SHOWN = 200
const TRAINED = ['train', 'val']

/** So many ids make a list that Curate can walk. */
const LISTED = 5000

/** What the run is frozen with, a page of its samples, and the corrections that no earlier run on this dataset has seen. */
export async function snapshotOf(context: Context, run: RunRow, offset: number, limit: number) {
  const { project } = context
  const [samples, record] = await Promise.all([manifestOf(context, run), readJson<RunRecord>(runPaths(project.fromStored(run.folder)).record)])
  const row = ({ regionId, imageId, phrase, revision, split }: ManifestSample) => ({ regionId, imageId, phrase, revision, split })
  const corrected = await firstSeenBy(context, run, samples)
  const splits: Record<string, number> = {}
  for (const { split } of samples) splits[split] = (splits[split] ?? 0) + 1
  return {
    frozenAt: record?.createdAt ?? run.created_at, regions: samples.length, images: new Set(samples.map(({ imageId }) => imageId)).size, splits,
    samples: samples.slice(offset, offset + limit).map(row), firstSeen: corrected.length, corrections: corrected.slice(0, SHOWN).map(row),
    correctionIds: corrected.slice(0, LISTED).map(({ regionId }) => regionId),
  }
}

type Kind = 'edited' | 'removed' | 'rejected' | 'moved' | 'added'
interface Change {
  readonly kind: Kind
  readonly regionId: string
  readonly imageId: string
  readonly before: { readonly phrase: string; readonly revision: number; readonly split: string } | null
  readonly now: { readonly phrase: string; readonly revision: number; readonly split: string } | null
  readonly shapeChanged: boolean
}

/** How the run's data differs from what the same start would freeze now. Reviews that changed neither phrase nor shape are no change. */
export async function dataChangesOf(context: Context, run: RunRow): Promise<{ unchanged: number; counts: Record<Kind, number>; changes: Change[] }> {
  const { db } = context
  const withRejected = (JSON.parse(run.config) as Record<string, unknown>)['data.includeRejected'] === true
  const samples = await manifestOf(context, run)
  const rows = new Map(
    db.all<RegionRow>(`SELECT ${REGION_COLUMNS} FROM json_each(?) wanted CROSS JOIN regions r ON r.id = wanted.value`, JSON.stringify(samples.map(({ regionId }) => regionId))).map((row) => [row.id, row]),
  )
  const changes: Change[] = []
  for (const sample of samples) {
    const row = rows.get(sample.regionId)
    const kind = changeOf(sample, row, withRejected)
    if (!kind) continue
    const gone = !row || kind === 'removed'
    changes.push({
      kind, regionId: sample.regionId, imageId: sample.imageId, before: { phrase: sample.phrase, revision: sample.revision, split: sample.split },
      now: gone ? null : { phrase: row.phrase, revision: row.revision, split: row.split }, shapeChanged: !gone && !sameShape(sample, row),
    })
  }
  const unchanged = samples.length - changes.length
  const filter = filterOf(db, run)
  const known = new Set(samples.map(({ regionId }) => regionId))
  const where = filterWhere(filter)
  const present = db.all<Pick<RegionRow, 'id' | 'image_id' | 'phrase' | 'revision' | 'split'>>(
    `SELECT r.id, r.image_id, r.phrase, r.revision, r.split FROM ${filterTables(filter)} WHERE ${where.sql} AND r.box_count > 0 AND r.phrase <> '' AND r.split IN ('train', 'val')
     ${withRejected || filter.statuses?.length ? '' : "AND r.status <> 'rejected'"} ORDER BY r.position`, ...where.values,
  )
  for (const { id, image_id: imageId, phrase, revision, split } of present) {
    if (!known.has(id)) changes.push({ kind: 'added', regionId: id, imageId, before: null, now: { phrase, revision, split }, shapeChanged: false })
  }
  const counts: Record<Kind, number> = { edited: 0, removed: 0, rejected: 0, moved: 0, added: 0 }
  for (const { kind } of changes) counts[kind]++
  return { unchanged, counts, changes: changes.slice(0, SHOWN) }
}

function changeOf(sample: ManifestSample, row: RegionRow | undefined, withRejected: boolean): Kind | null {
  if (!row || row.deleted === 1) return 'removed'
  if (row.status === 'rejected' && !withRejected) return 'rejected'
  if (row.split !== sample.split) return TRAINED.includes(row.split) ? 'moved' : 'removed'
  return row.phrase !== sample.phrase || !sameShape(sample, row) ? 'edited' : null
}

function sameShape(sample: ManifestSample, row: RegionRow): boolean {
  const { boxes, outlines } = toShape(row)
  return JSON.stringify([boxes, outlines]) === JSON.stringify([sample.boxes, sample.outlines ?? []])
}

/** Of the view it was started on while that is there, else the whole dataset. */
function filterOf(db: Context['db'], run: RunRow): RegionFilter {
  const view = run.view_id === null ? undefined : db.get<{ filter: string }>('SELECT filter FROM views WHERE id = ?', run.view_id)
  return view ? (JSON.parse(view.filter) as RegionFilter) : { datasetId: run.dataset_id }
}
