/**
 * The batches of a run. A batch is first drawn (every random choice, at once, in a fixed order) and then assembled (decoding,
 * which may happen in the background). The state after the draw travels with it: a run saved after that step resumes with
 * exactly the batch that would have come next, however far ahead batches were drawn.
 */
import type { RunConfig } from '../../shared/config/run-config.ts'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { isAppError } from '../../shared/errors.ts'
import { boxesOnly, type Shape } from '../../shared/shape.ts'
import { randomFromState, type RandomSource } from '../model/random.ts'
import type { TokenBatch, TrainBatch } from '../model/types.ts'
import { drawColorJitter, jitterColors, swapLeftRight, toGray, type ColorJitter } from './augment.ts'
import type { ImageCache } from './image-cache.ts'
import { TRAINING_LEVELS, writePlanes, writeRegionMask } from './pixels.ts'
import { namedRandom, permutation } from './random.ts'
import type { Pool } from './curriculum.ts'
import { createSampler, type SamplerState } from './sampler.ts'
import { isKnown, phraseKey, type Known, type SampleImage, type SampleRegion } from './samples.ts'

export interface BatchState {
  readonly sampler: SamplerState
  readonly random: readonly number[]
}

export interface ReadyBatch {
  readonly batch: TrainBatch
  readonly stateAfter: BatchState
  /** Images that could not be read and were left out, in sentences. */
  readonly notes: readonly string[]
}

export interface BatchSource {
  /** Draws the next batch now and assembles it in the background. */
  prepare(pool: Pool): Promise<ReadyBatch>
  /** Whether the dataset has images of this pool. */
  has(pool: Pool): boolean
}

export interface BatchInputs {
  readonly images: readonly SampleImage[]
  readonly config: RunConfig
  readonly modelConfig: ModelConfig
  readonly cache: ImageCache
  /** Cleaned and turned into word pieces, [CLS] first, at most max_tokens, padded to the longest. */
  readonly tokenize: (phrases: readonly string[]) => TokenBatch
  readonly start?: BatchState
}

interface Item {
  readonly image: SampleImage
  /** As many as phrases an image; may repeat. */
  readonly regions: readonly SampleRegion[]
  /** What each region's mask is made of: the box drawn for it, or all of them. */
  readonly shapes: readonly Shape[]
  readonly mirrored: boolean
  readonly gray: boolean
  readonly jitter: ColorJitter | null
}

export function createBatchSource(inputs: BatchInputs): BatchSource {
  const { images, config, start } = inputs
  const pools = poolsOf(config.data.epoch === 'regions' ? regionByRegion(images) : images)
  const sampler = createSampler(new Map([...pools].map(([pool, members]) => [pool, members.length])), config.seed, start?.sampler)
  const phrasesIn = new Map(
    [...pools].map(([pool, members]) => {
      const most = members.reduce((count, image) => Math.max(count, image.regions.length), 1)
      return [pool, Math.min(config.batch.phrases, most)] // where no image has more, repeating them would only cost time
    }),
  )
  const random = start ? randomFromState(start.random) : namedRandom(config.seed, 'batches')
  return {
    async prepare(pool) {
      const phrases = phrasesIn.get(pool)!
      const members = pools.get(pool)!
      const drawn = Array.from(sampler.next(pool, config.batch.images), (index) => drawItem(members[index]!, phrases, config, random))
      const stateAfter = { sampler: sampler.state(), random: random.state() }
      return { ...(await assemble(drawn, phrases, inputs)), stateAfter }
    },
    has: (pool) => (pools.get(pool)?.length ?? 0) > 0,
  }
}

/** Every region with its image as a sample of its own. What is known of the image stays. */
function regionByRegion(images: readonly SampleImage[]): SampleImage[] {
  return images.flatMap((image) => image.regions.map((region) => ({ ...image, regions: [region] })))
}

/** The images of each pool. In a stage of views an image shows its regions of that stage only; what is known of it stays. */
function poolsOf(images: readonly SampleImage[]): ReadonlyMap<Pool, readonly SampleImage[]> {
  const pools = new Map<Pool, readonly SampleImage[]>([
    ['all', images],
    ['close-ups', images.filter((image) => image.kind === 'close-up')],
    ['scenes', images.filter((image) => image.kind !== 'close-up')],
  ])
  const stages = new Set(images.flatMap((image) => image.regions.flatMap((region) => region.stages)))
  for (const stage of stages) {
    const shown = images.map((image) => ({ ...image, regions: image.regions.filter((region) => region.stages.includes(stage)) }))
    pools.set(`view-${stage}`, shown.filter((image) => image.regions.length > 0))
  }
  return pools
}

function drawItem(image: SampleImage, phrases: number, { data }: RunConfig, random: RandomSource): Item {
  const order = permutation(random, image.regions.length)
  const regions = Array.from({ length: phrases }, (_, i) => image.regions[order[i % order.length]!]!)
  return {
    image,
    regions,
    shapes: regions.map((region) => trainedShape(region, data, random)),
    mirrored: random.next() < data.flip,
    gray: random.next() < data.grayscale,
    jitter: random.next() < data.colorJitter ? drawColorJitter(random) : null,
  }
}

function trainedShape({ boxes, outlines }: Shape, data: RunConfig['data'], random: RandomSource): Shape {
  const shape = data.regions === 'box' ? boxesOnly(boxes) : { boxes, outlines }
  if (data.boxes === 'all' || boxes.length < 2) return shape
  const drawn = random.below(boxes.length)
  return { boxes: [boxes[drawn]!], outlines: shape.outlines.slice(drawn, drawn + 1) }
}

async function assemble(
  drawn: readonly Item[], phrases: number, inputs: BatchInputs,
): Promise<{ batch: TrainBatch; notes: readonly string[] }> {
  const notes: string[] = []
  const loaded = await Promise.all(
    drawn.map(async (item) => {
      try {
        return { item, rgb: await inputs.cache.get(item.image.path) }
      } catch (error) {
        if (!isAppError(error)) throw error
        notes.push(`Left out ${item.image.path}: ${error.message}`)
        return null
      }
    }),
  )
  const usable = loaded.filter((entry) => entry !== null)
  return { batch: fill(usable, phrases, inputs), notes }
}

function fill(entries: readonly { readonly item: Item; readonly rgb: Uint8Array }[], k: number, inputs: BatchInputs): TrainBatch {
  const { modelConfig, config } = inputs
  const side = modelConfig.image.size
  const maskSide = modelConfig.mask_size
  const items = entries.map((entry) => entry.item)
  const images = new Float32Array(items.length * 3 * side * side)
  const hasRegion = new Uint8Array(items.length * k)
  const regionMasks = new Float32Array(items.length * k * maskSide * maskSide)
  const phrases: string[] = []
  entries.forEach(({ item, rgb }, b) => {
    writePlanes(augmented(rgb, item), side, TRAINING_LEVELS, item.mirrored, images, b * 3 * side * side)
    item.regions.forEach((region, j) => {
      const n = b * k + j
      phrases.push(shownPhrase(item, region.phrase, config))
      const shape = item.shapes[j]!
      if (shape.boxes.length === 0) return
      hasRegion[n] = 1
      writeRegionMask(shape, item.image, side, maskSide, item.mirrored, regionMasks, n * maskSide * maskSide)
    })
  })
  return {
    images,
    imageCount: items.length,
    phrasesPerImage: k,
    text: inputs.tokenize(phrases),
    regionMasks: hasRegion.includes(1) ? regionMasks : null,
    hasRegion,
    ...(config.data.trueNegatives ? { alsoTrue: alsoTrue(items, config) } : {}),
  }
}

/** A phrase of a mirrored image says left where it said right. */
function shownPhrase({ mirrored }: Item, phrase: string, { data }: RunConfig): string {
  return mirrored && data.swapLeftRight ? swapLeftRight(phrase) : phrase
}

function augmented(rgb: Uint8Array, { gray, jitter }: Item): Uint8Array {
  const colors = gray ? toGray(rgb) : rgb
  return jitter ? jitterColors(colors, jitter) : colors
}

/** 1 where a text is known to be true of an image that is not its own, [N, B]. */
function alsoTrue(items: readonly Item[], config: RunConfig): Uint8Array {
  const count = items.length
  // Of the images as they are shown: what stands on the left of one is on the right of its mirror image.
  const known = items.map((item): Known => ({
    concepts: item.image.concepts,
    phrases: item.mirrored ? new Set([...item.image.phrases].map((phrase) => shownPhrase(item, phrase, config))) : item.image.phrases,
  }))
  const texts = items.flatMap((item, own) => item.regions.map(({ phrase, concepts }) => ({ own, concepts, key: phraseKey(shownPhrase(item, phrase, config)) })))
  const result = new Uint8Array(texts.length * count)
  texts.forEach(({ own, key, concepts }, n) => {
    for (let b = 0; b < count; b++) if (own !== b && isKnown(key, concepts, known[b]!)) result[n * count + b] = 1
  })
  return result
}
