/** How a measure is spread over the regions: of both sides against each other, and of its change. */
import { grouped, plain, withSign } from './numbers.ts'
import { chart, type ChartInk, fitted, node, type SvgNode, text } from './svg.ts'

export interface Point2 {
  readonly a: number
  readonly b: number
}

export interface SpreadWords {
  readonly title: string
  readonly description: string
  readonly across: string
  readonly up: string
}

const SIZE = { width: 420, height: 400 }
const PAD = { left: 52, right: 12, top: 12, bottom: 44 }
/** Above this dots would cover each other: cells are shaded by their count instead, which the caption says. */
export const MOST_DOTS = 4000
const CELLS = 50

export function scatterChart(id: string, points: readonly Point2[], words: SpreadWords, ink: ChartInk): SvgNode {
  const [w, h] = [SIZE.width - PAD.left - PAD.right, SIZE.height - PAD.top - PAD.bottom]
  const x = (value: number): number => PAD.left + value * w
  const y = (value: number): number => PAD.top + (1 - value) * h
  return chart(id, SIZE, words, ink, [
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((tick) => [
      node('line', { x1: x(0), x2: x(1), y1: y(tick), y2: y(tick), stroke: ink.grid }),
      text(x(0) - 8, y(tick) + 4, plain(tick, 2), { fill: ink.quiet, 'text-anchor': 'end' }), text(x(tick), y(0) + 16, plain(tick, 2), { fill: ink.quiet, 'text-anchor': tick === 1 ? 'end' : 'middle' }),
    ]),
    node('line', { x1: x(0), x2: x(1), y1: y(0), y2: y(1), stroke: ink.quiet, 'stroke-dasharray': '3 3' }),
    ...(points.length > MOST_DOTS ? shaded(points, x, y, w, h, ink) : points.map((point) => node('circle', { cx: x(point.a), cy: y(point.b), r: 2, fill: ink.clear, 'fill-opacity': 0.45 }))),
    text(x(0.5), SIZE.height - 8, fitted(words.across, w), { fill: ink.quiet, 'text-anchor': 'middle' }),
    text(14, y(0.5), fitted(words.up, h), { fill: ink.quiet, 'text-anchor': 'middle', transform: `rotate(-90 14 ${Math.round(y(0.5))})` }),
  ])
}

function shaded(points: readonly Point2[], x: (value: number) => number, y: (value: number) => number, w: number, h: number, ink: ChartInk): SvgNode[] {
  const counts = new Map<number, number>()
  const cell = (value: number): number => Math.min(CELLS - 1, Math.max(0, Math.floor(value * CELLS)))
  for (const { a, b } of points) counts.set(cell(b) * CELLS + cell(a), (counts.get(cell(b) * CELLS + cell(a)) ?? 0) + 1)
  const most = Math.log1p(Math.max(...counts.values()))
  return [...counts].map(([at, n]) => node('rect', { x: x((at % CELLS) / CELLS), y: y((Math.floor(at / CELLS) + 1) / CELLS), width: w / CELLS, height: h / CELLS, fill: ink.clear, 'fill-opacity': 0.15 + (0.85 * Math.log1p(n)) / most }))
}

/** An odd number, so that what did not change stands in the middle and not on the side of a gain. */
export const CHANGE_BINS = 41

/** Its half is a whole number too, so that it can stand at a tick. */
export const evenAtLeast = (count: number): number => Math.max(2, 2 * Math.ceil(count / 2))

/** Counts of changes in equal bins over [-1, 1]. */
export function changeChart(id: string, changes: readonly number[], words: SpreadWords, ink: ChartInk): SvgNode {
  const size = { width: 420, height: 260 }
  const bins = CHANGE_BINS
  const counts = new Array<number>(bins).fill(0)
  for (const change of changes) counts[Math.min(bins - 1, Math.max(0, Math.floor(((change + 1) / 2) * bins)))]!++
  const most = evenAtLeast(Math.max(...counts))
  const [w, h] = [size.width - PAD.left - PAD.right, size.height - PAD.top - PAD.bottom]
  const x = (value: number): number => PAD.left + ((value + 1) / 2) * w
  const y = (n: number): number => PAD.top + (1 - n / most) * h
  return chart(id, size, words, ink, [
    ...[0, 0.5, 1].flatMap((share) => [node('line', { x1: x(-1), x2: x(1), y1: y(most * share), y2: y(most * share), stroke: ink.grid }), text(x(-1) - 8, y(most * share) + 4, grouped(Math.round(most * share)), { fill: ink.quiet, 'text-anchor': 'end' })]),
    ...counts.flatMap((n, i) => (n === 0 ? [] : [node('rect', { x: x(-1 + (2 * i) / bins) + 0.5, width: w / bins - 1, y: y(n), height: y(0) - y(n), fill: ink.clear })])),
    node('line', { x1: x(0), x2: x(0), y1: PAD.top, y2: y(0), stroke: ink.quiet, 'stroke-dasharray': '2 3' }),
    ...[-1, -0.5, 0, 0.5, 1].map((tick) => text(x(tick), y(0) + 16, withSign(tick, 1), { fill: ink.quiet, 'text-anchor': tick === 1 ? 'end' : 'middle' })),
    text(x(0), size.height - 8, words.across, { fill: ink.quiet, 'text-anchor': 'middle' }),
    text(14, y(most / 2), words.up, { fill: ink.quiet, 'text-anchor': 'middle', transform: `rotate(-90 14 ${Math.round(y(most / 2))})` }),
  ])
}
