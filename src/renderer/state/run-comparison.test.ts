import { describe, expect, test } from 'vitest'
import type { Checkpoint, Dataset, Run } from '../../shared/domain.ts'
import { parseHash } from '../app/routes.ts'
import { comparisonLink, comparisonOf, heldOut } from './run-comparison.ts'

const run = (state: Run['state'], startCheckpointId: string | null = 'start') => ({ id: 'r', datasetId: 'd', state, startCheckpointId }) as Run
const checkpoints = [{ id: 'start', runId: 'before', best: true }, { id: 'last', runId: 'r', best: false }, { id: 'best', runId: 'r', best: true }] as Checkpoint[]
const datasets = [{ id: 'd', splits: { train: 5, val: 2 } as Record<string, number> }] as Dataset[]

describe('a run that began from a checkpoint', () => {
  test('is compared by its best checkpoint, on what is held out', () => {
    const comparison = comparisonOf(run('finished'), checkpoints, datasets)!
    expect([comparison.start.id, comparison.best.id, comparison.split]).toEqual(['start', 'best', 'val'])
    expect(parseHash(comparisonLink(comparison))).toEqual({ screen: 'compare', params: { dataset: 'd', a: 'start', b: 'best', split: 'val' } })
  })

  test('is not compared while it trains or waits, from random weights, or when a checkpoint is gone', () => {
    expect([run('training'), run('waiting'), run('finished', null), run('finished', 'gone')].map((one) => comparisonOf(one, checkpoints, datasets))).toEqual([null, null, null, null])
    expect(comparisonOf(run('finished'), checkpoints.slice(0, 2), datasets)).toBeNull()
    expect(comparisonOf(run('stopped'), checkpoints, datasets)).not.toBeNull()
  })

  test('a split for tests goes before the one that chose the best checkpoint', () => {
    expect([{ train: 4, val: 2, test: 3 }, { val: 1, testA: 2, testB: 2 }, { train: 3, val: 1, test: 0 }, { train: 3 }].map((splits) => heldOut({ splits: splits as unknown as Record<string, number> }))).toEqual(['test', 'testA', 'val', null])
  })
})
