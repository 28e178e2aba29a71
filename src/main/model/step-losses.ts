/** The losses of one step as a function of the parameters: what the gradient is taken of. */
import { gridSide } from '../../shared/config/model-config.ts'
import { encodeText, imageSources, maskedWordLogits, paddingBias, type Copy, type KeysValues } from './bert.ts'
import { imageFeature, textFeature } from './features.ts'
import { fuse, fuseTapped, fuseToMatch, fusionEntry, type FusionInput } from './fusion.ts'
import { rawMaps } from './gradcam.ts'
import { settleLike } from './graph.ts'
import { amcMaxLoss, amcMeanLoss, amcTensors } from './losses/amc.ts'
import { contrast, itcLoss, type Contrast } from './losses/itc.ts'
import { itmLoss } from './losses/itm.ts'
import { softWordCrossEntropy, wordCrossEntropy, type MaskedPositions } from './losses/mlm.ts'
import { negativeLogits, type ChoiceSource } from './negatives.ts'
import { rowsOf } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { LossParts, ModelParams, StepOptions, TokenBatch, TrainBatch } from './types.ts'
import { encodeImage } from './vit.ts'

export interface MlmTask {
  readonly text: TokenBatch
  readonly positions: MaskedPositions
}

export interface MomentumFeatures {
  readonly image: Tensor2D // [B, E]
  readonly text: Tensor2D // [N, E]
  /** Soft words at the masked positions, [M, V]; null when not distilled. */
  readonly softWords: Tensor2D | null
}

export interface LossInput {
  readonly params: ModelParams
  readonly batch: TrainBatch
  readonly options: StepOptions
  readonly source: ChoiceSource
  readonly images: Tensor4D
  readonly mlm: MlmTask | null
  readonly momentum: MomentumFeatures | null
  readonly notes: string[]
  /** Filled here; kept until the caller reads and frees them. */
  readonly parts: Partial<Record<keyof LossParts, Scalar>>
}

type RecordLoss = (name: keyof LossParts, loss: Scalar) => Scalar

export function totalLoss(input: LossInput): Scalar {
  const { params, batch, options, parts, momentum } = input
  const record: RecordLoss = (name, loss) => {
    parts[name] = tf.keep(loss)
    return loss
  }
  const tokens = encodeImage(params, input.images) // [B * P, Wv]
  const texts = encodeTexts(params, batch.text, input.mlm, options)
  const [image, text] = [imageFeature(params, tokens, batch.imageCount), textFeature(params, texts.rows, batch.text.count)]
  const sims = batchContrast(params, batch, options.alpha, image, text, momentum)
  let total: Scalar = options.itc === false ? tf.scalar(0) : record('itc', itcLoss(sims))
  if (!options.itm && !options.amc && !input.mlm) return total

  const sources = imageSources(params, tokens, batch.imageCount)
  if (options.itm || options.amc) total = tf.add(total, pairLosses(input, sources, texts, sims, record))
  if (input.mlm) total = tf.add(total, record('mlm', mlmLoss(input, input.mlm, sources, texts.maskedEntry!)))
  return total
}

interface TextRows {
  readonly bias: Tensor4D
  /** After the text layers, [N * L, W] */
  readonly rows: Tensor2D
  /** After the first fusion layer's self-attention, [N * L, W]; of the text as it is and with words masked. */
  readonly entry: Tensor2D | null
  readonly maskedEntry: Tensor2D | null
}

/** The texts and their masked versions go through the text layers together. */
function encodeTexts(params: ModelParams, text: TokenBatch, mlm: MlmTask | null, options: StepOptions): TextRows {
  const { pad } = options.specialTokens
  const bias = paddingBias(text)
  const needsEntry = options.itm || options.amc
  if (!mlm) {
    const rows = encodeText(params, text, bias, pad)
    return { bias, rows, entry: needsEntry ? fusionEntry({ params, count: text.count, bias }, rows) : null, maskedEntry: null }
  }
  const both: TokenBatch = { ids: joined(text.ids, mlm.text.ids), mask: joined(text.mask, text.mask), count: 2 * text.count, length: text.length }
  const bothBias = paddingBias(both)
  const rows = encodeText(params, both, bothBias, pad)
  const entries = fusionEntry({ params, count: both.count, bias: bothBias }, rows)
  const half = (x: Tensor2D, which: 0 | 1): Tensor2D =>
    settleLike(tf.slice(x, [(which * x.shape[0]) / 2, 0], [x.shape[0] / 2, x.shape[1]]), x)
  return { bias, rows: half(rows, 0), entry: needsEntry ? half(entries, 0) : null, maskedEntry: half(entries, 1) }
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Match loss and consistency loss: both look at the matching pairs. */
function pairLosses(input: LossInput, sources: readonly KeysValues[], texts: TextRows, sims: Contrast, record: RecordLoss): Scalar {
  const { params, batch, options, notes } = input
  const fusion: FusionInput = { params, count: batch.text.count, bias: texts.bias, sources }
  const entry = texts.entry!
  const firstOnly = !options.fullLastLayer
  const selected = options.amc ? regionRows(batch, notes) : null
  const tap = selected ? fuseTapped(fusion, entry, options.gradcamLayer ?? params.config.gradcam_layer, firstOnly) : null
  let total: Scalar = tf.scalar(0)
  if (options.itm) {
    const matching = tap?.logits ?? fuseToMatch(fusion, entry, firstOnly)
    const wrong = negativeLogits({ batch, options, source: input.source, fusion, entry, sims, notes })
    total = record('itm', itmLoss(matching, wrong))
  }
  if (tap && selected) total = tf.add(total, amcLoss(input, rawMaps(tap, batch.text) as Tensor2D, selected, record))
  return total
}

/** Similarities of the batch, against momentum features and queues where the model has them. */
export function batchContrast(
  params: ModelParams,
  batch: Pick<TrainBatch, 'imageCount' | 'phrasesPerImage' | 'alsoTrue'>,
  alpha: number,
  image: Tensor2D,
  text: Tensor2D,
  momentum: Pick<MomentumFeatures, 'image' | 'text'> | null,
): Contrast {
  const columns = (own: Tensor2D, queue: Variable | undefined): Tensor2D =>
    queue ? tf.concat([tf.transpose(own), queue as unknown as Tensor2D], 1) : tf.transpose(own)
  const { imageCount: images, phrasesPerImage: perImage, alsoTrue } = batch
  const texts = images * perImage
  const own = (at: number): boolean => Math.floor(Math.floor(at / images) / perImage) === at % images
  const matrix = (value: (at: number) => boolean): Tensor2D =>
    tf.tensor2d(Float32Array.from({ length: texts * images }, (_, at) => (value(at) ? 1 : 0)), [texts, images])
  return contrast({
    image,
    text,
    textColumns: columns(momentum?.text ?? text, params.queues?.text),
    imageColumns: columns(momentum?.image ?? image, params.queues?.image),
    momentum,
    temperature: variableOf(params, 'temp') as unknown as Scalar,
    alpha: momentum ? alpha : 0,
    pairs: matrix(own),
    ignored: alsoTrue ? matrix((at) => alsoTrue[at] === 1 && !own(at)) : null,
  })
}

/** Texts that have a region; null, with a note, when there is nothing to be consistent with. */
function regionRows(batch: TrainBatch, notes: string[]): Int32Array | null {
  const rows = Int32Array.from(batch.hasRegion.keys()).filter((n) => batch.hasRegion[n] === 1)
  if (rows.length === 0 || !batch.regionMasks) {
    notes.push('No sample of this batch has a region, so the consistency loss was left out.')
    return null
  }
  return rows
}

function amcLoss({ params, batch, options, notes }: LossInput, raw: Tensor2D, selected: Int32Array, record: RecordLoss): Scalar {
  const { mask_size: size } = params.config
  const area = size * size
  const masks = new Float32Array(selected.length * area)
  selected.forEach((n, at) => masks.set(batch.regionMasks!.subarray(n * area, (n + 1) * area), at * area))
  const tensors = amcTensors(rowsOf(raw, selected), tf.tensor2d(masks, [selected.length, area]), gridSide(params.config), size)
  let loss: Scalar = tf.mul(record('amcMax', amcMaxLoss(tensors, options.amcMaxMargin)), options.amcMaxWeight)
  let covered = 0
  for (const value of masks) covered += value
  if (covered > 0 && covered < masks.length) {
    loss = tf.add(loss, tf.mul(record('amcMean', amcMeanLoss(tensors, options.amcMeanMargin)), options.amcMeanWeight))
  } else {
    const what = covered > 0 ? 'cover their whole image' : 'are empty'
    notes.push(`All regions of this batch ${what}, so the mean part of the consistency loss was left out.`)
  }
  return tf.mul(loss, options.amcWeight)
}

function mlmLoss({ params, options, momentum }: LossInput, { text, positions }: MlmTask, sources: readonly KeysValues[], entry: Tensor2D): Scalar {
  const soft = momentum?.softWords
  const everywhere = soft && options.mlmDistillAxis === 'sequence'
  const fusion: FusionInput = { params, count: text.count, bias: paddingBias(text), sources }
  const logits = maskedWordLogits(params, fuse(fusion, entry, everywhere ? 'all' : { rows: positions.rows })) // [N * L or M, V]
  const asked = everywhere ? rowsOf(logits, positions.rows) : logits
  const hard = wordCrossEntropy(asked, positions.words)
  if (!soft) return hard
  const shaped = everywhere ? tf.reshape(logits, [text.count, text.length, logits.shape[1]]) : logits
  const softLoss = softWordCrossEntropy(shaped, soft, positions, options.mlmDistillAxis)
  return tf.add(tf.mul(hard, 1 - options.alpha), tf.mul(softLoss, options.alpha))
}

/** Word logits of the masked text at the masked positions, [M, V]; for the momentum copy's soft words. */
export function maskedLogits(params: ModelParams, { text, positions }: MlmTask, sources: readonly KeysValues[], pad: number, copy: Copy): Tensor2D {
  const input: FusionInput = { params, copy, count: text.count, bias: paddingBias(text), sources }
  const entry = fusionEntry(input, encodeText(params, text, input.bias, pad, copy))
  return maskedWordLogits(params, fuse(input, entry, { rows: positions.rows }), copy)
}
