/** The stages of curriculum.views in a project: views by name, and the regions each of them shows of a run. */
import type { RegionFilter } from '../../../shared/domain.ts'
import { AppError, nearest } from '../../../shared/errors.ts'
import type { Db } from '../../store/db.ts'
import { filterTables, filterWhere, type Where } from '../../store/region-filter.ts'
import { EVERYTHING, viewStages } from '../../train/curriculum.ts'

const KEY = 'curriculum.views'

/**
 * Filters of the stages in order; null shows everything.
 * @throws AppError 'bad-input' for a view that is not there or has nothing to train on
 */
export function stageFilters(db: Db, datasetId: string, text: string, run: RegionFilter): (RegionFilter | null)[] {
  const stages = viewStages(text)
  if (stages.length === 0) return []
  const rows = db.all<{ name: string; filter: string }>('SELECT name, filter FROM views WHERE dataset_id = ?', datasetId)
  const views = new Map(rows.map(({ name, filter }) => [name, JSON.parse(filter) as RegionFilter]))
  return stages.map(({ view }) => {
    if (view === EVERYTHING) return null
    const filter = views.get(view)
    if (!filter) {
      const near = nearest(view, [...views.keys()])
      throw new AppError('bad-input', `This dataset has no view "${view}".`, near ? `Did you mean "${near}"?` : 'Save a view with this name on the Curate screen.', KEY)
    }
    if (stageRegions(db, run, filter, 1).size === 0) {
      throw new AppError('bad-input', `The view "${view}" has no region of this run to train on.`, 'Choose views with regions of the split "train".', KEY)
    }
    return filter
  })
}

/** Ids of the run's training regions that a stage shows, all or so many of them. */
export function stageRegions(db: Db, run: RegionFilter, stage: RegionFilter, limit = -1): Set<string> {
  const [shown, own] = [usable(stage), usable(run)]
  const rows = db.all<{ id: string }>(`${shown.sql} AND r.id IN (${own.sql}) LIMIT ?`, ...shown.values, ...own.values, limit)
  return new Set(rows.map((row) => row.id))
}

function usable(filter: RegionFilter): Where {
  const where = filterWhere(filter)
  return { sql: `SELECT r.id FROM ${filterTables(filter)} WHERE ${where.sql} AND r.split = 'train' AND r.box_count > 0 AND r.phrase <> ''`, values: where.values }
}
