/** Which curves a run shows, and in which order. */
import { measured, percent } from '../../app/format.ts'

export interface Curve {
  readonly metric: string
  readonly title: string
  readonly dots: boolean
  readonly format: (value: number) => string
}

const share = (value: number) => percent(value, 1)

const KNOWN: readonly Curve[] = [
  { metric: 'loss.total', title: 'Total loss', dots: false, format: measured },
  { metric: 'loss.amcMean', title: 'AMC mean', dots: false, format: measured },
  { metric: 'loss.amcMax', title: 'AMC max', dots: false, format: measured },
  { metric: 'val.pointingGame', title: 'Pointing, val', dots: true, format: share },
  { metric: 'val.consistency', title: 'Consistency, val', dots: true, format: measured },
  { metric: 'gradNorm', title: 'Gradient norm', dots: false, format: measured },
  { metric: 'loss.itc', title: 'Contrastive loss (ITC)', dots: false, format: measured },
  { metric: 'loss.itm', title: 'Matching loss (ITM)', dots: false, format: measured },
  { metric: 'loss.mlm', title: 'Masked words loss (MLM)', dots: false, format: measured },
  { metric: 'lr', title: 'Learning rate', dots: false, format: measured },
  { metric: 'temperature', title: 'Temperature', dots: false, format: measured },
]
/** Shown from the start, empty until measured, so that the page does not jump. */
const ALWAYS = new Set(['loss.total', 'val.pointingGame', 'val.consistency', 'gradNorm', 'loss.itc', 'loss.itm'])

export function curvesOf(metrics: ReadonlySet<string>): readonly Curve[] {
  const known = KNOWN.filter((curve) => ALWAYS.has(curve.metric) || metrics.has(curve.metric))
  const others = [...metrics].filter((name) => !KNOWN.some((curve) => curve.metric === name)).sort()
  return [...known, ...others.map((metric): Curve => ({ metric, title: metric, dots: metric.startsWith('val.'), format: measured }))]
}

/** At most `limit` of the frames of a film strip: the first, the last, and evenly between. */
export function pickFrames<T>(frames: readonly T[], limit: number): readonly T[] {
  if (frames.length <= limit) return frames
  return Array.from({ length: limit }, (_, i) => frames[Math.round((i * (frames.length - 1)) / (limit - 1))]!)
}
