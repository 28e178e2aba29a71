/** What the demo's models are worth: pointing game and match AUC on held-out scenes, and finding the boxes that are wrong on purpose. */
import { AppError } from '../../shared/errors.ts'
import { pointStrictlyInside, boxArea } from '../../shared/geometry.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import { areaShare, takeBaseline } from '../../shared/suspects/baseline.ts'
import { heatRaster } from '../../shared/suspects/heat-raster.ts'
import { judgeRegions } from '../../shared/suspects/judge.ts'
import { createParams, disposeParams } from '../model/params.ts'
import { createImageCache, type ImageCache } from '../train/image-cache.ts'
import { loadModel, type LoadedModel } from '../train/model-files.ts'
import { groupByImage, type SampleImage } from '../train/samples.ts'
import { areaUnderCurve, scoreImages, type ScoredSample } from '../train/scoring.ts'
import { matchAuc } from '../train/validation.ts'

export interface ModelMeasures {
  readonly pointingGame: number
  /** Mean share of the heat inside the region. */
  readonly consistency: number
  /** Pointing game by what the phrase tells apart. */
  readonly slices: Readonly<Record<string, { readonly regions: number; readonly pointingGame: number }>>
}
export interface DemoMeasures {
  readonly untrained: ModelMeasures
  readonly withoutAmc: ModelMeasures & { readonly itmAuc: number }
  readonly withAmc: ModelMeasures & { readonly itmAuc: number }
  /** precisionAtHalf: among as many of the first as half of the wrong ones. */
  readonly suspects: { readonly auroc: number; readonly precisionAt50: number; readonly precisionAtHalf: number }
  readonly chance: { readonly randomPixel: number; readonly imageCentre: number; readonly randomObject: number; readonly suspects: number }
  readonly heldOutRegions: number
  readonly suspectRegions: number
}

export interface MeasureInput {
  readonly samples: readonly ManifestSample[]
  readonly seed: number
  /** Ids of the regions whose boxes are wrong: for measuring only. */
  readonly wrong: ReadonlySet<string>
  /** Checkpoint files. */
  readonly withoutAmc: string
  readonly withAmc: string
  readonly onProgress?: (done: number, total: number, message: string) => void
  readonly signal?: AbortSignal
}

export async function measureDemo(input: MeasureInput): Promise<DemoMeasures> {
  const { samples, seed, wrong, signal } = input
  const heldOut = await groupByImage(samples.filter((sample) => sample.split === 'val'))
  const scenes = await groupByImage(samples.filter((sample) => sample.split === 'train' && sample.kind === 'scene'))
  const withAmc = await loadModel(input.withAmc)
  const cache = createImageCache(withAmc.config.image.size, 'bicubic', 5e8)
  const tell = (done: number, message: string): void => input.onProgress?.(done, 4, message)

  const untrainedModel = { ...withAmc, params: createParams(withAmc.config, seed) }
  tell(0, 'Scoring the untrained model')
  const untrained = await released(untrainedModel, () => measureModel(untrainedModel, heldOut, cache, signal))
  tell(1, 'Scoring the model trained without AMC')
  const withoutModel = await loadModel(input.withoutAmc)
  const withoutMeasures = await released(withoutModel, () => measureMatching(withoutModel, heldOut, cache, seed, signal))
  tell(2, 'Scoring the model trained with AMC')
  return released(withAmc, async () => {
    const withMeasures = await measureMatching(withAmc, heldOut, cache, seed, signal)
    tell(3, 'Looking for wrong boxes')
    const scored = await scoreAll(withAmc, scenes, cache, signal)
    return {
      untrained,
      withoutAmc: withoutMeasures,
      withAmc: withMeasures,
      suspects: findSuspects(scored, scenes, wrong),
      chance: { ...chanceLevels(heldOut), suspects: scored.filter((sample) => wrong.has(sample.regionId)).length / scored.length },
      heldOutRegions: heldOut.reduce((sum, image) => sum + image.regions.length, 0),
      suspectRegions: scored.length,
    }
  })
}

async function released<T>(model: LoadedModel, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } finally {
    disposeParams(model.params)
  }
}

async function scoreAll(model: LoadedModel, images: readonly SampleImage[], cache: ImageCache, signal?: AbortSignal): Promise<ScoredSample[]> {
  const scored: ScoredSample[] = []
  for await (const batch of scoreImages(model, images, cache, signal)) {
    if (batch.unreadable.length > 0) throw new AppError('bad-input', batch.unreadable[0]!.reason, 'Make the demo again.', batch.unreadable[0]!.image.path)
    scored.push(...batch.scored)
  }
  if (signal?.aborted) throw new AppError('cancelled', 'Stopped while measuring; the same command goes on from there.')
  return scored
}

async function measureModel(model: LoadedModel, images: readonly SampleImage[], cache: ImageCache, signal?: AbortSignal): Promise<ModelMeasures> {
  const scored = await scoreAll(model, images, cache, signal)
  const kinds = new Map(images.flatMap((image) => image.regions.map((region) => [region.regionId, kindOf(region.phrase, image)] as const)))
  const slices: Record<string, { regions: number; pointingGame: number }> = {}
  for (const [kind, members] of Map.groupBy(scored, (sample) => kinds.get(sample.regionId)!)) {
    slices[kind] = { regions: members.length, pointingGame: hitShare(members) }
  }
  return { pointingGame: hitShare(scored), consistency: scored.reduce((sum, sample) => sum + sample.scores.insideEnergy, 0) / scored.length, slices }
}

async function measureMatching(model: LoadedModel, images: readonly SampleImage[], cache: ImageCache, seed: number, signal?: AbortSignal) {
  return { ...(await measureModel(model, images, cache, signal)), itmAuc: await matchAuc(model, images, cache, seed, signal) }
}

function hitShare(scored: readonly ScoredSample[]): number {
  return scored.filter((sample) => sample.scores.pointingHit).length / scored.length
}

/** Whether the image holds a second object of the category, and by which word the phrase tells them apart. */
function kindOf(phrase: string, image: SampleImage): string {
  const category = (concepts: readonly string[]): string => concepts[0]?.split(' ').at(-1) ?? ''
  const own = image.regions.find((region) => region.phrase === phrase)!
  const alike = image.regions.filter((region) => category(region.concepts) === category(own.concepts))
  if (alike.length < 2) return 'plain'
  if (/\b(left|right|top|bottom)\b/.test(phrase)) return 'position'
  if (/\b(large|small)\b/.test(phrase)) return 'size'
  return 'colour'
}

/** How well the suspicion that the screen shows finds the wrong regions; judged image by image, as there, by one checkpoint alone. */
export function findSuspects(scored: readonly ScoredSample[], images: readonly SampleImage[], wrong: ReadonlySet<string>): DemoMeasures['suspects'] {
  const byId = new Map(scored.map((sample) => [sample.regionId, sample]))
  const baseline = takeBaseline(images.flatMap((image) => image.regions.map(({ regionId, phrase, boxes }) => ({ phrase, area: areaShare(boxes, image), insideEnergy: byId.get(regionId)!.scores.insideEnergy }))))
  const ranked = images.flatMap((image) => {
    const regions = image.regions.map(({ regionId, phrase, boxes }) => ({ id: regionId, phrase, boxes, scores: byId.get(regionId)!.scores, heat: heatRaster(byId.get(regionId)!.grid), peers: [], history: [] }))
    return judgeRegions(regions, image, baseline).map(({ regionId, suspicion }) => ({ suspicion, wrong: wrong.has(regionId) }))
  })
  ranked.sort((a, b) => b.suspicion - a.suspicion)
  const suspicionOf = (isWrong: boolean): number[] => ranked.filter((one) => one.wrong === isWrong).map((one) => one.suspicion)
  const precisionAt = (count: number): number => ranked.slice(0, count).filter((one) => one.wrong).length / Math.min(count, ranked.length)
  const planted = ranked.filter((one) => one.wrong).length
  return { auroc: areaUnderCurve(suspicionOf(true), suspicionOf(false)), precisionAt50: precisionAt(50), precisionAtHalf: precisionAt(Math.max(1, Math.round(planted / 2))) }
}

/** What pointing without looking reaches on these regions. */
export function chanceLevels(images: readonly SampleImage[]): { randomPixel: number; imageCentre: number; randomObject: number } {
  let count = 0
  let [randomPixel, imageCentre, randomObject] = [0, 0, 0]
  for (const image of images) {
    const objects = new Set(image.regions.map((region) => JSON.stringify(region.boxes[0]))).size
    for (const { boxes } of image.regions) {
      count++
      randomPixel += boxes.reduce((sum, box) => sum + boxArea(box), 0) / (image.width * image.height)
      imageCentre += boxes.some((box) => pointStrictlyInside(Math.floor(image.width / 2), Math.floor(image.height / 2), box)) ? 1 : 0
      randomObject += 1 / objects
    }
  }
  return { randomPixel: randomPixel / count, imageCentre: imageCentre / count, randomObject: randomObject / count }
}
