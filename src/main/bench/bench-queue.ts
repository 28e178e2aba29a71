/** The queue of a large dataset, asked as the page asks: opened, put in every order, filtered by combinations, searched. */
import type { EngineCore } from '../engine/engine.ts'
import { type RegionFilter, type RegionSort, regionSortSchema } from '../../shared/domain.ts'
import type { SyntheticQueue } from './synthetic-queue.ts'

export interface QueueFigure {
  readonly what: string
  readonly medianMs: number
  readonly slowestMs: number
  /** Rows that the answer was a page of. */
  readonly rows: number
}
export interface QueueBench {
  readonly regions: number
  readonly figures: readonly QueueFigure[]
  /** Resident memory of the engine's process before the queue was opened and at the end. */
  readonly memoryBefore: number
  readonly memoryAfter: number
}

const COMBINATIONS: readonly (readonly [string, Partial<RegionFilter>])[] = [
  ['to review', { statuses: ['unreviewed'] }],
  ['accepted, val, flagged', { statuses: ['accepted'], splits: ['val'], flagged: true }],
  ['tag, small boxes', { tags: ['crop'], areaMax: 0.01 }],
  ['consistency 0.2 to 0.21, with a note', { consistencyMin: 0.2, consistencyMax: 0.21, hasNote: true }],
  ['hit, test, rejected, tag, large boxes', { hit: true, splits: ['test'], statuses: ['rejected'], tags: ['blurred'], areaMin: 0.05 }],
]
const SEARCHES = ['red mug', 'umb', '"small dog"', 'see lamp', 'r']

/** @param times how often each question is asked */
export async function benchQueue({ handlers }: EngineCore, { datasetId, checkpoints: [checkpointId, otherCheckpointId] }: SyntheticQueue, times: number, onFigure: (figure: QueueFigure) => void): Promise<QueueBench> {
  const figures: QueueFigure[] = []
  const memoryBefore = process.memoryUsage.rss()
  let number = 0
  const ask = (filter: Partial<RegionFilter>, sort: RegionSort, descending = false) =>
    handlers.regions.query({ filter: { datasetId, checkpointId, otherCheckpointId, ...filter }, sort, descending, seed: 1, offset: 0, limit: 100, snapshot: { owner: 'bench', number: ++number } })
  const measure = async (what: string, work: () => Promise<{ total: number }> | { total: number }, rounds = times): Promise<void> => {
    const took: number[] = []
    let total = 0
    for (let i = 0; i < rounds; i++) {
      const from = performance.now()
      total = (await work()).total
      took.push(performance.now() - from)
    }
    took.sort((a, b) => a - b)
    const figure = { what, medianMs: took[took.length >> 1]!, slowestMs: took.at(-1)!, rows: total }
    figures.push(figure)
    onFigure(figure)
  }
  await measure('open, nothing read yet', () => ask({}, 'suspect', true), 1)
  await measure('open until every order is at hand', () => ask({}, 'disagreement', true), 1)
  for (const sort of regionSortSchema.options) {
    await ask({}, sort)
    await measure(`sort by ${sort}`, () => ask({}, sort, true))
  }
  for (const [what, filter] of COMBINATIONS) {
    for (const sort of ['file-order', 'consistency', 'disagreement'] as const) await measure(`filter ${what}; by ${sort}`, () => ask(filter, sort))
  }
  for (const text of SEARCHES) await measure(`search ${text}`, () => ask({ text }, 'file-order'))
  await measure('search red mug, to review, by consistency', () => ask({ text: 'red mug', statuses: ['unreviewed'] }, 'consistency'))
  let at = 0
  const { total } = await ask({}, 'consistency')
  await measure('scroll to any page', async () => handlers.regions.query({ filter: { datasetId, checkpointId }, sort: 'consistency', descending: false, offset: (at += 99_991) % total, limit: 100, snapshot: { owner: 'bench', number } }), times * 3)
  return { regions: total, figures, memoryBefore, memoryAfter: process.memoryUsage.rss() }
}
