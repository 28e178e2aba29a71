/** What a person does with the sample in hand. */
import { type RefObject, useEffect } from 'react'
import type { Dataset, ImageRecord, Region, RegionState } from '../../../shared/domain.ts'
import { type Box, sameBox } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { boxesOnly, outlineBounds, type Shape, shapeOf, withCopy } from '../../../shared/shape.ts'
import { navigate, setParams } from '../../app/routes.ts'
import type { Scene, SceneEffect } from '../../canvas/scene.ts'
import { sentence } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import { arranging } from './arrange.ts'
import { addAwaited, createRegion } from './awaited.ts'
import type { Bulk } from './bulk.ts'
import { asideBy, besides, copyClip, heldClip, joined, pastedShape } from './clipboard.ts'
import { editLog } from './edits.ts'
import { boxMark, getMarks, lockedAgainst, mark } from './marks.ts'
import { type Mend, mendLabel } from './mends.ts'
import { getPrefs } from './prefs.ts'
import { boxKey } from './scene-boxes.ts'
import type { FreePhrase } from './use-free-phrase.ts'
import type { Walk } from './use-walk.ts'
import { moveLabel, quote } from './words.ts'
import type { Verbs } from './workbench.ts'

interface Hands {
  readonly dataset: Dataset
  readonly bulk: Bulk
  readonly scene: Scene
  readonly walk: Walk
  readonly image: ImageRecord | null
  readonly region: Region | null
  readonly free: FreePhrase
  readonly proposals: readonly Box[]
  /** The one that is proposed, of the region in hand. */
  readonly mend: Mend | null
  readonly proposing: boolean
  readonly chosenIds: readonly string[]
  /** Where the scene sends what was done on a canvas. */
  readonly effects: RefObject<(effect: SceneEffect) => void>
  readonly settleHands: () => void
  readonly commitPhrase: () => void
  readonly typePhrase: (text: string | null) => void
  readonly setWantsProposals: (wanted: boolean | null) => void
}

const NO_BOXES: readonly Box[] = []

export function useVerbs({ dataset, bulk, scene, walk, image, region, free, proposals, mend, proposing, chosenIds, effects, settleHands, commitPhrase, typePhrase, setWantsProposals }: Hands): Verbs {
  const { queue, now, show, go, goTo, announce } = walk

  /** The region in hand at this moment, if it is still there. */
  const live = (): Region | null => {
    const { imageId, regionId } = now.current
    const found = imageId !== null && regionId !== null ? editLog.region(imageId, regionId) : undefined
    return found && !found.deleted ? found : null
  }
  /** What is locked keeps its boxes; everything else about it may change. */
  const refuses = (of: Region, after: Partial<RegionState>): boolean => {
    const locked = lockedAgainst(getMarks(), of, after)
    if (locked === null) return false
    // The key unlocks what is in hand: it is named only where that is the locked one.
    const unlock = (id: string, keys: string, inHand: boolean) => ({ label: t('Unlock'), ...(inHand ? { keys } : {}), run: () => mark('locked', [id], false) })
    const isHeld = of.id === now.current.regionId
    toast(locked === 'phrase' ? { tone: 'info', title: t('This phrase is locked'), detail: t('Its boxes stay as they are.'), action: unlock(of.id, 'l', isHeld) } : { tone: 'info', title: t('A box of this phrase is locked'), detail: t('It stays as it is.'), action: unlock(boxMark(of.id, locked), 'Shift+l', isHeld && sameBox(of.boxes[selectedIndex()] ?? [0, 0, 0, 0], locked)) })
    return true
  }
  const editRegion = (of: Region, label: string, after: Partial<RegionState>): boolean => {
    if (refuses(of, after)) return false
    return editLog.edit(label, of.imageId, [{ regionId: of.id, after }]) !== null
  }
  const edit = (label: string, after: Partial<RegionState>): boolean => {
    const held = live()
    return held !== null && editRegion(held, label, after)
  }
  const boxesNow = (): readonly Box[] => live()?.boxes ?? NO_BOXES
  const selectBox = (index: number) => scene.select(now.current.regionId ? boxKey(now.current.regionId, index) : null)
  /** Place of the box in hand among those of its phrase; -1 without one. */
  const selectedIndex = () => scene.store.getState().mine.find((box) => box.key === scene.store.getState().selected)?.index ?? -1
  const onImage = () => (image && image.id === now.current.imageId ? image : null)

  const newRegion = (phrase: string, shape: Shape = boxesOnly([])) => {
    const on = onImage()
    if (!on) return
    settleHands()
    const created = createRegion({ phrase, image: on }, shape)
    show({ regionId: created.id, imageId: created.imageId, index: -1 })
  }

  /** While the next sample is on its way, the keys of the last one rest: nobody decides twice, or what was not seen. */
  const mayDecide = (): boolean => {
    if (!walk.isWaiting()) return live() !== null
    announce(t('The next sample is still loading'))
    return false
  }

  effects.current = (effect) => {
    if (effect.type === 'select') {
      const box = scene.store.getState().boxes.find((entry) => entry.key === effect.key)
      if (box && !box.editable && now.current.imageId) {
        show({ regionId: box.regionId, imageId: now.current.imageId, index: queue.indexOf(box.regionId) })
        scene.select(boxKey(box.regionId, box.index))
      }
      return
    }
    if (effect.gesture === 'draw') {
      const held = live()
      if (!held) newRegion('', boxesOnly([effect.after]))
      else if (edit(t('Box drawn'), { boxes: [...held.boxes, effect.after] })) selectBox(held.boxes.length)
      return
    }
    if (effect.gesture === 'outline') {
      const drawn = shapeOf([outlineBounds(effect.outline)], [effect.outline])
      const held = live()
      if (!held) newRegion('', drawn)
      else if (edit(t('Outline drawn'), joined(held, drawn))) selectBox(held.boxes.length)
      return
    }
    const box = scene.store.getState().boxes.find((entry) => entry.key === effect.key)
    if (effect.gesture === 'shape') {
      const held = live()
      if (!box || !held) return
      const put = <T>(list: readonly T[], value: T) => list.map((old, i) => (i === box.index ? value : old))
      edit(t('Outline changed'), shapeOf(put(held.boxes, outlineBounds(effect.outline)), put(joined(held, boxesOnly([])).outlines, effect.outline)))
      return
    }
    if (box) edit(moveLabel(effect.before, effect.after), { boxes: boxesNow().map((old, i) => (i === box.index ? effect.after : old)) })
  }

  const step = (call: () => Promise<readonly Region[]>) => {
    settleHands()
    const from = now.current
    call().then(
      (changed) => {
        for (const entry of changed) queue.patch(entry)
        // The engine may have been away: whoever has walked on since is not taken back.
        const { imageId, regionId } = now.current
        if (imageId !== from.imageId || (regionId !== null && regionId !== from.regionId)) return
        const first = changed.find((entry) => !entry.deleted)
        // What was taken back may be the phrase in hand itself: then another one of the image is taken.
        const target = first ?? (from.imageId && from.regionId && editLog.region(from.imageId, from.regionId)?.deleted !== false ? editLog.regions(from.imageId)[0] : undefined)
        // The ledger is the project's: a step may lead to another dataset, which is then opened.
        if (target && target.datasetId !== dataset.id) navigate('curate', { dataset: target.datasetId, region: target.id, image: target.imageId })
        else if (target && target.id !== regionId) show({ regionId: target.id, imageId: target.imageId, index: queue.indexOf(target.id) })
      },
      (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
    )
  }

  const addFree = () => {
    free.awaited.current = null
    if (proposals.length === 0) toast({ tone: 'info', title: t('{phrase} was added without a box', { phrase: quote(free.typed) }), detail: t('Its heat is too flat for one.') })
    newRegion(free.typed, boxesOnly(proposals))
  }
  const addWithoutBoxes = (why: 'failed' | 'asked') => {
    const created = addAwaited(free.awaited, why)
    if (created) show({ regionId: created.id, imageId: created.imageId, index: -1 })
  }
  // An annotation that was asked for before its heat was there, and has not been changed since.
  const isAwaited = () => free.awaited.current !== null && free.awaited.current.phrase === free.typed && free.awaited.current.image.id === now.current.imageId
  useEffect(() => {
    if (!isAwaited()) return
    if (free.state === 'ready') addFree()
    else if (free.state === 'failed') addWithoutBoxes('failed')
  }, [free.state, proposals])

  return {
    show, go, goTo, newRegion, commitPhrase, announce, ...arranging({ live, edit, settleHands, selectBox, announce }),
    edit(label, after) {
      settleHands()
      edit(label, after)
    },
    editOf(of, label, after) {
      editRegion(editLog.region(of.imageId, of.id) ?? of, label, after)
    },
    decide(status) {
      // What is selected is meant, be it one row beside the one in hand.
      const picked = bulk.count()
      if (picked > 1 || (picked === 1 && !bulk.holds(now.current.index))) {
        settleHands()
        void bulk.act({ kind: getPrefs().secondReview ? 'second' : 'status', status })
        return
      }
      bulk.clear()
      if (!mayDecide()) return
      settleHands()
      const held = live()
      if (held && getPrefs().secondReview) {
        void bulk.act({ kind: 'second', status }, [held.id])
        go(1)
        return
      }
      edit({ accepted: t('Accepted'), rejected: t('Rejected'), skipped: t('Skipped') }[status], { status })
      go(1)
    },
    undo: () => step(() => editLog.undo()),
    redo: () => step(() => editLog.redo()),
    setDraft: typePhrase,
    setFree: free.set,
    annotateFree() {
      const on = onImage()
      if (!free.typed || !on) return
      const again = isAwaited()
      if (free.state === 'ready') return addFree()
      free.awaited.current = { phrase: free.typed, image: on }
      if (again || free.state === 'failed') return addWithoutBoxes(again ? 'asked' : 'failed')
      free.hurry()
      announce(t('Waiting for the heat of {phrase}. Enter again adds it without a box.', { phrase: quote(free.typed) }))
    },
    toggleProposals: () => setWantsProposals(!proposing),
    useProposal() {
      if (!mend || free.state !== 'none' || region?.id !== now.current.regionId || !mayDecide()) return
      settleHands()
      const held = live()
      const other = mend.kind === 'swap' && mend.other ? editLog.region(mend.other.imageId, mend.other.id) : undefined
      if (!held || (mend.kind === 'swap' && !other)) return
      if (refuses(held, mend.shape) || (other && refuses(other, { boxes: held.boxes, outlines: held.outlines }))) return
      editLog.edit(mendLabel(mend), held.imageId, [
        { regionId: held.id, after: { ...mend.shape, status: 'accepted' } },
        // What it is swapped with is not decided by that: it comes up in its turn.
        ...(other ? [{ regionId: other.id, after: { boxes: held.boxes, outlines: held.outlines } }] : []),
      ])
      go(1)
    },
    deleteBox(index) {
      settleHands()
      const boxes = boxesNow()
      if (index < 0 || index >= boxes.length) return
      if (edit(t('Box deleted'), { boxes: boxes.filter((_, i) => i !== index) }) && boxes.length > 1) selectBox(Math.min(index, boxes.length - 2))
    },
    deleteRegion() {
      settleHands()
      if (edit(t('Phrase deleted'), { deleted: true })) walk.place({ ...now.current, regionId: null })
    },
    duplicateBox() {
      settleHands()
      const boxes = boxesNow()
      const [held, index] = [live(), selectedIndex()]
      const box = boxes[index]
      if (!held || !box || !image) return
      if (edit(t('Box duplicated'), withCopy(held, index, besides(box, image, asideBy(image))))) selectBox(boxes.length)
    },
    copyBox() {
      settleHands()
      const [held, on] = [live(), onImage()]
      if (!held || !on || held.boxes.length === 0) return announce(t('There is no box to copy'))
      const index = selectedIndex()
      const part = <T>(list: readonly T[]) => (index < 0 ? list : list.slice(index, index + 1))
      const boxes = part(held.boxes)
      copyClip({ phrase: held.phrase, ...shapeOf(boxes, part(held.outlines)), size: on })
      announce(t('{n, plural, one {# box} other {# boxes}} of {phrase} copied', { n: boxes.length, phrase: quote(held.phrase) }))
    },
    copyPhrase() {
      settleHands()
      const [held, on] = [live(), onImage()]
      if (!held || !on) return
      copyClip({ phrase: held.phrase, boxes: held.boxes, outlines: held.outlines, size: on })
      announce(t('{phrase} copied with {n, plural, one {# box} other {# boxes}}', { n: held.boxes.length, phrase: quote(held.phrase) }))
    },
    paste(as) {
      settleHands()
      const [clip, held, on] = [heldClip(), live(), onImage()]
      if (!clip || !on) return announce(clip ? t('There is no image to paste on') : t('Nothing has been copied yet'))
      if (as === 'phrase' || !held) return newRegion(clip.phrase, pastedShape(clip, on, []))
      if (edit(clip.boxes.length === 1 ? t('Box pasted') : t('Boxes pasted'), joined(held, pastedShape(clip, on, held.boxes)))) selectBox(held.boxes.length)
    },
    walkBoxes(step) {
      const { mine, selected } = scene.store.getState()
      if (mine.length === 0) return
      const at = mine.findIndex((box) => box.key === selected)
      scene.select(mine[(at < 0 ? (step > 0 ? 0 : mine.length - 1) : at + step + mine.length) % mine.length]!.key)
    },
    walkPhrases(step) {
      const { imageId, regionId } = now.current
      if (imageId === null) return
      const all = editLog.regions(imageId)
      const at = all.findIndex((entry) => entry.id === regionId)
      const next = all[(at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step + all.length) % Math.max(1, all.length)]
      if (next) show({ regionId: next.id, imageId, index: queue.indexOf(next.id) })
    },
    copyBoxes(from) {
      settleHands()
      if (edit(t('Boxes copied from {phrase}', { phrase: quote(from.phrase) }), { boxes: from.boxes, outlines: from.outlines })) selectBox(0)
    },
    choose(slot, id) {
      const next = chosenIds.filter((_, i) => i !== slot)
      if (id !== null) next.splice(slot, 0, id)
      const [first, ...rest] = [...new Set(next)]
      setParams({ checkpoint: first ?? null, with: rest.join(',') || null })
    },
  }
}
