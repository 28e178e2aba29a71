/** Saved views: a filter and a sort with a name, counted live. */
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { RegionFilter, RegionSort, View } from '../../../shared/domain.ts'
import { AppError, isAppError } from '../../../shared/errors.ts'
import { countFromColumns } from '../../store/column-query.ts'
import type { Db } from '../../store/db.ts'
import { countRegions } from '../../store/region-filter.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly dataset_id: string
  readonly filter: string
  readonly sort: string
  readonly descending: number
}

export function viewsHandlers({ db, events }: EngineContext): Handlers<'views'> {
  return {
    list: ({ datasetId }) => db.all<Row>('SELECT * FROM views WHERE dataset_id = ? ORDER BY name COLLATE NOCASE, id', datasetId).map((row) => toView(db, row)),
    save: (view) => {
      const name = view.name.trim()
      if (!name) throw new AppError('bad-input', 'A view needs a name.', 'Type one.', 'name')
      const { datasetId } = view.filter
      if (!db.get("SELECT 1 FROM datasets WHERE id = ? AND state = 'ready'", datasetId)) throw new AppError('not-found', 'The dataset of this view is not there any more.', 'Reload the Library.', datasetId)
      db.run(
        `INSERT INTO views (id, dataset_id, name, filter, sort, descending) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET dataset_id = excluded.dataset_id, name = excluded.name, filter = excluded.filter, sort = excluded.sort, descending = excluded.descending`,
        view.id, datasetId, name, JSON.stringify(view.filter), view.sort, view.descending ? 1 : 0,
      )
      events.emit({ type: 'views.changed', datasetId })
      return toView(db, db.get<Row>('SELECT * FROM views WHERE id = ?', view.id)!)
    },
    remove: ({ id }) => {
      const row = db.get<Row>('SELECT * FROM views WHERE id = ?', id)
      db.run('DELETE FROM views WHERE id = ?', id)
      if (row) events.emit({ type: 'views.changed', datasetId: row.dataset_id })
      return {}
    },
  }
}

function toView(db: Db, row: Row): View {
  const filter = JSON.parse(row.filter) as RegionFilter
  return { id: row.id, name: row.name, filter, sort: row.sort as RegionSort, descending: row.descending === 1, count: countOf(db, filter) }
}

/** A view by score whose checkpoint was removed matches nothing. */
function countOf(db: Db, filter: RegionFilter): number {
  try {
    return (countFromColumns(db, filter) ?? countRegions(db, filter)).total
  } catch (error) {
    if (isAppError(error) && error.code === 'usage') return 0
    throw error
  }
}
