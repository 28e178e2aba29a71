/** The mends of the region in hand: which one is shown, and the reasons that go before it. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import type { PreparedHeat } from '../../../shared/consistency.ts'
import type { Heatmap, ImageRecord, Region } from '../../../shared/domain.ts'
import type { Reason } from '../../../shared/suspects/reasons.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { likelyMends, type Mend } from './mends.ts'
import { showSuspect } from './shown-suspects.ts'

export interface Suspicion {
  /** Probability of being wrong; null without a score. */
  readonly suspicion: number | null
  readonly reasons: readonly Reason[]
}

/** Why the region may be wrong, as the engine judges it; null while that is on its way, or when nobody asks. */
export function useSuspicion(regionId: string | null, checkpointId: string | null, wanted: boolean): Suspicion | null {
  const enabled = wanted && regionId !== null && checkpointId !== null
  const query = useQuery({
    queryKey: [...keys.regions, 'suspect', regionId, checkpointId] as const,
    queryFn: ({ signal }) => api.suspects.of({ regionId: regionId!, checkpointId: checkpointId! }, { signal }),
    enabled,
  })
  const data = enabled ? query.data : undefined
  useEffect(() => {
    if (regionId !== null) showSuspect(regionId, data && data.reasons.length > 0 ? checkpointId : null)
  }, [regionId, checkpointId, data])
  return useMemo(() => (data ? { suspicion: data.suspicion, reasons: data.reasons.map(({ otherId, oddity, ...reason }): Reason => ({ ...reason, ...(otherId === undefined ? {} : { otherId }), ...(oddity === undefined ? {} : { oddity }) })) } : null), [data])
}

export interface Mends {
  readonly all: readonly Mend[]
  /** The one that is previewed; null when there is none. */
  readonly shown: Mend | null
  readonly index: number
  /** Shows the next or the previous one. */
  step(by: number): void
}

const NONE: readonly Mend[] = []

export function useMends(input: {
  readonly region: Region | null
  readonly regions: readonly Region[]
  readonly image: ImageRecord | null
  /** Heat of the region's phrase as it stands; null while there is none. */
  readonly heat: Heatmap | null
  readonly prepared: PreparedHeat | null
  readonly threshold: number
  readonly suspicion: Suspicion | null
}): Mends {
  const { region, regions, image, heat, prepared, threshold, suspicion } = input
  const all = useMemo(
    () => (region && image && heat && prepared ? likelyMends({ region, regions, image, grid: heat.grid, prepared, threshold, reasons: suspicion?.reasons ?? [] }) : NONE),
    [region, regions, image, heat, prepared, threshold, suspicion],
  )
  const [{ of, at }, setAt] = useState<{ of: string; at: number }>({ of: '', at: 0 })
  // Another region, or another threshold by hand, begins at the first.
  const key = `${region?.id ?? ''} ${threshold}`
  const index = of === key && at < all.length ? at : 0
  return { all, shown: all[index] ?? null, index, step: (by) => setAt({ of: key, at: all.length === 0 ? 0 : (index + by + all.length) % all.length }) }
}
