import { describe, expect, it } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { Disconnected, engine, log, region, settle } from '../../../../test/support/edit-log-host.ts'

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
