/** Where an edit meets a newer change: field by field what it would write and what is there now, in words. */
import type { Region, RegionFields, RegionMarks } from '../../../shared/domain.ts'
import { boxHeight, boxWidth } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import type { Change } from './edit-steps.ts'
import { STATUS_WORDS } from './queue-views.ts'
import { px } from './words.ts'

type Fields = RegionFields & RegionMarks
type Field = 'phrase' | 'boxes' | 'outlines' | 'status' | 'tags' | 'note' | 'deleted' | 'split' | 'assignee'

export interface Meeting {
  readonly regionId: string
  readonly field: Field
  readonly name: string
  readonly mine: string
  readonly theirs: string
}

const NAMES: Readonly<Record<Field, string>> = {
  phrase: t('phrase'), boxes: t('boxes'), outlines: t('outlines'), status: t('status'), tags: t('tags'), note: t('note'), deleted: t('deletion'), split: t('split'), assignee: t('assignee'),
}
/** More boxes than these are counted, not written out. */
const MOST_BOXES = 3

const WORDS: { readonly [F in Field]: (value: Fields[F]) => string } = {
  phrase: (text) => (text ? `“${text}”` : t('none')),
  boxes: (boxes) => {
    if (boxes.length === 0) return t('none')
    if (boxes.length > MOST_BOXES) return t('{n, plural, one {# box} other {# boxes}}', { n: boxes.length })
    return boxes.map((box) => t('{width} × {height} at {x}, {y}', { width: px(boxWidth(box)), height: px(boxHeight(box)), x: px(box[0]), y: px(box[1]) })).join(t('; '))
  },
  outlines: (outlines) => t('{n, plural, one {# outline} other {# outlines}}', { n: outlines.filter((outline) => outline.length > 0).length }),
  status: (status) => STATUS_WORDS[status],
  tags: (tags) => tags.join(t(', ')) || t('none'),
  note: (text) => (text ? `“${text}”` : t('none')),
  deleted: (deleted) => (deleted ? t('deleted') : t('not deleted')),
  split: (split) => split,
  assignee: (name) => name ?? t('nobody'),
}

/** @param now the region as the engine holds it; absent when it is gone */
export function meetings(changes: readonly Change[], now: (imageId: string, regionId: string) => Region | undefined): readonly Meeting[] {
  return changes.flatMap((change): Meeting[] => {
    if (change.kind === 'create') return []
    const theirs = now(change.imageId, change.regionId)
    return (Object.keys(NAMES) as Field[]).flatMap((field): Meeting[] => {
      const mine = change.diff[field]
      return mine ? [{ regionId: change.regionId, field, name: NAMES[field], mine: said(field, mine.after as Fields[Field]), theirs: theirs ? said(field, theirs[field]) : t('not there any more') }] : []
    })
  })
}

const said = <F extends Field>(field: F, value: Fields[F]): string => WORDS[field](value)
