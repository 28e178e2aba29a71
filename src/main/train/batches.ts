/**
 * The batches of a run. A batch is first drawn (every random choice, at once, in a fixed order) and then assembled (decoding,
 * which may happen in the background). The state after the draw travels with it: a run saved after that step resumes with
 * exactly the batch that would have come next, however far ahead batches were drawn.
 */
import type { RunConfig } from '../../shared/config/run-config.ts'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { Box } from '../../shared/geometry.ts'
import { isAppError } from '../../shared/errors.ts'
import { randomFromState, type RandomSource } from '../model/random.ts'
import type { TokenBatch, TrainBatch } from '../model/types.ts'
import { drawColorJitter, jitterColors, swapLeftRight, toGray, type ColorJitter } from './augment.ts'
import type { ImageCache } from './image-cache.ts'
import { TRAINING_LEVELS, writePlanes, writeRegionMask } from './pixels.ts'
import { namedRandom, permutation } from './random.ts'
import { createSampler, type SamplerState } from './sampler.ts'
import { knownTrue, type SampleImage, type SampleRegion } from './samples.ts'

export type Pool = 'all' | 'close-ups' | 'scenes'

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
  readonly stepsPerEpoch: number
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
  /** The box drawn for each region, or all of them. */
  readonly boxes: readonly (readonly Box[])[]
  readonly mirrored: boolean
  readonly gray: boolean
  readonly jitter: ColorJitter | null
}

export function createBatchSource(inputs: BatchInputs): BatchSource {
  const { images, config, start } = inputs
  const pools = poolsOf(images)
  const sampler = createSampler(pools, config.seed, start?.sampler)
  const phrasesIn = Object.fromEntries(
    Object.entries(pools).map(([pool, indices]) => {
      const most = indices.reduce((count, index) => Math.max(count, images[index]!.regions.length), 1)
      return [pool, Math.min(config.batch.phrases, most)] // where no image has more, repeating them would only cost time
    }),
  )
  const random = start ? randomFromState(start.random) : namedRandom(config.seed, 'batches')
  return {
    async prepare(pool) {
      const phrases = phrasesIn[pool]!
      const drawn = Array.from(sampler.next(pool, config.batch.images), (index) => drawItem(images[index]!, phrases, config, random))
      const stateAfter = { sampler: sampler.state(), random: random.state() }
      return { ...(await assemble(drawn, phrases, inputs)), stateAfter }
    },
    has: (pool) => pools[pool].length > 0,
    stepsPerEpoch: Math.max(1, Math.floor(images.length / config.batch.images)),
  }
}

function poolsOf(images: readonly SampleImage[]): Record<Pool, Int32Array> {
  const indicesOf = (keep: (image: SampleImage) => boolean) =>
    Int32Array.from(images.flatMap((image, index) => (keep(image) ? [index] : [])))
  return {
    all: indicesOf(() => true),
    'close-ups': indicesOf((image) => image.kind === 'close-up'),
    scenes: indicesOf((image) => image.kind !== 'close-up'),
  }
}

function drawItem(image: SampleImage, phrases: number, { data }: RunConfig, random: RandomSource): Item {
  const order = permutation(random, image.regions.length)
  const regions = Array.from({ length: phrases }, (_, i) => image.regions[order[i % order.length]!]!)
  return {
    image,
    regions,
    boxes: regions.map(({ boxes }) => (data.boxes === 'all' || boxes.length < 2 ? boxes : [boxes[random.below(boxes.length)]!])),
    mirrored: random.next() < data.flip,
    gray: random.next() < data.grayscale,
    jitter: random.next() < data.colorJitter ? drawColorJitter(random) : null,
  }
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
      phrases.push(item.mirrored && config.data.swapLeftRight ? swapLeftRight(region.phrase) : region.phrase)
      const boxes = item.boxes[j]!
      if (boxes.length === 0) return
      hasRegion[n] = 1
      writeRegionMask(boxes, item.image, side, maskSide, item.mirrored, regionMasks, n * maskSide * maskSide)
    })
  })
  return {
    images,
    imageCount: items.length,
    phrasesPerImage: k,
    text: inputs.tokenize(phrases),
    regionMasks: hasRegion.includes(1) ? regionMasks : null,
    hasRegion,
    ...(config.data.trueNegatives ? { alsoTrue: alsoTrue(items) } : {}),
  }
}

function augmented(rgb: Uint8Array, { gray, jitter }: Item): Uint8Array {
  const colors = gray ? toGray(rgb) : rgb
  return jitter ? jitterColors(colors, jitter) : colors
}

/** 1 where a text is known to be true of an image that is not its own, [N, B]. */
function alsoTrue(items: readonly Item[]): Uint8Array {
  const count = items.length
  const regions = items.flatMap((item) => item.regions)
  const k = regions.length / Math.max(1, count)
  const result = new Uint8Array(regions.length * count)
  regions.forEach((region, n) => {
    for (let b = 0; b < count; b++) if (Math.floor(n / k) !== b && knownTrue(region, items[b]!.image)) result[n * count + b] = 1
  })
  return result
}

/** What a step of the run looks at and which losses are on: the curriculum. `share` is the part of the run already done, in [0, 1). */
export function stageAt(config: RunConfig, share: number, has: (pool: Pool) => boolean): { pool: Pool; contrastOnly: boolean; hardNegatives: number } {
  const { contrastOnly, closeUps, uniformNegatives, hardNegatives } = config.curriculum
  const staged = closeUps > 0 && has('close-ups') && has('scenes')
  return {
    pool: !staged ? 'all' : share < closeUps ? 'close-ups' : 'scenes',
    contrastOnly: share < contrastOnly,
    hardNegatives: share < uniformNegatives ? 0 : hardNegatives,
  }
}
