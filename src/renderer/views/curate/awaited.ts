/** An annotation that was asked for before the heat of its phrase was there: it is never lost, at worst it comes without boxes. */
import type { Region } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { boxesOnly, type Shape } from '../../../shared/shape.ts'
import { toast } from '../../ui/toast.tsx'
import { editLog } from './edits.ts'
import type { Awaited } from './use-free-phrase.ts'
import { mintId, quote } from './words.ts'

const WHY = {
  leave: t('You went on before its heat was there.'),
  failed: t('There is no heat for it.'),
  asked: t('Its heat was not there yet.'),
} as const

/** Adds what is awaited without boxes, and says so; nothing when nothing is. Returns the new region. */
export function addAwaited(awaited: { current: Awaited | null }, why: keyof typeof WHY): Region | null {
  const wanted = awaited.current
  awaited.current = null
  if (!wanted) return null
  const created = createRegion(wanted, boxesOnly([]))
  toast({ tone: 'info', title: t('{phrase} was added without a box', { phrase: quote(wanted.phrase) }), detail: WHY[why] })
  return created
}

/** Makes the region and its edit. */
export function createRegion({ phrase, image }: Awaited, { boxes, outlines }: Shape): Region {
  const created: Region = {
    id: mintId(), imageId: image.id, datasetId: image.datasetId, revision: 0, split: image.split, flags: [], assignee: null, review: null, second: null, phrase, boxes, outlines, status: 'unreviewed', tags: [], note: '', deleted: false,
  }
  editLog.create(phrase ? t('Phrase added: {phrase}', { phrase: quote(phrase) }) : t('Phrase added'), created)
  return created
}
