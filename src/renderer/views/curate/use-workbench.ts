/**
 * The heart of Curate: which sample is in hand, what is shown of it, and what a person does with it. Views below only draw
 * what this gives them and call its verbs.
 */
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { prepareHeat } from '../../../shared/consistency.ts'
import type { Dataset, QueueRow, Region, RegionFields, Scores } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import { navigate, setParams, useRoute } from '../../app/routes.ts'
import { type SceneEffect, createScene } from '../../canvas/scene.ts'
import { api } from '../../state/engine.ts'
import { useEngineEvents } from '../../state/events.ts'
import { sentence, useCheckpoints } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import { editLog, useRegions } from './edits.ts'
import { useDecodedImage } from './images.ts'
import { getPrefs, usePrefs } from './prefs.ts'
import { proposeBoxes } from './propose.ts'
import { createQueueSource } from './queue-source.ts'
import { boxKey, sceneBoxes } from './scene-boxes.ts'
import { useHeat, useSettled } from './use-heat.ts'
import { useQueueControl } from './use-queue-control.ts'
import { mintId, moveLabel, quote } from './words.ts'
import type { Current, Verbs, Workbench } from './workbench.ts'
import { imageQuery, useChosen, useConflictRefetch, useFollowQueue, useLinks, usePrefetch } from './workbench-parts.ts'

const NO_SCORES: Readonly<Record<string, Scores>> = {}
const NO_BOXES: readonly Box[] = []
const FREE_DELAY_MS = 220

export function useWorkbench(dataset: Dataset): Workbench {
  const { params } = useRoute()
  const prefs = usePrefs()
  const checkpointList = useCheckpoints()
  const checkpoints = checkpointList.data ?? []
  const chosen = useChosen(checkpoints, params)
  const checkpointId = chosen[0]?.id ?? null
  const [queue] = useState(() => createQueueSource((query, offset, limit) => api.regions.query({ ...query, offset, limit })))
  const control = useQueueControl(dataset.id, queue, checkpointId, checkpointList.isPending)

  const [current, setCurrent] = useState<Current>(() => ({ regionId: params.region ?? null, imageId: params.image ?? null, index: -1 }))
  const currentRef = useRef(current)
  /** The last place in the queue, from where walking goes on after a sample that is not in it. */
  const lastIndex = useRef(-1)
  const [draftPhrase, setDraft] = useState<string | null>(null)
  const draftRef = useRef<string | null>(null)
  const [freePhrase, setFreePhrase] = useState('')
  const [wantsProposals, setWantsProposals] = useState(false)
  const [announcement, announce] = useState('')

  const effects = useRef<(effect: SceneEffect) => void>(() => undefined)
  const [scene] = useState(() => createScene((effect) => effects.current(effect)))

  const { imageId, regionId } = current
  const chosenIds = chosen.map((checkpoint) => checkpoint.id)
  const data = useQuery({ ...imageQuery(imageId ?? '', chosenIds), enabled: imageId !== null })
  const image = data.data?.image.id === imageId ? data.data.image : null
  const picture = useDecodedImage(imageId)
  const regions = useRegions(imageId)
  const region = regions.find((entry) => entry.id === regionId) ?? null
  const scores = (checkpointId ? data.data?.scores[checkpointId] : undefined) ?? NO_SCORES

  const typed = useSettled(draftPhrase, FREE_DELAY_MS)
  const heatPhrase = draftPhrase !== null && typed !== null ? typed : (region?.phrase ?? null)
  const heat = useHeat(imageId, checkpointId, heatPhrase)
  const prepared = useMemo(() => (heat.heat ? prepareHeat(heat.heat.grid, heat.heat.peak, heat.heat.maskSize) : null), [heat.heat])
  const settledFree = useSettled(freePhrase, freePhrase ? FREE_DELAY_MS : 0)
  const isFree = freePhrase.trim() !== '' && settledFree.trim() !== ''
  const freeHeat = useHeat(isFree ? imageId : null, checkpointId, settledFree)

  const proposing = isFree || wantsProposals || control.view.sort === 'suspect'
  const source = isFree ? freeHeat.heat : heat.stale ? null : heat.heat
  const most = isFree ? 3 : (region?.boxes.length ?? 1)
  const proposals = useMemo(() => (proposing && source && image ? proposeBoxes(source.grid, image, prefs.threshold, most) : NO_BOXES), [proposing, source, image, prefs.threshold, most])

  // The scene is fed outside React too: an edit must be in it before the draft of the gesture goes away.
  const shown = useRef({ image, proposals })
  shown.current = { image, proposals }
  const feed = useCallback(() => {
    const { imageId: id, regionId: inHand } = currentRef.current
    const record = shown.current.image
    if (!record || record.id !== id) scene.setContent({ imageKey: id ?? '', image: { width: 0, height: 0 }, boxes: [], proposals: [] })
    else scene.setContent({ imageKey: `${id}:loaded`, image: record, boxes: sceneBoxes(editLog.regions(id), inHand, getPrefs().others), proposals: shown.current.proposals })
  }, [scene])
  useLayoutEffect(() => {
    currentRef.current = current
    feed()
  }, [feed, current, image, proposals, regions, prefs.others])
  useEffect(
    () =>
      editLog.store.subscribe(() => {
        feed()
        for (const entry of currentRef.current.imageId ? editLog.regions(currentRef.current.imageId) : []) queue.patch(entry)
      }),
    [feed, queue],
  )
  useLayoutEffect(() => scene.store.setState({ snap: prefs.snap }), [scene, prefs.snap])
  useEffect(() => queue.patchScores(scores), [queue, scores])

  // The first box of a sample is in hand at once, so that it can be dragged and nudged without a click.
  const firstBox = region && region.boxes.length > 0 ? boxKey(region.id, 0) : null
  useLayoutEffect(() => {
    const selected = scene.store.getState().selected
    if (!selected?.startsWith(`${regionId}/`)) scene.select(firstBox)
  }, [scene, regionId, firstBox === null, image])

  const commitPhrase = () => {
    const text = draftRef.current
    draftRef.current = null
    setDraft(null)
    const { imageId: id, regionId: inHand } = currentRef.current
    if (text === null || id === null || inHand === null) return
    const before = editLog.region(id, inHand)?.phrase
    const after = text.replace(/\s+/g, ' ').trim()
    if (before === undefined || after === before) return
    editLog.edit(before ? `Phrase: ${quote(before)} → ${quote(after)}` : `Phrase: ${quote(after)}`, id, [{ regionId: inHand, after: { phrase: after } }])
  }

  const show = (next: Current) => {
    scene.endNudge()
    commitPhrase()
    const before = currentRef.current
    if (before.regionId === next.regionId && before.index === next.index) return
    currentRef.current = next
    if (next.index >= 0) lastIndex.current = next.index
    setCurrent(next)
    setFreePhrase('')
    setWantsProposals(false)
    scene.cancel()
    if (before.imageId !== next.imageId) scene.setTool('select')
    setParams({ dataset: dataset.id, region: next.regionId, image: next.imageId })
  }
  const open = (row: QueueRow, index: number) => show({ regionId: row.id, imageId: row.imageId, index })

  const goTo = (index: number) => {
    const row = queue.store.getState().rows.get(index)
    if (row) open(row, index)
    else void queue.rowAt(index).then((late) => late && open(late, index))
  }
  const go = (step: number) => {
    const next = lastIndex.current + step
    const { total } = queue.store.getState()
    if (next >= 0 && next < total) goTo(next)
    else if (total > 0) announce(step > 0 ? 'End of the queue' : 'Start of the queue')
  }

  const edit = (label: string, after: Partial<RegionFields>): boolean => {
    const { imageId: id, regionId: inHand } = currentRef.current
    return id !== null && inHand !== null && editLog.edit(label, id, [{ regionId: inHand, after }]) !== null
  }
  const boxesNow = (): readonly Box[] => {
    const { imageId: id, regionId: inHand } = currentRef.current
    return id && inHand ? (editLog.region(id, inHand)?.boxes ?? NO_BOXES) : NO_BOXES
  }
  const selectBox = (index: number) => scene.select(currentRef.current.regionId ? boxKey(currentRef.current.regionId, index) : null)

  const newRegion = (phrase: string, boxes: readonly Box[]) => {
    if (!image || !imageId) return
    commitPhrase()
    const created: Region = {
      id: mintId(), imageId, datasetId: dataset.id, revision: 0, split: image.split, flags: [], phrase, boxes, status: 'unreviewed', tags: [], note: '', deleted: false,
    }
    editLog.create(phrase ? `Phrase added: ${quote(phrase)}` : 'Phrase added', created)
    show({ regionId: created.id, imageId, index: -1 })
  }

  effects.current = (effect) => {
    if (effect.type === 'select') {
      const box = scene.store.getState().boxes.find((entry) => entry.key === effect.key)
      if (box && !box.editable && imageId) {
        show({ regionId: box.regionId, imageId, index: queue.indexOf(box.regionId) })
        scene.select(boxKey(box.regionId, box.index))
      }
      return
    }
    if (effect.gesture === 'draw') {
      if (currentRef.current.regionId === null) newRegion('', [effect.after])
      else {
        const boxes = boxesNow()
        if (edit('Box drawn', { boxes: [...boxes, effect.after] })) selectBox(boxes.length)
      }
      return
    }
    const box = scene.store.getState().boxes.find((entry) => entry.key === effect.key)
    if (box) edit(moveLabel(effect.before, effect.after), { boxes: boxesNow().map((old, i) => (i === box.index ? effect.after : old)) })
  }

  const step = (call: () => Promise<readonly Region[]>) => {
    scene.endNudge()
    commitPhrase()
    call().then(
      (changed) => {
        for (const entry of changed) queue.patch(entry)
        const first = changed.find((entry) => !entry.deleted)
        const { imageId: id, regionId: inHand } = currentRef.current
        // What was taken back may be the phrase in hand itself: then another one of the image is taken.
        const target = first ?? (id && inHand && editLog.region(id, inHand)?.deleted !== false ? editLog.regions(id)[0] : undefined)
        // The ledger is the project's: a step may lead to another dataset, which is then opened.
        if (target && target.datasetId !== dataset.id) navigate('curate', { dataset: target.datasetId, region: target.id, image: target.imageId })
        else if (target && target.id !== inHand) show({ regionId: target.id, imageId: target.imageId, index: queue.indexOf(target.id) })
      },
      (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
    )
  }

  const verbs: Verbs = {
    show, go, goTo, edit, newRegion, commitPhrase,
    decide(status) {
      commitPhrase()
      scene.endNudge()
      edit({ accepted: 'Accepted', rejected: 'Rejected', skipped: 'Skipped' }[status], { status })
      go(1)
    },
    undo: () => step(() => editLog.undo()),
    redo: () => step(() => editLog.redo()),
    setDraft(text) {
      draftRef.current = text
      setDraft(text)
    },
    setFree: setFreePhrase,
    annotateFree() {
      const phrase = freePhrase.replace(/\s+/g, ' ').trim()
      if (phrase) newRegion(phrase, proposals)
    },
    toggleProposals: () => setWantsProposals((on) => !on),
    useProposal() {
      if (proposals.length === 0 || isFree) return
      commitPhrase()
      edit('Proposal used', { boxes: proposals, status: 'accepted' })
      go(1)
    },
    deleteBox(index) {
      const boxes = boxesNow()
      if (index < 0 || index >= boxes.length) return
      edit('Box deleted', { boxes: boxes.filter((_, i) => i !== index) })
      if (boxes.length > 1) selectBox(Math.min(index, boxes.length - 2))
    },
    duplicateBox() {
      const boxes = boxesNow()
      const index = scene.store.getState().boxes.find((box) => box.key === scene.store.getState().selected && box.editable)?.index
      const box = index === undefined ? undefined : boxes[index]
      if (!box || !image) return
      const shift = Math.max(2, Math.round(Math.min(image.width, image.height) / 40))
      const room = box[2] + shift <= image.width && box[3] + shift <= image.height
      const by = room ? shift : -shift
      if (edit('Box duplicated', { boxes: [...boxes, [box[0] + by, box[1] + by, box[2] + by, box[3] + by]] })) selectBox(boxes.length)
    },
    copyBoxes(from) {
      if (edit(`Boxes copied from ${quote(from.phrase)}`, { boxes: from.boxes })) selectBox(0)
    },
    choose(slot, id) {
      const next = chosenIds.filter((_, i) => i !== slot)
      if (id !== null) next.splice(slot, 0, id)
      const [first, ...rest] = [...new Set(next)]
      setParams({ checkpoint: first ?? null, with: rest.join(',') || null })
    },
  }

  useFollowQueue(queue, currentRef, (next) => {
    lastIndex.current = next.index
    setCurrent(next)
  }, open)
  usePrefetch(queue, current.index, chosenIds, heat.heat !== null && !heat.stale)
  useLinks(params.region, params.image, currentRef, queue, show)
  useEngineEvents((event) => {
    if (event.type === 'scores.changed' && event.datasetId === dataset.id && event.checkpointId === checkpointId) control.scored()
    if (event.type === 'datasets.changed' && queue.store.getState().total === 0) queue.reload()
    if (event.type === 'regions.changed') editLog.setLabels(event.undoLabel, event.redoLabel)
  })
  useEffect(() => {
    void api.regions.undoState({}).then(({ undoLabel, redoLabel }) => editLog.setLabels(undoLabel, redoLabel), () => undefined)
  }, [])
  useConflictRefetch(imageId, () => void data.refetch())

  return {
    dataset, scene, queue, control, prefs, checkpoints, chosen, current, image, picture, imageError: image ? null : data.error, regions, region, scores,
    heat, prepared, draftPhrase, freePhrase, shownPhrase: isFree ? settledFree : (heatPhrase ?? ''), isFree, proposals, proposing, announcement, verbs,
  }
}
