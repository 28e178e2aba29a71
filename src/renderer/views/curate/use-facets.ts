/** Names that a dataset's regions carry: tags, splits, people. */
import { useQuery } from '@tanstack/react-query'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'

export const useFacets = (datasetId: string) => useQuery({ queryKey: [...keys.regions, 'facets', datasetId], queryFn: ({ signal }) => api.regions.facets({ datasetId }, { signal }) })
