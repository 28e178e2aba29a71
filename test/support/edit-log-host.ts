/** An edit log of the page on an engine in memory, with the real rules of both. */
import type { RegionEdit } from '../../src/shared/contract/contract.ts'
import type { Region, RegionFields } from '../../src/shared/domain.ts'
import { AppError, toErrorData } from '../../src/shared/errors.ts'
import { applyRegionDiff, type RegionDiff, reverseRegionDiff } from '../../src/shared/region-diff.ts'
import { createEditLog } from '../../src/renderer/views/curate/edit-log.ts'
import type { EditLog, EditResult } from '../../src/renderer/views/curate/edit-log-types.ts'

export class Disconnected extends Error {}

export const fields = (over: Partial<RegionFields> = {}): RegionFields => ({ phrase: 'a cat', boxes: [[1, 2, 30, 40]], outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false, ...over })
export const region = (id: string, over: Partial<Region> = {}): Region => ({ ...fields(), id, imageId: 'i1', datasetId: 'd1', revision: 3, split: 'train', flags: [], assignee: null, review: null, second: null, ...over })

/** An engine in memory with the real rules: revisions, conflicts, idempotent edit ids, an undo ledger. */
export function engine(regions: readonly Region[]) {
  const held = new Map(regions.map((entry) => [entry.id, entry]))
  const answered = new Map<string, EditResult>()
  interface Step { id: string; label: string; diffs: [string, RegionDiff][] }
  const undone: Step[] = []
  const done: Step[] = []
  const steps: string[] = []
  const faults: unknown[] = []
  const calls: { editId: string; label: string; edits: RegionEdit[] }[] = []
  let gate: Promise<void> = Promise.resolve()
  const state = () => ({ undoLabel: done.at(-1)?.label ?? null, redoLabel: undone.at(-1)?.label ?? null, undoEditId: done.at(-1)?.id ?? null, redoEditId: undone.at(-1)?.id ?? null })
  const result = (ids: readonly string[]): EditResult => ({ regions: ids.map((id) => held.get(id)!), ...state() })
  const put = (id: string, diff: RegionDiff) => {
    const old = held.get(id)!
    held.set(id, { ...old, ...applyRegionDiff({ phrase: old.phrase, boxes: old.boxes, outlines: old.outlines, status: old.status, tags: old.tags, note: old.note, deleted: old.deleted }, diff), revision: old.revision + 1 })
  }
  return {
    held, calls, faults, steps,
    hold() {
      let open = () => undefined as void
      gate = new Promise((resolve) => {
        open = () => resolve()
      })
      return () => open()
    },
    elsewhere: (id: string, change: Partial<Region>) => held.set(id, { ...held.get(id)!, ...change, revision: held.get(id)!.revision + 1 }),
    api: {
      async apply(input: { editId: string; label: string; edits: RegionEdit[] }) {
        calls.push(input)
        await gate
        const fault = faults.shift()
        if (fault instanceof Disconnected && fault.message === 'before') throw fault
        const known = answered.get(input.editId)
        if (known) return known
        if (fault && !(fault instanceof Disconnected)) throw fault
        for (const edit of input.edits) {
          if ('create' in edit) held.set(edit.regionId, { ...edit.create, outlines: edit.create.outlines ?? [], id: edit.regionId, imageId: edit.imageId, datasetId: 'd1', revision: 1, split: 'train', flags: [], assignee: null, review: null, second: null })
          else {
            if (held.get(edit.regionId)!.revision !== edit.revision) throw new AppError('conflict', 'Somebody changed this region meanwhile.', 'Look at the new state.')
            put(edit.regionId, edit.diff)
          }
        }
        const diffOf = (edit: RegionEdit): RegionDiff => ('diff' in edit ? edit.diff : { deleted: { before: true, after: false } })
        done.push({ id: input.editId, label: input.label, diffs: input.edits.map((edit): [string, RegionDiff] => [edit.regionId, diffOf(edit)]) })
        undone.length = 0
        const answer = result(input.edits.map((edit) => edit.regionId))
        answered.set(input.editId, answer)
        if (fault) throw fault
        return answer
      },
      undo: ({ editId }: { editId: string }) => step('undo', editId, done, undone, reverseRegionDiff),
      redo: ({ editId }: { editId: string }) => step('redo', editId, undone, done, (diff) => diff),
      undoState: async () => state(),
    },
  }
  async function step(kind: string, editId: string, from: Step[], to: Step[], turned: (diff: RegionDiff) => RegionDiff): Promise<EditResult> {
    steps.push(`${kind} ${editId}`)
    await gate
    const fault = faults.shift()
    if (fault && !(fault instanceof Disconnected && fault.message === 'after')) throw fault
    const next = from.at(-1)
    const known = to.at(-1)
    if (next?.id !== editId && known?.id !== editId) throw new AppError('conflict', 'Something else was edited meanwhile.', 'Look at the present state.')
    if (next?.id === editId) {
      for (const [id, diff] of next.diffs) put(id, turned(diff))
      to.push(from.pop()!)
    }
    if (fault) throw fault
    return result(to.at(-1)!.diffs.map(([id]) => id))
  }
}

let ids = 0
export function log(host: ReturnType<typeof engine>): EditLog {
  ids = 0
  const made = createEditLog(host.api, { mintId: () => `e${++ids}`, toError: toErrorData, isDisconnected: (error) => error instanceof Disconnected, wait: () => Promise.resolve() })
  made.receive('i1', [...host.held.values()], 0)
  return made
}
/** Lets promises run until nothing waits that can go on. */
export const settle = async (edits: EditLog) => {
  for (let i = 0; i < 200 && edits.store.getState().pending.some((edit) => edit.state !== 'failed'); i++) await Promise.resolve()
}
