/**
 * Heatmaps for what is on screen: checkpoints and encoded images are kept between calls, so that a new phrase on the same
 * image costs the text side only.
 */
import { stat } from 'node:fs/promises'
import { bicubicPeak } from '../../shared/consistency.ts'
import { AppError } from '../../shared/errors.ts'
import { protocolOf, resolveExplainer } from '../../shared/explainers.ts'
import { decodeRgb } from '../images/decode.ts'
import { encodeImages, type ImageFeatures } from '../model/explain.ts'
import { requireHeatmapMemory } from '../model/memory.ts'
import { disposeParams } from '../model/params.ts'
import { preCaption } from '../model/pre-caption.ts'
import { loadForHeatmaps, type LoadedModel } from '../train/model-files.ts'
import { resizeBicubic } from '../train/resize.ts'
import { evaluationPixels, explainPhrasesBy, LONGEST_PHRASE } from '../train/scoring.ts'
import type { ExplainedPhrase, ExplainRequest, ExplainResult } from './protocol.ts'

export interface Explainer {
  /**
   * Raw heatmaps (scaled as for the phrase alone; HiResCAM's alone has negative cells) and match probabilities of the phrases on one image.
   * Neither depends on which other phrases are asked at the same time.
   */
  explain(request: ExplainRequest, signal?: AbortSignal): Promise<ExplainResult>
  dispose(): void
}

export interface ExplainerLimits {
  readonly models: number
  readonly images: number
}

interface KeptModel {
  readonly model: Promise<LoadedModel>
  /** Calls under way; a model pushed out of the cache is freed when the last of them ends. */
  users: number
  forgotten: boolean
  /** By path and time of change of the image. */
  readonly images: Map<string, Promise<KeptImage>>
}
interface KeptImage {
  readonly features: ImageFeatures
  /** What was encoded, for explainers that go through the image encoder themselves. */
  readonly pixels: Float32Array
  readonly width: number
  readonly height: number
}

const DEFAULT_LIMITS: ExplainerLimits = { models: 4, images: 32 }

export function createExplainer(limits: ExplainerLimits = DEFAULT_LIMITS): Explainer {
  const models = new Map<string, KeptModel>()

  async function modelFor({ checkpointPath, modelConfigPath, phrases }: ExplainRequest): Promise<KeptModel> {
    const key = `${checkpointPath}\n${modelConfigPath ?? ''}\n${await changeOf(checkpointPath, 'The checkpoint is missing.')}`
    const load = () => loadForHeatmaps(checkpointPath, modelConfigPath, (config) => requireHeatmapMemory(config, { images: 1, phrases: phrases.length }))
    return keep(models, key, limits.models, () => ({ model: load(), images: new Map(), users: 0, forgotten: false }), forgetModel)
  }

  async function explainWith(kept: KeptModel, model: LoadedModel, request: ExplainRequest, signal?: AbortSignal): Promise<ExplainResult> {
    const key = `${request.imagePath}\n${await changeOf(request.imagePath, 'The image is missing.')}`
    const began = performance.now()
    const pending = keep(kept.images, key, limits.images, () => encode(model, request.imagePath), forgetImage)
    const image = await failedIsForgotten(kept.images, pending, pending)
    if (signal?.aborted) throw new AppError('cancelled', 'The heatmap is no longer needed.')
    const explainer = resolveExplainer(model.config, request.explainer)
    const explained = request.phrases.length === 0 ? [] : explainPhrasesBy(model, image, request.phrases, explainer)
    const phrases = request.phrases.map((phrase, i): ExplainedPhrase => {
      const { tokens, truncated } = model.tokenizer.encode(preCaption(phrase, LONGEST_PHRASE), model.config.max_tokens)
      const { grid, matchProbability } = explained[i]!
      return {
        phrase, grid, matchProbability, tokens, truncated,
        peak: bicubicPeak(grid, image),
        layer: explainer.layer,
        maskSize: model.config.mask_size,
        protocol: protocolOf(model.config, explainer),
      }
    })
    return { phrases, image: { width: image.width, height: image.height }, computeMs: performance.now() - began }
  }

  return {
    async explain(request, signal) {
      const kept = await modelFor(request)
      kept.users++
      try {
        return await explainWith(kept, await failedIsForgotten(models, kept, kept.model), request, signal)
      } finally {
        kept.users--
        if (kept.forgotten && kept.users === 0) freeModel(kept)
      }
    },
    dispose() {
      for (const kept of models.values()) forgetModel(kept)
      models.clear()
    },
  }
}

async function encode(model: LoadedModel, path: string): Promise<KeptImage> {
  const image = await decodeRgb(path)
  const side = model.config.image.size
  const { data } = resizeBicubic(image, side, side)
  const pixels = evaluationPixels([data], side)
  return { features: encodeImages(model.params, pixels), pixels, width: image.width, height: image.height }
}

async function changeOf(path: string, missing: string): Promise<string> {
  try {
    const { mtimeMs, size } = await stat(path)
    return `${mtimeMs} ${size}`
  } catch (error) {
    throw new AppError('not-found', missing, 'Put it back, or choose another.', path, { cause: error })
  }
}

/** The value of a key, made when it is not there; the least recently used one beyond the limit is forgotten. */
function keep<T>(kept: Map<string, T>, key: string, limit: number, make: () => T, forget: (value: T) => void): T {
  const value = kept.get(key) ?? make()
  kept.delete(key)
  kept.set(key, value) // newest last
  for (const [oldest, old] of kept) {
    if (kept.size <= limit) break
    kept.delete(oldest)
    forget(old)
  }
  return value
}

async function failedIsForgotten<K, V, T>(kept: Map<K, V>, entry: V, promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    for (const [key, value] of kept) if (value === entry) kept.delete(key)
    throw error
  }
}

// Whoever still waits for it computes within the same turn after its await, before these run.
function forgetImage(image: Promise<KeptImage>): void {
  void image.then(({ features }) => setImmediate(() => features.dispose()), () => undefined)
}

function forgetModel(kept: KeptModel): void {
  kept.forgotten = true
  if (kept.users === 0) freeModel(kept)
}

function freeModel({ model, images }: KeptModel): void {
  for (const image of images.values()) forgetImage(image)
  void model.then(({ params }) => disposeParams(params), () => undefined)
}
