/** Everything needed to draw one pair: the region's shape, and the heat of both checkpoints. */
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Heatmap, ImageRecord, Region } from '../../../shared/domain.ts'
import { boxesOnly, type Shape } from '../../../shared/shape.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { choiceOf, DEFAULT_VIEW } from '../../ui/ExplainerChoice.tsx'
import { limiter } from './limiter.ts'
import type { Row } from './pick.ts'

// Thumbnails come in the order they are seen and leave the engine room for the pair in the viewer.
const quietly = limiter(3)

const NO_SHAPE = boxesOnly([])

export interface Pair {
  readonly image: ImageRecord | null
  readonly region: Region | null
  /** Of the region; empty until it is there. */
  readonly shape: Shape
  readonly heatA: Heatmap | null
  readonly heatB: Heatmap | null
  readonly error: unknown
}

const imageQuery = (imageId: string) => ({ queryKey: [...keys.regions, 'image', imageId], queryFn: () => api.regions.onImage({ imageId, checkpointIds: [] }) })
export function heatQuery(row: Row, checkpointId: string, urgent: boolean, view = DEFAULT_VIEW) {
  const explainer = choiceOf(view)
  const call = (signal: AbortSignal) => api.heatmaps.get({ imageId: row.imageId, checkpointId, phrase: row.phrase, ...(explainer ? { explainer } : {}) }, { signal })
  return { queryKey: keys.heatmap(row.imageId, checkpointId, row.phrase, explainer ? view : ''), queryFn: ({ signal }: { signal: AbortSignal }) => (urgent ? call(signal) : quietly(() => call(signal), signal)) }
}

/** The region and its image. */
export function usePlace(row: Row): Pick<Pair, 'image' | 'region' | 'shape' | 'error'> {
  const image = useQuery(imageQuery(row.imageId))
  const region = image.data?.regions.find((one) => one.id === row.regionId) ?? null
  return { image: image.data?.image ?? null, region, shape: region ?? NO_SHAPE, error: image.error }
}

/** @param view an explainer other than the usual one */
export function usePair(row: Row, aId: string, bId: string, urgent: boolean, view?: string): Pair {
  const place = usePlace(row)
  const heatA = useQuery(heatQuery(row, aId, urgent, view))
  const heatB = useQuery(heatQuery(row, bId, urgent, view))
  return { ...place, heatA: heatA.data ?? null, heatB: heatB.data ?? null, error: place.error ?? heatA.error ?? heatB.error }
}

/** Fetches the pair beside the one shown, so that walking does not wait. */
export function usePrefetchPair(row: Row | null, aId: string, bId: string): void {
  const client: QueryClient = useQueryClient()
  useEffect(() => {
    if (!row) return
    void client.prefetchQuery(imageQuery(row.imageId))
    void client.prefetchQuery(heatQuery(row, aId, false))
    void client.prefetchQuery(heatQuery(row, bId, false))
  }, [client, row, aId, bId])
}
