import { describe, expect, it } from 'vitest'
import { boxesOnly, shapeOf } from '../../../shared/shape.ts'
import { engine, log as logOn, region } from '../../../../test/support/edit-log-host.ts'
import { boxMark, carryMarks, followMarks, getMarks, lockedAgainst, mark, markedPhrases, unmark } from './marks.ts'
import { sceneBoxes } from './scene-boxes.ts'

const A = [0, 0, 10, 10] as const
const B = [20, 20, 30, 30.5] as const
const two = region('r-1', boxesOnly([A, B]))
const none = { hidden: new Set<string>(), locked: new Set<string>() }
const locking = (...ids: string[]) => ({ ...none, locked: new Set(ids) })

describe('what is locked', () => {
  it('refuses to change the boxes of a locked phrase, and nothing else of it', () => {
    const marks = locking('r-1')
    expect(lockedAgainst(marks, two, { boxes: [A] })).toBe('phrase')
    expect(lockedAgainst(marks, two, { deleted: true })).toBe('phrase')
    expect(lockedAgainst(marks, two, { status: 'accepted', phrase: 'x' })).toBeNull()
    expect(lockedAgainst(none, two, { deleted: true })).toBeNull()
  })

  it('of a locked box only that box: it may be moved among the others, not changed, not deleted with its phrase', () => {
    const marks = locking(boxMark('r-1', B))
    expect(lockedAgainst(marks, two, { boxes: [[1, 0, 11, 10], B] })).toBeNull()
    expect(lockedAgainst(marks, two, { boxes: [B, A] })).toBeNull()
    expect(lockedAgainst(marks, two, { boxes: [B] })).toBeNull()
    expect(lockedAgainst(marks, two, { boxes: [A] })).toEqual(B)
    expect(lockedAgainst(marks, two, { boxes: [A, [20, 20, 30, 31]] })).toEqual(B)
    expect(lockedAgainst(marks, two, { deleted: true })).toEqual(B)
    expect(lockedAgainst(marks, region('r-2', boxesOnly([B])), { deleted: true })).toBeNull()
  })

  it('keeps the outline of a locked box too', () => {
    const outline = [20, 20, 30, 20, 30, 30.5]
    const outlined = region('r-1', shapeOf([A, B], [[], outline]))
    const marks = locking(boxMark('r-1', B))
    expect(lockedAgainst(marks, outlined, shapeOf([A, B], [[], [20, 20, 30, 20, 20, 30.5]]))).toEqual(B)
    expect(lockedAgainst(marks, outlined, shapeOf([B, A], [outline, []]))).toBeNull()
    expect(lockedAgainst(marks, outlined, { boxes: [A, B] })).toBeNull()
  })

  it('names the phrases that a mark is in', () => {
    expect([...markedPhrases(new Set(['r-1', boxMark('r-2', A), boxMark('r-2', B)]))]).toEqual(['r-1', 'r-2'])
  })
})

describe('marks on single boxes', () => {
  it('show on the canvas, on that box alone', () => {
    const boxes = sceneBoxes([two, region('r-2', boxesOnly([A]))], 'r-1', { showOthers: true, hidden: new Set([boxMark('r-1', B)]), locked: new Set([boxMark('r-1', A), boxMark('r-2', A)]) })
    expect(boxes.map(({ key, hidden = false, locked = false }) => [key, hidden, locked])).toEqual([['r-2/0', false, true], ['r-1/0', false, true], ['r-1/1', true, false]])
  })

  it('go along when a marked box is changed, not when it comes to stand elsewhere, and go with the phrase when its marks are taken off', () => {
    mark('hidden', [boxMark('r-1', A)], true)
    mark('locked', ['r-1', boxMark('r-2', B)], true)
    carryMarks('r-1', [A, B], [[1, 1, 11, 11], B])
    expect(getMarks().hidden).toContain(boxMark('r-1', [1, 1, 11, 11]))
    expect(getMarks().hidden).not.toContain(boxMark('r-1', A))
    carryMarks('r-1', [[1, 1, 11, 11], B], [B, [1, 1, 11, 11]])
    expect(getMarks().hidden).not.toContain(boxMark('r-1', B))
    carryMarks('r-1', [[1, 1, 11, 11], B], [B])
    expect(getMarks().hidden).not.toContain(boxMark('r-1', B))
    unmark(['r-1'])
    expect(getMarks()).toEqual({ hidden: new Set(), locked: new Set([boxMark('r-2', B)]) })
    unmark(['r-2'])
  })

  it('stay on a box through undo and redo, and when somebody elsewhere moves it', async () => {
    const host = engine([region('r-1', boxesOnly([A, B]))])
    const log = logOn(host)
    log.receive('i1', [...host.held.values()], log.acknowledged())
    const stop = followMarks(log)
    const moved = [1, 1, 11, 11] as const
    log.edit('Box moved', 'i1', [{ regionId: 'r-1', after: { boxes: [moved, B] } }])
    mark('locked', [boxMark('r-1', moved)], true)
    await log.undo()
    expect(getMarks().locked).toEqual(new Set([boxMark('r-1', A)]))
    await log.redo()
    await log.settled()
    expect(getMarks().locked).toEqual(new Set([boxMark('r-1', moved)]))
    host.elsewhere('r-1', { boxes: [[2, 2, 12, 12], B] })
    log.receive('i1', [...host.held.values()], log.acknowledged())
    expect(getMarks().locked).toEqual(new Set([boxMark('r-1', [2, 2, 12, 12])]))
    stop()
    unmark(['r-1'])
  })
})
