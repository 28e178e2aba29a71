/**
 * Every way of explaining, computed. A is the attention of a layer, G the gradient of the target by it; a map is over the cells (the
 * [CLS] column is dropped) and neither normalised nor upsampled. With h heads and the L own tokens of a phrase as channels c:
 *
 *   gradcam           mean_c A_c max(G_c, 0)              AMC (Yang et al. 2023), ALBEF; cell by cell what LayerCAM (Jiang et al. 2021, "LayerCAM:
 *                                                         Exploring Hierarchical Class Activation Maps", eq. 4 and 5) does over channels
 *   gradcam-classic   max(mean_c A_c mean_cells(G_c), 0)  Selvaraju et al. 2017, "Grad-CAM", eq. 1 and 2: one weight a channel
 *   hirescam          mean_c A_c G_c                      Draelos and Carin 2020, "Use HiResCAM instead of Grad-CAM", eq. 5: no ReLU; cells may be negative
 *   attention         mean_c A_c                          no target
 *   rollout           rollout.ts                          no target
 *   gradient-rollout  rollout.ts                          its relevance as it is
 *
 * Target itm: A is a fusion layer's cross-attention, G of the match logit (class 1). Target itc: A is what [CLS] looks at in a block of the
 * image encoder (channels: heads), G of the similarity over the temperature; attention and rollout would say the same for every phrase.
 */
import { gridSide } from '../../shared/config/model-config.ts'
import type { Explainer } from '../../shared/explainers.ts'
import { matchAttention, matchAttentionGradients, similarityAttentionGradients } from './attention-stack.ts'
import { encodeImages, explainTensors, type ImageFeatures } from './explain.ts'
import { releaseOpenGraphs } from './graph.ts'
import { imageAttentionTensors } from './image-attention.ts'
import { attentionRollout, firstRowCells, gradientRollout, imageRelevance } from './rollout.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'

export interface PairsInput {
  readonly params: ModelParams
  /** Normalised pixels, [I, 3, S, S]. */
  readonly images: Float32Array
  /** What encodeImages made of them, where it is at hand; only cross-attention of one layer can use it. */
  readonly features?: ImageFeatures
  /** k texts an image, in order. */
  readonly text: TokenBatch
  readonly pad: number
}

export interface PairMaps {
  /** One map a text, row-major, as for the phrase alone: none depends on the length of its neighbours. */
  readonly maps: readonly Float32Array[]
  /** Softmax of the match logits, class 1; null for target itc, which does not ask. */
  readonly match: Float32Array | null
}

/** Pairs of image and text that fit together into memory, about: the whole network's attention needs more than a layer's. */
export function pairsTogether({ name, target }: Explainer): number {
  if (name === 'gradient-rollout') return 4
  return target === 'itc' ? 8 : name === 'rollout' ? 16 : 64
}

/** Explainers that go through the image encoder themselves work in parts that fit together; the others take all pairs at once. */
export function explainPairs(input: PairsInput, explainer: Explainer): PairMaps {
  if (usesEncoded(explainer)) return explainAtOnce(input, explainer)
  const parts = [...partsOf(input, pairsTogether(explainer))].map((part) => explainAtOnce(part, explainer))
  const match = parts.every((part) => part.match) ? Float32Array.from(parts.flatMap((part) => [...part.match!])) : null
  return { maps: parts.flatMap(({ maps }) => maps), match }
}

const usesEncoded = ({ name, target }: Explainer): boolean => target === 'itm' && name !== 'rollout' && name !== 'gradient-rollout'

/** At most `most` pairs each: several images with all their texts, or some texts of one image. */
function* partsOf({ params, images, text, pad }: PairsInput, most: number): Generator<PairsInput> {
  const size = 3 * params.config.image.size ** 2
  const count = images.length / size
  const perImage = text.count / count
  const textsOf = (from: number, to: number): TokenBatch => {
    const [start, end] = [from * text.length, to * text.length]
    return { ids: text.ids.subarray(start, end), mask: text.mask.subarray(start, end), count: to - from, length: text.length }
  }
  const together = Math.max(1, Math.floor(most / perImage))
  for (let image = 0; image < count; image += together) {
    const last = Math.min(count, image + together)
    const end = last * perImage
    for (let from = image * perImage; from < end; from += Math.max(most, 1)) {
      yield { params, images: images.subarray(image * size, last * size), text: textsOf(from, Math.min(end, from + most)), pad }
    }
  }
}

function explainAtOnce(input: PairsInput, explainer: Explainer): PairMaps {
  const { text } = input
  const own = features(input, explainer)
  try {
    const [maps, match] = read(() => tensorsOf({ ...input, ...(own ? { features: own } : {}) }, explainer))
    const side = gridSide(input.params.config)
    // gradcam for itm is a mean over padded tokens too, as published: padding by longer neighbours is scaled out.
    const scale = (n: number): number => (explainer.name === 'gradcam' && explainer.target === 'itm' ? text.length / ownLength(text, n) : 1)
    return { maps: cut(maps!, text.count, side * side, scale), match: match ?? null }
  } finally {
    if (own && own !== input.features) own.dispose()
  }
}

const features = ({ params, images, features: known }: PairsInput, explainer: Explainer): ImageFeatures | null => (usesEncoded(explainer) ? (known ?? encodeImages(params, images)) : null)

/** Maps [N, cells] and, for itm, match probabilities [N]. */
function tensorsOf(input: PairsInput, explainer: Explainer): Tensor[] {
  const { text } = input
  if (explainer.name === 'rollout') {
    const { attention, values } = matchAttention(input)
    return [firstRowCells(attentionRollout(attention, text.count).ti), probabilities(values)]
  }
  const pairs = { ...input, images: perText(input) }
  if (explainer.name === 'gradient-rollout') {
    if (explainer.target === 'itc') {
      const { attention, gradient } = similarityAttentionGradients(pairs)
      return [firstRowCells(imageRelevance(attention, gradient!))]
    }
    const { attention, gradient, values } = matchAttentionGradients(pairs)
    return [firstRowCells(gradientRollout(attention, gradient!, text.count).ti), probabilities(values)]
  }
  return explainer.target === 'itc' ? [imageMaps(pairs, explainer)] : fusionMaps(input, explainer)
}

const probabilities = (logits: Tensor2D): Tensor => tf.slice(tf.softmax(logits), [0, 1], [logits.shape[0], 1])

function fusionMaps({ params, features, text, pad }: PairsInput, { name, layer }: Explainer): Tensor[] {
  // In the last layer [CLS] alone has a gradient; attention itself is of every word.
  const { map, match, attention, gradient } = explainTensors(params, { features: features!, text, padId: pad, layer }, name !== 'attention')
  if (name === 'gradcam') return [map, match]
  const rows = attention.shape[2]
  const mask = rows === text.length ? text.mask : text.mask.filter((_, i) => i % text.length === 0)
  const kept = tf.tensor4d(Float32Array.from(mask), [text.count, 1, rows, 1])
  const lengths = tf.tensor2d(Array.from({ length: text.count }, (_, n) => ownLength(text, n)), [text.count, 1])
  return [channelMean(name, dropFirst(attention), dropFirst(gradient), kept, lengths), match]
}

function imageMaps({ params, images, text, pad }: PairsInput, { name, layer }: Explainer): Tensor {
  const { attention, gradient, maps } = imageAttentionTensors({ params, images, text, layer, pad })
  if (name === 'gradcam') return maps
  const asking = (x: Tensor4D): Tensor4D => tf.slice(x, [0, 0, 0, 1], [x.shape[0], x.shape[1], 1, x.shape[3] - 1])
  return channelMean(name, asking(attention), asking(gradient), null, null)
}

/** [N, h, R, C] -> [N, C]: the mean over heads and own tokens of what the explainer makes of a channel. */
function channelMean(name: Explainer['name'], attention: Tensor4D, gradient: Tensor4D, mask: Tensor4D | null, lengths: Tensor2D | null): Tensor {
  const of = (): Tensor => {
    if (name === 'attention') return attention
    return tf.mul(attention, name === 'hirescam' ? gradient : tf.mean(gradient as Tensor, 3, true))
  }
  const [count, heads, , cells] = attention.shape
  const kept = mask ? tf.mul(of(), mask) : of()
  const sums = tf.reshape(tf.sum(kept, [1, 2]), [count, cells])
  const mean = tf.div(sums, lengths ? tf.mul(lengths, heads) : heads)
  return name === 'gradcam-classic' ? tf.relu(mean) : mean
}

function dropFirst(x: Tensor4D): Tensor4D {
  const [a, b, c, d] = x.shape
  return tf.slice(x, [0, 0, 0, 1], [a, b, c, d - 1])
}

/** Each text's image for itself: what is differentiated by the image's attention must not be mixed with other phrases. */
function perText({ params, images, text }: PairsInput): Float32Array {
  const size = 3 * params.config.image.size ** 2
  const perImage = text.count / (images.length / size)
  if (perImage === 1) return images
  const pairs = new Float32Array(text.count * size)
  for (let n = 0; n < text.count; n++) pairs.set(images.subarray(Math.floor(n / perImage) * size, (Math.floor(n / perImage) + 1) * size), n * size)
  return pairs
}

/** Runs within a scope of its own and takes the values out of it. */
function read(compute: () => Tensor[]): Float32Array[] {
  const tensors = tf.tidy(compute as () => never) as unknown as Tensor[]
  const values = tensors.map((tensor) => tensor.dataSync<'float32'>())
  tf.dispose(tensors)
  releaseOpenGraphs() // gradients of weights, which nobody asks for here
  return values
}

function cut(maps: Float32Array, count: number, cells: number, scale: (n: number) => number): Float32Array[] {
  return Array.from({ length: count }, (_, n) => {
    const values = maps.slice(n * cells, (n + 1) * cells)
    const factor = scale(n)
    if (factor !== 1) for (let i = 0; i < cells; i++) values[i] = values[i]! * factor
    return values
  })
}

function ownLength(text: TokenBatch, n: number): number {
  let own = 0
  for (let i = 0; i < text.length; i++) own += text.mask[n * text.length + i]!
  return own
}
