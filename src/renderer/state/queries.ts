/** What is fetched from the engine, under which key, and as a hook. Views add their own queries under these keys. */
import { QueryClient, useQuery } from '@tanstack/react-query'
import type { TileAddress } from '../../shared/tiles.ts'
import { api } from './engine.ts'
import { errorData, isDisconnected } from './errors.ts'
import { jobsInLanguage, presetsInLanguage, runsInLanguage } from './in-language.ts'

export const keys = {
  info: ['info'] as const,
  doctor: ['doctor'] as const,
  storage: ['storage'] as const,
  datasets: ['datasets'] as const,
  formats: ['formats'] as const,
  skipped: (datasetId: string) => ['datasets', 'skipped', datasetId] as const,
  /** Prefix of everything that shows regions; an edit refetches all below it. */
  regions: ['regions'] as const,
  undoState: ['undoState'] as const,
  views: (datasetId: string) => ['views', datasetId] as const,
  checkpoints: ['checkpoints'] as const,
  presets: ['presets'] as const,
  runs: ['runs'] as const,
  probes: (runId: string) => ['run', runId, 'probes'] as const,
  runData: (runId: string) => ['run', runId, 'data'] as const,
  runDisk: (runId: string) => ['run', runId, 'disk'] as const,
  runLog: (runId: string) => ['run', runId, 'log'] as const,
  jobs: ['jobs'] as const,
  machine: ['machine'] as const,
  scoresSummary: (datasetId: string) => ['scores', datasetId] as const,
  trust: (datasetId: string) => ['trust', datasetId] as const,
  comparisons: ['comparison'] as const,
  comparison: (of: readonly string[]) => ['comparison', ...of] as const,
  resultFiles: ['result-files'] as const,
  heatmap: (imageId: string, checkpointId: string, phrase: string, explainer = '') => ['heatmap', imageId, checkpointId, phrase, explainer] as const,
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Nothing grows stale by itself: the engine says what changed.
        staleTime: Infinity,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        retry: (count, error) => isDisconnected(error) && count < 20,
        retryDelay: 500,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}

export const useInfo = () => useQuery({ queryKey: keys.info, queryFn: ({ signal }) => api.system.info({}, { signal }) })
export const useDatasets = () => useQuery({ queryKey: keys.datasets, queryFn: ({ signal }) => api.datasets.list({}, { signal }) })
export const useCheckpoints = () => useQuery({ queryKey: keys.checkpoints, queryFn: ({ signal }) => api.checkpoints.list({}, { signal }) })
export const useRuns = () => useQuery({ queryKey: keys.runs, queryFn: ({ signal }) => api.runs.list({}, { signal }), select: runsInLanguage })
export const useJobs = () => useQuery({ queryKey: keys.jobs, queryFn: ({ signal }) => api.jobs.list({}, { signal }), select: jobsInLanguage })
export const usePresets = () => useQuery({ queryKey: keys.presets, queryFn: ({ signal }) => api.runs.presets({}, { signal }), select: presetsInLanguage })
export const useViews = (datasetId: string | null) =>
  useQuery({ queryKey: keys.views(datasetId ?? ''), queryFn: ({ signal }) => api.views.list({ datasetId: datasetId! }, { signal }), enabled: datasetId !== null })

export const imageUrl = (imageId: string) => `/media/image/${encodeURIComponent(imageId)}`
export const tileUrl = (imageId: string, { level, x, y }: TileAddress) => `/media/tile/${encodeURIComponent(imageId)}/${level}/${x}/${y}`
export const thumbUrl = (imageId: string) => `/media/thumb/${encodeURIComponent(imageId)}`

/** One sentence for a toast or a line: what happened and what to do. */
export function sentence(error: unknown): string {
  const { message, cure } = errorData(error)
  return cure ? `${message} ${cure}` : message
}
