/** One checkpoint over all samples of a benchmark: heatmaps, points, scores, detector's boxes; and what they say of each split. */
import { setImmediate } from 'node:timers/promises'
import { prepareHeat, scoreRegion } from '../../shared/consistency.ts'
import { AppError, isAppError } from '../../shared/errors.ts'
import type { Box, Size } from '../../shared/geometry.ts'
import type { LoadedModel } from '../train/model-files.ts'
import { bestBox, boxScores, carryBoxes, RIGHT_FROM } from './detections.ts'
import { areaUnder, curvesOf } from '../train/trust-curves.ts'
import { matchOf, type ExplainedSample, type HeatExplainer } from './explainers.ts'
import { prepareImage, type ImagePreparation, type PreparedImage } from './images.ts'
import { METRICS, scoresOf, scoresWithoutHeat, type Metric, type SampleHeat } from './metrics.ts'
import type { EvalSample, SampleResult, XywhBox } from './types.ts'
import { peakOf, upsampleBicubic } from './upsample.ts'

export interface EvaluationSettings {
  readonly explainer: HeatExplainer
  readonly layer: number
  readonly maxWords: number
  readonly maxTokens: number
  readonly images: ImagePreparation
  /** Exponent of the area in a detector's boxes. */
  readonly detectorAlpha: number
  /** Also deletion and insertion curves, which ask the model for each of their points. */
  readonly curves?: boolean
}

export interface EvaluationInput {
  readonly model: LoadedModel
  readonly samples: readonly EvalSample[]
  readonly settings: EvaluationSettings
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  /** A heatmap that is known already, so that nothing is computed for it. */
  readonly known?: ((sample: EvalSample) => ExplainedSample | null) | undefined
  /** Told of every heatmap that is computed, e.g. to keep it. */
  readonly onHeat?: ((sample: EvalSample, explained: ExplainedSample, result: SampleResult) => void) | undefined
}

export interface EvaluationOutcome {
  /** In the order of the samples. */
  readonly results: readonly SampleResult[]
  readonly notes: readonly string[]
}

/** Images at once: more need more memory and are hardly quicker. */
export const IMAGES_TOGETHER = 16
const NOTED = 5

/** Samples of images that cannot be read are results too: misses with the reason. @throws AppError 'cancelled' */
export async function evaluateSamples(input: EvaluationInput): Promise<EvaluationOutcome> {
  const { samples, settings, signal } = input
  const found = new Map<string, Found>()
  const otherSizes: string[] = []
  let done = 0
  const open: EvalSample[] = []
  for (const sample of samples) {
    const known = sample.image.size ? input.known?.(sample) : undefined
    if (known) found.set(sample.id, judge(sample, known, sample.image.size!, input.model.config.mask_size, settings.detectorAlpha))
    else open.push(sample)
  }
  done = samples.length - open.length
  for (const images of batches(open, settings.explainer.together)) {
    for (const [sample, one] of await explainTogether(input, images, otherSizes)) found.set(sample.id, one)
    done += images.reduce((sum, image) => sum + image.samples.length, 0)
    input.onProgress?.(done, samples.length)
    await setImmediate() // a signal may have come
    if (signal?.aborted) throw new AppError('cancelled', `Stopped after ${done} of ${samples.length} phrases; nothing of this checkpoint is kept.`)
  }
  const notes: string[] = []
  if (otherSizes.length > 0) {
    notes.push(`${otherSizes.length} images have another size than the annotations say, so the boxes may not belong to them: ${some(otherSizes)}.`)
  }
  return { results: withDetections(samples, samples.map((sample) => found.get(sample.id)!), notes), notes }
}

/** A result before the detector's boxes are judged, which depends on the sample before. */
export interface Found {
  readonly result: SampleResult
  /** The sample's own best box; undefined where no boxes are used. */
  readonly chosen?: XywhBox | null
}

interface ImageWork {
  readonly image: EvalSample['image']
  readonly samples: readonly EvalSample[]
}

/** Images with equally many phrases, as many as are computed together; an image with very many phrases comes in parts. */
function* batches(samples: readonly EvalSample[], together: number): Generator<readonly ImageWork[]> {
  const byImage = new Map<string, EvalSample[]>()
  for (const sample of samples) {
    const key = `${sample.image.key}\n${sample.image.path}`
    const same = byImage.get(key)
    if (same) same.push(sample)
    else byImage.set(key, [sample])
  }
  const byCount = new Map<number, ImageWork[]>()
  for (const all of byImage.values()) {
    for (let from = 0; from < all.length; from += together) {
      const part = all.slice(from, from + together)
      byCount.set(part.length, [...(byCount.get(part.length) ?? []), { image: part[0]!.image, samples: part }])
    }
  }
  for (const [count, works] of byCount) {
    const size = Math.min(IMAGES_TOGETHER, Math.max(1, Math.floor(together / count)))
    for (let from = 0; from < works.length; from += size) yield works.slice(from, from + size)
  }
}

async function explainTogether(input: EvaluationInput, works: readonly ImageWork[], otherSizes: string[]): Promise<(readonly [EvalSample, Found])[]> {
  const { model, settings, onHeat } = input
  const read = await Promise.all(works.map(async (work) => ({ work, prepared: await prepareOrSay(work.image.path, settings.images) })))
  const answers: (readonly [EvalSample, Found])[] = read.flatMap(({ work, prepared }) =>
    typeof prepared === 'string' ? work.samples.map((sample) => [sample, { result: failedResult(sample, prepared), ...(sample.detections ? { chosen: null } : {}) }] as const) : [],
  )
  const usable = read.flatMap(({ work, prepared }) => (typeof prepared === 'string' ? [] : [{ work, prepared }]))
  if (usable.length === 0) return answers
  const pixels = new Float32Array(usable.length * usable[0]!.prepared.planes.length)
  usable.forEach(({ prepared }, i) => pixels.set(prepared.planes, i * prepared.planes.length))
  const phrases = usable.flatMap(({ work }) => work.samples.map(({ phrase }) => phrase))
  const explained = settings.explainer.explain({ model, images: pixels, phrases, layer: settings.layer, maxWords: settings.maxWords, maxTokens: settings.maxTokens })
  let at = 0
  for (const { work, prepared } of usable) {
    const size = work.image.size ?? prepared.size
    if (size.width !== prepared.size.width || size.height !== prepared.size.height) {
      otherSizes.push(`${work.image.key} is ${prepared.size.width} x ${prepared.size.height}, not ${size.width} x ${size.height}`)
    }
    for (const sample of work.samples) {
      const one = explained[at++]!
      const curves = settings.curves ? curveAreas(model, settings, sample.phrase, prepared.planes, one.grid) : null
      const found = judge(sample, one, size, model.config.mask_size, settings.detectorAlpha, curves)
      answers.push([sample, found])
      onHeat?.(sample, one, found.result)
    }
  }
  return answers
}

async function prepareOrSay(path: string, preparation: ImagePreparation): Promise<PreparedImage | string> {
  try {
    return await prepareImage(path, preparation)
  } catch (error) {
    if (!isAppError(error)) throw error
    return error.message
  }
}

/** Everything that follows from one heatmap alone. */
export function judge(sample: EvalSample, { grid, matchProbability }: ExplainedSample, size: Size, maskSize: number, detectorAlpha: number, faithfulness: SampleHeat['faithfulness'] = null): Found {
  const shape = { boxes: sample.boxes, outlines: sample.outlines ?? [] }
  const peak = peakOf(grid, size, shape)
  const chosen = sample.detections ? { chosen: peak ? bestOf(sample.detections, grid, size, detectorAlpha) : null } : {}
  if (!peak) return { result: failedResult(sample, 'The heatmap has values that are not numbers.'), ...chosen }
  const prepared = prepareHeat(grid, peak.point, maskSize)
  const heat = { grid, peak, prepared, consistency: scoreRegion(prepared, shape, size), shape, size, matchProbability, faithfulness }
  return { result: { ...namesOf(sample), point: peak.point, scores: scoresOf(heat) }, ...chosen }
}

function curveAreas(model: LoadedModel, { maxWords, maxTokens }: EvaluationSettings, phrase: string, planes: Float32Array, grid: ExplainedSample['grid']): NonNullable<SampleHeat['faithfulness']> {
  const { deletion, insertion } = curvesOf({ planes, side: model.config.image.size, grid, match: (images, count) => matchOf(model, images, Array.from({ length: count }, () => phrase), { maxWords, maxTokens }) })
  return { deletion: areaUnder(deletion), insertion: areaUnder(insertion) }
}

function bestOf(boxes: readonly XywhBox[], grid: ExplainedSample['grid'], size: Size, alpha: number): XywhBox | null {
  return bestBox(boxes, boxScores(upsampleBicubic(grid, size), size, boxes, alpha))
}

const namesOf = ({ id, split, image, phrase }: EvalSample) => ({ id, split, image: image.key, phrase })

function failedResult(sample: EvalSample, error: string): SampleResult {
  return { ...namesOf(sample), point: null, scores: scoresWithoutHeat(), error }
}

/** Detector's boxes, judged in the order of the samples because one without heat keeps the box before it. */
export function withDetections(samples: readonly EvalSample[], found: readonly Found[], notes: string[]): SampleResult[] {
  const used = samples.flatMap((sample, i) => (sample.detections === null || (sample.detections === undefined && found.every(({ chosen }) => chosen === undefined)) ? [] : [i]))
  if (used.length === 0) return found.map(({ result }) => result)
  const judged = carryBoxes(used.map((i) => found[i]!.chosen ?? null), used.map((i) => samples[i]!.referred ?? toXywh(samples[i]!.boxes[0]!)))
  const byPlace = new Map(used.map((i, n) => [i, judged[n]!]))
  const [without, unknown] = [judged.filter(({ own }) => !own).length, used.filter((i) => samples[i]!.detections === undefined)]
  if (without > 0) notes.push(`${without} phrases have no box of the detector with heat in it. As published they are judged by the box of the phrase before${judged[0]!.own ? '' : '; the first has none before it, where the published code stops, and counts as a miss'}.`)
  if (unknown.length > 0) notes.push(`The detector's boxes lack ${new Set(unknown.map((i) => samples[i]!.image.key)).size} of the images: ${some([...new Set(unknown.map((i) => samples[i]!.image.key))])}.`)
  return found.map(({ result }, i) => (byPlace.has(i) ? { ...result, detection: byPlace.get(i)! } : result))
}

const toXywh = ([x1, y1, x2, y2]: Box): XywhBox => [x1, y1, x2 - x1, y2 - y1]

const some = (items: readonly string[]): string => (items.length > NOTED ? `${items.slice(0, NOTED).join(', ')} and ${items.length - NOTED} more` : items.join(', '))

export interface SplitSummary {
  /** As in the data; or the key under which published results count it. */
  readonly split: string
  readonly samples: number
  /** Of them, those without a usable heatmap. They count as misses. */
  readonly unreadable: number
  /** Means by metric; null where no sample has a value. */
  readonly metrics: Readonly<Record<string, number | null>>
}

export const DETECTOR_PUBLISHED = 'detectorBoxes' as const
export const DETECTOR_OWN = 'detectorBoxesOwn'
export const DETECTOR_TITLES: Readonly<Record<string, string>> = {
  [DETECTOR_PUBLISHED]: "detector's boxes at IoU 0.5, as published (without heat in any box, the box of the phrase before)",
  [DETECTOR_OWN]: "detector's boxes at IoU 0.5, without heat in any box a miss",
}

export function summarize(split: string, results: readonly SampleResult[], metrics: readonly Metric[] = METRICS): SplitSummary {
  const means: Record<string, number | null> = Object.fromEntries(metrics.map(({ key }) => [key, meanOf(results.map(({ scores }) => scores[key] ?? null))]))
  const detections = results.flatMap(({ detection }) => (detection ? [detection] : []))
  if (detections.length > 0) {
    means[DETECTOR_PUBLISHED] = meanOf(detections.map(({ iou }) => Number(iou >= RIGHT_FROM)))
    means[DETECTOR_OWN] = meanOf(detections.map(({ iou, own }) => Number(own && iou >= RIGHT_FROM)))
  }
  return { split, samples: results.length, unreadable: results.filter(({ error }) => error !== undefined).length, metrics: means }
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/**
 * The published result: a share of hits for each key that counts. A key no sample counts to is null, where the published code
 * divides by zero.
 */
export function publishedResult(results: readonly SampleResult[], keyOf: (split: string) => string | null, fixed: readonly string[], metric: string): Record<string, number | null> {
  const groups = Map.groupBy(results, ({ split }) => keyOf(split))
  const keys = [...new Set([...fixed, ...[...groups.keys()].filter((key) => key !== null)])]
  return Object.fromEntries(keys.map((key) => [key, summarize(key, groups.get(key) ?? []).metrics[metric] ?? null]))
}
