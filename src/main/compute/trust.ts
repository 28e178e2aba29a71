/** Measures how far the explanation of a checkpoint can be trusted, on some regions of a manifest drawn by a seed. */
import { AppError, isAppError } from '../../shared/errors.ts'
import { protocolOf, resolveExplainer } from '../../shared/explainers.ts'
import { disposeParams } from '../model/params.ts'
import { createImageCache } from '../train/image-cache.ts'
import { loadModel } from '../train/model-files.ts'
import { namedRandom, permutation } from '../train/random.ts'
import { groupByImage, readManifest } from '../train/samples.ts'
import { measureTrust, type TrustSample } from '../train/trust.ts'
import { trustPlanes, trustSubject } from '../train/trust-model.ts'
import type { ComputeEvent, ComputeMethods, TrustRequest } from './protocol.ts'

export interface TrustOptions {
  readonly signal?: AbortSignal
  readonly onProgress: (event: Extract<ComputeEvent, { type: 'trust.progress' }>) => void
}

/** Images that cannot be read are told and others drawn in their place. @throws AppError 'cancelled'; 'bad-input' when nothing can be measured */
export async function trustManifest(request: TrustRequest, { signal, onProgress }: TrustOptions): Promise<ComputeMethods['trust']['result']> {
  const regions = (await groupByImage(readManifest(request.manifestPath))).flatMap((image) => image.regions.map((region) => ({ image, region })))
  const model = await loadModel(request.checkpointPath, request.modelConfigPath)
  try {
    const explainer = resolveExplainer(model.config, request.explainer)
    const cache = createImageCache(model.config.image.size, 'bicubic', IMAGES_KEPT_BYTES)
    const samples: TrustSample[] = []
    const skipped: { regionId: string; reason: string }[] = []
    for (const at of permutation(namedRandom(request.seed, 'trust'), regions.length)) {
      if (samples.length === request.samples) break
      const { image, region } = regions[at]!
      try {
        await cache.get(image.path)
      } catch (error) {
        if (!isAppError(error)) throw error
        skipped.push({ regionId: region.regionId, reason: error.message })
        continue
      }
      samples.push({ id: region.regionId, phrase: region.phrase, planes: () => trustPlanes(model, cache, image.path) })
    }
    if (samples.length === 0) throw new AppError('bad-input', `None of the ${regions.length} regions has an image that can be read.`, 'Choose another view.')
    const figures = await measureTrust(trustSubject(model, explainer, request.seed), samples, {
      ...(signal ? { signal } : {}), onProgress: (done, total, what) => onProgress({ type: 'trust.progress', done, total, what }),
    })
    return { ...figures, protocol: protocolOf(model.config, explainer), seed: request.seed, of: regions.length, skipped }
  } finally {
    disposeParams(model.params)
  }
}

const IMAGES_KEPT_BYTES = 256 * 1024 ** 2
