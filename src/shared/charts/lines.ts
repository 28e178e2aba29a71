/** Curves of two to four checkpoints over one axis, told apart by colour, dash and mark, so that they hold in black and white too. */
import { plain } from './numbers.ts'
import type { SpreadWords } from './spread.ts'
import { chart, type ChartInk, fitted, node, type SvgNode, text } from './svg.ts'

export interface Line {
  /** Place of the checkpoint among those compared: gives its look. */
  readonly place: number
  readonly name: string
}

export interface Curve extends Line {
  /** In [0, 1], at equal steps from the left end of the axis to its right end. */
  readonly values: readonly number[]
}

export interface Stages extends Line {
  /** By stage; one that a model does not have is left out. */
  readonly values: Readonly<Record<string, number>>
}

const SIZE = { width: 336, height: 272 }
const PAD = { left: 56, right: 12, bottom: 44 }
const KEY_ROW = 16
const DASHES = ['', '7 3', '2 3', '9 3 2 3'] as const
const QUARTERS = [0, 0.25, 0.5, 0.75, 1]

/** Values in [0, 1] as they change over a share from 0 to 1. */
export function curveChart(id: string, curves: readonly Curve[], words: SpreadWords, ink: ChartInk): SvgNode {
  const top = 8 + curves.length * KEY_ROW + 8
  const size = { width: SIZE.width, height: SIZE.height + curves.length * KEY_ROW }
  const [w, h] = [size.width - PAD.left - PAD.right, size.height - top - PAD.bottom]
  const x = (share: number): number => PAD.left + share * w
  const y = (value: number): number => top + (1 - value) * h
  return chart(id, size, words, ink, [
    ...QUARTERS.flatMap((tick) => [
      node('line', { x1: x(0), x2: x(1), y1: y(tick), y2: y(tick), stroke: ink.grid }),
      text(x(0) - 8, y(tick) + 4, plain(tick, 2), { fill: ink.quiet, 'text-anchor': 'end' }), text(x(tick), y(0) + 16, `${tick * 100}`, { fill: ink.quiet, 'text-anchor': tick === 1 ? 'end' : 'middle' }),
    ]),
    ...curves.map((curve) => lineOf(curve, curve.values.map((value, i) => [x(curve.values.length > 1 ? i / (curve.values.length - 1) : 0), y(value)] as const), ink)),
    ...keys(curves, PAD.left, size.width - PAD.right, ink),
    text(x(0.5), size.height - 8, words.across, { fill: ink.quiet, 'text-anchor': 'middle' }),
    text(12, y(0.5), words.up, { fill: ink.quiet, 'text-anchor': 'middle', transform: `rotate(-90 12 ${Math.round(y(0.5))})` }),
  ])
}

const STAGE = { width: 688, label: 244, row: 24, head: 16, foot: 44 }

/** A rank correlation after each stage of a cascade, from the first at the top down. The axis goes below zero where a value does. */
export function stagesChart(id: string, lines: readonly Stages[], words: SpreadWords, ink: ChartInk): SvgNode {
  const stages = [...new Set(lines.flatMap((line) => Object.keys(line.values)))]
  const low = Math.floor(Math.min(0, ...lines.flatMap((line) => Object.values(line.values))) * 4) / 4
  const top = 8 + lines.length * KEY_ROW + STAGE.head
  const size = { width: STAGE.width, height: top + stages.length * STAGE.row + STAGE.foot }
  const [left, right] = [STAGE.label, size.width - 16]
  const x = (value: number): number => left + ((value - low) / (1 - low)) * (right - left)
  const y = (stage: number): number => top + (stage + 0.5) * STAGE.row
  const bottom = top + stages.length * STAGE.row
  const ticks = Array.from({ length: Math.round((1 - low) * 4) + 1 }, (_, i) => low + i / 4)
  return chart(id, size, words, ink, [
    ...ticks.flatMap((tick) => [
      node('line', { x1: x(tick), x2: x(tick), y1: top, y2: bottom, stroke: tick === 0 ? ink.quiet : ink.grid }),
      text(x(tick), bottom + 16, plain(tick, 2), { fill: ink.quiet, 'text-anchor': 'middle' }),
    ]),
    ...stages.map((stage, i) => text(left - 12, y(i) + 4, fitted(stage, left - 12), { fill: ink.text, 'text-anchor': 'end' })),
    ...lines.map((line) => lineOf(line, stages.flatMap((stage, i) => (line.values[stage] === undefined ? [] : [[x(line.values[stage]), y(i)] as const])), ink)),
    ...keys(lines, left, right, ink),
    text((left + right) / 2, size.height - 8, words.across, { fill: ink.quiet, 'text-anchor': 'middle' }),
    text(left - 12, top - 4, words.up, { fill: ink.quiet, 'text-anchor': 'end' }),
  ])
}

function lineOf({ place }: Line, points: readonly (readonly [number, number])[], ink: ChartInk): SvgNode {
  const colour = ink.series[place]!
  return node('g', {}, [
    node('path', { d: points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(2)} ${y.toFixed(2)}`).join(''), fill: 'none', stroke: colour, 'stroke-width': 1.75, 'stroke-linejoin': 'round', ...(DASHES[place] ? { 'stroke-dasharray': DASHES[place] } : {}) }),
    ...points.map(([x, y]) => mark(place, x, y, colour)),
  ])
}

function mark(place: number, x: number, y: number, fill: string): SvgNode {
  if (place === 0) return node('circle', { cx: x, cy: y, r: 2.75, fill })
  if (place === 1) return node('rect', { x: x - 2.75, y: y - 2.75, width: 5.5, height: 5.5, fill })
  const path = place === 2 ? `M${x} ${y - 3.5}L${x + 3.5} ${y + 2.75}L${x - 3.5} ${y + 2.75}Z` : `M${x} ${y - 3.75}L${x + 3.75} ${y}L${x} ${y + 3.75}L${x - 3.75} ${y}Z`
  return node('path', { d: path, fill })
}

/** Which line is whose. */
function keys(lines: readonly Line[], left: number, right: number, ink: ChartInk): SvgNode[] {
  return lines.map((line, i) => {
    const y = 12 + i * KEY_ROW
    return node('g', {}, [lineOf(line, [[left, y], [left + 14, y], [left + 28, y]], ink), text(left + 36, y + 4, fitted(line.name, right - left - 36), { fill: ink.text })])
  })
}
