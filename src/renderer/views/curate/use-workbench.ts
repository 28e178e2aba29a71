/**
 * The heart of Curate: which sample is in hand and what is shown of it. Views below only draw what this gives them and
 * call its verbs.
 */
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { prepareHeat } from '../../../shared/consistency.ts'
import type { Dataset, Scores } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useRoute } from '../../app/routes.ts'
import { type SceneEffect, createScene } from '../../canvas/scene.ts'
import { useEngineEvents } from '../../state/events.ts'
import { useCheckpoints } from '../../state/queries.ts'
import { editLog, useKeptDraft, useRegions } from './edits.ts'
import { useDecodedImage } from './images.ts'
import { getMarks, useMarks } from './marks.ts'
import { getPrefs, usePrefs } from './prefs.ts'
import { boxKey, sceneBoxes } from './scene-boxes.ts'
import { isTiled, useTiles } from './tile-source.ts'
import { useFreeOffers } from './use-free-offers.ts'
import { HEAT_DELAY_MS, squeezed, useFreePhrase } from './use-free-phrase.ts'
import { useSettled } from '../../state/use-settled.ts'
import { useHeat } from './use-heat.ts'
import { useMends, useSuspicion } from './use-mends.ts'
import { useQueueControl } from './use-queue-control.ts'
import { useVerbs } from './use-verbs.ts'
import { useWalk } from './use-walk.ts'
import { addAwaited } from './awaited.ts'
import { createBulk } from './bulk.ts'
import { quote } from './words.ts'
import type { Verbs, Workbench } from './workbench.ts'
import { imageQuery, scoresOfPhrases, useChosen, usePrefetch } from './workbench-parts.ts'

const NO_SCORES: Readonly<Record<string, Scores>> = {}
const NO_BOXES: readonly Box[] = []

export function useWorkbench(dataset: Dataset): Workbench {
  const { params } = useRoute()
  const prefs = usePrefs()
  const checkpointList = useCheckpoints()
  const checkpoints = checkpointList.data ?? []
  const { checkpoints: chosen, newer } = useChosen(checkpoints, params)
  const checkpointId = chosen[0]?.id ?? null
  const chosenIds = chosen.map((checkpoint) => checkpoint.id)

  const [draftPhrase, setDraft] = useState<string | null>(null)
  const draft = useRef<string | null>(null)
  /** Whether boxes are proposed; null as the view has it. */
  const [wantsProposals, setWantsProposals] = useState<boolean | null>(null)
  const effects = useRef<(effect: SceneEffect) => void>(() => undefined)
  const [scene] = useState(() => createScene((effect) => effects.current(effect)))

  const typePhrase = (text: string | null) => {
    draft.current = text
    setDraft(text)
  }
  const commitPhrase = () => {
    const text = draft.current
    const { imageId, regionId } = walk.now.current
    typePhrase(null)
    if (text === null || imageId === null || regionId === null) return
    const before = editLog.region(imageId, regionId)?.phrase
    const after = squeezed(text)
    if (before === undefined || after === before) return
    editLog.edit(before ? t('Phrase: {before} → {after}', { before: quote(before), after: quote(after) }) : t('Phrase: {phrase}', { phrase: quote(after) }), imageId, [{ regionId, after: { phrase: after } }])
  }
  /** Ends what hands are in the middle of, so that it is an edit of its own, before the next one. */
  const settleHands = () => {
    scene.endNudge()
    commitPhrase()
  }

  const walk = useWalk(dataset, {
    leave() {
      settleHands()
      addAwaited(free.awaited, 'leave')
    },
    arrive(before, next) {
      free.set('')
      setWantsProposals(null)
      scene.cancel()
      if (before.imageId !== next.imageId) scene.setTool('select')
    },
  })
  useKeptDraft(() => settleHands())
  useKeptDraft(() => void addAwaited(free.awaited, 'leave'), 'asked')
  const { queue, current, now } = walk
  const { imageId, regionId } = current
  const control = useQueueControl(dataset.id, queue, checkpointId, checkpointList.isPending, chosen[1]?.id ?? null)

  // While other checkpoints' scores come, the image stays as it is.
  const data = useQuery({ ...imageQuery(imageId ?? '', chosenIds), enabled: imageId !== null, placeholderData: (before) => (before?.image.id === imageId ? before : undefined) })
  const image = data.data?.image.id === imageId ? data.data.image : null
  // What is loaded whole depends on its size, so the record comes first; of a prefetched sample both are there.
  const tiled = image !== null && isTiled(image, prefs.tilesFromMegapixels)
  const decoded = useDecodedImage(image && !tiled ? imageId : null)
  const shownTiles = useTiles(tiled ? image : null)
  const picture = tiled ? shownTiles.picture : decoded
  const regions = useRegions(imageId)
  const region = regions.find((entry) => entry.id === regionId) ?? null
  const scores = (checkpointId ? data.data?.scores[checkpointId] : undefined) ?? NO_SCORES

  const typed = useSettled(draftPhrase, HEAT_DELAY_MS)
  const heatPhrase = draftPhrase !== null && typed !== null ? typed : (region?.phrase ?? null)
  const heat = useHeat(imageId, checkpointId, heatPhrase)
  const prepared = useMemo(() => (heat.heat ? prepareHeat(heat.heat.grid, heat.heat.peak, heat.heat.maskSize) : null), [heat.heat])
  const free = useFreePhrase(imageId, checkpointId)
  const isFree = free.state !== 'none'
  const shownPhrase = isFree && free.asked ? free.asked : (heatPhrase ?? '')
  // What is on screen is of an earlier phrase until the heat of the present one has been asked for.
  const isTyping = isFree ? free.asked !== free.typed : draftPhrase !== null && squeezed(draftPhrase) !== squeezed(heatPhrase ?? '')

  // Boxes come from the heat of exactly the phrase that they would be stored with.
  const proposing = isFree || (wantsProposals ?? control.view.sort === 'suspect')
  const source = isFree ? (free.state === 'ready' ? free.heat.heat : null) : heat.stale || isTyping || !region ? null : heat.heat
  const suspicion = useSuspicion(region?.id ?? null, checkpointId, proposing && control.view.sort === 'suspect')
  const mends = useMends({ region, regions, image, heat: proposing && !isFree ? source : null, prepared, threshold: prefs.threshold, suspicion })
  const mended = mends.shown?.shape.boxes ?? NO_BOXES
  const freeOffers = useFreeOffers(isFree ? source : null, image, prefs.threshold)
  const proposals = isFree ? freeOffers.boxes : mended

  // The scene is fed outside React too: an edit must be in it before the draft of the gesture goes away.
  const shown = useRef({ image, proposals })
  shown.current = { image, proposals }
  const feed = useCallback(() => {
    const { imageId: id, regionId: inHand } = now.current
    const record = shown.current.image
    if (!record || record.id !== id) scene.setContent({ imageKey: id ?? '', image: { width: 0, height: 0 }, boxes: [], proposals: [] })
    else scene.setContent({ imageKey: `${id}:loaded`, image: record, boxes: sceneBoxes(editLog.regions(id), inHand, { showOthers: getPrefs().others, ...getMarks() }), proposals: shown.current.proposals })
  }, [scene, now])
  const marks = useMarks()
  useLayoutEffect(feed, [feed, current, image, proposals, regions, prefs.others, marks])
  useEffect(
    () =>
      editLog.store.subscribe((state, before) => {
        const id = now.current.imageId
        if (id === null || (state.pending === before.pending && state.base.get(id) === before.base.get(id))) return
        feed()
        for (const entry of editLog.regions(id)) queue.patch(entry)
      }),
    [feed, queue, now],
  )
  useLayoutEffect(() => scene.store.setState({ snap: prefs.snap, guides: prefs.guides, names: prefs.names }), [scene, prefs.snap, prefs.guides, prefs.names])
  // A score is of the phrase that the engine knew: one that has been edited since has none until its heat is there.
  useEffect(() => queue.patchScores(scoresOfPhrases(scores, data.data?.regions ?? [], regions)), [queue, scores, data.data, regions])

  // A region that is not there any more (deleted here or elsewhere, its creation taken back) is in nobody's hand: what is drawn next begins a new one.
  const isGone = image !== null && regionId !== null && region === null
  useEffect(() => {
    if (isGone && now.current.regionId === regionId) walk.place({ ...now.current, regionId: null })
  }, [isGone, regionId])

  // The first box of a sample is in hand at once, so that it can be dragged and nudged without a click.
  const firstBox = region && region.boxes.length > 0 ? boxKey(region.id, 0) : null
  useLayoutEffect(() => {
    const selected = scene.store.getState().selected
    if (!selected?.startsWith(`${regionId}/`)) scene.select(firstBox)
  }, [scene, regionId, firstBox === null, image])

  const [bulk] = useState(() => createBulk(walk.owner, queue, () => verbs.undo()))
  const verbs: Verbs = useVerbs({ dataset, bulk, scene, walk, image, region, free, proposals, mend: mends.shown, proposing, chosenIds, effects, settleHands, commitPhrase, typePhrase, setWantsProposals })

  usePrefetch(queue, current.index, chosenIds, heat.heat !== null && !heat.stale)
  useEngineEvents((event) => {
    if (event.type === 'scores.changed' && event.datasetId === dataset.id && event.checkpointId === checkpointId) {
      // Selected rows are places of this order: it stays while there are any.
      if (bulk.count() > 0) queue.refresh()
      else control.scored()
    }
    if (event.type === 'regions.changed' && event.isMany && event.datasetId === dataset.id) queue.refresh()
    // Whoever has begun to walk, to select or to edit keeps the order that was begun with.
    if (event.type === 'suspects.changed' && event.datasetId === dataset.id && event.checkpointId === checkpointId && control.view.sort === 'suspect' && now.current.index <= 0 && bulk.count() === 0 && editLog.acknowledged() === 0) queue.reload()
    if (event.type === 'datasets.changed' && queue.store.getState().total === 0) queue.reload()
  })

  return {
    dataset, scene, queue, bulk, control, prefs, marks, checkpoints, chosen, newer, current, image, picture, tiles: shownTiles.tiles, isCutting: shownTiles.waiting, imageError: image ? null : data.error, regions, region, scores,
    heat, prepared, draftPhrase, freePhrase: free.text, freeState: free.state, freeOffers, shownPhrase, isTyping, isFree, proposals, proposing, mends, suspicion, announcement: walk.announcement, verbs,
  }
}
