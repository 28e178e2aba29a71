/** Where the project stands between undo and redo: the last edit that stands, and the first that was taken back. */
import type { Db } from './db.ts'

export interface UndoState {
  readonly undoLabel: string | null
  readonly redoLabel: string | null
  readonly undoEditId: string | null
  readonly redoEditId: string | null
}
export interface LedgerRow {
  readonly seq: number
  readonly id: string
  readonly dataset_id: string
  readonly label: string
  readonly changes: string
}

export function undoState(db: Db): UndoState {
  const [last, next] = [lastDone(db), firstUndone(db)]
  return { undoLabel: last?.label ?? null, redoLabel: next?.label ?? null, undoEditId: last?.id ?? null, redoEditId: next?.id ?? null }
}

export function lastDone(db: Db): LedgerRow | undefined {
  return db.get<LedgerRow>("SELECT seq, id, dataset_id, label, changes FROM edits WHERE state = 'done' ORDER BY seq DESC LIMIT 1")
}

export function firstUndone(db: Db): LedgerRow | undefined {
  return db.get<LedgerRow>("SELECT seq, id, dataset_id, label, changes FROM edits WHERE state = 'undone' ORDER BY seq LIMIT 1")
}
