/** Verbs on a single box and on what lies over what. */
import type { Region, RegionState } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { editLog } from './edits.ts'
import { boxMark, getMarks, type Mark, mark } from './marks.ts'
import { arranged, type End, stackPlace } from './stack.ts'

interface Hands {
  readonly live: () => Region | null
  readonly edit: (label: string, after: Partial<RegionState>) => boolean
  readonly settleHands: () => void
  readonly selectBox: (index: number) => void
  readonly announce: (text: string) => void
}

export interface Arranging {
  /** Puts a box over or under the others of its phrase. */
  arrangeBox(index: number, to: End): void
  /** Puts the phrase in hand over or under the others of the image. */
  arrangePhrase(to: End): void
  /** Hides or locks a box of the phrase in hand, or takes the mark off. */
  toggleBox(index: number, kind: Mark): void
}

export function arranging({ live, edit, settleHands, selectBox, announce }: Hands): Arranging {
  return {
    arrangeBox(index, to) {
      settleHands()
      const held = live()
      if (!held?.boxes[index]) return announce(t('There is no box in hand'))
      const next = arranged(held, index, to)
      if (!next) return announce(to === 'front' ? t('This box lies in front already') : t('This box lies at the back already'))
      if (edit(to === 'front' ? t('Box brought to the front') : t('Box sent to the back'), next.shape)) selectBox(next.index)
    },
    arrangePhrase(to) {
      settleHands()
      const held = live()
      if (!held) return announce(t('There is no phrase in hand'))
      const z = stackPlace(editLog.regions(held.imageId), held.id, to)
      if (z === null) return announce(to === 'front' ? t('This phrase lies in front already') : t('This phrase lies at the back already'))
      edit(to === 'front' ? t('Phrase brought to the front') : t('Phrase sent to the back'), { z })
    },
    toggleBox(index, kind) {
      settleHands()
      const held = live()
      const box = held?.boxes[index]
      if (!held || !box) return announce(t('There is no box in hand'))
      const id = boxMark(held.id, box)
      const on = !getMarks()[kind].has(id)
      mark(kind, [id], on)
      const n = index + 1
      announce(kind === 'hidden' ? (on ? t('Box {n} hidden', { n }) : t('Box {n} shown', { n })) : on ? t('Box {n} locked', { n }) : t('Box {n} unlocked', { n }))
    },
  }
}
