/** Walking through the queue: which sample is in hand, the next one, and one that is still on its way. */
import { type RefObject, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { Dataset } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { setParams, useRoute } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { type QueueSource, createQueueSource, sameWalk } from './queue-source.ts'
import { mintId } from './words.ts'
import type { Current } from './workbench.ts'

export interface Walk {
  readonly queue: QueueSource
  /** Under whose name the engine keeps the queue's order. */
  readonly owner: string
  readonly current: Current
  /** The same, at this moment. */
  readonly now: RefObject<Current>
  readonly announcement: string
  announce(text: string): void
  /** Another sample, or another place of this one, without leaving anything. */
  place(next: Current): void
  show(next: Current): void
  goTo(index: number): void
  go(step: number): void
  /** True while the next sample is on its way: keys then must not decide the one that is left. */
  isWaiting(): boolean
}

/** @param hooks leave: before another sample is shown; arrive: once it is in hand */
export function useWalk(dataset: Dataset, hooks: { leave(): void; arrive(before: Current, next: Current): void }): Walk {
  const { params } = useRoute()
  const [current, setCurrent] = useState<Current>(() => ({ regionId: params.region ?? null, imageId: params.image ?? null, index: -1 }))
  const now = useRef(current)
  const [owner] = useState(mintId)
  const [queue] = useState(() => createQueueSource(
    (query, { offset, limit, number, find }) => api.regions.query({ ...query, offset, limit, snapshot: { owner, number }, ...(find === null ? {} : { find }) }),
    () => now.current.regionId,
  ))
  /** The last place in the queue, from where walking goes on after a sample that is not in it. */
  const last = useRef(-1)
  /** The place whose row is on its way; whatever is shown meanwhile calls it off. */
  const awaited = useRef<number | null>(null)
  const [announcement, announce] = useState('')

  const place = (next: Current) => {
    now.current = next
    if (next.index >= 0) last.current = next.index
    setCurrent(next)
    // The address tells what is looked at, also where a link named only the view.
    setParams({ dataset: dataset.id, region: next.regionId, image: next.imageId })
  }
  const show = (next: Current) => {
    awaited.current = null
    hooks.leave()
    const before = now.current
    if (before.regionId === next.regionId && before.index === next.index) return
    place(next)
    hooks.arrive(before, next)
  }
  const goTo = (index: number) => {
    const row = queue.store.getState().rows.get(index)
    if (row) return show({ regionId: row.id, imageId: row.imageId, index })
    awaited.current = index
    announce(t('Loading the sample'))
    void queue.rowAt(index).then((late) => {
      if (awaited.current !== index) return
      awaited.current = null
      if (late) show({ regionId: late.id, imageId: late.imageId, index })
      else announce(t('This sample could not be read'))
    })
  }
  const go = (step: number) => {
    const next = (awaited.current ?? last.current) + step
    const { total } = queue.store.getState()
    if (next >= 0 && next < total) goTo(next)
    else if (total > 0) announce(step > 0 ? t('End of the queue') : t('Start of the queue'))
  }

  const walk: Walk = { queue, owner, current, now, announcement, announce, place, show, goTo, go, isWaiting: () => awaited.current !== null }
  useFollowQueue(walk)
  useLinks(walk, params.region, params.image)
  return walk
}

/** Keeps the sample in hand and its place in the queue together: a new queue begins at its first row, unless the sample is in it. */
function useFollowQueue({ queue, now, place, goTo }: Walk): void {
  const rows = useStore(queue.store, (state) => state.rows)
  const answered = useStore(queue.store, (state) => state.answered)
  const followed = useRef<typeof answered>(null)
  useEffect(() => {
    if (!answered) return
    const { regionId, imageId, index } = now.current
    const before = followed.current
    const isNew = before !== answered
    followed.current = answered
    // Another checkpoint, or new scores, put the same queue in another order: the sample stays in hand, wherever it is now.
    const keeps = before === null ? regionId !== null : sameWalk(before, answered)
    const far = queue.store.getState().place
    const near = regionId === null ? -1 : queue.indexOf(regionId)
    const found = near >= 0 ? near : isNew && keeps && far?.regionId === regionId ? far.index : -1
    const known = imageId ?? rows.get(found)?.imageId ?? null
    if (found >= 0) {
      if (known === null) goTo(found)
      else if (found !== index || imageId === null) place({ regionId, imageId: known, index: found })
    } else if (isNew && (!keeps || known === null) && rows.has(0)) goTo(0)
    // Not in the queue any more, though it is still looked at.
    else if (isNew && index >= 0) place({ regionId, imageId, index: -1 })
  }, [rows, answered])
}

/** Follows the address when something else than this screen changes it: the palette, a link, the back button. */
function useLinks({ now, queue, show }: Walk, region: string | undefined, image: string | undefined): void {
  const last = useRef(region)
  useEffect(() => {
    if (region === last.current) return
    last.current = region
    if (!region || region === now.current.regionId) return
    const index = queue.indexOf(region)
    const imageId = image ?? queue.store.getState().rows.get(index)?.imageId
    if (imageId) show({ regionId: region, imageId, index })
  })
}
