/** The tests of an explanation that are stored for what is compared, and the way to have more made. */
import { useMutation, useQuery } from '@tanstack/react-query'
import type { TrustResult } from '../../../shared/contract/trust.ts'
import type { Job } from '../../../shared/domain.ts'
import { DEFAULT_PROTOCOL } from '../../../shared/explainers.ts'
import { api } from '../../state/engine.ts'
import { keys, useJobs } from '../../state/queries.ts'
import { choiceOf } from '../../ui/ExplainerChoice.tsx'
import type { ProjectChoice } from './choice.ts'

export interface TrustState {
  readonly pending: boolean
  /** Why the stored ones could not be read. */
  readonly error: unknown
  readonly refetch: () => void
  /** Of this checkpoint, on what is compared, by the explainer that is chosen; null: not tested. */
  readonly of: (checkpointId: string) => TrustResult | null
  readonly running: readonly Job[]
  /** The newest test of one of them, when it failed. */
  readonly failed: Job | null
  readonly starting: boolean
  readonly startError: unknown
  readonly start: (checkpointIds: readonly string[]) => void
}

/** @param view an explainer with its target, as the choice of explainers has it */
export function useTrust({ dataset, view: place, split, sides }: ProjectChoice, view: string): TrustState {
  const explainer = choiceOf(view)
  const stored = useQuery({ queryKey: keys.trust(dataset.id), queryFn: ({ signal }) => api.trust.list({ datasetId: dataset.id }, { signal }) })
  const jobs = useJobs()
  const isAsked = (one: TrustResult): boolean =>
    one.viewId === (place?.id ?? null) && one.split === split && (explainer ? one.explainer.name === explainer.name && one.explainer.target === explainer.target : one.protocol === DEFAULT_PROTOCOL)
  const start = useMutation({
    mutationFn: async (checkpointIds: readonly string[]) => {
      for (const checkpointId of checkpointIds) {
        await api.trust.compute({ datasetId: dataset.id, checkpointId, ...(place ? { viewId: place.id } : {}), ...(split === null ? {} : { split }), ...(explainer ? { explainer } : {}) })
      }
    },
  })
  const ids = sides.map((side) => side.id)
  const own = (jobs.data ?? []).filter((job) => job.kind === 'trust' && job.about?.datasetId === dataset.id && ids.includes(job.about.checkpointId ?? ''))
  return {
    pending: stored.isPending, error: stored.error, refetch: () => void stored.refetch(),
    of: (checkpointId) => stored.data?.findLast((one) => one.checkpointId === checkpointId && isAsked(one)) ?? null,
    running: own.filter((job) => job.state === 'running' || job.state === 'waiting'), failed: own[0]?.state === 'failed' ? own[0] : null,
    starting: start.isPending, startError: start.error, start: start.mutate,
  }
}
