/** Every state of the screen as the address holds it: a link shows another person the same thing, and a reload changes nothing. */
import type { IntervalKind } from '../../../shared/charts/captions.ts'
import { DEFAULT_EXPLAINER, DEFAULT_TARGET, EXPLAINERS } from '../../../shared/explainers.ts'
import type { Camera } from '../../canvas/camera.ts'
import { type Mode, MODES } from './draw-pair.ts'
import { type Brush, type Cell, CELLS, type Order, ORDERS } from './pick.ts'

export const CHARTS = ['scatter', 'histogram', 'both'] as const
export type Chart = (typeof CHARTS)[number]
export const PANELS = ['changes', 'slices', 'timeline', 'report', 'trust'] as const
export type Panel = (typeof PANELS)[number]

export interface CompareState {
  /** Ids of A to D as they were asked for; null or absent: the screen chooses. */
  readonly checkpoints: readonly (string | null)[]
  readonly dataset: string | null
  readonly view: string | null
  /** null: the screen chooses; 'all': every split. */
  readonly split: string | null
  /** Result files that are compared instead. */
  readonly results: readonly string[]
  /** Which two of them are looked at. */
  readonly pair: readonly [number, number]
  /** null: all pairs of phrases. */
  readonly cell: Cell | null
  readonly slice: string | null
  readonly brush: Brush | null
  readonly chart: Chart
  readonly order: Order
  readonly region: string | null
  readonly mode: Mode
  readonly shared: boolean
  readonly interval: IntervalKind
  /** Where the wipe stands, share of the width. */
  readonly cut: number
  /** Blinking is held. */
  readonly held: boolean
  /** null: the image fits. */
  readonly camera: Camera | null
  /** Whose heat is drawn and put to the test: name and target. */
  readonly explainer: string
  readonly panel: Panel | null
}

const USUAL = `${DEFAULT_EXPLAINER} ${DEFAULT_TARGET}`
/** Every explainer with each of its targets, as the choice of explainers names them. */
export const EXPLAINER_VIEWS: readonly string[] = EXPLAINERS.flatMap(({ name, targets }) => targets.map((target) => `${name} ${target}`))

export const FIRST_STATE: CompareState = {
  checkpoints: [], dataset: null, view: null, split: null, results: [], pair: [0, 1], cell: 'fixed', slice: null, brush: null, chart: 'scatter', order: 'gain', region: null,
  mode: 'wipe', shared: true, interval: 'BCa', cut: 0.46, held: false, camera: null, explainer: USUAL, panel: null,
}

const SIDES = ['a', 'b', 'c', 'd'] as const
const RESULTS = ['r1', 'r2', 'r3', 'r4'] as const
type Params = Readonly<Record<string, string | null | undefined>>

/** Only what differs from the first state stands in the address; null takes a parameter out. */
export function toParams(state: CompareState): Record<string, string | null> {
  const unless = <T>(value: T, first: T, written: string): string | null => (value === first ? null : written)
  const range = (of: readonly [number, number] | undefined): string | null => (of ? of.map(round).join('~') : null)
  const { brush, camera } = state
  return {
    ...Object.fromEntries(SIDES.map((side, i) => [side, state.checkpoints[i] ?? null])), ...Object.fromEntries(RESULTS.map((name, i) => [name, state.results[i] ?? null])),
    dataset: state.dataset, view: state.view, split: state.split, pair: unless(state.pair.join(''), '01', state.pair.join('')),
    cell: unless(state.cell, 'fixed', state.cell ?? 'all'), slice: state.slice, ba: range(brush?.a), bb: range(brush?.b), bc: range(brush?.change),
    chart: unless(state.chart, FIRST_STATE.chart, state.chart), order: unless(state.order, FIRST_STATE.order, state.order), region: state.region,
    mode: unless(state.mode, FIRST_STATE.mode, state.mode), scale: unless(state.shared, true, 'own'), interval: unless(state.interval, 'BCa', state.interval),
    cut: unless(round(state.cut), FIRST_STATE.cut, String(round(state.cut))), held: unless(state.held, false, '1'), explainer: unless(state.explainer, USUAL, state.explainer.replace(' ', '~')), panel: state.panel,
    camera: camera ? [camera.centerX, camera.centerY, camera.scale].map(round).join('~') : null,
  }
}

/** What cannot be read is as in the first state: an old link must not end in an error. */
export function fromParams(params: Params): CompareState {
  const oneOf = <T extends string>(list: readonly T[], value: string | null | undefined): T | null => list.find((entry) => entry === value) ?? null
  const listed = (names: readonly string[]): string[] => names.flatMap((name) => params[name] || [])
  const pair = /^([0-3])([0-3])$/.exec(params.pair ?? '')
  const [a, b, change] = [rangeOf(params.ba, 0), rangeOf(params.bb, 0), rangeOf(params.bc, -1)]
  const brush = a || b || change ? { ...(a ? { a } : {}), ...(b ? { b } : {}), ...(change ? { change } : {}) } : null
  const [centerX, centerY, scale] = numbers(params.camera, 3) ?? []
  const cut = Number(params.cut ?? '')
  return {
    checkpoints: withoutTail(SIDES.map((side) => params[side] || null)), results: listed(RESULTS), dataset: params.dataset || null, view: params.view || null, split: params.split || null,
    pair: pair && pair[1] !== pair[2] ? [Number(pair[1]), Number(pair[2])] : FIRST_STATE.pair, cell: params.cell === 'all' ? null : (oneOf(CELLS, params.cell) ?? 'fixed'), slice: params.slice || null, brush,
    chart: oneOf(CHARTS, params.chart) ?? FIRST_STATE.chart, order: oneOf(ORDERS, params.order) ?? FIRST_STATE.order, region: params.region || null,
    mode: oneOf(MODES, params.mode) ?? FIRST_STATE.mode, shared: params.scale !== 'own', interval: params.interval === 'percentile' ? 'percentile' : 'BCa',
    cut: params.cut && cut >= 0 && cut <= 1 ? round(cut) : FIRST_STATE.cut, held: params.held === '1', explainer: oneOf(EXPLAINER_VIEWS, params.explainer?.replace('~', ' ')) ?? USUAL, panel: oneOf(PANELS, params.panel),
    camera: centerX !== undefined && centerY !== undefined && scale !== undefined && scale > 0 ? { centerX, centerY, scale } : null,
  }
}

function withoutTail(list: readonly (string | null)[]): (string | null)[] {
  return list.slice(0, list.findLastIndex((entry) => entry !== null) + 1)
}

/** Enough for a pixel of any image and a hundredth of any score. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}

function numbers(written: string | null | undefined, count: number): number[] | null {
  const read = (written ?? '').split('~').map((part) => (part.trim() === '' ? NaN : Number(part)))
  return read.length === count && read.every(Number.isFinite) ? read.map(round) : null
}

function rangeOf(written: string | null | undefined, least: number): readonly [number, number] | undefined {
  const read = numbers(written, 2)
  return read && read[0]! >= least && read[0]! <= read[1]! && read[1]! <= 1 ? [read[0]!, read[1]!] : undefined
}
