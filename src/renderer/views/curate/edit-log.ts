/**
 * Edits from the hand to the disk. An edit is shown at once, sent in order, and counts as saved only when the engine has
 * answered. An edit that fails stays on screen, with the reason, until it is sent again or discarded: nothing is lost
 * silently. Knows no React and no connection; the caller brings the calls.
 */
import { type StoreApi, createStore } from 'zustand/vanilla'
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region, RegionFields } from '../../../shared/domain.ts'
import type { ErrorData } from '../../../shared/errors.ts'
import { type RegionDiff, diffRegion, isEmptyDiff } from '../../../shared/region-diff.ts'

export interface EditResult {
  readonly regions: readonly Region[]
  readonly undoLabel: string | null
  readonly redoLabel: string | null
}

/** The engine's calls. Each answers when it is on disk, or throws. */
export interface EditCalls {
  apply(input: { editId: string; label: string; edits: RegionEdit[] }): Promise<EditResult>
  undo(): Promise<EditResult>
  redo(): Promise<EditResult>
}

export type Change =
  | { readonly kind: 'change'; readonly regionId: string; readonly imageId: string; readonly diff: RegionDiff }
  | { readonly kind: 'create'; readonly region: Region }

export interface PendingEdit {
  readonly editId: string
  readonly label: string
  readonly changes: readonly Change[]
  readonly state: 'queued' | 'sending' | 'failed'
  readonly error: ErrorData | null
}

export interface EditLogState {
  /** Regions as the engine last told, by image. */
  readonly base: ReadonlyMap<string, ReadonlyMap<string, Region>>
  readonly pending: readonly PendingEdit[]
  readonly undoLabel: string | null
  readonly redoLabel: string | null
}

export interface EditLog {
  readonly store: StoreApi<EditLogState>
  /** The image's regions as they are to be shown, deleted ones left out, in the engine's order. */
  regions(imageId: string): readonly Region[]
  region(imageId: string, regionId: string): Region | undefined
  /** Changes some fields of some regions of one image, as one edit; null when nothing would change. Returns the edit's id. */
  edit(label: string, imageId: string, changes: readonly { readonly regionId: string; readonly after: Partial<RegionFields> }[]): string | null
  create(label: string, region: Region): string
  /** What the engine holds. seen: acknowledged() when it was asked; an older answer never takes back a newer one. */
  receive(imageId: string, regions: readonly Region[], seen: number): void
  acknowledged(): number
  setLabels(undoLabel: string | null, redoLabel: string | null): void
  /** Sends what failed again. A conflict is made anew upon what the engine holds now. */
  retry(): void
  discard(editId: string): void
  /** Waits for what is under way, then steps back; a failed edit is stepped back by discarding it. Answers what changed. */
  undo(): Promise<readonly Region[]>
  redo(): Promise<readonly Region[]>
}

interface Tools {
  readonly mintId: () => string
  readonly toError: (error: unknown) => ErrorData
  /** True for an error after which it is not known whether the edit took effect; it is sent again by itself. */
  readonly isDisconnected: (error: unknown) => boolean
  readonly wait: (ms: number) => Promise<void>
}

const RESEND_AFTER_MS = 500

export function createEditLog(calls: EditCalls, tools: Tools): EditLog {
  const store = createStore<EditLogState>(() => ({ base: new Map(), pending: [], undoLabel: null, redoLabel: null }))
  const get = store.getState
  let acknowledged = 0
  let running: Promise<void> | null = null

  const fieldsOf = (region: Region): RegionFields => ({ phrase: region.phrase, boxes: region.boxes, status: region.status, tags: region.tags, note: region.note, deleted: region.deleted })

  /** The region with all pending edits on top, the failed ones too; a diff that no longer fits shows the user's value. */
  function overlay(region: Region | undefined, regionId: string): Region | undefined {
    let shown = region
    for (const edit of get().pending) {
      for (const change of edit.changes) {
        if (change.kind === 'create' && change.region.id === regionId) shown ??= change.region
        if (change.kind !== 'change' || change.regionId !== regionId || !shown) continue
        shown = { ...shown, ...afterValues(change.diff) }
      }
    }
    return shown
  }

  function ids(imageId: string): string[] {
    const known = [...(get().base.get(imageId)?.keys() ?? [])]
    const created = get().pending.flatMap((edit) => edit.changes).flatMap((change) => (change.kind === 'create' && change.region.imageId === imageId ? [change.region.id] : []))
    return [...new Set([...known, ...created])]
  }

  const region = (imageId: string, regionId: string) => overlay(get().base.get(imageId)?.get(regionId), regionId)

  function upsert(regions: readonly Region[]) {
    const base = new Map(get().base)
    for (const next of regions) {
      const image = new Map(base.get(next.imageId))
      const known = image.get(next.id)
      if (!known || known.revision <= next.revision) image.set(next.id, next)
      base.set(next.imageId, image)
    }
    return base
  }

  function patch(editId: string, change: Partial<PendingEdit>) {
    store.setState(({ pending }) => ({ pending: pending.map((edit) => (edit.editId === editId ? { ...edit, ...change } : edit)) }))
  }

  function add(label: string, changes: readonly Change[]): string {
    const editId = tools.mintId()
    store.setState(({ pending }) => ({ pending: [...pending, { editId, label, changes, state: 'queued', error: null }] }))
    start()
    return editId
  }

  function start() {
    running ??= send().finally(() => {
      running = null
      // An edit may have come between the loop's last look and its end.
      if (get().pending[0]?.state === 'queued') start()
    })
  }

  async function send() {
    for (;;) {
      // In order, and none past a failed one: a later edit may build on it.
      const edit = get().pending[0]
      if (!edit || edit.state !== 'queued') return
      patch(edit.editId, { state: 'sending' })
      try {
        const result = await calls.apply({ editId: edit.editId, label: edit.label, edits: edit.changes.map(toCall) })
        acknowledged++
        store.setState(({ pending }) => ({
          base: upsert(result.regions), pending: pending.filter((other) => other.editId !== edit.editId), undoLabel: result.undoLabel, redoLabel: result.redoLabel,
        }))
      } catch (error) {
        if (tools.isDisconnected(error)) {
          // The same edit id goes out again: the engine knows it if it was already written.
          patch(edit.editId, { state: 'queued' })
          await tools.wait(RESEND_AFTER_MS)
          continue
        }
        patch(edit.editId, { state: 'failed', error: tools.toError(error) })
        return
      }
    }
  }

  function toCall(change: Change): RegionEdit {
    if (change.kind === 'create') return { regionId: change.region.id, imageId: change.region.imageId, create: fieldsOf(change.region) }
    // The revision is read when it is sent: edits before this one have raised it.
    const revision = get().base.get(change.imageId)?.get(change.regionId)?.revision ?? 0
    return { regionId: change.regionId, revision, diff: change.diff }
  }

  /** A failed conflict is put upon the present state: the user's value wins, what others changed elsewhere stays. */
  function rebased(edit: PendingEdit): PendingEdit {
    const changes = edit.changes.map((change): Change => {
      if (change.kind === 'create') return change
      const base = get().base.get(change.imageId)?.get(change.regionId)
      if (!base) return change
      const fields = fieldsOf(base)
      return { ...change, diff: diffRegion(fields, { ...fields, ...afterValues(change.diff) }) }
    })
    return { ...edit, changes, state: 'queued', error: null, editId: edit.error?.code === 'conflict' ? tools.mintId() : edit.editId }
  }

  async function settled() {
    while (running) await running
  }

  async function step(call: () => Promise<EditResult>): Promise<readonly Region[]> {
    await settled()
    const result = await call()
    acknowledged++
    store.setState({ base: upsert(result.regions), undoLabel: result.undoLabel, redoLabel: result.redoLabel })
    return result.regions
  }

  return {
    store,
    regions: (imageId) => ids(imageId).flatMap((id) => region(imageId, id) ?? []).filter((entry) => !entry.deleted),
    region,
    edit(label, imageId, wanted) {
      const changes = wanted.flatMap(({ regionId, after }): Change[] => {
        const shown = region(imageId, regionId)
        if (!shown) return []
        const before = fieldsOf(shown)
        const diff = diffRegion(before, { ...before, ...after })
        return isEmptyDiff(diff) ? [] : [{ kind: 'change', regionId, imageId, diff }]
      })
      return changes.length === 0 ? null : add(label, changes)
    },
    create: (label, created) => add(label, [{ kind: 'create', region: created }]),
    receive(imageId, regions, seen) {
      const base = upsert(regions)
      if (seen === acknowledged) {
        // Nothing was written since the question: what the answer lacks is gone.
        const answered = new Set(regions.map((entry) => entry.id))
        const newer = base.get(imageId) ?? new Map<string, Region>()
        base.set(imageId, new Map(regions.map((entry) => [entry.id, newer.get(entry.id) ?? entry] as const).filter(([id]) => answered.has(id))))
      }
      store.setState({ base })
    },
    acknowledged: () => acknowledged,
    setLabels(undoLabel, redoLabel) {
      store.setState({ undoLabel, redoLabel })
    },
    retry() {
      store.setState(({ pending }) => ({
        pending: pending.map((edit) => (edit.state === 'failed' ? rebased(edit) : edit)).filter((edit) => edit.changes.some((change) => change.kind === 'create' || !isEmptyDiff(change.diff))),
      }))
      start()
    },
    discard(editId) {
      const edit = get().pending.find((entry) => entry.editId === editId)
      if (!edit || edit.state === 'sending') return
      store.setState(({ pending }) => ({ pending: pending.filter((entry) => entry.editId !== editId && (edit.state !== 'failed' || !buildsOn(entry, edit))) }))
      start()
    },
    async undo() {
      await settled()
      const failed = get().pending.at(-1)
      if (failed) {
        // Nothing behind a failed edit has reached the engine: the last one shown is the one to take back.
        store.setState(({ pending }) => ({ pending: pending.slice(0, -1) }))
        return failed.changes.flatMap((change) => {
          const shown = change.kind === 'change' ? region(change.imageId, change.regionId) : undefined
          return shown ? [shown] : []
        })
      }
      return step(() => calls.undo())
    },
    redo: () => step(() => calls.redo()),
  }
}

/** True when an edit changes a region that the other created, or the same field of the same region. */
function buildsOn(edit: PendingEdit, earlier: PendingEdit): boolean {
  return edit.changes.some((change) =>
    earlier.changes.some((other) => {
      if (change.kind === 'create') return false
      if (other.kind === 'create') return other.region.id === change.regionId
      return other.regionId === change.regionId && Object.keys(other.diff).some((field) => field in change.diff)
    }),
  )
}

function afterValues(diff: RegionDiff): Partial<RegionFields> {
  const values: Record<string, unknown> = {}
  for (const [field, change] of Object.entries(diff)) if (change) values[field] = change.after
  return values as Partial<RegionFields>
}

