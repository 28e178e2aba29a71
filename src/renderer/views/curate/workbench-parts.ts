/** The quieter parts of the workbench: what it asks for, what it asks for in advance, and how it follows queue and address. */
import { useQueryClient } from '@tanstack/react-query'
import { type RefObject, useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import type { Checkpoint, QueueRow } from '../../../shared/domain.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { defaultCheckpoint } from './default-checkpoint.ts'
import { editLog } from './edits.ts'
import { loadImage } from './images.ts'
import type { QueueSource } from './queue-source.ts'
import { prefetchHeat } from './use-heat.ts'
import type { Current } from './workbench.ts'

/** One image with its regions; what comes goes into the edit log, under the edits that are not yet saved. */
export function imageQuery(imageId: string, checkpointIds: readonly string[]) {
  return {
    queryKey: [...keys.regions, 'image', imageId, checkpointIds.join(',')] as const,
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const seen = editLog.acknowledged()
      const answer = await api.regions.onImage({ imageId, checkpointIds: [...checkpointIds] }, { signal })
      editLog.receive(imageId, answer.regions, seen)
      return answer
    },
  }
}


const MOST_CHECKPOINTS = 3

export function useChosen(checkpoints: readonly Checkpoint[], params: Readonly<Record<string, string>>): readonly Checkpoint[] {
  const find = (id: string | undefined) => checkpoints.find((checkpoint) => checkpoint.id === id)
  const first = find(params.checkpoint) ?? defaultCheckpoint(checkpoints)
  const more = (params.with ?? '').split(',').flatMap((id) => find(id) ?? [])
  return first ? [...new Set([first, ...more])].slice(0, MOST_CHECKPOINTS) : []
}

/** Keeps the sample in hand and its place in the queue together: a new queue begins at its first row, unless the sample is in it. */
export function useFollowQueue(
  queue: QueueSource, current: RefObject<Current>, place: (next: Current) => void, open: (row: QueueRow, index: number) => void,
): void {
  const rows = useStore(queue.store, (state) => state.rows)
  const answered = useStore(queue.store, (state) => state.answered)
  const followed = useRef<unknown>(null)
  useEffect(() => {
    if (!answered) return
    const { regionId, imageId, index } = current.current
    const found = regionId === null ? -1 : queue.indexOf(regionId)
    const isNewQueue = followed.current !== answered
    const isFirst = followed.current === null
    followed.current = answered
    if (found >= 0) {
      if (found !== index || imageId === null) {
        const row = rows.get(found)!
        current.current = { regionId, imageId: row.imageId, index: found }
        place(current.current)
      }
      return
    }
    // A sample that was linked to is kept, though the queue does not hold it on its first page.
    if (isNewQueue && !(isFirst && regionId !== null && imageId !== null)) {
      const first = rows.get(0)
      if (first) {
        open(first, 0)
        return
      }
    }
    // Not in the queue any more, though it is still looked at.
    if (isNewQueue && index >= 0) {
      current.current = { regionId, imageId, index: -1 }
      place(current.current)
    }
  }, [rows, answered])
}

/** Image, regions and heat of the next samples, once those of the present one are there. */
export function usePrefetch(queue: QueueSource, index: number, checkpointIds: readonly string[], ready: boolean): void {
  const client = useQueryClient()
  const ids = checkpointIds.join(',')
  useEffect(() => {
    if (index < 0) return
    let live = true
    queue.want(index, index + 30)
    const prepare = async () => {
      for (const step of [1, 2, -1]) {
        const row = await queue.rowAt(index + step)
        if (!row || !live) continue
        void loadImage(row.imageId).catch(() => undefined)
        void client.prefetchQuery(imageQuery(row.imageId, checkpointIds))
        // One after the other, after the heat on screen: what is looked at never waits for what may come.
        if (ready && step > 0) for (const id of checkpointIds) if (live) await prefetchHeat(client, row.imageId, id, row.phrase)
      }
    }
    void prepare()
    return () => {
      live = false
    }
  }, [queue, client, index, ids, ready])
}

/** Follows the address when something else than this screen changes it: the palette, a link, the back button. */
export function useLinks(region: string | undefined, image: string | undefined, current: RefObject<Current>, queue: QueueSource, show: (next: Current) => void): void {
  const last = useRef(region)
  useEffect(() => {
    if (region === last.current) return
    last.current = region
    if (!region || region === current.current.regionId) return
    const index = queue.indexOf(region)
    const imageId = image ?? queue.store.getState().rows.get(index)?.imageId
    if (imageId) show({ regionId: region, imageId, index })
  })
}

/** After a conflict the present state is fetched, so that a retry builds on it. */
export function useConflictRefetch(imageId: string | null, refetch: () => void): void {
  const conflict = useStore(editLog.store, (state) => state.pending.find((edit) => edit.error?.code === 'conflict')?.editId ?? null)
  useEffect(() => {
    if (conflict !== null && imageId !== null) refetch()
  }, [conflict])
}
