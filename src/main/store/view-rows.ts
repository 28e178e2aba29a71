/** A dataset, or a saved view of it, as a filter. */
import type { RegionFilter } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { Db } from './db.ts'

/** No split has this name, so that a filter by it shows nothing. */
const NO_SPLIT = '\0'

export interface Asked {
  readonly dataset: string
  readonly view: string | null
  readonly filter: RegionFilter
}

/** Splits narrow what the view shows; one that the view leaves out shows nothing. @throws AppError 'not-found' when the dataset or the view is not there */
export function askedFilter(db: Db, { datasetId, viewId, splits = [] }: { datasetId: string; viewId?: string | undefined; splits?: readonly string[] | undefined }): Asked {
  const dataset = db.get<{ name: string }>("SELECT name FROM datasets WHERE id = ? AND state = 'ready'", datasetId)
  if (!dataset) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Choose another one.', datasetId)
  const view = viewId === undefined ? undefined : db.get<{ name: string; filter: string }>('SELECT name, filter FROM views WHERE id = ? AND dataset_id = ?', viewId, datasetId)
  if (viewId !== undefined && !view) throw new AppError('not-found', 'This view is not there any more.', 'Choose another one.', viewId)
  const own: RegionFilter = view ? (JSON.parse(view.filter) as RegionFilter) : { datasetId }
  const within = own.splits?.length ? splits.filter((split) => own.splits!.includes(split)) : splits
  const wanted = splits.length === 0 ? own.splits : within.length > 0 ? within : [NO_SPLIT]
  return { dataset: dataset.name, view: view?.name ?? null, filter: { ...own, datasetId, ...(wanted ? { splits: [...wanted] } : {}) } }
}
