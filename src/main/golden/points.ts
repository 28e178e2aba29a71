/** The pointing game on recorded maps: point, hit, and what the upsampled map is like. */
import { bicubicPeak, type HeatGrid } from '../../shared/consistency.ts'
import { pointStrictlyInside, type Box } from '../../shared/geometry.ts'
import { upsampleBicubic } from '../eval/upsample.ts'
import { compareExactly, compareNumbers, TOLERANCES, type Check } from './compare.ts'

export interface RecordedPoint {
  readonly ref_id: number
  readonly point: readonly [x: number, y: number]
  readonly hit: boolean
  readonly hw: readonly [height: number, width: number]
  /** x1 y1 x2 y2 */
  readonly boxes?: readonly Box[]
  /** x y w h */
  readonly ref_box?: Box
  readonly split?: string
  readonly up_max: number
  readonly up_min?: number
  readonly up_sum: number
}

/**
 * @param heatOf the map of a record by its place in the log
 * @param result share of hits by result key, e.g. val_d, test; a split that the key does not name counts nowhere
 */
export function pointChecks(heatOf: (at: number, record: RecordedPoint) => HeatGrid, log: readonly RecordedPoint[], result: Readonly<Record<string, number>>, splitOf: (record: RecordedPoint, at: number) => string = ({ split }) => split ?? ''): Check[] {
  const hits = new Map<string, boolean[]>()
  const checks = log.flatMap((record, at): Check[] => {
    const [height, width] = record.hw
    const heat = heatOf(at, record)
    const { x, y } = bicubicPeak(heat, { width, height })
    const hit = boxesOf(record).some((box) => pointStrictlyInside(x, y, box))
    const key = resultKey(splitOf(record, at), Object.keys(result))
    if (key) hits.set(key, [...(hits.get(key) ?? []), hit])
    return [
      compareExactly(`${record.ref_id}: point`, [x, y], record.point),
      compareExactly(`${record.ref_id}: hit`, hit, record.hit),
      ...upsampledChecks(heat, record),
    ]
  })
  const shares = Object.entries(result).map(([key, want]) => {
    const found = hits.get(key) ?? []
    return compareExactly(`share of hits, ${key}`, found.filter(Boolean).length / found.length, want)
  })
  return [...checks, ...shares]
}

const boxesOf = ({ boxes, ref_box: box }: RecordedPoint): readonly Box[] =>
  boxes ?? (box ? [[box[0], box[1], box[0] + box[2], box[1] + box[3]]] : [])

/** 'val' counts to val_d, testA to testA_d; a plain test key takes whatever names a test. */
function resultKey(split: string, keys: readonly string[]): string | undefined {
  return keys.find((key) => key === `${split}_d` || key === split) ?? keys.find((key) => key === 'test' && split.includes('test'))
}

type RecordedMap = Pick<RecordedPoint, 'ref_id' | 'hw' | 'up_max' | 'up_min' | 'up_sum'>

/** What is recorded of the whole map at the image's size, when the map was computed here. */
export function upsampledChecks(heat: HeatGrid, record: RecordedMap): Check[] {
  const { sum, high, low, count } = measure(heat, record)
  const what = `${record.ref_id}: upsampled map`
  const checks = [
    compareNumbers(`${what}, maximum`, [high], [record.up_max], TOLERANCES.evaluation),
    // A mean: the sum's error grows with the number of pixels.
    compareNumbers(`${what}, mean`, [sum / count], [record.up_sum / count], TOLERANCES.evaluation),
  ]
  if (record.up_min !== undefined) checks.push(compareNumbers(`${what}, minimum`, [low], [record.up_min], TOLERANCES.evaluation))
  return checks
}

/** Shares of the map's largest entry and of the sum of its sizes: what float32 loses when only the upsampling is done here. */
const OF_LARGEST = 2e-6
const OF_SUM = 1e-5

/** The same when the map itself is recorded. */
export function recordedMapChecks(heat: HeatGrid, record: RecordedMap): Check[] {
  const { sum, sizes, high, low } = measure(heat, record)
  const what = `${record.ref_id}: upsampled map`
  const entry = { absolute: OF_LARGEST * Math.max(Math.abs(high), Math.abs(low)), text: `${OF_LARGEST} of the largest entry` }
  const checks = [
    compareNumbers(`${what}, maximum`, [high], [record.up_max], entry),
    compareNumbers(`${what}, sum`, [sum], [record.up_sum], { absolute: OF_SUM * sizes, text: `${OF_SUM} of the sum of sizes` }),
  ]
  if (record.up_min !== undefined) checks.push(compareNumbers(`${what}, minimum`, [low], [record.up_min], entry))
  return checks
}

function measure(heat: HeatGrid, { hw: [height, width] }: RecordedMap) {
  const up = upsampleBicubic(heat, { width, height })
  let [sum, sizes, high, low] = [0, 0, -Infinity, Infinity]
  for (const value of up) {
    sum += value
    sizes += Math.abs(value)
    high = Math.max(high, value)
    low = Math.min(low, value)
  }
  return { sum, sizes, high, low, count: up.length }
}
