/**
 * Edits from the hand to the disk. An edit is shown at once, sent in order, and counts as saved only when the engine has
 * answered; a step back or forward has its place in the same order. An edit that fails stays on screen, with the reason,
 * until it is sent again or discarded: nothing is lost silently. Knows no React and no connection; the caller brings the calls.
 */
import { createStore } from 'zustand/vanilla'
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region } from '../../../shared/domain.ts'
import { AppError, type ErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { diffRegion, isEmptyDiff } from '../../../shared/region-diff.ts'
import { fittingOutlines, withBoxes } from '../../../shared/shape.ts'
import type { EditCalls, EditLog, EditLogState } from './edit-log-types.ts'
import { type Change, type PendingEdit, type Taken, afterValues, backwards, buildsOn, fieldsOf, forwards, overlay, standing } from './edit-steps.ts'

interface Tools {
  readonly mintId: () => string
  readonly toError: (error: unknown) => ErrorData
  /** True for an error after which it is not known whether the edit took effect; it is sent again by itself. */
  readonly isDisconnected: (error: unknown) => boolean
  readonly wait: (ms: number) => Promise<void>
}

const RESEND_AFTER_MS = 500
/** Saved edits of this page whose steps can be shown before the engine has answered. */
const REMEMBERED = 100

export function createEditLog(calls: EditCalls, tools: Tools): EditLog {
  const store = createStore<EditLogState>(() => ({ base: new Map(), pending: [], taken: [], undoLabel: null, redoLabel: null, undoEditId: null, redoEditId: null }))
  const get = store.getState
  let acknowledged = 0
  let running: Promise<void> | null = null
  const made = new Map<string, readonly Change[]>()
  const waiting = new Map<string, { resolve: (regions: readonly Region[]) => void; reject: (error: unknown) => void }>()

  function ids(imageId: string): string[] {
    const known = [...(get().base.get(imageId)?.keys() ?? [])]
    const created = get().pending.flatMap((edit) => edit.changes).flatMap((change) => (change.kind === 'create' && change.region.imageId === imageId ? [change.region.id] : []))
    return [...new Set([...known, ...created])]
  }

  const region = (imageId: string, regionId: string) => overlay(get().base.get(imageId)?.get(regionId), regionId, get().pending)
  const shownOf = (changes: readonly Change[]) => changes.flatMap((change) => (change.kind === 'change' ? (region(change.imageId, change.regionId) ?? []) : []))

  function upsert(regions: readonly Region[]) {
    const base = new Map(get().base)
    // Each image's map is copied once: an image may have ten thousand phrases.
    const copies = new Map<string, Map<string, Region>>()
    for (const next of regions) {
      let image = copies.get(next.imageId)
      if (!image) {
        image = new Map(base.get(next.imageId))
        copies.set(next.imageId, image)
        base.set(next.imageId, image)
      }
      const known = image.get(next.id)
      if (!known || known.revision <= next.revision) image.set(next.id, next)
    }
    return base
  }

  function patch(editId: string, change: Partial<PendingEdit>) {
    store.setState(({ pending }) => ({ pending: pending.map((edit) => (edit.editId === editId ? { ...edit, ...change } : edit)) }))
  }
  const drop = (...editIds: string[]) => store.setState(({ pending }) => ({ pending: pending.filter((edit) => !editIds.includes(edit.editId)) }))

  function add(kind: PendingEdit['kind'], label: string, changes: readonly Change[], target: string | null = null): string {
    const editId = tools.mintId()
    store.setState(({ pending, taken }) => ({ pending: [...pending, { editId, kind, target, label, changes, state: 'queued', sent: false, error: null }], taken: kind === 'edit' ? [] : taken }))
    start()
    return editId
  }

  function start() {
    running ??= send().finally(() => {
      running = null
      // Something may have come between the loop's last look and its end.
      if (get().pending[0]?.state === 'queued') start()
    })
  }

  async function send() {
    for (;;) {
      // In order, and none past a failed one: a later edit may build on it.
      const entry = get().pending[0]
      if (!entry || entry.state !== 'queued') return
      const target = entry.kind === 'edit' ? null : (entry.target ?? (entry.kind === 'undo' ? get().undoEditId : get().redoEditId))
      patch(entry.editId, { state: 'sending', sent: true, target })
      try {
        const result = entry.kind === 'edit' ? await calls.apply({ editId: entry.editId, label: entry.label, edits: entry.changes.map(toCall) }) : target === null ? null : await calls[entry.kind]({ editId: target })
        acknowledged++
        if (entry.kind === 'edit') remember(entry.editId, entry.changes)
        const { regions = [], ...ledger } = result ?? {}
        store.setState(({ pending }) => ({ base: upsert(regions), pending: pending.filter((other) => other.editId !== entry.editId), ...ledger }))
        settle(entry.editId, regions)
      } catch (error) {
        if (tools.isDisconnected(error)) {
          // The same id goes out again: the engine knows it if it was already written.
          patch(entry.editId, { state: 'queued' })
          await tools.wait(RESEND_AFTER_MS)
        } else if (entry.kind === 'edit') {
          if (failed(entry, tools.toError(error))) return
        } else await refused(entry, error)
      }
    }
  }

  /** True when it stays, and the order stops here. One that a step behind it takes back goes with that step. */
  function failed(entry: PendingEdit, error: ErrorData): boolean {
    const step = get().pending.find((other) => other.kind === 'undo' && other.target === entry.editId)
    if (!step) {
      patch(entry.editId, { state: 'failed', error })
      return true
    }
    drop(entry.editId, step.editId)
    settle(step.editId, shownOf(entry.changes))
    return false
  }

  /** A step that the engine refuses has changed nothing: it is taken off, and whoever asked for it is told. */
  async function refused(entry: PendingEdit, error: unknown) {
    drop(entry.editId)
    if (entry.kind === 'undo') untake()
    waiting.get(entry.editId)?.reject(error)
    waiting.delete(entry.editId)
    await calls.undoState().then(store.setState, () => undefined)
  }

  function settle(editId: string, regions: readonly Region[]) {
    waiting.get(editId)?.resolve(regions)
    waiting.delete(editId)
  }

  function remember(editId: string, changes: readonly Change[]) {
    made.set(editId, changes)
    if (made.size > REMEMBERED) made.delete(made.keys().next().value!)
  }

  const take = (taken: Taken) => store.setState((state) => ({ taken: [...state.taken, taken] }))
  const untake = () => store.setState((state) => ({ taken: state.taken.slice(0, -1) }))

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
      const after = { ...fields, ...afterValues(change.diff) }
      // Boxes of one and outlines of another belong together only where they meet.
      return { ...change, diff: diffRegion(fields, { ...after, ...fittingOutlines(after) }) }
    })
    return { ...edit, changes, state: 'queued', error: null, editId: edit.error?.code === 'conflict' ? tools.mintId() : edit.editId }
  }

  function step(kind: 'undo' | 'redo', label: string, changes: readonly Change[], target: string | null): Promise<readonly Region[]> {
    const editId = add(kind, label, changes, target)
    return new Promise((resolve, reject) => waiting.set(editId, { resolve, reject }))
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
        // Boxes alone say where the outlines go with them.
        const shape = after.boxes && !after.outlines ? withBoxes(shown, after.boxes) : {}
        const diff = diffRegion(before, { ...before, ...after, ...shape })
        return isEmptyDiff(diff) ? [] : [{ kind: 'change', regionId, imageId, diff }]
      })
      return changes.length === 0 ? null : add('edit', label, changes)
    },
    create: (label, created) => add('edit', label, [{ kind: 'create', region: created }]),
    receive(imageId, regions, seen) {
      const base = upsert(regions)
      if (seen === acknowledged) {
        // Nothing was written since the question: what the answer lacks is gone.
        const newer = base.get(imageId) ?? new Map<string, Region>()
        base.set(imageId, new Map(regions.map((entry) => [entry.id, newer.get(entry.id) ?? entry] as const)))
      }
      store.setState({ base })
    },
    acknowledged: () => acknowledged,
    restore(edits) {
      store.setState(({ pending }) => ({ pending: [...edits.filter(({ editId }) => !pending.some((edit) => edit.editId === editId)), ...pending] }))
      start()
    },
    settled: () => new Promise((resolve, reject) => {
      const look = ({ pending }: EditLogState): boolean => {
        const failed = pending.some((edit) => edit.state === 'failed')
        if (pending.length > 0 && !failed) return false
        stop()
        if (failed) reject(new AppError('conflict', t('An earlier edit could not be saved, so this one was not begun.'), t('Save or discard that edit first.')))
        else resolve()
        return true
      }
      let stop = (): void => undefined
      if (!look(get())) stop = store.subscribe(look)
    }),
    setLedger({ undoLabel, redoLabel, undoEditId, redoEditId }, isNewEdit = false) {
      // Without anything on its way, what the engine cannot make again is not offered either; what never went out still can be.
      const isOver = redoEditId === null && get().pending.length === 0
      store.setState(({ taken }) => ({ undoLabel, redoLabel, undoEditId, redoEditId, taken: isNewEdit ? [] : isOver ? taken.filter((one) => one.kind === 'local') : taken }))
    },
    retry() {
      store.setState(({ pending }) => ({
        pending: pending.map((edit) => (edit.state === 'failed' ? rebased(edit) : edit)).filter((edit) => edit.kind !== 'edit' || edit.changes.some((change) => change.kind === 'create' || !isEmptyDiff(change.diff))),
      }))
      start()
    },
    discard(editId) {
      const edit = get().pending.find((entry) => entry.editId === editId)
      if (!edit || edit.state === 'sending') return
      const gone = get().pending.filter((entry) => entry.editId === editId || (edit.state === 'failed' && buildsOn(entry, edit)))
      drop(...gone.map((entry) => entry.editId))
      for (const entry of gone) settle(entry.editId, [])
      start()
    },
    async undo() {
      const { pending, undoEditId, undoLabel } = get()
      const last = pending.at(-1)
      if (last && last.kind !== 'undo' && (!last.sent || last.state === 'failed')) {
        // It has not reached the engine: it is taken off, and nobody need be asked.
        drop(last.editId)
        take(last.kind === 'edit' ? { kind: 'local', label: last.label, changes: last.changes } : { kind: 'engine', label: last.label })
        settle(last.editId, [])
        return shownOf(last.changes)
      }
      const before = standing(pending).edits.at(-1)
      const target = before?.editId ?? (pending.length === 0 ? undoEditId : null)
      if (target === null && pending.length === 0) return []
      const label = before?.label ?? (pending.length === 0 ? (undoLabel ?? '') : t('an earlier edit'))
      take({ kind: 'engine', label })
      return step('undo', label, backwards(before?.changes ?? (target === null ? [] : (made.get(target) ?? []))), target)
    },
    async redo() {
      const { pending, taken, redoEditId, redoLabel } = get()
      const next = taken.at(-1)
      const last = pending.at(-1)
      if (next?.kind === 'local') {
        const rest = taken.slice(0, -1)
        add('edit', next.label, next.changes)
        store.setState({ taken: rest })
        return shownOf(next.changes)
      }
      if (next) untake()
      if (next && last?.kind === 'undo' && !last.sent) {
        drop(last.editId)
        settle(last.editId, [])
        return shownOf(last.changes)
      }
      const back = last?.kind === 'undo' ? last : null
      const target = back ? back.target : pending.length === 0 ? redoEditId : null
      if (target === null && pending.length === 0) return []
      return step('redo', next?.label ?? redoLabel ?? '', target === null ? [] : forwards(back ? backwards(back.changes) : (made.get(target) ?? [])), target)
    },
  }
}
