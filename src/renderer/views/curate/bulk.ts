/**
 * Many rows of the queue in hand, and what is done to them: one edit, made by the engine, one step of undo. Places hold as long as the
 * queue does, because its order is frozen; another queue begins with none selected.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { BulkAction, Selection } from '../../../shared/contract/bulk.ts'
import { t } from '../../../shared/messages/messages.ts'
import { beginBulk } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { isDisconnected } from '../../state/errors.ts'
import { onEngineEvent } from '../../state/events.ts'
import { sentence } from '../../state/queries.ts'
import { dismissToast, toast } from '../../ui/toast.tsx'
import { editLog } from './edits.ts'
import { labelWords } from './label-words.ts'
import type { QueueSource } from './queue-source.ts'
import { getMarks, markedPhrases } from './marks.ts'
import { add, holds, type Ranges, sizeOf, toggle } from './row-ranges.ts'
import { mintId } from './words.ts'

export interface BulkState {
  readonly ranges: Ranges
  /** From where Shift reaches. */
  readonly anchor: number | null
  /** When the selection was begun: what others change from then on is a conflict. */
  readonly since: string | null
  readonly running: { readonly label: string; readonly done: number; readonly total: number; readonly cancel: () => void } | null
}

export interface Bulk {
  readonly store: StoreApi<BulkState>
  count(): number
  holds(index: number): boolean
  selection(): Selection
  /** @param current the row in hand, which is part of the first selection that is begun beside it */
  toggle(index: number, current: number): void
  reach(index: number, current: number): void
  all(): void
  clear(): void
  /** Done to the selection, or to these. Resolves to the number of regions that changed, null when it could not be done; says so itself. */
  act(action: BulkAction, ids?: readonly string[]): Promise<number | null>
}

/** Asked again under the same id when the connection breaks: the engine makes it once. */
async function send(input: Parameters<typeof api.regions.bulk>[0], signal: AbortSignal): Promise<Awaited<ReturnType<typeof api.regions.bulk>>> {
  for (;;) {
    try {
      return await api.regions.bulk(input, { signal })
    } catch (error) {
      if (!isDisconnected(error) || signal.aborted) throw error
      await new Promise((resolve) => window.setTimeout(resolve, 500))
    }
  }
}

const NONE: BulkState = { ranges: [], anchor: null, since: null, running: null }

export function createBulk(owner: string, queue: QueueSource, undo: () => void): Bulk {
  const store = createStore<BulkState>(() => NONE)
  const get = store.getState
  queue.store.subscribe((state, before) => {
    if (state.answered !== before.answered) clear()
  })
  const clear = () => store.setState({ ranges: [], anchor: null, since: null })
  const select = (ranges: Ranges, anchor: number | null) => {
    store.setState({ ranges, anchor, since: ranges.length === 0 ? null : (get().since ?? new Date().toISOString()) })
  }
  const place = (): Selection => ({ snapshot: { owner, number: queue.number() }, ranges: get().ranges.map(([from, to]) => [from, to]) })
  let before: Promise<unknown> = Promise.resolve()
  return {
    store,
    clear,
    count: () => sizeOf(get().ranges),
    holds: (index) => holds(get().ranges, index),
    selection: place,
    toggle(index, current) {
      const { ranges } = get()
      const begun = ranges.length === 0 && current >= 0 && current !== index ? add([], [current, current]) : ranges
      select(toggle(begun, index), index)
    },
    reach(index, current) {
      const { anchor, ranges } = get()
      const from = anchor ?? (current >= 0 ? current : index)
      // Shift moves the end of the last stretch; what Ctrl gathered elsewhere stays.
      const rest = ranges.filter(([a, b]) => !(from >= a && from <= b))
      select(add(rest, [from, index]), from)
    },
    all() {
      const { total } = queue.store.getState()
      if (total > 0) select([[0, total - 1]], get().anchor)
    },
    act(action, ids) {
      if (!ids && get().running) return Promise.resolve(null)
      // Decisions by keys may come faster than they are answered: each waits for the one before it.
      const mine = before.then(() => run(action, ids))
      before = mine
      return mine
    },
  }

  async function run(action: BulkAction, ids?: readonly string[]): Promise<number | null> {
    const selection: Selection = ids ? { ids: [...ids] } : place()
    const since = ids ? null : get().since
    const abort = new AbortController()
    const editId = mintId()
    const total = ids?.length ?? sizeOf(get().ranges)
    store.setState({ running: { label: '', done: 0, total, cancel: () => abort.abort() } })
    const endBulk = beginBulk()
    const stop = onEngineEvent((event) => {
      if (event.type !== 'regions.edited' || event.editId !== editId) return
      store.setState(({ running }) => ({ running: running && { ...running, label: labelWords(event.label), done: event.done, total: event.total } }))
    })
    try {
      await editLog.settled()
      // What is locked in this window is not deleted with the others.
      const keep = action.kind === 'delete' ? [...markedPhrases(getMarks().locked)] : []
      const { changed, selected: _selected, kept, ...ledger } = await send({ editId, selection, action, ...(since === null ? {} : { since }), ...(keep.length > 0 ? { keep } : {}) }, abort.signal)
      editLog.setLedger(ledger, changed > 0)
      const stayed = kept === 0 ? undefined : t('{kept, plural, one {# region is locked and stays.} other {# regions are locked and stay.}}', { kept })
      if (changed === 0 && stayed) toast({ tone: 'info', title: t('Nothing was deleted'), detail: stayed })
      else if (changed === 0) toast({ tone: 'info', title: t('Nothing to change'), detail: action.kind === 'second' ? t('A second review is of what somebody else has decided.') : t('These regions are so already.') })
      else if (!ids) {
        const id: number = toast({ tone: 'positive', title: ledger.undoLabel === null ? t('Done') : labelWords(ledger.undoLabel), ...(stayed ? { detail: stayed } : {}), action: { label: t('Undo'), run: () => (dismissToast(id), undo()) } })
      }
      if (!ids) clear()
      if (action.kind === 'delete') queue.reload()
      return changed
    } catch (error) {
      if (!abort.signal.aborted) toast({ tone: 'negative', title: sentence(error) })
      return null
    } finally {
      stop()
      endBulk()
      store.setState({ running: null })
    }
  }
}
