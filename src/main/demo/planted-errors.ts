/** Wrong boxes put into the training scenes on purpose, so that finding them can be measured. */
import type { Box } from '../../shared/geometry.ts'
import { shuffled, type Random } from './random.ts'

/** Said at the top of the file that names them. */
export const PLANTED_ERRORS_ABOUT =
  'For measuring only: these boxes of annotations.json were moved on purpose to another object. Nothing else reads this file, neither training nor any screen.'

export interface PlantedError {
  /** Position of the region in annotations.json, from 0. */
  readonly index: number
  readonly image: string
  readonly caption: string
  /** The box as annotations.json has it. */
  readonly wrongBox: Box
  /** Where the object really is. */
  readonly trueBox: Box
}

export interface PlantedErrorsFile {
  readonly about: string
  readonly seed: number
  /** Regions of training scenes, wrong and right: the number the share is of. */
  readonly candidates: number
  readonly errors: readonly PlantedError[]
}

export interface Candidate {
  readonly index: number
  readonly image: string
  readonly caption: string
  readonly category: string
  readonly box: Box
}

/**
 * Moves the given share of the regions, rounded, each to a random object of another category in the same image.
 * Regions of images without another category stay right. Sorted by index.
 */
export function plantErrors(random: Random, candidates: readonly Candidate[], share: number): readonly PlantedError[] {
  const byImage = Map.groupBy(candidates, (candidate) => candidate.image)
  const errors: PlantedError[] = []
  const wanted = Math.round(share * candidates.length)
  for (const candidate of shuffled(random, candidates)) {
    if (errors.length >= wanted) break
    const others = byImage.get(candidate.image)!.filter((other) => other.category !== candidate.category)
    const other = shuffled(random, others)[0]
    if (!other) continue
    const { index, image, caption, box } = candidate
    errors.push({ index, image, caption, wrongBox: other.box, trueBox: box })
  }
  return errors.sort((a, b) => a.index - b.index)
}
