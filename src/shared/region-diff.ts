/** A change of a region is a value-based diff; undo is the same diff reversed. The same code runs in the page and in the engine. */
import { z } from 'zod'
import { AppError } from './errors.ts'
import { outlinesSchema, regionFieldsSchema, regionMarksSchema, type RegionState } from './domain.ts'

const change = <T extends z.ZodType>(value: T) => z.object({ before: value, after: value }).readonly().optional()
const shape = regionFieldsSchema.shape
const marks = regionMarksSchema.shape

export const regionDiffSchema = z.object({
  phrase: change(shape.phrase),
  boxes: change(shape.boxes),
  outlines: change(outlinesSchema),
  status: change(shape.status),
  tags: change(shape.tags),
  note: change(shape.note),
  deleted: change(shape.deleted),
  split: change(marks.split),
  assignee: change(marks.assignee),
  review: change(marks.review),
  second: change(marks.second),
  z: change(z.number().int()),
})
export type RegionDiff = z.infer<typeof regionDiffSchema>

const FIELDS = ['phrase', 'boxes', 'outlines', 'status', 'tags', 'note', 'deleted', 'split', 'assignee', 'review', 'second', 'z'] as const

/** The diff that leads from one state to another; an empty object when they are equal. */
export function diffRegion(before: RegionState, after: RegionState): RegionDiff {
  const diff: Record<string, unknown> = {}
  for (const field of FIELDS) {
    const [from, to] = [valueOf(before, field), valueOf(after, field)]
    if (!sameValue(from, to)) diff[field] = { before: from, after: to }
  }
  return diff as RegionDiff
}

export function isEmptyDiff(diff: RegionDiff): boolean {
  return FIELDS.every((field) => diff[field] === undefined)
}

/**
 * The fields after the diff.
 * @throws AppError 'conflict' when a changed field no longer holds the value the diff started from.
 */
export function applyRegionDiff<T extends RegionState>(fields: T, diff: RegionDiff): T {
  const result: Record<string, unknown> = { ...fields }
  for (const field of FIELDS) {
    const entry = diff[field]
    if (!entry) continue
    if (!sameValue(valueOf(fields, field), entry.before)) {
      throw new AppError('conflict', `The ${field} of this region was changed meanwhile.`, 'Look at the new state, then make the edit again.', field)
    }
    result[field] = entry.after
  }
  return result as T
}

export function reverseRegionDiff(diff: RegionDiff): RegionDiff {
  const result: Record<string, unknown> = {}
  for (const field of FIELDS) {
    const entry = diff[field]
    if (entry) result[field] = { before: entry.after, after: entry.before }
  }
  return result as RegionDiff
}

/** A place in the stack that nobody has given is 0. */
function valueOf(state: RegionState, field: (typeof FIELDS)[number]): unknown {
  return field === 'z' ? (state.z ?? 0) : state[field]
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => sameValue(value, b[i]))
  // A review is a small record; it is compared by what it says.
  return a === b || (isRecord(a) && isRecord(b) && Object.keys({ ...a, ...b }).every((key) => a[key] === b[key]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
