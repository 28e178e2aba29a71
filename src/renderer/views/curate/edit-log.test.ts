import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region, RegionFields } from '../../../shared/domain.ts'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { type RegionDiff, applyRegionDiff, reverseRegionDiff } from '../../../shared/region-diff.ts'
import { type EditLog, type EditResult, createEditLog } from './edit-log.ts'
import { stepLabels } from './edit-steps.ts'

class Disconnected extends Error {}

const fields = (over: Partial<RegionFields> = {}): RegionFields => ({ phrase: 'a cat', boxes: [[1, 2, 30, 40]], outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false, ...over })
const region = (id: string, over: Partial<Region> = {}): Region => ({ ...fields(), id, imageId: 'i1', datasetId: 'd1', revision: 3, split: 'train', flags: [], assignee: null, review: null, second: null, ...over })

/** An engine in memory with the real rules: revisions, conflicts, idempotent edit ids, an undo ledger. */
function engine(regions: readonly Region[]) {
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
function log(host: ReturnType<typeof engine>): EditLog {
  const made = createEditLog(host.api, { mintId: () => `e${++ids}`, toError: toErrorData, isDisconnected: (error) => error instanceof Disconnected, wait: () => Promise.resolve() })
  made.receive('i1', [...host.held.values()], 0)
  return made
}
/** Lets promises run until nothing waits that can go on. */
const settle = async (edits: EditLog) => {
  for (let i = 0; i < 200 && edits.store.getState().pending.some((edit) => edit.state !== 'failed'); i++) await Promise.resolve()
}

beforeEach(() => {
  ids = 0
})

describe('an edit', () => {
  it('is shown at once and sent as a diff of values', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const open = host.hold()
    edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { boxes: [[5, 2, 34, 40]] } }])
    expect(edits.region('i1', 'r1')!.boxes).toEqual([[5, 2, 34, 40]])
    expect(edits.store.getState().pending[0]).toMatchObject({ state: 'sending', label: 'Box moved' })
    open()
    await settle(edits)
    expect(host.calls[0]!.edits).toEqual([{ regionId: 'r1', revision: 3, diff: { boxes: { before: [[1, 2, 30, 40]], after: [[5, 2, 34, 40]] } } }])
    expect(edits.store.getState()).toMatchObject({ pending: [], undoLabel: 'Box moved' })
  })

  it('of one box takes its outline along, and of all others leaves theirs', async () => {
    const host = engine([region('r1', { boxes: [[0, 0, 10, 10], [20, 20, 30, 30]], outlines: [[0, 0, 10, 0, 5, 10], []] })])
    const edits = log(host)
    edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { boxes: [[5, 0, 15, 10], [20, 20, 30, 30]] } }])
    edits.edit('Box deleted', 'i1', [{ regionId: 'r1', after: { boxes: [[5, 0, 15, 10]] } }])
    expect(edits.region('i1', 'r1')).toMatchObject({ boxes: [[5, 0, 15, 10]], outlines: [[5, 0, 15, 0, 10, 10]] })
    await settle(edits)
    expect(host.held.get('r1')).toMatchObject({ boxes: [[5, 0, 15, 10]], outlines: [[5, 0, 15, 0, 10, 10]] })
    await Promise.all([edits.undo(), edits.undo()])
    expect(host.held.get('r1')).toMatchObject({ boxes: [[0, 0, 10, 10], [20, 20, 30, 30]], outlines: [[0, 0, 10, 0, 5, 10], []] })
  })

  it('of boxes, sent again after somebody drew outlines, never pairs its boxes with theirs', async () => {
    const host = engine([region('r1', { boxes: [[0, 0, 10, 10], [20, 20, 30, 30]] })])
    const edits = log(host)
    const theirs = { ...host.held.get('r1')!, revision: 9, boxes: [[0, 0, 10, 10], [21, 20, 30, 30]] as const, outlines: [[0, 0, 10, 0, 5, 10], [21, 20, 30, 20, 30, 30]] }
    host.held.set('r1', theirs)
    edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { boxes: [[0, 0, 10, 10], [22, 22, 30, 30]] } }])
    await settle(edits)
    expect(edits.store.getState().pending[0]).toMatchObject({ state: 'failed' })
    edits.receive('i1', [theirs], edits.acknowledged())
    edits.retry()
    await settle(edits)
    expect(host.held.get('r1')).toMatchObject({ boxes: [[0, 0, 10, 10], [22, 22, 30, 30]], outlines: [[0, 0, 10, 0, 5, 10], []] })
  })

  it('that changes nothing is none', () => {
    const edits = log(engine([region('r1')]))
    expect(edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { boxes: [[1, 2, 30, 40]] } }])).toBeNull()
    expect(edits.store.getState().pending).toEqual([])
  })

  it('made while another is under way follows it, upon its revision', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const open = host.hold()
    edits.edit('one', 'i1', [{ regionId: 'r1', after: { phrase: 'b' } }])
    edits.edit('two', 'i1', [{ regionId: 'r1', after: { status: 'accepted' } }])
    edits.edit('three', 'i1', [{ regionId: 'r1', after: { phrase: 'c' } }])
    open()
    await settle(edits)
    expect(host.calls.map((call) => 'revision' in call.edits[0]! && call.edits[0].revision)).toEqual([3, 4, 5])
    expect(host.held.get('r1')).toMatchObject({ phrase: 'c', status: 'accepted', revision: 6 })
  })

  it('creates a region with the id the page gave it, and later edits build on it', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edits.create('Phrase added', region('new', { phrase: '', boxes: [], revision: 0 }))
    edits.edit('Phrase', 'i1', [{ regionId: 'new', after: { phrase: 'a dog' } }])
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r1', 'new'])
    await settle(edits)
    expect(host.held.get('new')).toMatchObject({ phrase: 'a dog', revision: 2 })
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r1', 'new'])
  })

  it('hides a deleted region until it is brought back', async () => {
    const host = engine([region('r1'), region('r2')])
    const edits = log(host)
    edits.edit('Phrase deleted', 'i1', [{ regionId: 'r1', after: { deleted: true } }])
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r2'])
    await settle(edits)
    await edits.undo()
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r1', 'r2'])
  })
})

describe('trouble', () => {
  it('keeps an edit on screen when the disk is full, and saves it on Retry', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    host.faults.push(new AppError('disk-full', 'The disk is full.', 'Free space, then Retry.'))
    edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { boxes: [[9, 9, 20, 20]] } }])
    edits.edit('Accepted', 'i1', [{ regionId: 'r1', after: { status: 'accepted' } }])
    await settle(edits)
    for (let i = 0; i < 20; i++) await Promise.resolve()
    expect(edits.store.getState().pending.map((edit) => edit.state)).toEqual(['failed', 'queued'])
    expect(edits.store.getState().pending[0]!.error).toMatchObject({ code: 'disk-full', message: 'The disk is full.' })
    expect(edits.region('i1', 'r1')).toMatchObject({ boxes: [[9, 9, 20, 20]], status: 'accepted' })
    expect(host.held.get('r1')!.revision).toBe(3)
    edits.retry()
    await settle(edits)
    expect(host.held.get('r1')).toMatchObject({ boxes: [[9, 9, 20, 20]], status: 'accepted', revision: 5 })
  })

  it.each(['before', 'after'])('sends an edit again, once only, when the connection broke %s it was written', async (when) => {
    const host = engine([region('r1')])
    const edits = log(host)
    host.faults.push(new Disconnected(when))
    edits.edit('Box moved', 'i1', [{ regionId: 'r1', after: { phrase: 'x' } }])
    await settle(edits)
    expect(host.calls.map((call) => call.editId)).toEqual(['e1', 'e1'])
    expect(host.held.get('r1')).toMatchObject({ phrase: 'x', revision: 4 })
    expect(edits.store.getState().pending).toEqual([])
  })

  it('never overwrites a newer change by itself; Save mine puts the edit upon it, the other fields stay theirs', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    host.elsewhere('r1', { phrase: 'theirs', note: 'kept' })
    edits.edit('Phrase', 'i1', [{ regionId: 'r1', after: { phrase: 'mine' } }])
    await settle(edits)
    expect(edits.store.getState().pending[0]).toMatchObject({ state: 'failed', error: { code: 'conflict' } })
    expect(host.held.get('r1')!.phrase).toBe('theirs')
    expect(edits.region('i1', 'r1')!.phrase).toBe('mine')
    edits.receive('i1', [...host.held.values()], edits.acknowledged())
    expect(edits.region('i1', 'r1')).toMatchObject({ phrase: 'mine', note: 'kept' })
    edits.retry()
    await settle(edits)
    expect(host.held.get('r1')).toMatchObject({ phrase: 'mine', note: 'kept' })
  })

  it('Keep theirs takes the edit back, with what was built on it', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    host.elsewhere('r1', { phrase: 'theirs' })
    const first = edits.edit('Phrase', 'i1', [{ regionId: 'r1', after: { phrase: 'mine' } }])!
    edits.edit('Phrase', 'i1', [{ regionId: 'r1', after: { phrase: 'mine too' } }])
    edits.edit('Accepted', 'i1', [{ regionId: 'r1', after: { status: 'accepted' } }])
    await settle(edits)
    for (let i = 0; i < 20; i++) await Promise.resolve()
    edits.receive('i1', [...host.held.values()], edits.acknowledged())
    edits.discard(first)
    await settle(edits)
    expect(host.held.get('r1')).toMatchObject({ phrase: 'theirs', status: 'accepted' })
    expect(edits.store.getState().pending).toEqual([])
  })

  it('undo takes back a failed edit instead of an earlier one that was saved', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edits.edit('saved', 'i1', [{ regionId: 'r1', after: { phrase: 'saved' } }])
    await settle(edits)
    host.faults.push(new AppError('disk-full', 'The disk is full.'))
    edits.edit('failed', 'i1', [{ regionId: 'r1', after: { phrase: 'failed' } }])
    await settle(edits)
    await edits.undo()
    expect(edits.region('i1', 'r1')!.phrase).toBe('saved')
    expect(host.held.get('r1')!.phrase).toBe('saved')
  })
})

describe('undo has its place in the order', () => {
  const edit = (edits: EditLog, phrase: string) => edits.edit(phrase, 'i1', [{ regionId: 'r1', after: { phrase } }])!
  const shown = (edits: EditLog) => edits.region('i1', 'r1')!.phrase
  const labels = (edits: EditLog) => stepLabels(edits.store.getState())

  it('while the engine is away: A, undo, X leaves X and never A', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const open = host.hold()
    edit(edits, 'A')
    const undone = edits.undo()
    expect(shown(edits)).toBe('a cat')
    edit(edits, 'X')
    expect(shown(edits)).toBe('X')
    open()
    await settle(edits)
    await undone
    expect(host.held.get('r1')!.phrase).toBe('X')
    expect(host.calls.map((call) => call.label)).toEqual(['A', 'X'])
    expect(edits.store.getState()).toMatchObject({ pending: [], undoLabel: 'X' })
    await edits.undo()
    expect(shown(edits)).toBe('a cat')
  })

  it('takes off what has not gone out, and redo brings it back', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const open = host.hold()
    edit(edits, 'A')
    edit(edits, 'B')
    await edits.undo()
    expect(shown(edits)).toBe('A')
    expect(labels(edits)).toEqual({ undoLabel: 'A', redoLabel: 'B' })
    void edits.undo()
    expect([shown(edits), labels(edits).redoLabel]).toEqual(['a cat', 'A'])
    await edits.redo()
    await edits.redo()
    expect([shown(edits), labels(edits)]).toEqual(['B', { undoLabel: 'B', redoLabel: null }])
    open()
    await settle(edits)
    expect(host.held.get('r1')!.phrase).toBe('B')
    expect(host.calls.map((call) => call.label)).toEqual(['A', 'B'])
    expect(host.steps).toEqual([])
  })

  it('an edit made before the answer to an undo builds on what undo shows, and is no conflict', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    await settle(edits)
    const open = host.hold()
    const undone = edits.undo()
    edits.edit('Accepted', 'i1', [{ regionId: 'r1', after: { status: 'accepted', phrase: 'after' } }])
    open()
    await settle(edits)
    await undone
    expect(edits.store.getState().pending).toEqual([])
    expect(host.held.get('r1')).toMatchObject({ phrase: 'after', status: 'accepted' })
  })

  it.each(['before', 'after'])('goes out again when the connection broke %s it was made, and takes back one edit only', async (when) => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    const second = edit(edits, 'B')
    await settle(edits)
    host.faults.push(new Disconnected(when))
    await edits.undo()
    expect(host.steps).toEqual([`undo ${second}`, `undo ${second}`])
    expect(host.held.get('r1')!.phrase).toBe('A')
    host.faults.push(new Disconnected(when))
    await edits.redo()
    expect(host.held.get('r1')!.phrase).toBe('B')
  })

  it('pressed twice before an answer takes back two edits, in order, and shows both at once', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    edit(edits, 'B')
    await settle(edits)
    const open = host.hold()
    const both = [edits.undo(), edits.undo()]
    expect(shown(edits)).toBe('A')
    open()
    await Promise.all(both)
    expect(host.held.get('r1')!.phrase).toBe('a cat')
    await edits.redo()
    expect(shown(edits)).toBe('A')
    await edits.redo()
    expect(shown(edits)).toBe('B')
    expect(await edits.redo()).toEqual([])
  })

  it('of an edit that then fails takes that edit off, and what comes after is sent', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const open = host.hold()
    host.faults.push(new AppError('disk-full', 'The disk is full.'))
    edit(edits, 'A')
    const undone = edits.undo()
    edit(edits, 'X')
    open()
    await settle(edits)
    await undone
    expect(host.held.get('r1')!.phrase).toBe('X')
    expect(edits.store.getState().pending).toEqual([])
  })

  it('that another window has overtaken changes nothing and says so', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    await settle(edits)
    const known = edits.store.getState()
    await host.api.apply({ editId: 'theirs', label: 'Theirs', edits: [{ regionId: 'r1', revision: 4, diff: { note: { before: '', after: 'theirs' } } }] })
    edits.setLedger(known)
    await expect(edits.undo()).rejects.toMatchObject({ code: 'conflict' })
    expect(host.held.get('r1')).toMatchObject({ phrase: 'A', note: 'theirs' })
    expect(labels(edits)).toEqual({ undoLabel: 'Theirs', redoLabel: null })
    expect(edits.store.getState().pending).toEqual([])
  })

  it('of a new region hides it at once, and redo shows it again', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edits.create('Phrase added', region('new', { phrase: 'a dog', revision: 0 }))
    await settle(edits)
    const open = host.hold()
    const undone = edits.undo()
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r1'])
    const redone = edits.redo()
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r1', 'new'])
    open()
    await Promise.all([undone, redone])
    expect(host.held.get('new')!.deleted).toBe(false)
  })
})

describe('answers', () => {
  it('an older answer never takes back a newer one', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    const old = [...host.held.values()]
    const seen = edits.acknowledged()
    edits.edit('one', 'i1', [{ regionId: 'r1', after: { phrase: 'new' } }])
    await settle(edits)
    edits.receive('i1', old, seen)
    expect(edits.region('i1', 'r1')!.phrase).toBe('new')
  })

  it('what a present answer lacks is gone', () => {
    const edits = log(engine([region('r1'), region('r2')]))
    edits.receive('i1', [region('r2')], edits.acknowledged())
    expect(edits.regions('i1').map((entry) => entry.id)).toEqual(['r2'])
  })
})

it('any run of edits, undone as often, leaves exactly the first state, and redone the last', async () => {
  const coordinate = fc.double({ min: -50, max: 500, noNaN: true })
  const box = fc.tuple(coordinate, coordinate, coordinate, coordinate)
  const change = fc.oneof(
    fc.record({ boxes: fc.array(box, { maxLength: 3 }) }),
    fc.record({ phrase: fc.string({ maxLength: 8 }) }),
    fc.record({ status: fc.constantFrom('accepted' as const, 'rejected' as const, 'skipped' as const, 'unreviewed' as const) }),
    fc.record({ tags: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const start = region('r1', { boxes: [[0.1 + 0.2, 1 / 3, 55.5, 66.25]] })
      const host = engine([start])
      const edits = log(host)
      let made = 0
      for (const after of changes) if (edits.edit('edit', 'i1', [{ regionId: 'r1', after }]) !== null) made++
      await settle(edits)
      const last = edits.region('i1', 'r1')!
      for (let i = 0; i < made; i++) await edits.undo()
      const { revision: _a, ...undone } = edits.region('i1', 'r1')!
      const { revision: _b, ...first } = start
      expect(undone).toEqual(first)
      for (let i = 0; i < made; i++) await edits.redo()
      expect({ ...edits.region('i1', 'r1')!, revision: 0 }).toEqual({ ...last, revision: 0 })
    }),
    { numRuns: 60 },
  )
})
