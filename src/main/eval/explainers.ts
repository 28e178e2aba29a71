/**
 * Ways of making a heatmap, by the name given with --mode. Each takes images with equally many phrases and answers raw maps, scaled
 * as for the phrase alone. To add one, put it into the list.
 */
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, nearest } from '../../shared/errors.ts'
import { encodeImages, explainTensors } from '../model/explain.ts'
import { imageAttentionTensors } from '../model/image-attention.ts'
import { preCaption } from '../model/pre-caption.ts'
import { tf, type Tensor } from '../model/tf.ts'
import type { TokenBatch } from '../model/types.ts'
import type { LoadedModel } from '../train/model-files.ts'
import type { RawHeat } from './types.ts'

export interface ExplainBatch {
  readonly model: LoadedModel
  /** Normalised pixels, [I, 3, S, S]. */
  readonly images: Float32Array
  /** k phrases an image, in the order of the images. */
  readonly phrases: readonly string[]
  readonly layer: number
  /** Words of a phrase that are looked at. */
  readonly maxWords: number
  /** Word pieces that are looked at, [CLS] included. */
  readonly maxTokens: number
}

export interface ExplainedSample {
  readonly grid: RawHeat
  /** Null where the explainer does not ask whether phrase and image match. */
  readonly matchProbability: number | null
}

export interface HeatExplainer {
  readonly name: string
  readonly title: string
  /** Layers that can be asked, and the one taken when none is. */
  readonly layers: (config: ModelConfig) => { readonly first: number; readonly last: number; readonly usual: number }
  /** Pairs of image and phrase that are computed together. */
  readonly together: number
  readonly explain: (batch: ExplainBatch) => ExplainedSample[]
}

/** The block of the image encoder that the published scripts name; smaller models take their last one. */
const PUBLISHED_BLOCK = 8

const itm: HeatExplainer = {
  name: 'itm',
  title: 'Grad-CAM of the cross-attention, for the match of phrase and image',
  layers: ({ text, gradcam_layer }) => ({ first: text.fusion_layer, last: text.layers - 1, usual: gradcam_layer }),
  together: 64,
  explain: ({ model, images, phrases, layer, ...limits }) => {
    const text = encodePhrases(model, phrases, limits)
    const features = encodeImages(model.params, images)
    try {
      const [maps, match] = read(() => {
        const { map, match } = explainTensors(model.params, { features, text, padId: model.tokenizer.special.pad, layer }, true)
        return [map, match]
      })
      return cut(model, maps!, text, (n) => match![n]!, (n) => text.length / ownLength(text, n))
    } finally {
      features.dispose()
    }
  },
}

const itc: HeatExplainer = {
  name: 'itc',
  title: 'Grad-CAM of the image encoder, for the similarity of phrase and image',
  layers: ({ image }) => ({ first: 0, last: image.depth - 1, usual: Math.min(PUBLISHED_BLOCK, image.depth - 1) }),
  together: 8,
  explain: ({ model, images, phrases, layer, ...limits }) => {
    const text = encodePhrases(model, phrases, limits)
    const size = 3 * model.config.image.size ** 2
    const perImage = phrases.length / (images.length / size)
    const pairs = perImage === 1 ? images : new Float32Array(phrases.length * size)
    if (pairs !== images) phrases.forEach((_, n) => pairs.set(images.subarray(Math.floor(n / perImage) * size, (Math.floor(n / perImage) + 1) * size), n * size))
    const [maps] = read(() => [imageAttentionTensors({ params: model.params, images: pairs, text, layer, pad: model.tokenizer.special.pad }).maps])
    return cut(model, maps!, text, () => null, () => 1)
  },
}

export const EXPLAINERS: readonly HeatExplainer[] = [itm, itc]

/** @throws AppError 'usage' with the nearest name */
export function explainerOf(name: string): HeatExplainer {
  const found = EXPLAINERS.find((one) => one.name === name)
  if (found) return found
  const names = EXPLAINERS.map((one) => one.name)
  const near = nearest(name, names)
  throw new AppError('usage', `There is no mode "${name}".`, near ? `Did you mean "${near}"?` : `There are ${names.join(', ')}.`, 'mode')
}

/** The layer asked for, or the usual one. @throws AppError 'usage' for a layer the model does not have */
export function layerOf(explainer: HeatExplainer, config: ModelConfig, asked: number | undefined): number {
  const { first, last, usual } = explainer.layers(config)
  if (asked === undefined) return usual
  if (asked >= first && asked <= last) return asked
  throw new AppError('usage', `Mode ${explainer.name} has the layers ${first} to ${last} in the model ${config.name}; ${asked} is none of them.`, 'Choose another with --layer.', 'layer')
}

/** Cleaned as published. */
function encodePhrases({ tokenizer }: LoadedModel, phrases: readonly string[], { maxWords, maxTokens }: Pick<ExplainBatch, 'maxWords' | 'maxTokens'>): TokenBatch {
  return tokenizer.encodeBatch(phrases.map((phrase) => preCaption(phrase, maxWords)), maxTokens)
}

/** Runs within a scope of its own and takes the values out of it. */
function read(compute: () => Tensor[]): Float32Array[] {
  const tensors = tf.tidy(compute as () => never) as unknown as Tensor[]
  const values = tensors.map((tensor) => tensor.dataSync<'float32'>())
  tf.dispose(tensors)
  return values
}

function cut(model: LoadedModel, maps: Float32Array, text: TokenBatch, match: (n: number) => number | null, scale: (n: number) => number): ExplainedSample[] {
  const side = gridSide(model.config)
  const cells = side * side
  return Array.from({ length: text.count }, (_, n) => {
    const values = maps.slice(n * cells, (n + 1) * cells)
    const factor = scale(n)
    if (factor !== 1) for (let i = 0; i < cells; i++) values[i] = values[i]! * factor
    return { grid: { width: side, height: side, values }, matchProbability: match(n) }
  })
}

function ownLength(text: TokenBatch, n: number): number {
  let own = 0
  for (let i = 0; i < text.length; i++) own += text.mask[n * text.length + i]!
  return own
}
