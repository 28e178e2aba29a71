import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region, RegionFields } from '../../../shared/domain.ts'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { type RegionDiff, applyRegionDiff, reverseRegionDiff } from '../../../shared/region-diff.ts'
import { type EditLog, type EditResult, createEditLog } from './edit-log.ts'

class Disconnected extends Error {}

const fields = (over: Partial<RegionFields> = {}): RegionFields => ({ phrase: 'a cat', boxes: [[1, 2, 30, 40]], status: 'unreviewed', tags: [], note: '', deleted: false, ...over })
const region = (id: string, over: Partial<Region> = {}): Region => ({ ...fields(), id, imageId: 'i1', datasetId: 'd1', revision: 3, split: 'train', flags: [], ...over })

/** An engine in memory with the real rules: revisions, conflicts, idempotent edit ids, an undo ledger. */
function engine(regions: readonly Region[]) {
  const held = new Map(regions.map((entry) => [entry.id, entry]))
  const answered = new Map<string, EditResult>()
  const undone: { label: string; diffs: [string, RegionDiff][] }[] = []
  const done: { label: string; diffs: [string, RegionDiff][] }[] = []
  const faults: unknown[] = []
  const calls: { editId: string; label: string; edits: RegionEdit[] }[] = []
  let gate: Promise<void> = Promise.resolve()
  const result = (ids: readonly string[]): EditResult => ({ regions: ids.map((id) => held.get(id)!), undoLabel: done.at(-1)?.label ?? null, redoLabel: undone.at(-1)?.label ?? null })
  const put = (id: string, diff: RegionDiff) => {
    const old = held.get(id)!
    held.set(id, { ...old, ...applyRegionDiff({ phrase: old.phrase, boxes: old.boxes, status: old.status, tags: old.tags, note: old.note, deleted: old.deleted }, diff), revision: old.revision + 1 })
  }
  return {
    held, calls, faults,
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
          if ('create' in edit) held.set(edit.regionId, { ...edit.create, id: edit.regionId, imageId: edit.imageId, datasetId: 'd1', revision: 1, split: 'train', flags: [] })
          else {
            if (held.get(edit.regionId)!.revision !== edit.revision) throw new AppError('conflict', 'Somebody changed this region meanwhile.', 'Look at the new state.')
            put(edit.regionId, edit.diff)
          }
        }
        done.push({ label: input.label, diffs: input.edits.flatMap((edit) => ('diff' in edit ? [[edit.regionId, edit.diff] as [string, RegionDiff]] : [])) })
        undone.length = 0
        const answer = result(input.edits.map((edit) => edit.regionId))
        answered.set(input.editId, answer)
        if (fault) throw fault
        return answer
      },
      async undo() {
        const step = done.pop()!
        for (const [id, diff] of step.diffs) put(id, reverseRegionDiff(diff))
        undone.push(step)
        return result(step.diffs.map(([id]) => id))
      },
      async redo() {
        const step = undone.pop()!
        for (const [id, diff] of step.diffs) put(id, diff)
        done.push(step)
        return result(step.diffs.map(([id]) => id))
      },
    },
  }
}

let ids = 0
function log(host: ReturnType<typeof engine>): EditLog {
  const made = createEditLog(host.api, { mintId: () => `e${++ids}`, toError: toErrorData, isDisconnected: (error) => error instanceof Disconnected, wait: () => Promise.resolve() })
  made.receive('i1', [...host.held.values()], 0)
  return made
}
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
