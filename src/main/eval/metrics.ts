/**
 * The figures of an evaluation, each under its own name. A metric looks at one sample's heatmap; what it says of a whole split is the
 * mean over its samples. docs/evaluation.md defines them in formulas. To add one, put it into the list.
 */
import type { ConsistencyScores, PreparedHeat } from '../../shared/consistency.ts'
import { boxIou, type Box, type Point, type Size } from '../../shared/geometry.ts'
import { outlineOf, type Shape } from '../../shared/shape.ts'
import { shapeMask } from '../../shared/shape-mask.ts'
import { boxOfHeat } from './heat-box.ts'
import type { RawHeat } from './types.ts'
import type { Peak } from './upsample.ts'

/** One sample's heatmap with what is worked out of it once for all metrics. */
export interface SampleHeat {
  readonly grid: RawHeat
  readonly peak: Peak
  readonly prepared: PreparedHeat
  readonly consistency: ConsistencyScores
  readonly shape: Shape
  readonly size: Size
  /** Of the phrase with the image; null where the explainer has none. */
  readonly matchProbability: number | null
  /** Areas under the curves; null where they were not asked for. */
  readonly faithfulness: { readonly deletion: number; readonly insertion: number } | null
}

export interface Metric {
  readonly key: string
  /** Its name wherever the number is shown. */
  readonly title: string
  /** 'share': each sample counts 0 or 1. */
  readonly kind: 'share' | 'mean'
  readonly better: 'higher' | 'lower' | 'neither'
  /** What a sample without a usable heatmap (its image is missing) counts: 0, or nothing where no value would be fair. */
  readonly withoutHeat: 0 | null
  /** Null where it means nothing for this sample. */
  readonly of: (heat: SampleHeat) => number | null
}

export const TOLERANCE_PX = 15
const BOX_FROM_IOU = 0.5

const share = (key: string, title: string, isHit: (heat: SampleHeat) => boolean): Metric => ({
  key, title, kind: 'share', better: 'higher', withoutHeat: 0, of: (heat) => Number(isHit(heat)),
})
const mean = (key: string, title: string, better: Metric['better'], withoutHeat: 0 | null, of: Metric['of']): Metric => ({ key, title, kind: 'mean', better, withoutHeat, of })

export const METRICS: readonly Metric[] = [
  share('pointing', 'pointing game, AMC strict', ({ consistency }) => consistency.pointingHit),
  share('pointingTolerance15', 'pointing game, tolerance 15 px', ({ peak, shape, size }) => isNear(peak.point, shape, size)),
  share('pointingAnyTie', 'pointing game, any tie', ({ peak }) => peak.anyTieInside),
  share('boxAccuracy', 'box accuracy at IoU 0.5, box from the heatmap', isBoxRight),
  mean('energyInside', 'energy inside', 'higher', 0, ({ consistency }) => consistency.insideEnergy),
  mean('softIou', 'soft IoU', 'higher', 0, ({ consistency }) => consistency.softIou),
  { ...share('uncertain', 'uncertain share', ({ consistency }) => consistency.uncertain), better: 'lower', withoutHeat: null },
  mean('giniSparseness', 'Gini sparseness', 'neither', null, ({ grid }) => giniOf(grid.values)),
  mean('meanMargin', 'mean margin', 'higher', null, ({ consistency }) => consistency.meanMargin),
  mean('maxMargin', 'max margin', 'higher', null, ({ consistency }) => consistency.maxMargin),
  mean('matchProbability', 'match probability', 'higher', null, ({ matchProbability }) => matchProbability),
  mean('deletion', 'deletion curve, hottest patches to the mean colour', 'lower', null, ({ faithfulness }) => faithfulness?.deletion ?? null),
  mean('insertion', 'insertion curve, hottest patches into the blurred image', 'higher', null, ({ faithfulness }) => faithfulness?.insertion ?? null),
]

export function scoresOf(heat: SampleHeat, metrics: readonly Metric[] = METRICS): Record<string, number | null> {
  return Object.fromEntries(metrics.map(({ key, of }) => [key, of(heat)]))
}

export function scoresWithoutHeat(metrics: readonly Metric[] = METRICS): Record<string, number | null> {
  return Object.fromEntries(metrics.map(({ key, withoutHeat }) => [key, withoutHeat]))
}

/** Whether a pixel of the shape is nearer than the tolerance. */
function isNear({ x, y }: Point, shape: Shape, size: Size): boolean {
  const outlined = shape.boxes.flatMap((box, i) => (outlineOf(shape, i) ? [{ box, outline: shape.outlines[i]! }] : []))
  if (shape.boxes.some((box, i) => !outlineOf(shape, i) && pixelDistance(x, y, box) < TOLERANCE_PX)) return true
  if (outlined.length === 0) return false
  const mask = shapeMask({ boxes: outlined.map(({ box }) => box), outlines: outlined.map(({ outline }) => outline) }, size)
  for (let v = Math.max(0, y - TOLERANCE_PX); v <= Math.min(size.height - 1, y + TOLERANCE_PX); v++) {
    for (let u = Math.max(0, x - TOLERANCE_PX); u <= Math.min(size.width - 1, x + TOLERANCE_PX); u++) {
      if (mask[v * size.width + u] === 1 && Math.hypot(u - x, v - y) < TOLERANCE_PX) return true
    }
  }
  return false
}

/** From a pixel to the nearest pixel of the box, whose pixels are int(x1) to int(x2) - 1. */
function pixelDistance(x: number, y: number, [x1, y1, x2, y2]: Box): number {
  const [left, top, right, bottom] = [Math.trunc(x1), Math.trunc(y1), Math.trunc(x2) - 1, Math.trunc(y2) - 1]
  if (right < left || bottom < top) return Infinity
  return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom))
}

function isBoxRight({ prepared, shape: { boxes }, size }: SampleHeat): boolean {
  const found = boxOfHeat(prepared.map, size)
  return found !== null && boxes.some((box) => boxIou(found, box) >= BOX_FROM_IOU)
}

/**
 * How few cells hold the heat: the Gini index of the positive heat, 0 for an even map, near 1 for a single hot cell. Null without heat.
 */
export function giniOf(values: ArrayLike<number>): number | null {
  const sorted = Float64Array.from(values, (value) => Math.max(0, value)).sort()
  const count = sorted.length
  let [sum, weighted] = [0, 0]
  sorted.forEach((value, i) => {
    sum += value
    weighted += (2 * (i + 1) - count - 1) * value
  })
  return sum > 0 ? weighted / (count * sum) : null
}
