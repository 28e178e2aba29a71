/** Scores every region of a manifest with one checkpoint; answers are told batch by batch. */
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../../shared/errors.ts'
import { resolveExplainer } from '../../shared/explainers.ts'
import { phrasesThatFit } from '../model/memory.ts'
import { disposeParams } from '../model/params.ts'
import { createImageCache } from '../train/image-cache.ts'
import { loadForHeatmaps } from '../train/model-files.ts'
import { groupByImage, readManifest } from '../train/samples.ts'
import { LONGEST_PHRASE, scoreImages, TEXTS_TOGETHER, type ScoredSample } from '../train/scoring.ts'
import { preCaption } from '../model/pre-caption.ts'
import type { ComputeEvent, ComputeMethods, ScoredRegion, ScoreRequest } from './protocol.ts'

export interface ScoreOptions {
  readonly signal?: AbortSignal
  readonly onBatch: (event: Extract<ComputeEvent, { type: 'score.batch' }>) => void
}

/** Regions of images that cannot be read are told with the reason, never dropped. Throws AppError 'cancelled' when aborted, 'conflict' with the numbers when the model does not fit into memory. */
export async function scoreManifest(request: ScoreRequest, { signal, onBatch }: ScoreOptions): Promise<ComputeMethods['score']['result']> {
  const images = await groupByImage(readManifest(request.manifestPath))
  const total = images.reduce((sum, image) => sum + image.regions.length, 0)
  let together = TEXTS_TOGETHER
  const model = await loadForHeatmaps(request.checkpointPath, request.modelConfigPath, (config) => {
    together = phrasesThatFit(config, TEXTS_TOGETHER)
  })
  try {
    const cache = createImageCache(model.config.image.size, 'bicubic', 0) // every image is seen once
    const phrases = new Map(images.flatMap((image) => image.regions.map((region) => [region.regionId, region.phrase] as const)))
    const withTokens = (sample: ScoredSample): ScoredRegion => {
      const phrase = phrases.get(sample.regionId)!
      const { tokens, truncated } = model.tokenizer.encode(preCaption(phrase, LONGEST_PHRASE), model.config.max_tokens)
      return { ...sample, phrase, tokens, truncated }
    }
    const explainer = resolveExplainer(model.config, request.explainer)
    const skipped: { regionId: string; reason: string }[] = []
    let scored = 0
    for await (const batch of scoreImages(model, images, cache, signal, explainer, together)) {
      scored += batch.scored.length
      for (const { image, reason } of batch.unreadable) for (const { regionId } of image.regions) skipped.push({ regionId, reason })
      onBatch({ type: 'score.batch', done: scored + skipped.length, total, regions: batch.scored.map(withTokens) })
      await setImmediate()
    }
    if (signal?.aborted) throw new AppError('cancelled', `Stopped after ${scored} of ${total} regions; these are kept.`)
    return { scored, skipped }
  } finally {
    disposeParams(model.params)
  }
}
