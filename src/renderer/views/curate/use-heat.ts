/** Heatmaps for the screen: the newest question wins, late answers to older ones are never shown. */
import { type QueryClient, keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Heatmap } from '../../../shared/domain.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { choiceOf, DEFAULT_VIEW } from '../../ui/ExplainerChoice.tsx'

const GC_MS = 10 * 60_000

function heatQuery(imageId: string, checkpointId: string, phrase: string, view = DEFAULT_VIEW) {
  const explainer = choiceOf(view)
  return {
    queryKey: keys.heatmap(imageId, checkpointId, phrase, explainer ? view : ''),
    // The signal is handed on: a question nobody waits for any more is dropped by the engine too.
    queryFn: ({ signal }: { signal: AbortSignal }) => api.heatmaps.get({ imageId, checkpointId, phrase, ...(explainer ? { explainer } : {}) }, { signal }),
    gcTime: GC_MS,
    retry: false,
  }
}

export interface HeatAnswer {
  readonly heat: Heatmap | null
  /** True while the heat shown is of an earlier phrase of the same image. */
  readonly stale: boolean
  readonly error: unknown
  readonly retry: () => void
}

/** Nothing is asked while one of the three is missing or the phrase is blank. `view`: an explainer other than the usual one. */
export function useHeat(imageId: string | null, checkpointId: string | null, phrase: string | null, view?: string): HeatAnswer {
  const asked = phrase?.trim() ? phrase.trim() : null
  const enabled = imageId !== null && checkpointId !== null && asked !== null
  const query = useQuery({ ...heatQuery(imageId ?? '', checkpointId ?? '', asked ?? '', view), enabled, placeholderData: keepPreviousData })
  const heat = enabled && query.data && query.data.imageId === imageId && query.data.checkpointId === checkpointId ? query.data : null
  return { heat, stale: query.isPlaceholderData, error: enabled ? query.error : null, retry: () => void query.refetch() }
}

/** Computes the heat of a sample that is likely next. Errors are for the one who opens it. */
export function prefetchHeat(client: QueryClient, imageId: string, checkpointId: string, phrase: string): Promise<void> {
  return phrase.trim() ? client.prefetchQuery(heatQuery(imageId, checkpointId, phrase.trim())) : Promise.resolve()
}
