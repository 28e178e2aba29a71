import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { Disconnected, engine, log, region, settle } from '../../../../test/support/edit-log-host.ts'
import type { EditLog } from './edit-log-types.ts'
import { stepLabels } from './edit-steps.ts'

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

  it('an edit past this log, of many regions, leaves nothing to make again', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    await settle(edits)
    await edits.undo()
    expect(labels(edits).redoLabel).toBe('A')
    edits.setLedger({ undoLabel: 'Accept 9 regions', undoEditId: 'many', redoLabel: null, redoEditId: null }, true)
    expect(labels(edits)).toEqual({ undoLabel: 'Accept 9 regions', redoLabel: null })
    // Nor what was taken off before it went out.
    const open = host.hold()
    edit(edits, 'B')
    edit(edits, 'C')
    await edits.undo()
    edits.setLedger({ undoLabel: 'Tag 9 regions', undoEditId: 'more', redoLabel: null, redoEditId: null }, true)
    expect(labels(edits).redoLabel).toBeNull()
    open()
    await settle(edits)
  })

  it('what the engine cannot make again any more, because of another window, is not offered', async () => {
    const host = engine([region('r1')])
    const edits = log(host)
    edit(edits, 'A')
    await settle(edits)
    await edits.undo()
    edits.setLedger({ undoLabel: 'Theirs', undoEditId: 'theirs', redoLabel: null, redoEditId: null })
    expect(labels(edits)).toEqual({ undoLabel: 'Theirs', redoLabel: null })
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
