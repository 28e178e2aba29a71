/** Which queue is walked: the chosen view, the filter and sort put upon it, and what is saved under a name. */
import { useEffect, useRef, useState } from 'react'
import type { View } from '../../../shared/domain.ts'
import { useRoute } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { sentence, useViews } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import type { QueueSource } from './queue-source.ts'
import { BUILT_IN, type QueueView, SORTS, fromSaved, sameView, toQuery } from './queue-views.ts'
import { mintId } from './words.ts'

export interface QueueControl {
  readonly view: QueueView
  /** True when the view was changed since it was chosen. */
  readonly edited: boolean
  readonly saved: readonly View[]
  choose(view: QueueView): void
  change(change: Partial<Omit<QueueView, 'id' | 'name'>>): void
  shuffle(): void
  save(name: string): void
  remove(id: string): void
  /** New scores came: fetches the queue again if it shows rows without one. */
  scored(): void
}

export function useQueueControl(datasetId: string, queue: QueueSource, checkpointId: string | null, waiting: boolean): QueueControl {
  const { params } = useRoute()
  const views = useViews(datasetId)
  const [view, setView] = useState<QueueView>(() => initialView(params.sort, params.view))
  const [origin, setOrigin] = useState<QueueView>(view)
  const [seed, setSeed] = useState(1)
  const wanted = useRef(params.view)

  // A link may name a saved view, which is known only when the list has come.
  useEffect(() => {
    const linked = views.data?.find((entry) => entry.id === wanted.current)
    if (!linked) return
    wanted.current = undefined
    setView(fromSaved(linked))
    setOrigin(fromSaved(linked))
  }, [views.data])

  const text = JSON.stringify([view, seed, datasetId, checkpointId])
  useEffect(() => {
    if (!waiting) void queue.open(toQuery(view, datasetId, checkpointId, seed))
  }, [queue, text, waiting])

  const lastReload = useRef(0)
  return {
    view,
    edited: !sameView(view, origin),
    saved: views.data ?? [],
    choose(next) {
      setView(next)
      setOrigin(next)
    },
    change: (change) => setView((before) => ({ ...before, ...change })),
    shuffle: () => setSeed((before) => before + 1),
    save(name) {
      const filter = { ...view.filter, datasetId, ...(checkpointId ? { checkpointId } : {}) }
      api.views.save({ id: mintId(), name, filter, sort: view.sort, descending: view.descending }).then(
        (saved) => {
          setView(fromSaved(saved))
          setOrigin(fromSaved(saved))
          toast({ tone: 'positive', title: `View “${name}” saved` })
        },
        (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
      )
    },
    remove(id) {
      api.views.remove({ id }).then(
        () => {
          if (view.id !== id) return
          setView(BUILT_IN[0]!)
          setOrigin(BUILT_IN[0]!)
        },
        (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
      )
    },
    scored() {
      const { rows } = queue.store.getState()
      const now = Date.now()
      if (now - lastReload.current < 2000 || ![...rows.values()].some((row) => row.consistency === null)) return
      lastReload.current = now
      queue.reload()
    },
  }
}

function initialView(sort: string | undefined, viewId: string | undefined): QueueView {
  const builtIn = BUILT_IN.find((entry) => entry.id === viewId) ?? (sort === 'suspect' ? BUILT_IN.find((entry) => entry.sort === 'suspect') : undefined)
  if (builtIn) return builtIn
  const known = SORTS.find((entry) => entry.value === sort)?.value
  return known ? { ...BUILT_IN[0]!, sort: known } : BUILT_IN[0]!
}
