/** The quieter parts of the workbench: what it asks for, what it asks for in advance, and with which checkpoints. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Checkpoint, Region } from '../../../shared/domain.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { defaultCheckpoint } from './default-checkpoint.ts'
import { editLog } from './edits.ts'
import { loadImage } from './images.ts'
import { getPrefs } from './prefs.ts'
import type { QueueSource } from './queue-source.ts'
import { isTiled } from './tile-source.ts'
import { prefetchHeat } from './use-heat.ts'

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

/** The scores of regions whose phrase is the one that was scored. */
export function scoresOfPhrases<T>(scores: Readonly<Record<string, T>>, scored: readonly Pick<Region, 'id' | 'phrase'>[], now: readonly Pick<Region, 'id' | 'phrase'>[]): Readonly<Record<string, T>> {
  const phrases = new Map(now.map(({ id, phrase }) => [id, phrase]))
  return Object.fromEntries(scored.flatMap(({ id, phrase }) => (scores[id] !== undefined && phrases.get(id) === phrase ? [[id, scores[id]]] : [])))
}

const MOST_CHECKPOINTS = 3

export interface Chosen {
  readonly checkpoints: readonly Checkpoint[]
  /** A checkpoint that came since, and that one would begin with now. Nobody is taken there unasked. */
  readonly newer: Checkpoint | null
}

/** The checkpoints of the address; else the one that was best when the screen was opened, for as long as it is open. */
export function useChosen(checkpoints: readonly Checkpoint[], params: Readonly<Record<string, string>>): Chosen {
  const pinned = useRef<string | undefined>(undefined)
  const best = defaultCheckpoint(checkpoints)
  const chosen = chooseCheckpoints(checkpoints, params, pinned.current)
  const first = chosen[0]
  useEffect(() => {
    pinned.current = first?.id
  }, [first?.id])
  return { checkpoints: chosen, newer: best && first && best !== first && best.createdAt > first.createdAt ? best : null }
}

export function chooseCheckpoints(checkpoints: readonly Checkpoint[], params: Readonly<Record<string, string>>, pinnedId: string | undefined): readonly Checkpoint[] {
  const find = (id: string | undefined) => checkpoints.find((checkpoint) => checkpoint.id === id)
  const first = find(params.checkpoint) ?? find(pinnedId) ?? defaultCheckpoint(checkpoints)
  const more = (params.with ?? '').split(',').flatMap((id) => find(id) ?? [])
  return first ? [...new Set([first, ...more])].slice(0, MOST_CHECKPOINTS) : []
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
        // A large image comes in tiles, when it is looked at.
        void client.fetchQuery(imageQuery(row.imageId, checkpointIds)).then(({ image }) => (isTiled(image, getPrefs().tilesFromMegapixels) ? undefined : loadImage(row.imageId))).catch(() => undefined)
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
