/** A run whose data has no val split is not validated: the places that show validations say so, and how to make one. */
import { useQuery } from '@tanstack/react-query'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'

/** Of the data it is frozen with, which does not change; false until that is known. */
export function useLacksVal(run: Run): boolean {
  const { data } = useQuery({ queryKey: [...keys.runData(run.id), 'splits'], queryFn: ({ signal }) => api.runs.snapshot({ id: run.id, offset: 0, limit: 1 }, { signal }), staleTime: Infinity })
  return data !== undefined && !data.splits['val']
}

export const NO_VAL = t('The data of this run has no val split, so nothing is validated. For the next run: select rows in Curate, then Move to split, val.')
export const NO_VAL_BEST = t('The data of this run has no val split, so its last checkpoint counts as the best. For the next run: select rows in Curate, then Move to split, val.')
export const NO_VAL_SHORT = t('no val split')
