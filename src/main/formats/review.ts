/** The fields of a review in records that may hold them: status, tags, note, history. What is not of the right kind is passed over. */
import { regionMarksSchema, regionStatusSchema, revisionSchema } from '../../shared/domain.ts'
import type { Review } from './types.ts'

export function reviewOf(record: Readonly<Record<string, unknown>>): Review | null {
  const status = regionStatusSchema.safeParse(record['status'])
  const tags = textList(record['tags'])
  const note = record['note']
  const history = revisionSchema.array().min(1).safeParse(record['history'])
  const marks = regionMarksSchema.partial().safeParse(record['marks'])
  const review: Review = {
    ...(status.success && status.data !== 'unreviewed' ? { status: status.data } : {}),
    ...(tags && tags.length > 0 ? { tags } : {}),
    ...(typeof note === 'string' && note !== '' ? { note } : {}),
    ...(marks.success && Object.keys(marks.data).length > 0 ? { marks: marks.data as NonNullable<Review['marks']> } : {}),
    ...(history.success ? { history: history.data } : {}),
  }
  return Object.keys(review).length > 0 ? review : null
}

function textList(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null
}
