/** Which curves a run shows, and in which order. */
import { t } from '../../../shared/messages/messages.ts'
import { count, duration, fixed, measured, percent } from '../../app/format.ts'
import type { Series } from '../../state/metrics.ts'

export interface Curve {
  readonly metric: string
  readonly title: string
  readonly dots: boolean
  readonly format: (value: number) => string
}

const share = (value: number) => percent(value, 1)

const KNOWN: readonly Curve[] = [
  { metric: 'loss.total', title: t('Total loss'), dots: false, format: measured },
  { metric: 'loss.amcMean', title: t('AMC mean'), dots: false, format: measured },
  { metric: 'loss.amcMax', title: t('AMC max'), dots: false, format: measured },
  { metric: 'val.pointingGame', title: t('Pointing, val'), dots: true, format: share },
  { metric: 'val.consistency', title: t('Consistency, val'), dots: true, format: measured },
  { metric: 'gradNorm', title: t('Gradient norm'), dots: false, format: measured },
  { metric: 'loss.itc', title: t('Contrastive loss (ITC)'), dots: false, format: measured },
  { metric: 'loss.itm', title: t('Matching loss (ITM)'), dots: false, format: measured },
  { metric: 'loss.mlm', title: t('Masked words loss (MLM)'), dots: false, format: measured },
  { metric: 'lr', title: t('Learning rate'), dots: false, format: measured },
  { metric: 'val.itmAccuracy', title: t('ITM accuracy, val'), dots: true, format: share },
  { metric: 'val.matchProbability', title: t('Match probability, val'), dots: true, format: measured },
  { metric: 'val.matchAuc', title: t('Match AUC, val'), dots: true, format: measured },
  { metric: 'queueFill', title: t('Queue filled'), dots: false, format: share },
  { metric: 'dataWait', title: t('Waiting for data'), dots: false, format: share },
  { metric: 'temperature', title: t('Temperature'), dots: false, format: measured },
]
/** Shown from the start, empty until measured, so that the page does not jump. */
const ALWAYS = new Set(['loss.total', 'val.pointingGame', 'val.consistency', 'gradNorm', 'loss.itc', 'loss.itm'])

export function curvesOf(metrics: ReadonlySet<string>): readonly Curve[] {
  const known = KNOWN.filter((curve) => ALWAYS.has(curve.metric) || metrics.has(curve.metric))
  const others = [...metrics].filter((name) => !KNOWN.some((curve) => curve.metric === name)).sort()
  return [...known, ...others.map((metric): Curve => ({ metric, title: metric, dots: metric.startsWith('val.'), format: measured }))]
}

/** A heatmap of a probe sample, for those who do not see it. */
export function heatWords(phrase: string, step: number, heat: { readonly pointingHit: boolean; readonly insideEnergy: number }): string {
  const values = { phrase, step: count(step), consistency: fixed(heat.insideEnergy) }
  return heat.pointingHit ? t('{phrase} at step {step}: hit, consistency {consistency}', values) : t('{phrase} at step {step}: miss, consistency {consistency}', values)
}

/** At most `limit` of the frames of a film strip: the first, the last, and evenly between. */
export function pickFrames<T>(frames: readonly T[], limit: number): readonly T[] {
  if (frames.length <= limit) return frames
  return Array.from({ length: limit }, (_, i) => frames[Math.round((i * (frames.length - 1)) / (limit - 1))]!)
}

export type Axis = 'step' | 'time' | 'samples'

/** Images that a step of a run sees, by its settings. */
export const imagesAStep = (config: Readonly<Record<string, unknown>>): number => Number(config['batch.images'] ?? 1) * Number(config['batch.accumulate'] ?? 1)

/** Where the points of a curve lie along the axis: by step, by seconds of training, or by images seen. */
export function positions(axis: Axis, { steps, seconds }: Pick<Series, 'steps' | 'seconds'>, perStep: number): readonly number[] {
  return axis === 'step' ? steps : axis === 'time' ? seconds : steps.map((step) => step * perStep)
}

/** The last position of the axis; 0 lets the data decide. */
export const axisEnd = (axis: Axis, steps: number, perStep: number): number => (axis === 'time' ? 0 : axis === 'step' ? steps : steps * perStep)

export const axisText = (axis: Axis, value: number): string => (axis === 'time' ? duration(value) : axis === 'samples' ? t('{n} images', { n: count(value) }) : t('step {step}', { step: count(value) }))
