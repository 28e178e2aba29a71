import { expect, test } from 'vitest'
import { region } from '../../../../test/support/edit-log-host.ts'
import { meetings } from './meeting.ts'

test('an edit and what is there now, field by field in words', () => {
  const now = region('r1', { phrase: 'from A', boxes: [[0, 0, 10, 20]], status: 'rejected', note: '', tags: ['x', 'y'], assignee: null })
  const diff = {
    phrase: { before: 'a cat', after: 'A again' }, boxes: { before: [[1, 2, 30, 40]], after: [[1.25, 2, 30, 40], [5, 5, 9, 9]] }, status: { before: 'unreviewed', after: 'accepted' },
    tags: { before: [], after: [] }, note: { before: '', after: 'mine' }, assignee: { before: null, after: 'Ada' }, review: { before: null, after: { by: 'me', at: '2026-01-01' } },
  } as const
  expect(meetings([{ kind: 'change', regionId: 'r1', imageId: 'i1', diff }], () => now).map(({ name, mine, theirs }) => [name, mine, theirs])).toEqual([
    ['phrase', '“A again”', '“from A”'],
    ['boxes', '28.8 × 38 at 1.3, 2; 4 × 4 at 5, 5', '10 × 20 at 0, 0'],
    ['status', 'accepted', 'rejected'],
    ['tags', 'none', 'x, y'],
    ['note', '“mine”', 'none'],
    ['assignee', 'Ada', 'nobody'],
  ])
})

test('many boxes are counted, and a region that is gone is said to be', () => {
  const boxes = Array.from({ length: 5 }, (_, i) => [i, i, i + 2, i + 2] as const)
  const [met] = meetings([{ kind: 'change', regionId: 'r1', imageId: 'i1', diff: { boxes: { before: [], after: boxes } } }], () => undefined)
  expect(met).toMatchObject({ mine: '5 boxes', theirs: 'not there any more' })
})
