/** Which region of an image is which region of the source read again: by the record's own number, else by what was imported, else by what is left. */
import type { RegionFields, RegionMarks, RegionState } from '../../../shared/domain.ts'
import { boxIou } from '../../../shared/geometry.ts'
import { diffRegion, isEmptyDiff } from '../../../shared/region-diff.ts'
import type { Db } from '../../store/db.ts'
import { REGION_COLUMNS, type RegionRow, toFields, toState } from '../../store/region-rows.ts'

export interface Sided {
  readonly id: string
  readonly revision: number
  readonly fields: RegionFields
  /** As last imported; null for a region made here. */
  readonly base: RegionFields | null
  readonly raw: string | null
  readonly key: string | null
  /** What people decided of it. */
  readonly decided: Decided
  /** What else work with it left, which is no matter of the source. */
  readonly marks: Pick<RegionState, 'split' | 'assignee' | 'z'>
}
export type Decided = Pick<RegionMarks, 'review' | 'second'>
export interface Pair {
  readonly mine: Sided | null
  readonly theirs: Sided | null
}
type Row = RegionRow & { readonly raw: string | null; readonly source: string | null; readonly base: string | null }

const SAME_PLACE = 0.5

export function pairRegions(db: Db, mineImage: string, theirImage: string | null): Pair[] {
  const mine = sided(db, mineImage)
  const rest = new Set(theirImage === null ? [] : sided(db, theirImage))
  const partner = new Map<Sided, Sided>()
  const match = (same: (a: Sided, b: Sided) => boolean): void => {
    for (const a of mine) {
      if (partner.has(a) || a.base === null) continue
      for (const b of rest) {
        if (!same(a, b)) continue
        partner.set(a, b)
        rest.delete(b)
        break
      }
    }
  }
  match((a, b) => a.key !== null && a.key === b.key)
  match((a, b) => isEmptyDiff(diffRegion(a.base!, b.fields)))
  const free = (a: Sided, b: Sided): boolean => a.key === null || b.key === null
  match((a, b) => free(a, b) && a.base!.phrase === b.fields.phrase && JSON.stringify(a.base!.boxes) === JSON.stringify(b.fields.boxes))
  match((a, b) => free(a, b) && JSON.stringify(a.base!.boxes) === JSON.stringify(b.fields.boxes) && b.fields.boxes.length > 0)
  match((a, b) => free(a, b) && a.base!.phrase === b.fields.phrase && (a.base!.boxes.length === 0 || b.fields.boxes.some((box) => a.base!.boxes.some((other) => boxIou(box, other) >= SAME_PLACE))))
  match((a, b) => free(a, b) && a.base!.phrase === b.fields.phrase)
  return [...mine.map((one) => ({ mine: one, theirs: partner.get(one) ?? null })), ...[...rest].map((one) => ({ mine: null, theirs: one }))]
}

function sided(db: Db, imageId: string): Sided[] {
  const rows = db.all<Row>(
    `SELECT ${REGION_COLUMNS}, r.raw, r.source, (SELECT v.fields FROM revisions v WHERE v.region_id = r.id AND (v.revision = 1 OR v.actor = 'import') ORDER BY v.revision DESC LIMIT 1) AS base
     FROM regions r WHERE r.image_id = ? ORDER BY r.position`, imageId,
  )
  return rows.map((row) => {
    const fields = toFields(row)
    const base = row.source === null ? null : row.revision === 1 || row.base === null ? fields : fieldsAlone(JSON.parse(row.base) as RegionState)
    const { split, assignee, z = 0, ...state } = toState(row)
    return { id: row.id, revision: row.revision, fields, base: base && { ...base, outlines: base.outlines ?? [] }, raw: row.raw, key: keyOf(row.raw), decided: decidedOf(state), marks: { split, assignee, z } }
  })
}

/** What work with the region left on it is no matter of the source. */
function fieldsAlone({ split: _split, assignee: _assignee, review: _review, second: _second, z: _z, ...fields }: RegionState): RegionFields {
  return fields
}

function decidedOf({ review, second }: Decided): Decided {
  return { review, second }
}

/** The number that the source's record carries, if it carries one. */
function keyOf(raw: string | null): string | null {
  if (raw === null) return null
  const record = JSON.parse(raw) as { annotations?: { id?: unknown }[]; kind?: unknown; record?: Record<string, unknown>; sentence?: { sent_id?: unknown }; results?: { id?: unknown }[] } | null
  const own = record?.record
  const id = record?.annotations?.[0]?.id ?? own?.['region_id'] ?? own?.['object_id'] ?? own?.['relationship_id'] ?? record?.sentence?.sent_id ?? record?.results?.[0]?.id
  return id === undefined ? null : JSON.stringify([record?.kind ?? '', id])
}
