/** The frozen samples of a run (manifest.jsonl), grouped by image, with what training needs to know about each. */
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { manifestSampleSchema, type ManifestSample } from '../../shared/manifest.ts'

export interface SampleRegion {
  readonly regionId: string
  readonly revision: number
  readonly phrase: string
  readonly boxes: readonly Box[]
  readonly concepts: readonly string[]
}

export interface SampleImage {
  readonly imageId: string
  readonly path: string
  readonly width: number
  readonly height: number
  readonly split: string
  readonly kind: string | null
  readonly regions: readonly SampleRegion[]
  /** Concepts known to be on the image, and every phrase written about it. */
  readonly concepts: ReadonlySet<string>
  readonly phrases: ReadonlySet<string>
}

/** @throws AppError 'bad-input' naming the line that cannot be read */
export async function* readManifest(path: string): AsyncGenerator<ManifestSample> {
  const folder = dirname(path)
  const input = createReadStream(path, 'utf8')
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++
      if (line.trim() === '') continue
      const sample = parseLine(line, `${path}:${number}`)
      yield { ...sample, imagePath: resolve(folder, sample.imagePath) }
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
  const images = new Map<string, { first: ManifestSample; regions: SampleRegion[] }>()
  for await (const sample of samples) {
    const { regionId, revision, phrase, boxes, phraseConcepts } = sample
    const region = { regionId, revision, phrase, boxes, concepts: phraseConcepts ?? [] }
    const known = images.get(sample.imageId)
    if (known) known.regions.push(region)
    else images.set(sample.imageId, { first: sample, regions: [region] })
  }
  return Array.from(images.values(), ({ first, regions }) => ({
    imageId: first.imageId,
    path: first.imagePath,
    width: first.width,
    height: first.height,
    split: first.split,
    kind: first.kind ?? null,
    regions,
    concepts: new Set(first.imageConcepts ?? []),
    phrases: new Set(regions.map((region) => region.phrase)),
  }))
}

/** Whether a phrase is known to be true of an image: the same words were written about it, or it holds all that the phrase names. */
export function knownTrue(region: SampleRegion, image: SampleImage): boolean {
  if (image.phrases.has(region.phrase)) return true
  return region.concepts.length > 0 && region.concepts.every((concept) => image.concepts.has(concept))
}
