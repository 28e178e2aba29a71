/** What stands under a chart so that it can go into a paper as it is: population, n, protocol, interval, draws and seed. */
import type { Comparison, ComparePair } from '../contract/compare.ts'
import type { ForestRow, ForestWords } from './forest.ts'
import { grouped, pText, plain, withSign } from './numbers.ts'
import { MOST_DOTS, type SpreadWords } from './spread.ts'

export type IntervalKind = 'BCa' | 'percentile'

/** The ends asked for, and what they are: BCa is not defined everywhere. */
export function ends(interval: { low: number; high: number; percentileLow: number; percentileHigh: number; method: IntervalKind } | null, kind: IntervalKind): { readonly low: number; readonly high: number; readonly method: IntervalKind } | null {
  if (interval === null) return null
  return kind === 'percentile' ? { low: interval.percentileLow, high: interval.percentileHigh, method: 'percentile' } : { low: interval.low, high: interval.high, method: interval.method }
}

/** The slices of a pair as rows of a forest plot, in points of pointing accuracy; p by Holm. */
export function sliceRows(pair: ComparePair, kind: IntervalKind): ForestRow[] {
  return pair.slices.map((slice) => {
    const interval = ends(slice.interval, kind)
    return { group: slice.group, name: slice.name.replace(/^(Box|Tag|Concept|Split): /, ''), regions: slice.regions, change: slice.change * 100, interval: interval && { low: interval.low * 100, high: interval.high * 100 }, p: slice.test.holm }
  })
}

/** All pairs as rows of a forest plot. */
export function pairRows({ pairs, checkpoints }: Comparison, kind: IntervalKind): ForestRow[] {
  return pairs.map((pair) => {
    const { change, regions, interval } = pair.headline.pointingGame
    const of = ends(interval, kind)
    return { group: 'All pairs', name: `${letter(pair.a)} to ${letter(pair.b)}: ${checkpoints[pair.b]!.name}`, regions, change: change * 100, interval: of && { low: of.low * 100, high: of.high * 100 }, p: pair.test.holm }
  })
}

export const letter = (place: number): string => 'ABCD'[place]!

export function nameOf({ checkpoints }: Comparison, place: number): string {
  return `${letter(place)} (${checkpoints[place]!.name})`
}

/** Of what every number is: said under each chart. */
export function basis(comparison: Comparison): string {
  const { title, regions, images, total, missing, withoutAnswer, protocol } = comparison
  const left = [missing > 0 ? `${grouped(missing)} not scored by all` : '', withoutAnswer > 0 ? `${grouped(withoutAnswer)} without a phrase or box` : ''].filter(Boolean).join(' and ')
  return `${title}; n = ${grouped(regions)} phrases of ${grouped(images)} images${left ? ` (of ${grouped(total)}; ${left} left out)` : ''}; pointing game by the protocol ${protocol}.`
}

export function howIntervals({ method }: Comparison, kind: IntervalKind): string {
  const how = kind === 'BCa' ? 'bias-corrected and accelerated (BCa) bootstrap intervals, by percentiles where BCa is not defined' : 'percentile bootstrap intervals'
  return `${plain(method.level * 100, 0)} % ${how}; ${grouped(method.draws)} draws of whole images, seed ${method.seed}; no interval below ${method.fewestImages} images.`
}

function sliceCaption(comparison: Comparison, pair: ComparePair, kind: IntervalKind): string {
  return `Change in pointing-game accuracy, in percentage points, from ${nameOf(comparison, pair.a)} to ${nameOf(comparison, pair.b)} by slice. ${basis(comparison)} Bars are ${howIntervals(comparison, kind)} p: exact McNemar, adjusted by Holm for ${grouped(comparison.method.sliceTests)} tests of slices.`
}

function pairsCaption(comparison: Comparison, kind: IntervalKind): string {
  return `Change in pointing-game accuracy, in percentage points, between ${comparison.checkpoints.map((_, place) => nameOf(comparison, place)).join(', ')}. ${basis(comparison)} Bars are ${howIntervals(comparison, kind)} p: exact McNemar, adjusted by Holm for ${comparison.method.pairTests} pairs.`
}

function scatterCaption(comparison: Comparison, pair: ComparePair, drawn: number): string {
  const how = drawn > MOST_DOTS ? 'Cells are shaded by the logarithm of the number of phrases in them' : 'Each dot is a phrase'
  return `Consistency (share of the heat inside the region) of each phrase under ${nameOf(comparison, pair.a)}, across, and ${nameOf(comparison, pair.b)}, up. ${how}; above the diagonal ${letter(pair.b)} is higher. ${basis(comparison)} Drawn: ${grouped(drawn)}.`
}

function changeCaption(comparison: Comparison, pair: ComparePair, drawn: number, kind: IntervalKind): string {
  const mean = pair.headline.consistency
  const of = mean ? ends(mean.interval, kind) : null
  const said = mean ? ` Mean ${withSign(mean.change, 3)}${of ? ` [${withSign(of.low, 3)}, ${withSign(of.high, 3)}], ${of.method}` : ''}.` : ''
  return `Change of consistency (share of the heat inside the region) of each phrase, ${nameOf(comparison, pair.b)} minus ${nameOf(comparison, pair.a)}.${said} ${basis(comparison)} Drawn: ${grouped(drawn)}. ${mean ? howIntervals(comparison, kind) : ''}`.trim()
}

/** Between parts of a file's name and of a report's heading. */
export const reportTitle = ({ checkpoints, title }: Comparison): string => `${checkpoints.map(({ name }) => name).join(' · ')} on ${title}`

const forestWords = (title: string, nameHead: string, description: string): ForestWords => ({ title, description, nameHead, axis: 'change in pointing accuracy, percentage points', pHead: 'p (Holm)' })

export function sliceWords(comparison: Comparison, pair: ComparePair, kind: IntervalKind): ForestWords {
  return forestWords(`Change in pointing accuracy from ${nameOf(comparison, pair.a)} to ${nameOf(comparison, pair.b)}, by slice`, 'Slice', sliceCaption(comparison, pair, kind))
}

export function pairsWords(comparison: Comparison, kind: IntervalKind): ForestWords {
  return forestWords('Change in pointing accuracy, all pairs', 'Pair', pairsCaption(comparison, kind))
}

/** @param drawn phrases that have heat under both */
export function scatterWords(comparison: Comparison, pair: ComparePair, drawn: number): SpreadWords {
  return { title: 'Consistency of each phrase', description: scatterCaption(comparison, pair, drawn), across: sideOf(comparison, pair.a), up: sideOf(comparison, pair.b) }
}

export function changeWords(comparison: Comparison, pair: ComparePair, drawn: number, kind: IntervalKind): SpreadWords {
  return { title: 'Change of consistency', description: changeCaption(comparison, pair, drawn, kind), across: `change of consistency, ${letter(pair.b)} − ${letter(pair.a)}`, up: 'phrases' }
}

const sideOf = ({ checkpoints }: Comparison, place: number): string => `${letter(place)}, ${checkpoints[place]!.name}`

export function matrixCaption(comparison: Comparison, { a, b, matrix, test }: ComparePair): string {
  return `Hits of ${nameOf(comparison, a)} and ${nameOf(comparison, b)}: both ${grouped(matrix.both)}, broken ${grouped(matrix.broken)}, fixed ${grouped(matrix.fixed)}, neither ${grouped(matrix.neither)}. ${basis(comparison)} Exact McNemar on ${grouped(matrix.fixed + matrix.broken)} differing phrases, taken as independent: p ${test.p < 0.001 ? '' : '= '}${pText(test.p)}.`
}
