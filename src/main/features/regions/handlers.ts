/** Regions: the queue, one image with everything on it, history, edits. */
import type { Handlers, EngineContext } from '../../engine/context.ts'
import type { RegionState, Scores } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { IMAGE_COLUMNS, type ImageRow, PROTOCOL, REGION_COLUMNS, type RegionRow, SCORE_COLUMNS, type ScoreRow, toImage, toRegion, toScores, toState } from '../../store/region-rows.ts'
import { firstUndone, lastDone, undoState } from '../../store/ledger-rows.ts'
import { applyEdits, type EditResult, redo, undo } from './apply.ts'
import { applyBulk, previewBulk } from './bulk.ts'
import { isBulk, stepBulk } from './bulk-steps.ts'
import { facets, reviewAgreement, reviewProgress } from './people.ts'
import { createQueueOrders } from './queue-orders.ts'
import { selectedRows } from './selection.ts'
import { tidyBeforeWrites } from './writes.ts'

export function regionsHandlers({ db, events, turns, author }: EngineContext): Handlers<'regions'> {
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
  /** Too many to name: every page looks again at what it shows. */
  const announceMany = (datasetId: string): EditResult => {
    const state = undoState(db)
    events.emit({ type: 'regions.changed', datasetId, imageIds: [], regionIds: [], isMany: true, ...state })
    return { regions: [], ...state }
  }
  const orders = createQueueOrders(db)
  tidyBeforeWrites({ db, turns }, orders, now)
  const write = (work: () => EditResult | Promise<EditResult>): Promise<EditResult> => turns.inTurn(work)
  const progress = (editId: string) => (label: string, done: number, total: number): void => events.emit({ type: 'regions.edited', editId, label, done, total })
  const step = (direction: 'undo' | 'redo', editId: string | undefined, signal: AbortSignal | undefined) => write(async () => {
    const edit = direction === 'undo' ? lastDone(db) : firstUndone(db)
    if (!edit || (editId !== undefined && edit.id !== editId) || !isBulk(db, edit.id)) return announced((direction === 'undo' ? undo : redo)(db, now(), editId))
    await stepBulk(db, edit, direction, now(), { signal, onProgress: progress(edit.id) })
    return announceMany(edit.dataset_id)
  })
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
      if (rows.length === 0) return [{ revision: row.revision, at: row.created_at, actor: 'import', label: 'Imported', fields: toState(row) }]
      return rows.map((entry) => ({ ...entry, fields: fieldsOfRevision(entry.fields) }))
    },
    apply: (input) => write(() => announced(applyEdits(db, input, now()))),
    undo: ({ editId }, call) => step('undo', editId, call?.signal),
    redo: ({ editId }, call) => step('redo', editId, call?.signal),
    previewBulk: async ({ selection, action, offset, limit }) => previewBulk(db, await selectedRows(db, orders, selection), action, now(), { offset, limit }),
    bulk: async ({ editId, selection, action, since, keep }, call) => {
      let outcome = { selected: 0, changed: 0, kept: 0 }
      const { regions: _none, ...state } = await write(async () => {
        // Sent again after it was made: an engine that was started meanwhile does not know the selection any more, but the edit.
        const isMade = db.get('SELECT 1 FROM edits WHERE id = ?', editId) !== undefined
        const rows = isMade ? new Float64Array(0) : await selectedRows(db, orders, selection)
        const { datasetId, ...counts } = await applyBulk(db, { editId, rows, action, since, keep, signal: call?.signal, onProgress: progress(editId) }, now())
        outcome = counts
        return datasetId === null ? { regions: [], ...undoState(db) } : announceMany(datasetId)
      })
      return { ...outcome, ...state }
    },
    undoState: () => undoState(db),
    facets: ({ datasetId }) => facets(db, datasetId),
    progress: ({ datasetId }) => reviewProgress(db, datasetId),
    agreement: ({ datasetId, limit }) => reviewAgreement(db, datasetId, limit),
  }
}

/** Revisions of before there were outlines say nothing of them. A place in the stack that nobody has given is 0, and is put back as such. */
function fieldsOfRevision(json: string): RegionState {
  const fields = JSON.parse(json) as Omit<RegionState, 'outlines'> & Partial<RegionState>
  return { ...fields, outlines: fields.outlines ?? [], z: fields.z ?? 0 }
}
