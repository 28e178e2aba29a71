/** The frozen samples of a run (manifest.jsonl), grouped by image, with what training needs to know about each. */
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../shared/errors.ts'
import { manifestSampleSchema, type ManifestSample } from '../../shared/manifest.ts'
import type { Shape } from '../../shared/shape.ts'
import { preCaption } from '../model/pre-caption.ts'

export interface SampleRegion extends Shape {
  readonly regionId: string
  readonly revision: number
  readonly phrase: string
  /** What the phrase names, as phraseKey gives it. */
  readonly concepts: readonly string[]
  /** Stages of curriculum.views that show it. */
  readonly stages: readonly number[]
}

export interface SampleImage {
  readonly imageId: string
  readonly path: string
  readonly width: number
  readonly height: number
  readonly split: string
  readonly kind: string | null
  readonly regions: readonly SampleRegion[]
  /** Concepts known to be on the image, and every phrase written about it, as phraseKey gives them. */
  readonly concepts: ReadonlySet<string>
  readonly phrases: ReadonlySet<string>
}

/**
 * @param places where images lie that lie elsewhere than their line says, by id
 * @throws AppError 'bad-input' naming the line that cannot be read
 */
export async function* readManifest(path: string, places: ReadonlyMap<string, string> = new Map()): AsyncGenerator<ManifestSample> {
  const folder = dirname(path)
  const input = createReadStream(path, 'utf8')
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++
      if (line.trim() === '') continue
      const sample = parseLine(line, `${path}:${number}`)
      yield { ...sample, imagePath: places.get(sample.imageId) ?? resolve(folder, sample.imagePath) }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new AppError('not-found', 'The list of samples is missing.', 'Start the run again from its dataset.', path, { cause: error })
  } finally {
    input.destroy()
  }
}

function parseLine(line: string, place: string): ManifestSample {
  let data: unknown
  try {
    data = JSON.parse(line)
  } catch (error) {
    throw new AppError('bad-input', 'This line of the list of samples is not JSON.', 'Start the run again from its dataset.', place, { cause: error })
  }
  const parsed = manifestSampleSchema.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new AppError('bad-input', `A sample has a wrong value at ${issue.path.join('.')}: ${issue.message}.`, 'Start the run again from its dataset.', place)
}

/** Regions of the same image together, in the order in which the images first appear. */
export async function groupByImage(samples: AsyncIterable<ManifestSample> | Iterable<ManifestSample>): Promise<SampleImage[]> {
  const images = new Map<string, { first: ManifestSample; regions: SampleRegion[]; alsoWritten: string[] }>()
  for await (const sample of samples) {
    const { regionId, revision, phrase, boxes, outlines = [], phraseConcepts, stages } = sample
    const region = { regionId, revision, phrase, boxes, outlines, concepts: (phraseConcepts ?? []).map(phraseKey), stages: stages ?? [] }
    const known = images.get(sample.imageId)
    if (known) known.regions.push(region)
    else images.set(sample.imageId, { first: sample, regions: [region], alsoWritten: [] })
    if (sample.imagePhrases) images.get(sample.imageId)!.alsoWritten.push(...sample.imagePhrases)
  }
  return Array.from(images.values(), ({ first, regions, alsoWritten }) => ({
    imageId: first.imageId,
    path: first.imagePath,
    width: first.width,
    height: first.height,
    split: first.split,
    kind: first.kind ?? null,
    regions,
    // What a phrase of the image names is on it, whether or not the image's own list says so.
    concepts: new Set([...(first.imageConcepts ?? []).map(phraseKey), ...regions.flatMap((region) => region.concepts)]),
    phrases: new Set([...regions.map((region) => region.phrase), ...alsoWritten].map(phraseKey)),
  }))
}

const KEY_WORDS = 50

/** A phrase as the model reads it: two that differ only in capitals or punctuation say the same. */
export function phraseKey(phrase: string): string {
  return preCaption(phrase, KEY_WORDS)
}

/** What is known to be true of an image. */
export type Known = Pick<SampleImage, 'phrases' | 'concepts'>

/**
 * Whether a phrase is known to be true of an image: the same words were written about it, it holds all that the phrase names,
 * or the phrase is nothing but the name of a category that is on it ("a dog").
 */
export function knownTrue(region: Pick<SampleRegion, 'phrase' | 'concepts'>, image: Known): boolean {
  return isKnown(phraseKey(region.phrase), region.concepts, image)
}

/** The same for a phrase whose key is at hand. */
export function isKnown(key: string, concepts: readonly string[], image: Known): boolean {
  if (image.phrases.has(key) || image.concepts.has(key) || image.concepts.has(key.replace(/^(a|an|the|some) /, ''))) return true
  return concepts.length > 0 && concepts.every((concept) => image.concepts.has(concept))
}
