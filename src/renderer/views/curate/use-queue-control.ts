/** Which queue is walked: the chosen view, the filter and sort put upon it, and what is saved under a name. */
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { View } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { setParams, useRoute } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { sentence, useViews } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import type { QueueSource } from './queue-source.ts'
import { BUILT_IN, type QueueView, fromSaved, needsScores, sameView, toQuery, viewFromParams, viewToParams } from './queue-views.ts'
import { mintId } from './words.ts'

export interface QueueControl {
  readonly view: QueueView
  /** True when the view was changed since it was chosen. */
  readonly edited: boolean
  readonly saved: readonly View[]
  /** How many of the queue are suspected, when it was opened; null where that is not asked or not known yet. */
  readonly suspects: number | null
  choose(view: QueueView): void
  change(change: Partial<Omit<QueueView, 'id' | 'name'>>): void
  shuffle(): void
  save(name: string): void
  remove(id: string): void
  /** New scores came: fetches the queue again if it shows rows without one. */
  scored(): void
}

export function useQueueControl(datasetId: string, queue: QueueSource, checkpointId: string | null, waiting: boolean, otherCheckpointId: string | null = null): QueueControl {
  const { params } = useRoute()
  const views = useViews(datasetId)
  const [{ view, origin }, setState] = useState(() => viewFromParams(params, views.data ?? []))
  const [seed, setSeed] = useState(1)
  const setView = (next: QueueView) => setState({ view: next, origin: next })

  // The address tells which queue is walked, and a link changes it. A saved view is known only when the list has come.
  const written = useRef<string | null>(null)
  const asked = addressOf(params)
  const isKnown = !params.view || !views.isPending || BUILT_IN.some((entry) => entry.id === params.view)
  useEffect(() => {
    if (asked === written.current || !isKnown) return
    written.current = asked
    setState(viewFromParams(params, views.data ?? []))
  }, [asked, isKnown])
  useEffect(() => {
    const next = viewToParams(view, origin)
    const address = addressOf(next)
    if (address === written.current || (written.current === null && !isKnown)) return
    written.current = address
    setParams({ ...next })
  }, [view, origin])

  const text = JSON.stringify([view, seed, datasetId, checkpointId, view.sort === 'disagreement' && otherCheckpointId])
  useEffect(() => {
    if (!waiting) void queue.open(toQuery(view, datasetId, checkpointId, seed, otherCheckpointId))
  }, [queue, text, waiting])

  const suspects = useSuspectCount(queue, view.sort === 'suspect')
  const lastReload = useRef(0)
  return {
    view,
    edited: !sameView(view, origin),
    saved: views.data ?? [],
    suspects,
    choose: setView,
    change: (change) => setState((before) => ({ ...before, view: { ...before.view, ...change } })),
    shuffle: () => setSeed((before) => before + 1),
    save(name) {
      const filter = { ...view.filter, datasetId, ...(checkpointId ? { checkpointId } : {}), ...(view.sort === 'disagreement' && otherCheckpointId ? { otherCheckpointId } : {}) }
      api.views.save({ id: mintId(), name, filter, sort: view.sort, descending: view.descending }).then(
        (saved) => {
          setView(fromSaved(saved))
          toast({ tone: 'positive', title: t('View “{name}” saved', { name }) })
        },
        (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
      )
    },
    remove(id) {
      api.views.remove({ id }).then(
        () => {
          if (view.id !== id) return
          setView(BUILT_IN[0]!)
        },
        (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
      )
    },
    scored() {
      const { rows } = queue.store.getState()
      const now = Date.now()
      if (now - lastReload.current < 2000 || ![...rows.values()].some((row) => row.consistency === null)) return
      lastReload.current = now
      // Where scores do not make the order, the rows are shown anew in their places.
      if (needsScores(view.sort)) queue.reload()
      else queue.refresh()
    },
  }
}

/** A queue by suspicion goes on past the suspects: this is where they end. */
function useSuspectCount(queue: QueueSource, wanted: boolean): number | null {
  const answered = useStore(queue.store, (state) => state.answered)
  const [count, setCount] = useState<number | null>(null)
  useEffect(() => {
    setCount(null)
    if (!wanted || !answered?.filter.checkpointId) return
    let live = true
    // Without its count the queue is walked all the same.
    api.suspects.count({ filter: answered.filter }).then((found) => live && setCount(found.suspects), () => undefined)
    return () => {
      live = false
    }
  }, [answered, wanted])
  return count
}

/** The part of an address that names the queue, to compare. */
function addressOf(params: Readonly<Record<string, string | null | undefined>>): string {
  return JSON.stringify([params.view ?? '', params.sort ?? '', params.order ?? '', params.filter ?? ''])
}
