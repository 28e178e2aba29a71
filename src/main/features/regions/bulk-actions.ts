/** What can be done to many regions at once, as the diff that it makes of each. */
import vm from 'node:vm'
import type { BulkAction } from '../../../shared/contract/bulk.ts'
import type { Region } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { type Box, boxIou } from '../../../shared/geometry.ts'
import type { RegionDiff } from '../../../shared/region-diff.ts'
import type { Db } from '../../store/db.ts'
import { type Author, withReview } from './apply.ts'

/** The diffs of some regions, in their order; null for one that stays as it is. */
export type DiffsOf = (regions: readonly Region[]) => (RegionDiff | null)[]

/** @throws AppError 'bad-input' when the action itself cannot be done, e.g. for a faulty expression */
export function diffsOf(db: Db, action: BulkAction, author: Author): DiffsOf {
  const each = (one: (region: Region) => RegionDiff | null): DiffsOf => (regions) => regions.map((region) => {
    const diff = one(region)
    return diff && withReview(diff, region, author)
  })
  switch (action.kind) {
    case 'status':
      return each(({ status }) => (status === action.status ? null : { status: { before: status, after: action.status } }))
    case 'tag': {
      const tag = named(action.tag, 'tag')
      return each(({ tags }) => (tags.includes(tag) ? null : { tags: { before: tags, after: [...tags, tag] } }))
    }
    case 'untag':
      return each(({ tags }) => (tags.includes(action.tag) ? { tags: { before: tags, after: tags.filter((tag) => tag !== action.tag) } } : null))
    case 'split': {
      const to = named(action.split, 'split')
      return each(({ split }) => (split === to ? null : { split: { before: split, after: to } }))
    }
    case 'assign': {
      const to = action.to === null ? null : named(action.to, 'person')
      return each(({ assignee }) => (assignee === to ? null : { assignee: { before: assignee, after: to } }))
    }
    case 'delete':
      return each(() => ({ deleted: { before: false, after: true } }))
    case 'replace': {
      const replaced = replacer(action)
      return (regions) => {
        const texts = replaced(regions.map(({ phrase }) => phrase))
        return regions.map(({ phrase }, i) => (texts[i] === phrase ? null : { phrase: { before: phrase, after: texts[i]! } }))
      }
    }
    case 'second':
      return each((region) => secondDiff(db, region, action.status, author))
  }
}

/** For the undo button and the history. */
export function bulkLabel(action: BulkAction, count: number): string {
  const regions = count === 1 ? '1 region' : `${count.toLocaleString('en-US')} regions`
  switch (action.kind) {
    case 'status':
      return { accepted: `Accept ${regions}`, rejected: `Reject ${regions}`, skipped: `Skip ${regions}`, unreviewed: `Back to review: ${regions}` }[action.status]
    case 'tag':
      return `Tag ${regions} “${action.tag.trim()}”`
    case 'untag':
      return `Take the tag “${action.tag}” off ${regions}`
    case 'split':
      return `Move ${regions} to ${action.split.trim()}`
    case 'assign':
      return action.to === null ? `Assign ${regions} to nobody` : `Assign ${regions} to ${action.to.trim()}`
    case 'delete':
      return `Delete ${regions}`
    case 'replace':
      return `Replace “${action.find}” in ${count === 1 ? '1 phrase' : `${count.toLocaleString('en-US')} phrases`}`
    case 'second':
      return action.status === null ? `Take back the second review of ${regions}` : `Second review, ${action.status}: ${regions}`
  }
}

function named(text: string, what: string): string {
  const name = text.trim()
  if (!name) throw new AppError('bad-input', `A ${what} needs a name.`, 'Type one.', what)
  return name
}

/** Milliseconds that an expression may take for the phrases of one part. An expression can need years for one phrase. */
const MOST_MS = 250

function replacer({ find, replacement, regex, matchCase }: Extract<BulkAction, { kind: 'replace' }>): (texts: readonly string[]) => readonly string[] {
  if (!find) throw new AppError('bad-input', 'There is nothing to look for.', 'Type what is to be replaced.', 'find')
  const flags = matchCase ? 'gu' : 'giu'
  if (!regex) {
    const plain = new RegExp(find.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags)
    return (texts) => texts.map((text) => text.replace(plain, () => replacement))
  }
  try {
    new RegExp(find, flags)
  } catch (error) {
    throw new AppError('bad-input', `This is no regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}.`, 'Correct it, or look for plain text.', 'find')
  }
  const script = new vm.Script('const expression = new RegExp(find, flags); JSON.stringify(JSON.parse(texts).map((text) => text.replace(expression, replacement)))')
  return (texts) => {
    try {
      return JSON.parse(script.runInNewContext({ find, flags, replacement, texts: JSON.stringify(texts) }, { timeout: MOST_MS }) as string) as string[]
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      throw new AppError('bad-input', 'This regular expression takes too long on some phrases. Nothing was changed.', 'Avoid repeats inside repeats, such as (a+)+.', 'find')
    }
  }
}

/** A second person's decision beside the first; nobody reviews their own. */
function secondDiff(db: Db, region: Region, status: Region['status'] | null, { name, at }: Author): RegionDiff | null {
  const { review, second } = region
  if (status === null) return second === null ? null : { second: { before: second, after: null } }
  if (!review || review.by === name) return null
  const fields = db.get<{ fields: string }>('SELECT fields FROM revisions WHERE region_id = ? AND actor = ? ORDER BY revision DESC LIMIT 1', region.id, review.by)?.fields
  const first = fields ? (JSON.parse(fields) as Pick<Region, 'phrase' | 'boxes'>) : region
  const after = { status, by: name, at, iou: agreement(first.boxes, region.boxes), samePhrase: plain(first.phrase) === plain(region.phrase) }
  return { second: { before: second, after } }
}

const plain = (phrase: string): string => phrase.trim().replace(/\s+/g, ' ').toLowerCase()

/** Of two people's boxes: the mean, over the boxes of both, of the overlap with the other's nearest one; 1 when neither drew any. */
export function agreement(a: readonly Box[], b: readonly Box[]): number {
  const best = (box: Box, others: readonly Box[]) => Math.max(0, ...others.map((other) => boxIou(box, other)))
  const all = [...a.map((box) => best(box, b)), ...b.map((box) => best(box, a))]
  return all.length === 0 ? 1 : all.reduce((sum, one) => sum + one, 0) / all.length
}
