/** How a run is judged while it goes on: pointing game (AMC strict) and consistency on part of the val split, and its probes. */
import type { MetricRow } from '../../shared/domain.ts'
import type { Box, Point } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import { namedRandom, permutation } from './random.ts'
import type { ImageCache } from './image-cache.ts'
import type { LoadedModel } from './model-files.ts'
import type { SampleImage, SampleRegion } from './samples.ts'
import { knownTrue } from './samples.ts'
import { areaUnderCurve, explainMany, scoreImages, type ScoredSample } from './scoring.ts'

/** One line of probes.jsonl. The samples stand in the first line's neighbour fields, so each line can be read alone. */
export interface ProbeFrame {
  readonly step: number
  readonly heat: readonly {
    readonly regionId: string
    readonly imageId: string
    readonly phrase: string
    readonly boxes: readonly Box[]
    /** Absent where no box has one. */
    readonly outlines?: readonly Outline[]
    readonly width: number
    readonly height: number
    readonly grid: { readonly width: number; readonly height: number; readonly values: readonly number[] }
    readonly peak: Point
    readonly insideEnergy: number
    readonly pointingHit: boolean
  }[]
}

export interface ValidationSet {
  readonly images: readonly SampleImage[]
  /** Regions whose heatmaps are kept, by region id. */
  readonly probes: ReadonlyMap<string, { readonly image: SampleImage; readonly region: SampleRegion }>
}

/** The part of the val split that this run always looks at, drawn once by its seed. `count` 0: all of it. */
export function chooseValidation(images: readonly SampleImage[], count: number, probeCount: number, seed: number): ValidationSet {
  const order = permutation(namedRandom(seed, 'validation'), images.length)
  const chosen = Array.from(count > 0 ? order.subarray(0, count) : order, (i) => images[i]!)
  const probes = new Map(chosen.slice(0, probeCount).map((image) => [image.regions[0]!.regionId, { image, region: image.regions[0]! }]))
  return { images: chosen, probes }
}

export interface ValidationResult {
  readonly values: MetricRow['values']
  readonly probes: ProbeFrame['heat']
}

/** Pointing game and consistency of every region, and how many pairs, true and false, are told apart (the mean of both shares). */
export async function validate(model: LoadedModel, set: ValidationSet, cache: ImageCache, seed: number, signal?: AbortSignal): Promise<ValidationResult> {
  const scored: ScoredSample[] = []
  for await (const batch of scoreImages(model, set.images, cache, signal)) scored.push(...batch.scored)
  const mean = (value: (sample: ScoredSample) => number): number => scored.reduce((sum, sample) => sum + value(sample), 0) / scored.length
  const asked = withFalsePhrases(set.images, seed, 1).map(({ image, negatives }) => ({ image, phrases: negatives }))
  const refused = await matchProbabilities(model, asked, cache, signal)
  const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length
  const accepted = share(scored.map((sample) => sample.scores.matchProbability >= 0.5))
  const byId = new Map(scored.map((sample) => [sample.regionId, sample]))
  return {
    values:
      scored.length === 0
        ? {}
        : {
            'val.pointingGame': mean((sample) => Number(sample.scores.pointingHit)),
            'val.consistency': mean((sample) => sample.scores.insideEnergy),
            'val.matchProbability': mean((sample) => sample.scores.matchProbability),
            ...(refused.length === 0 ? {} : { 'val.itmAccuracy': (accepted + share(refused.map((probability) => probability < 0.5))) / 2 }),
          },
    probes: [...set.probes].flatMap(([regionId, { image, region }]) => {
      const sample = byId.get(regionId)
      if (!sample) return []
      const { grid, peak, scores } = sample
      const values = Array.from(grid.values)
      return [{
        regionId, imageId: image.imageId, phrase: region.phrase, boxes: region.boxes, ...(region.outlines.length > 0 ? { outlines: region.outlines } : {}), width: image.width, height: image.height,
        grid: { ...grid, values }, peak, insideEnergy: scores.insideEnergy, pointingHit: scores.pointingHit,
      }]
    }),
  }
}

/**
 * How well the match probability tells true pairs from false ones: every phrase on its own image against a phrase of another
 * image that is not known to be true of this one, drawn uniformly. Area under the ROC curve; NaN when there is no false pair.
 */
export async function matchAuc(
  model: LoadedModel, images: readonly SampleImage[], cache: ImageCache, seed: number, signal?: AbortSignal,
): Promise<number> {
  const asked = withFalsePhrases(images, seed, Infinity).map(({ image, negatives }) => ({ image, phrases: [...image.regions.map((region) => region.phrase), ...negatives] }))
  const positives: number[] = []
  const negatives: number[] = []
  for await (const batch of explainMany(model, asked, cache, signal)) {
    for (const answer of batch) {
      if ('reason' in answer) continue
      const own = answer.image.regions.length
      answer.explained.forEach(({ matchProbability }, i) => (i < own ? positives : negatives).push(matchProbability))
    }
  }
  return areaUnderCurve(positives, negatives)
}

/** For each image phrases of others that are not known to be true of it, drawn uniformly: as many as it has regions, at most `most`. */
function withFalsePhrases(images: readonly SampleImage[], seed: number, most: number): { readonly image: SampleImage; readonly negatives: string[] }[] {
  const random = namedRandom(seed, 'true negatives')
  const everywhere = images.flatMap((image) => image.regions)
  return images.map((image) => ({
    image,
    negatives: image.regions.slice(0, most).flatMap(() => {
      for (let attempt = 0; attempt < 100; attempt++) {
        const other = everywhere[random.below(everywhere.length)]!
        if (!knownTrue(other, image)) return [other.phrase]
      }
      return []
    }),
  }))
}

async function matchProbabilities(model: LoadedModel, asked: Parameters<typeof explainMany>[1], cache: ImageCache, signal?: AbortSignal): Promise<number[]> {
  const found: number[] = []
  for await (const batch of explainMany(model, asked, cache, signal)) {
    for (const answer of batch) if ('explained' in answer) found.push(...answer.explained.map((one) => one.matchProbability))
  }
  return found
}
