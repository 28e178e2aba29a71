import { expect, test } from 'vitest'
import type { Checkpoint, Dataset } from '../../../shared/domain.ts'
import { FIRST_STATE, fromParams, toParams } from './address.ts'
import { chooseInProject, unpinned } from './choice.ts'

const checkpoint = (id: string, createdAt: string, over: Partial<Checkpoint> = {}): Checkpoint => ({
  id, name: id, origin: 'run', runId: 'run1', step: 100, modelName: 'tiny', parameters: 1, sizeBytes: 1, createdAt, metrics: {}, best: false, ...over,
})
const dataset = (id: string, over: Partial<Dataset> = {}): Dataset => ({ id, name: id, splits: { val: 5 }, meanConsistency: null, ...over }) as Dataset

test('what the screen has chosen goes into the address, and does not move when a run makes better ones', () => {
  const shipped = checkpoint('shipped', '2024-01-01', { origin: 'shipped' })
  const step40 = checkpoint('step40', '2024-01-02', { best: true })
  const step50 = checkpoint('step50', '2024-01-03', { best: true })
  const before = chooseInProject([step40, shipped], [dataset('d1')], [], FIRST_STATE)!
  const pin = unpinned(before, FIRST_STATE)!
  expect(pin).toEqual({ checkpoints: ['shipped', 'step40'], dataset: 'd1' })
  const state = fromParams(toParams({ ...FIRST_STATE, ...pin }))
  // A better one came, and another dataset was scored meanwhile.
  const after = chooseInProject([step50, { ...step40, best: false }, shipped], [dataset('d0', { meanConsistency: 0.5 }), dataset('d1')], [], state)!
  expect(after.sides.map((side) => side.id)).toEqual(['shipped', 'step40'])
  expect(after.dataset.id).toBe('d1')
  expect(unpinned(after, state)).toBeNull()
})

test('one that is gone is replaced in the address too, what stands beside it stays', () => {
  const [a, b, c] = [checkpoint('a', '2024-01-01'), checkpoint('b', '2024-01-02', { best: true }), checkpoint('c', '2024-01-03')]
  const state = { ...FIRST_STATE, dataset: 'd1', checkpoints: ['a', 'gone', 'c'] }
  expect(unpinned(chooseInProject([a, b, c], [dataset('d1')], [], state)!, state)).toEqual({ checkpoints: ['a', 'b', 'c'], dataset: 'd1' })
})
