/**
 * Heatmaps for phrases on images. An image is encoded once, with the keys and values of every fusion layer; any number of
 * phrases then cost only the text side.
 */
import { gridSide } from '../../shared/config/model-config.ts'
import { encodeText, imageSources, paddingBias, type KeysValues } from './bert.ts'
import { fuseTapped, fuseToMatch, fusionEntry, type FusionInput } from './fusion.ts'
import { rawMaps, ungroup } from './gradcam.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'
import { encodeImage } from './vit.ts'

/** What an image is to the fusion layers. Hold it as long as phrases come, then dispose. */
export interface ImageFeatures {
  readonly images: number
  readonly tokens: Tensor2D // [I * P, Wv]
  readonly sources: readonly KeysValues[]
  dispose(): void
}

/** @param images normalised pixels, [I, 3, S, S] */
export function encodeImages(params: ModelParams, images: Float32Array | Tensor4D): ImageFeatures {
  const { size } = params.config.image
  const encode = (): Tensor[] => {
    const pixels = images instanceof Float32Array ? tf.tensor4d(images, [images.length / (3 * size * size), 3, size, size]) : images
    const tokens = encodeImage(params, pixels)
    const sources = imageSources(params, tokens, pixels.shape[0])
    return [tokens, ...sources.flatMap(({ keys, values }) => [keys, values])]
  }
  const kept = tf.tidy(encode)
  const sources: KeysValues[] = []
  for (let i = 1; i < kept.length; i += 2) sources.push({ keys: kept[i] as Tensor4D, values: kept[i + 1] as Tensor4D })
  return { images: sources[0]!.keys.shape[0], tokens: kept[0] as Tensor2D, sources, dispose: () => tf.dispose(kept) }
}

export interface ExplainInput {
  readonly features: ImageFeatures
  /** k texts an image, in order: text n belongs to image floor(n / k). */
  readonly text: TokenBatch
  readonly padId: number
  /** Overrides the configuration's layer. */
  readonly layer?: number
}

export interface Explanations {
  /** Side of a map in cells. */
  readonly grid: number
  /** Raw maps [N, grid, grid]: mean over heads and tokens of A * max(G, 0); neither normalised nor upsampled. */
  readonly maps: Float32Array
  /** Softmax of the match logits, class 1. [N] */
  readonly matchProbability: Float32Array
}

/**
 * The mean over tokens counts padding, so a map's scale (never its shape) depends on the longest text of the batch.
 */
export function explainHeatmaps(params: ModelParams, input: ExplainInput): Explanations {
  const compute = (): [Tensor, Tensor] => {
    const { map, match } = explainTensors(params, input, true)
    return [map, match]
  }
  const [maps, match] = tf.tidy(compute as () => never) as [Tensor, Tensor]
  const result = {
    grid: gridSide(params.config),
    maps: maps.dataSync<'float32'>(),
    matchProbability: match.dataSync<'float32'>(),
  }
  tf.dispose([maps, match])
  return result
}

/** Softmax of the match logits, class 1, without a heatmap: a forward pass alone. [N] */
export function matchProbabilities(params: ModelParams, { features, text, padId }: Omit<ExplainInput, 'layer'>): Float32Array {
  const probabilities = tf.tidy(() => {
    const bias = paddingBias(text)
    const fusion: FusionInput = { params, count: text.count, bias, sources: features.sources }
    const logits = fuseToMatch(fusion, fusionEntry(fusion, encodeText(params, text, bias, padId)), true)
    return tf.slice(tf.softmax(logits), [0, 1], [text.count, 1])
  })
  const values = probabilities.dataSync<'float32'>()
  probabilities.dispose()
  return values
}

/** The tensors behind a heatmap, in the reference's layout; the caller's scope owns them. */
export function explainTensors(params: ModelParams, { features, text, padId, layer }: ExplainInput, firstOnly: boolean) {
  const bias = paddingBias(text)
  const fusion: FusionInput = { params, count: text.count, bias, sources: features.sources }
  const entry = fusionEntry(fusion, encodeText(params, text, bias, padId))
  const tap = fuseTapped(fusion, entry, layer ?? params.config.gradcam_layer, firstOnly)
  return {
    map: rawMaps(tap, text), // [N, cells]
    match: tf.slice(tf.softmax(tap.logits), [0, 1], [text.count, 1]),
    logits: tap.logits, // [N, 2]
    attention: ungroup(tap.attention, text.count), // [N, h, L or 1, 1 + cells]
    gradient: ungroup(tap.gradient, text.count),
  }
}
