/** What a person does with the sample in hand. */
import { type RefObject, useEffect } from 'react'
import type { Dataset, ImageRecord, Region, RegionFields } from '../../../shared/domain.ts'
import { type Box, moveBox } from '../../../shared/geometry.ts'
import { boxesOnly, withCopy } from '../../../shared/shape.ts'
import { navigate, setParams } from '../../app/routes.ts'
import type { Scene, SceneEffect } from '../../canvas/scene.ts'
import { sentence } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import { addAwaited, createRegion } from './awaited.ts'
import { editLog } from './edits.ts'
import { boxKey } from './scene-boxes.ts'
import type { FreePhrase } from './use-free-phrase.ts'
import type { Walk } from './use-walk.ts'
import { moveLabel, quote } from './words.ts'
import type { Verbs } from './workbench.ts'

interface Hands {
  readonly dataset: Dataset
  readonly scene: Scene
  readonly walk: Walk
  readonly image: ImageRecord | null
  readonly region: Region | null
  readonly free: FreePhrase
  readonly proposals: readonly Box[]
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

export function useVerbs({ dataset, scene, walk, image, region, free, proposals, proposing, chosenIds, effects, settleHands, commitPhrase, typePhrase, setWantsProposals }: Hands): Verbs {
  const { queue, now, show, go, goTo, announce } = walk

  /** The region in hand at this moment, if it is still there. */
  const live = (): Region | null => {
    const { imageId, regionId } = now.current
    const found = imageId !== null && regionId !== null ? editLog.region(imageId, regionId) : undefined
    return found && !found.deleted ? found : null
  }
  const edit = (label: string, after: Partial<RegionFields>): boolean => {
    const held = live()
    return held !== null && editLog.edit(label, held.imageId, [{ regionId: held.id, after }]) !== null
  }
  const boxesNow = (): readonly Box[] => live()?.boxes ?? NO_BOXES
  const selectBox = (index: number) => scene.select(now.current.regionId ? boxKey(now.current.regionId, index) : null)
  const onImage = () => (image && image.id === now.current.imageId ? image : null)

  const newRegion = (phrase: string, boxes: readonly Box[]) => {
    const on = onImage()
    if (!on) return
    settleHands()
    const created = createRegion({ phrase, image: on }, boxes)
    show({ regionId: created.id, imageId: created.imageId, index: -1 })
  }

  /** While the next sample is on its way, the keys of the last one rest: nobody decides twice, or what was not seen. */
  const mayDecide = (): boolean => {
    if (!walk.isWaiting()) return live() !== null
    announce('The next sample is still loading')
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
      if (!held) newRegion('', [effect.after])
      else if (edit('Box drawn', { boxes: [...held.boxes, effect.after] })) selectBox(held.boxes.length)
      return
    }
    const box = scene.store.getState().boxes.find((entry) => entry.key === effect.key)
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
    if (proposals.length === 0) toast({ tone: 'info', title: `${quote(free.typed)} was added without a box`, detail: 'Its heat is too flat for one.' })
    newRegion(free.typed, proposals)
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
    show, go, goTo, newRegion, commitPhrase,
    edit(label, after) {
      settleHands()
      edit(label, after)
    },
    editOf(of, label, after) {
      editLog.edit(label, of.imageId, [{ regionId: of.id, after }])
    },
    decide(status) {
      if (!mayDecide()) return
      settleHands()
      edit({ accepted: 'Accepted', rejected: 'Rejected', skipped: 'Skipped' }[status], { status })
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
      announce(`Waiting for the heat of ${quote(free.typed)}. Enter again adds it without a box.`)
    },
    toggleProposals: () => setWantsProposals(!proposing),
    useProposal() {
      if (proposals.length === 0 || free.state !== 'none' || region?.id !== now.current.regionId || !mayDecide()) return
      settleHands()
      edit('Proposal used', { ...boxesOnly(proposals), status: 'accepted' })
      go(1)
    },
    deleteBox(index) {
      settleHands()
      const boxes = boxesNow()
      if (index < 0 || index >= boxes.length) return
      edit('Box deleted', { boxes: boxes.filter((_, i) => i !== index) })
      if (boxes.length > 1) selectBox(Math.min(index, boxes.length - 2))
    },
    deleteRegion() {
      settleHands()
      if (edit('Phrase deleted', { deleted: true })) walk.place({ ...now.current, regionId: null })
    },
    duplicateBox() {
      settleHands()
      const boxes = boxesNow()
      const index = scene.store.getState().boxes.find((box) => box.key === scene.store.getState().selected && box.editable)?.index
      const held = live()
      const box = index === undefined ? undefined : boxes[index]
      if (index === undefined || !box || !held || !image) return
      const shift = Math.max(2, Math.round(Math.min(image.width, image.height) / 40))
      const room = box[2] + shift <= image.width && box[3] + shift <= image.height
      const by = room ? shift : -shift
      if (edit('Box duplicated', withCopy(held, index, moveBox(box, by, by)))) selectBox(boxes.length)
    },
    copyBoxes(from) {
      settleHands()
      if (edit(`Boxes copied from ${quote(from.phrase)}`, { boxes: from.boxes, outlines: from.outlines })) selectBox(0)
    },
    choose(slot, id) {
      const next = chosenIds.filter((_, i) => i !== slot)
      if (id !== null) next.splice(slot, 0, id)
      const [first, ...rest] = [...new Set(next)]
      setParams({ checkpoint: first ?? null, with: rest.join(',') || null })
    },
  }
}
