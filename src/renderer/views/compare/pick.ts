/** Which rows of a comparison are looked at: a cell of the matrix, a brushed part of the chart, and an order. */
import { CHANGE_BINS } from '../../../shared/charts/spread.ts'
import type { CompareRow, CompareScores } from '../../../shared/contract/compare.ts'

/** A row seen by two of the checkpoints. */
export interface Row extends Omit<CompareRow, 'scores'> {
  readonly a: CompareScores
  readonly b: CompareScores
}

export function rowsOfPair(rows: readonly CompareRow[], [a, b]: readonly [number, number]): readonly Row[] {
  return rows.map(({ scores, ...row }) => ({ ...row, a: scores[a]!, b: scores[b]! }))
}

export const CELLS = ['both', 'broken', 'fixed', 'neither'] as const
export type Cell = (typeof CELLS)[number]

export function cellOf(row: Pick<Row, 'a' | 'b'>): Cell {
  if (row.a.pointingHit) return row.b.pointingHit ? 'both' : 'broken'
  return row.b.pointingHit ? 'fixed' : 'neither'
}

/** Ranges of consistency: of both sides from the scatter, of the change from the histogram. They hold together, so that one chart shows what the other brushed. */
export interface Brush {
  readonly a?: readonly [number, number]
  readonly b?: readonly [number, number]
  readonly change?: readonly [number, number]
}

const KEY_STEP = 0.05
const ARROWS: Readonly<Record<string, readonly ['x' | 'y', number]>> = { ArrowLeft: ['x', -1], ArrowRight: ['x', 1], ArrowDown: ['y', -1], ArrowUp: ['y', 1] }

/**
 * The brush after a key: an arrow moves it, with Shift it moves the far edge. The first arrow makes one in the middle.
 * @returns null when the key is not for it
 */
export function brushByKey(brush: Brush | null, key: string, shift: boolean, chart: 'scatter' | 'histogram'): Brush | null {
  const arrow = ARROWS[key]
  if (!arrow || (chart === 'histogram' && arrow[0] === 'y')) return null
  const moved = (range: readonly [number, number], by: number, low: number, high: number): readonly [number, number] => {
    if (shift) return [range[0], Math.min(high, Math.max(range[0] + KEY_STEP, range[1] + by))]
    const shifted = Math.min(high - range[1], Math.max(low - range[0], by))
    return [range[0] + shifted, range[1] + shifted]
  }
  if (chart === 'histogram') return { ...brush, change: brush?.change ? moved(brush.change, arrow[1] * KEY_STEP, -1, 1) : [-0.25, 0.25] }
  if (!brush?.a || !brush.b) return { ...brush, a: [0.25, 0.75], b: [0.25, 0.75] }
  const by = arrow[1] * KEY_STEP
  return arrow[0] === 'x' ? { ...brush, a: moved(brush.a, by, 0, 1) } : { ...brush, b: moved(brush.b, by, 0, 1) }
}

/** Null where one side has no heat. */
export function changeOf(row: Pick<Row, 'a' | 'b'>): number | null {
  return row.a.insideEnergy === null || row.b.insideEnergy === null ? null : row.b.insideEnergy - row.a.insideEnergy
}

export function inBrush(row: Pick<Row, 'a' | 'b'>, brush: Brush | null): boolean {
  if (!brush) return true
  const within = (value: number | null, range: readonly [number, number] | undefined) => !range || (value !== null && value >= range[0] && value <= range[1])
  return within(row.a.insideEnergy, brush.a) && within(row.b.insideEnergy, brush.b) && within(changeOf(row), brush.change)
}

export const ORDERS = ['gain', 'loss', 'lowest', 'phrase'] as const
export type Order = (typeof ORDERS)[number]

/** Rows of a cell and brush in order. Equal rows keep the order of the dataset, so that a gallery stays put. */
export function pickRows(rows: readonly Row[], cell: Cell | null, brush: Brush | null, order: Order): readonly Row[] {
  const picked = rows.filter((row) => (cell === null || cellOf(row) === cell) && inBrush(row, brush))
  // What has no heat comes last.
  const keys: Readonly<Record<Order, (row: Row) => number>> = { gain: (row) => -(changeOf(row) ?? -2), loss: (row) => changeOf(row) ?? 2, lowest: (row) => row.b.insideEnergy ?? 2, phrase: () => 0 }
  if (order === 'phrase') return picked.sort((x, y) => x.phrase.localeCompare(y.phrase))
  const key = keys[order]
  return picked.sort((x, y) => key(x) - key(y))
}

export interface HistogramBin {
  readonly low: number
  readonly high: number
  readonly count: number
  readonly inBrush: number
}

/** Counts of the change of consistency in equal bins over [-1, 1]. */
export function histogram(rows: readonly Pick<Row, 'a' | 'b'>[], brush: Brush | null, bins = CHANGE_BINS): readonly HistogramBin[] {
  const counts = new Array<number>(bins).fill(0)
  const brushed = new Array<number>(bins).fill(0)
  for (const row of rows) {
    const change = changeOf(row)
    if (change === null) continue
    const at = Math.min(bins - 1, Math.max(0, Math.floor(((change + 1) / 2) * bins)))
    counts[at]!++
    if (brush && inBrush(row, brush)) brushed[at]!++
  }
  return counts.map((count, i) => ({ low: -1 + (2 * i) / bins, high: -1 + (2 * (i + 1)) / bins, count, inBrush: brushed[i]! }))
}
