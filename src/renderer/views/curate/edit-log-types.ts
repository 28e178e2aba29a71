/** What the edit log gives, and what it needs of the engine. */
import type { StoreApi } from 'zustand/vanilla'
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region, RegionState } from '../../../shared/domain.ts'
import type { PendingEdit, Taken, UndoState } from './edit-steps.ts'

export interface EditResult extends UndoState {
  readonly regions: readonly Region[]
}

/** The engine's calls. Each answers when it is on disk, or throws. Asked again with the same id, each answers as before. */
export interface EditCalls {
  apply(input: { editId: string; label: string; edits: RegionEdit[] }): Promise<EditResult>
  undo(input: { editId: string }): Promise<EditResult>
  redo(input: { editId: string }): Promise<EditResult>
  undoState(): Promise<UndoState>
}

export interface EditLogState extends UndoState {
  /** Regions as the engine last told, by image. */
  readonly base: ReadonlyMap<string, ReadonlyMap<string, Region>>
  readonly pending: readonly PendingEdit[]
  /** What redo makes again, the next one last. */
  readonly taken: readonly Taken[]
}

export interface EditLog {
  readonly store: StoreApi<EditLogState>
  /** The image's regions as they are to be shown, deleted ones left out, in the engine's order. */
  regions(imageId: string): readonly Region[]
  region(imageId: string, regionId: string): Region | undefined
  /** Changes some fields of some regions of one image, as one edit; null when nothing would change. Returns the edit's id. */
  edit(label: string, imageId: string, changes: readonly { readonly regionId: string; readonly after: Partial<RegionState> }[]): string | null
  create(label: string, region: Region): string
  /** What the engine holds. seen: acknowledged() when it was asked; an older answer never takes back a newer one. */
  receive(imageId: string, regions: readonly Region[], seen: number): void
  acknowledged(): number
  /** Edits of an earlier page that were not acknowledged: they go before what was done since. Sent again, each with its id. */
  restore(edits: readonly PendingEdit[]): void
  /** Resolves when everything that was done is on disk. @throws AppError when something could not be saved */
  settled(): Promise<void>
  /** How the engine's ledger stands. isNewEdit: after an edit that did not go through this log, upon which nothing can be made again. */
  setLedger(state: UndoState, isNewEdit?: boolean): void
  /** Sends what failed again. A conflict is made anew upon what the engine holds now. */
  retry(): void
  discard(editId: string): void
  /**
   * Steps back from the last thing done, in its place of the order: what has not gone out is simply taken off, the rest is
   * asked of the engine when its turn comes. Answers what changed. @throws what the engine refused, with nothing changed
   */
  undo(): Promise<readonly Region[]>
  redo(): Promise<readonly Region[]>
}
