/** Changes with their intervals, one under the other on one axis that always shows zero. */
import { pText, grouped, withSign } from './numbers.ts'
import { chart, type ChartInk, fitted, node, type SvgNode, text } from './svg.ts'

export interface ForestRow {
  readonly group: string
  readonly name: string
  readonly regions: number
  /** In the unit of the axis. */
  readonly change: number
  readonly interval: { readonly low: number; readonly high: number } | null
  /** Adjusted. */
  readonly p: number
}

export interface ForestWords {
  readonly title: string
  readonly description: string
  readonly axis: string
  /** Over the names of the rows. */
  readonly nameHead: string
  readonly pHead: string
}

const ROW = 20
const HEAD = 24
const FOOT = 36
const COLUMNS = { name: 168, n: 56, numbers: 150, p: 64 }

export function forestChart(id: string, rows: readonly ForestRow[], words: ForestWords, ink: ChartInk, width = 760): SvgNode {
  const groups = [...new Set(rows.map((row) => row.group))]
  const lines = groups.flatMap((group) => [{ group, row: null }, ...rows.filter((row) => row.group === group).map((row) => ({ group, row }))])
  const height = HEAD + lines.length * ROW + FOOT
  const left = COLUMNS.name + COLUMNS.n
  const right = width - COLUMNS.numbers - COLUMNS.p
  const ticks = niceTicks(rows.flatMap((row) => [row.change, ...(row.interval ? [row.interval.low, row.interval.high] : [])]))
  const [low, high] = [ticks[0]!, ticks.at(-1)!]
  const x = (value: number): number => left + 8 + ((value - low) / (high - low)) * (right - left - 16)
  const bottom = HEAD + lines.length * ROW
  const muted = { fill: ink.quiet }
  return chart(id, { width, height }, words, ink, [
    text(0, 15, words.nameHead, muted), text(left - 8, 15, 'n', { ...muted, 'text-anchor': 'end' }), text(width - COLUMNS.p, 15, 'change [95 %]', { ...muted, 'text-anchor': 'end' }), text(width, 15, words.pHead, { ...muted, 'text-anchor': 'end' }),
    ...ticks.flatMap((tick) => [
      node('line', { x1: x(tick), x2: x(tick), y1: HEAD, y2: bottom, stroke: tick === 0 ? ink.quiet : ink.grid, 'stroke-width': 1 }),
      text(x(tick), bottom + 15, withSign(tick, decimals(ticks)), { ...muted, 'text-anchor': 'middle' }),
    ]),
    text((left + right) / 2, bottom + 31, words.axis, { ...muted, 'text-anchor': 'middle' }),
    ...lines.map(({ group, row }, i) => {
      const middle = HEAD + i * ROW + ROW / 2
      return row ? forestRow(row, middle, x, width, left, ink) : text(0, middle + 4, group, { fill: ink.text, 'font-weight': 600 })
    }),
  ])
}

function forestRow(row: ForestRow, middle: number, x: (value: number) => number, width: number, left: number, ink: ChartInk): SvgNode {
  const clear = row.interval !== null && (row.interval.low > 0 || row.interval.high < 0)
  const colour = clear ? ink.clear : ink.unclear
  const numbers = `${withSign(row.change, 1)} ${row.interval ? `[${withSign(row.interval.low, 1)}, ${withSign(row.interval.high, 1)}]` : '[too few images]'}`
  return node('g', {}, [
    text(10, middle + 4, fitted(row.name, LONGEST_PX), { fill: ink.text }),
    text(left - 8, middle + 4, grouped(row.regions), { fill: ink.quiet, 'text-anchor': 'end' }),
    ...(row.interval ? [
      node('line', { x1: x(row.interval.low), x2: x(row.interval.high), y1: middle, y2: middle, stroke: colour, 'stroke-width': 2 }),
      ...[row.interval.low, row.interval.high].map((end) => node('line', { x1: x(end), x2: x(end), y1: middle - 4, y2: middle + 4, stroke: colour, 'stroke-width': 1.5 })),
    ] : []),
    row.interval ? node('rect', { x: x(row.change) - 3.5, y: middle - 3.5, width: 7, height: 7, fill: colour }) : node('circle', { cx: x(row.change), cy: middle, r: 3, fill: 'none', stroke: colour, 'stroke-width': 1.5 }),
    text(width - COLUMNS.p, middle + 4, numbers, { fill: clear ? ink.text : ink.quiet, 'text-anchor': 'end' }),
    text(width, middle + 4, pText(row.p), { fill: row.p < 0.05 ? ink.text : ink.quiet, 'text-anchor': 'end' }),
  ])
}

const LONGEST_PX = COLUMNS.name - 24

/** Round steps from below the lowest to above the highest, zero among them. */
export function niceTicks(values: readonly number[], about = 5): number[] {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const span = high - low || 1
  const rough = span / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!
  const [from, to] = [Math.floor(low / step), Math.max(Math.ceil(high / step), Math.floor(low / step) + 1)]
  return Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(12)))
}

function decimals(ticks: readonly number[]): number {
  return ticks.some((tick) => !Number.isInteger(tick)) ? Math.max(...ticks.map((tick) => (String(tick).split('.')[1] ?? '').length)) : 0
}
