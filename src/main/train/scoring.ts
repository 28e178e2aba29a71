/**
 * Heatmaps and scores of many regions: images are encoded in batches, the phrases of one image explained together. Used by
 * validation, by scoring jobs and by the demo's measurements, so that all of them mean the same numbers ("AMC strict").
 */
import { gridSide } from '../../shared/config/model-config.ts'
import { bicubicPeak, prepareHeat, scoreRegion, type HeatGrid } from '../../shared/consistency.ts'
import type { Scores } from '../../shared/domain.ts'
import { isAppError } from '../../shared/errors.ts'
import { isDefaultExplainer, type Explainer } from '../../shared/explainers.ts'
import type { Point } from '../../shared/geometry.ts'
import type { Shape } from '../../shared/shape.ts'
import { encodeImages, explainHeatmaps, type ImageFeatures } from '../model/explain.ts'
import { explainPairs } from '../model/explainers.ts'
import { preCaption } from '../model/pre-caption.ts'
import type { TokenBatch } from '../model/types.ts'
import type { ImageCache } from './image-cache.ts'
import type { LoadedModel } from './model-files.ts'
import { EVALUATION_LEVELS, writePlanes } from './pixels.ts'
import type { SampleImage } from './samples.ts'

/** What the model sees of a phrase and an image. */
export interface Explained {
  /** Raw heat as for the phrase alone: padding by longer neighbours is scaled out. */
  readonly grid: HeatGrid & { readonly values: Float32Array }
  readonly matchProbability: number
}

export interface ScoredSample {
  readonly regionId: string
  readonly revision: number
  readonly scores: Scores
  readonly grid: { readonly width: number; readonly height: number; readonly values: Float32Array }
  readonly peak: Point
}

/** Texts computed together; more need more memory and are hardly quicker. */
export const TEXTS_TOGETHER = 96
/** Words of a phrase that are looked at; the published evaluation cuts there too. */
export const LONGEST_PHRASE = 50

/** Phrases cleaned as published and cut to the model's length. */
export function tokenizePhrases(model: Pick<LoadedModel, 'config' | 'tokenizer'>, phrases: readonly string[]): TokenBatch {
  return model.tokenizer.encodeBatch(phrases.map((phrase) => preCaption(phrase, LONGEST_PHRASE)), model.config.max_tokens)
}

/**
 * The mean over tokens divides by the padded length, so a raw map shrinks beside a longer phrase. Multiplying by
 * padded / own length gives what the phrase alone would have given; after min-max normalisation nothing depends on it.
 */
export function explainPhrases(model: LoadedModel, features: ReturnType<typeof encodeImages>, phrases: readonly string[]): Explained[] {
  const text = tokenizePhrases(model, phrases)
  const { grid, maps, matchProbability } = explainHeatmaps(model.params, { features, text, padId: model.tokenizer.special.pad })
  const cells = grid * grid
  return phrases.map((_, n) => {
    let own = 0
    for (let i = 0; i < text.length; i++) own += text.mask[n * text.length + i]!
    const values = maps.slice(n * cells, (n + 1) * cells)
    const scale = text.length / own
    if (scale !== 1) for (let i = 0; i < cells; i++) values[i] = values[i]! * scale
    return { grid: { width: grid, height: grid, values }, matchProbability: matchProbability[n]! }
  })
}

/**
 * The same by any explainer. The match probability is asked for itself where the explainer does not: it belongs to the pair.
 * @param pixels of the very images that were encoded, [I, 3, S, S]
 */
export function explainPhrasesBy(
  model: LoadedModel, image: { readonly features: ImageFeatures; readonly pixels: Float32Array }, phrases: readonly string[], explainer: Explainer,
): Explained[] {
  if (isDefaultExplainer(model.config, explainer)) return explainPhrases(model, image.features, phrases)
  const text = tokenizePhrases(model, phrases)
  const { maps, match } = explainPairs({ params: model.params, images: image.pixels, features: image.features, text, pad: model.tokenizer.special.pad }, explainer)
  const side = gridSide(model.config)
  const asked = match ?? Float32Array.from(explainPhrases(model, image.features, phrases), ({ matchProbability }) => matchProbability)
  return maps.map((values, n) => ({ grid: { width: side, height: side, values }, matchProbability: asked[n]! }))
}

/** Pixels of evaluation for images of side S, [I, 3, S, S]. */
export function evaluationPixels(rgb: readonly Uint8Array[], side: number): Float32Array {
  const size = 3 * side * side
  const pixels = new Float32Array(rgb.length * size)
  rgb.forEach((image, i) => writePlanes(image, side, EVALUATION_LEVELS, false, pixels, i * size))
  return pixels
}

export function scoreExplained({ grid, matchProbability }: Explained, image: SampleImage, shape: Shape, maskSize: number) {
  const peak = bicubicPeak(grid, image)
  const scores: Scores = { ...scoreRegion(prepareHeat(grid, peak, maskSize), shape, image), matchProbability }
  return { scores, peak }
}

export interface ExplainedImage {
  readonly image: SampleImage
  /** One for each phrase asked, in order. */
  readonly explained: readonly Explained[]
}
export interface UnreadableImage {
  readonly image: SampleImage
  readonly reason: string
}

/**
 * Explains phrases on each image, a batch at a time. Images with equally many phrases are computed together, so the order of
 * the answers is not that of the images.
 */
export async function* explainMany(
  model: LoadedModel,
  asked: readonly { readonly image: SampleImage; readonly phrases: readonly string[] }[],
  cache: ImageCache,
  signal?: AbortSignal,
  explainer?: Explainer,
  mostTexts = TEXTS_TOGETHER,
): AsyncGenerator<readonly (ExplainedImage | UnreadableImage)[]> {
  const byCount = new Map<number, typeof asked[number][]>()
  for (const entry of asked) {
    if (entry.phrases.length === 0) continue
    const same = byCount.get(entry.phrases.length)
    if (same) same.push(entry)
    else byCount.set(entry.phrases.length, [entry])
  }
  for (const [count, entries] of byCount) {
    const together = Math.max(1, Math.floor(mostTexts / count))
    for (let start = 0; start < entries.length; start += together) {
      if (signal?.aborted) return
      yield explainBatch(model, entries.slice(start, start + together), cache, explainer)
    }
  }
}

async function explainBatch(
  model: LoadedModel, entries: readonly { readonly image: SampleImage; readonly phrases: readonly string[] }[], cache: ImageCache, explainer?: Explainer,
): Promise<(ExplainedImage | UnreadableImage)[]> {
  const loaded = await Promise.all(
    entries.map(async (entry): Promise<{ entry: typeof entry; rgb: Uint8Array } | UnreadableImage> => {
      try {
        return { entry, rgb: await cache.get(entry.image.path) }
      } catch (error) {
        if (!isAppError(error)) throw error
        return { image: entry.image, reason: error.message }
      }
    }),
  )
  const usable = loaded.filter((one) => 'rgb' in one)
  const unreadable = loaded.filter((one) => 'reason' in one)
  if (usable.length === 0) return unreadable
  const pixels = evaluationPixels(usable.map((one) => one.rgb), model.config.image.size)
  const features = encodeImages(model.params, pixels)
  try {
    const phrases = usable.flatMap((one) => one.entry.phrases)
    const explained = explainer ? explainPhrasesBy(model, { features, pixels }, phrases, explainer) : explainPhrases(model, features, phrases)
    const count = usable[0]!.entry.phrases.length
    return [...unreadable, ...usable.map(({ entry }, i) => ({ image: entry.image, explained: explained.slice(i * count, (i + 1) * count) }))]
  } finally {
    features.dispose()
  }
}

/** Scores every region of the images; answers come batch by batch. */
export async function* scoreImages(
  model: LoadedModel, images: readonly SampleImage[], cache: ImageCache, signal?: AbortSignal, explainer?: Explainer, mostTexts = TEXTS_TOGETHER,
): AsyncGenerator<{ readonly scored: readonly ScoredSample[]; readonly unreadable: readonly UnreadableImage[] }> {
  const asked = images.map((image) => ({ image, phrases: image.regions.map((region) => region.phrase) }))
  for await (const batch of explainMany(model, asked, cache, signal, explainer, mostTexts)) {
    const scored = batch.flatMap((answer) =>
      'reason' in answer
        ? []
        : answer.image.regions.map((region, r): ScoredSample => {
            const explained = answer.explained[r]!
            const { scores, peak } = scoreExplained(explained, answer.image, region, model.config.mask_size)
            return { regionId: region.regionId, revision: region.revision, scores, grid: explained.grid, peak }
          }),
    )
    yield { scored, unreadable: batch.filter((answer) => 'reason' in answer) }
  }
}

/** Area under the ROC curve: the chance that a random positive scores above a random negative, ties counting half. NaN when one side is empty. */
export function areaUnderCurve(positives: readonly number[], negatives: readonly number[]): number {
  const all = [...positives.map((value) => ({ value, positive: true })), ...negatives.map((value) => ({ value, positive: false }))]
  all.sort((a, b) => a.value - b.value)
  let rankSum = 0
  for (let i = 0; i < all.length; ) {
    let end = i
    while (end < all.length && all[end]!.value === all[i]!.value) end++
    const rank = (i + 1 + end) / 2
    for (let j = i; j < end; j++) if (all[j]!.positive) rankSum += rank
    i = end
  }
  const count = positives.length
  return (rankSum - (count * (count + 1)) / 2) / (count * negatives.length)
}
