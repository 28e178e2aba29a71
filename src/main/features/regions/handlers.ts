/** Regions: the queue, one image with everything on it, history, edits. */
import type { Handlers, EngineContext } from '../../engine/context.ts'
import type { RegionFields, Scores } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { IMAGE_COLUMNS, type ImageRow, PROTOCOL, REGION_COLUMNS, type RegionRow, SCORE_COLUMNS, type ScoreRow, toFields, toImage, toRegion, toScores } from '../../store/region-rows.ts'
import { applyEdits, type EditResult, redo, undo, undoState } from './apply.ts'
import { createQueueOrders } from './queue-orders.ts'

export function regionsHandlers({ db, events, author }: EngineContext): Handlers<'regions'> {
  const now = () => ({ name: author(), at: new Date().toISOString() })
  const announced = (result: EditResult): EditResult => {
    const first = result.regions[0]
    if (first) {
      events.emit({
        type: 'regions.changed', datasetId: first.datasetId, imageIds: [...new Set(result.regions.map((region) => region.imageId))],
        regionIds: result.regions.map((region) => region.id), undoLabel: result.undoLabel, redoLabel: result.redoLabel, undoEditId: result.undoEditId, redoEditId: result.redoEditId,
      })
    }
    return result
  }
  const orders = createQueueOrders(db)
  /** An open queue keeps the order it had before. */
  const write = (work: () => EditResult): EditResult => {
    orders.settle()
    return announced(work())
  }
  return {
    query: (input) => orders.query(input),
    onImage: ({ imageId, checkpointIds }) => {
      const image = db.get<ImageRow>(`SELECT ${IMAGE_COLUMNS} FROM images i WHERE i.id = ?`, imageId)
      if (!image) throw new AppError('not-found', 'This image is not in the project any more.', 'Reload the list.', imageId)
      const regions = db.all<RegionRow>(`SELECT ${REGION_COLUMNS} FROM regions r WHERE r.image_id = ? AND r.deleted = 0 ORDER BY r.position`, imageId).map(toRegion)
      const scores: Record<string, Record<string, Scores>> = {}
      for (const checkpointId of checkpointIds) {
        const rows = db.all<ScoreRow & { region_id: string }>(
          `SELECT s.region_id, ${SCORE_COLUMNS} FROM regions r JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id WHERE r.image_id = ? AND r.deleted = 0`,
          checkpointId, PROTOCOL, imageId,
        )
        scores[checkpointId] = Object.fromEntries(rows.map((row) => [row.region_id, toScores(row)]))
      }
      return { image: toImage(image), regions, scores }
    },
    history: ({ id }) => {
      const row = db.get<RegionRow & { created_at: string }>(`SELECT ${REGION_COLUMNS}, d.created_at FROM regions r JOIN datasets d ON d.id = r.dataset_id WHERE r.id = ?`, id)
      if (!row) throw new AppError('not-found', 'This region is not there any more.', 'Reload the list.', id)
      const rows = db.all<{ revision: number; at: string; actor: string; label: string; fields: string }>(
        'SELECT revision, at, actor, label, fields FROM revisions WHERE region_id = ? ORDER BY revision DESC', id,
      )
      if (rows.length === 0) return [{ revision: row.revision, at: row.created_at, actor: 'import', label: 'Imported', fields: toFields(row) }]
      return rows.map((entry) => ({ ...entry, fields: fieldsOfRevision(entry.fields) }))
    },
    apply: (input) => write(() => applyEdits(db, input, now())),
    undo: ({ editId }) => write(() => undo(db, now(), editId)),
    redo: ({ editId }) => write(() => redo(db, now(), editId)),
    undoState: () => undoState(db),
  }
}

/** Revisions of before there were outlines say nothing of them. */
function fieldsOfRevision(json: string): RegionFields {
  const fields = JSON.parse(json) as Omit<RegionFields, 'outlines'> & Partial<RegionFields>
  return { ...fields, outlines: fields.outlines ?? [] }
}
