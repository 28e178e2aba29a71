/**
 * One training step, up to its gradients: total = ITC + ITM + MLM + weight * (0.2 AMC_mean + 0.8 AMC_max). Images are encoded
 * once for all their phrases. Everything random comes from the host, so a step can be repeated exactly.
 */
import { gridSide } from '../../shared/config/model-config.ts'
import { encodeText, firstRows, maskedWordLogits, paddingBias, type Copy, type KeysValues } from './bert.ts'
import { chooseMaskedWords, chooseNegatives } from './choices.ts'
import { fuse, fuseTapped, fusionEntry, imageSources, matchLogits, type FusionInput } from './fusion.ts'
import { rawMaps } from './gradcam.ts'
import { amcMaxLoss, amcMeanLoss, amcTensors } from './losses/amc.ts'
import { contrast, itcLoss, type Contrast } from './losses/itc.ts'
import { itmLoss } from './losses/itm.ts'
import { maskedPositions, softWordCrossEntropy, wordCrossEntropy, type MaskedPositions } from './losses/mlm.ts'
import { enqueue, updateMomentum } from './momentum.ts'
import { linear, rowsOf, unitRows } from './nn.ts'
import { variableOf } from './params.ts'
import type { RandomSource } from './random.ts'
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { LossParts, ModelParams, StepChoices, StepOptions, StepResult, TokenBatch, TrainBatch } from './types.ts'
import { encodeImage } from './vit.ts'

export const TEMPERATURE_RANGE = [0.001, 0.5] as const

/** Where the random choices come from: a generator, or choices made before. */
export type ChoiceSource = { readonly random: RandomSource } | { readonly choices: StepChoices }

/**
 * Losses and gradients of one step. Changes the temperature's clamp, the momentum copy and the queues as the reference's
 * forward pass does; parameters change in applyAdamW.
 */
export function stepGradients(params: ModelParams, batch: TrainBatch, options: StepOptions, source: ChoiceSource): StepResult {
  clampTemperature(params)
  updateMomentum(params)
  const notes: string[] = []
  const scope = tf.engine()
  scope.startScope('step')
  try {
    const images = imageTensor(params, batch)
    const mlm = options.mlm ? mlmTask(params, batch, options, source, notes) : null
    const momentum = params.config.momentum === null ? null : momentumPass(params, images, batch, options, mlm)
    const parts: Partial<Record<keyof LossParts, Scalar>> = {}
    const forward = (): Scalar => totalLoss({ params, batch, options, source, images, mlm, momentum, notes, parts })
    const variables = params.trainable.map((name) => variableOf(params, name))
    const { value, grads } = tf.engine().gradients(forward, variables as Tensor[], undefined, true)
    if (params.queues && momentum) enqueue(params.queues, momentum.image, momentum.text)
    const gradients = new Map<string, Tensor>()
    params.trainable.forEach((name, i) => {
      const gradient = grads[i] as Tensor | null
      if (gradient) gradients.set(name, tf.keep(gradient))
    })
    return { total: value.dataSync()[0]!, parts: readParts(parts), gradients, notes }
  } finally {
    scope.endScope()
  }
}

function clampTemperature(params: ModelParams): void {
  const temperature = variableOf(params, 'temp')
  tf.tidy(() => temperature.assign(tf.clipByValue(temperature, ...TEMPERATURE_RANGE)))
}

function imageTensor(params: ModelParams, batch: TrainBatch): Tensor4D {
  const { size } = params.config.image
  if (batch.images instanceof Float32Array) return tf.tensor4d(batch.images, [batch.imageCount, 3, size, size])
  return batch.images
}

/** Losses are kept inside the gradient's scope and freed once read. */
function readParts(parts: Partial<Record<keyof LossParts, Scalar>>): LossParts {
  const read: Partial<Record<keyof LossParts, number>> = {}
  for (const [name, value] of Object.entries(parts) as [keyof LossParts, Scalar][]) {
    read[name] = value.dataSync()[0]!
    value.dispose()
  }
  return read
}

interface MlmTask {
  readonly text: TokenBatch
  readonly positions: MaskedPositions
}

function mlmTask(params: ModelParams, batch: TrainBatch, options: StepOptions, source: ChoiceSource, notes: string[]): MlmTask | null {
  const { mlm_probability, text } = params.config
  const chosen =
    'choices' in source
      ? source.choices.mlm
      : chooseMaskedWords(batch.text, mlm_probability, text.vocab_size, options.specialTokens, source.random)
  const positions = maskedPositions(chosen.labels)
  if (positions.rows.length === 0) {
    notes.push('No word of this batch was masked, so the masked-word loss was left out.')
    return null
  }
  return { text: { ...batch.text, ids: chosen.inputIds }, positions }
}

interface MomentumFeatures {
  readonly image: Tensor2D // [B, E]
  readonly text: Tensor2D // [N, E]
  /** Soft words at the masked positions, [M, V]; null when not distilled. */
  readonly softWords: Tensor2D | null
}

function momentumPass(params: ModelParams, images: Tensor4D, batch: TrainBatch, options: StepOptions, mlm: MlmTask | null): MomentumFeatures {
  const pass = (): MomentumFeatures => {
    const { pad } = options.specialTokens
    const tokens = encodeImage(params, images, '_m')
    const text = encodeText(params, batch.text, paddingBias(batch.text), pad, '_m')
    const features = { image: imageFeature(params, tokens, batch, '_m'), text: textFeature(params, text, batch, '_m') }
    if (!mlm || options.alpha === 0) return { ...features, softWords: null }
    const rows = mlmRows(params, mlm, imageSources(params, tokens, batch.imageCount, '_m'), pad, '_m')
    const asked = tf.gather(rows, tf.tensor1d(mlm.positions.rows, 'int32'))
    return { ...features, softWords: tf.softmax(maskedWordLogits(params, asked, '_m')) }
  }
  return tf.tidy(pass as () => never)
}

function imageFeature(params: ModelParams, tokens: Tensor2D, batch: TrainBatch, copy: Copy = ''): Tensor2D {
  return project(params, `vision_proj${copy}`, firstRows(tokens, batch.imageCount))
}

function textFeature(params: ModelParams, rows: Tensor2D, batch: TrainBatch, copy: Copy = ''): Tensor2D {
  return project(params, `text_proj${copy}`, firstRows(rows, batch.text.count))
}

function project(params: ModelParams, name: string, rows: Tensor2D): Tensor2D {
  return unitRows(linear(rows, variableOf(params, `${name}.weight`), variableOf(params, `${name}.bias`)))
}

/** Last-layer rows of the masked text, every position. [N * L, W] */
function mlmRows(params: ModelParams, { text }: MlmTask, sources: readonly KeysValues[], pad: number, copy: Copy = ''): Tensor2D {
  const bias = paddingBias(text)
  const input: FusionInput = { params, copy, count: text.count, bias, sources }
  return fuse(input, fusionEntry(input, encodeText(params, text, bias, pad, copy)), false)
}

interface LossInput {
  readonly params: ModelParams
  readonly batch: TrainBatch
  readonly options: StepOptions
  readonly source: ChoiceSource
  readonly images: Tensor4D
  readonly mlm: MlmTask | null
  readonly momentum: MomentumFeatures | null
  readonly notes: string[]
  readonly parts: Partial<Record<keyof LossParts, Scalar>>
}

function totalLoss(input: LossInput): Scalar {
  const { params, batch, options, parts, momentum } = input
  const { pad } = options.specialTokens
  const record = (name: keyof LossParts, loss: Scalar): Scalar => {
    parts[name] = tf.keep(loss)
    return loss
  }
  const tokens = encodeImage(params, input.images) // [B * P, Wv]
  const bias = paddingBias(batch.text)
  const text = encodeText(params, batch.text, bias, pad) // [N * L, W]

  const sims = batchContrast(params, batch, options.alpha, imageFeature(params, tokens, batch), textFeature(params, text, batch), momentum)
  let total: Scalar = options.itc === false ? tf.scalar(0) : record('itc', itcLoss(sims))
  if (!options.itm && !options.amc && !input.mlm) return total

  const sources = imageSources(params, tokens, batch.imageCount)
  if (options.itm || options.amc) {
    const fusion: FusionInput = { params, count: batch.text.count, bias, sources }
    const entry = fusionEntry(fusion, text)
    const firstOnly = !options.fullLastLayer
    const selected = options.amc ? regionRows(batch, input.notes) : null
    const tapLayer = options.gradcamLayer ?? params.config.gradcam_layer
    const tap = selected ? fuseTapped(fusion, entry, tapLayer, firstOnly) : null
    if (options.itm) {
      const matching = tap?.logits ?? matchLogits(params, fuse(fusion, entry, firstOnly), batch.text.count)
      total = tf.add(total, record('itm', itmLoss(matching, negativeLogits(input, fusion, entry, sims, firstOnly))))
    }
    if (tap && selected) total = tf.add(total, amcLoss(input, rawMaps(tap, batch.text) as Tensor2D, selected, record))
  }
  if (input.mlm) total = tf.add(total, record('mlm', mlmLoss(input, input.mlm, sources)))
  return total
}

/** Similarities of the batch, against momentum features and queues where the model has them. */
export function batchContrast(
  params: ModelParams,
  batch: TrainBatch,
  alpha: number,
  image: Tensor2D,
  text: Tensor2D,
  momentum: Pick<MomentumFeatures, 'image' | 'text'> | null,
): Contrast {
  const columns = (own: Tensor2D, queue: Variable | undefined): Tensor2D =>
    queue ? tf.concat([tf.transpose(own), queue as unknown as Tensor2D], 1) : tf.transpose(own)
  const { imageCount: images, phrasesPerImage: perImage } = batch
  const texts = images * perImage
  const own = (n: number): boolean => Math.floor(Math.floor(n / images) / perImage) === n % images
  const { alsoTrue } = batch
  const mask = (value: (at: number) => boolean): Tensor2D =>
    tf.tensor2d(Float32Array.from({ length: texts * images }, (_, at) => (value(at) ? 1 : 0)), [texts, images])
  return contrast({
    image,
    text,
    textColumns: columns(momentum?.text ?? text, params.queues?.text),
    imageColumns: columns(momentum?.image ?? image, params.queues?.image),
    momentum,
    temperature: variableOf(params, 'temp') as unknown as Scalar,
    alpha: momentum ? alpha : 0,
    pairs: mask(own),
    ignored: alsoTrue ? mask((at) => alsoTrue[at] === 1 && !own(at)) : null,
  })
}

/** Logits of wrong pairs: every text with a wrong image, every image with wrong texts. */
function negativeLogits(input: LossInput, fusion: FusionInput, entry: Tensor2D, sims: Contrast, firstOnly: boolean): Tensor2D[] {
  const { params, batch, notes } = input
  const { images, texts } = drawNegatives(input, sims)
  const logits: Tensor2D[] = []
  const perPair = (pairs: readonly (readonly [text: number, image: number])[]): void => {
    if (pairs.length === 0) return
    const textOf = Int32Array.from(pairs, ([text]) => text)
    const imageOf = Int32Array.from(pairs, ([, image]) => image)
    const sources = fusion.sources.map((source) => gatherSource(source, imageOf))
    const wrong = { ...gatherTexts(fusion, batch.text, textOf), sources }
    logits.push(matchLogits(params, fuse(wrong, gatherEntry(entry, batch.text, textOf), firstOnly), pairs.length))
  }
  perPair(Array.from(images, (image, text) => [text, image] as const).filter(([, image]) => image >= 0))
  if (texts.every((text) => text >= 0)) {
    // Each image keeps its place and looks at other texts: its keys and values need no copy.
    const wrong = { ...gatherTexts(fusion, batch.text, texts), sources: fusion.sources }
    logits.push(matchLogits(params, fuse(wrong, gatherEntry(entry, batch.text, texts), firstOnly), texts.length))
  } else {
    const imageOfPlace = (place: number): number => Math.floor(place / batch.phrasesPerImage)
    perPair(Array.from(texts, (text, place) => [text, imageOfPlace(place)] as const).filter(([text]) => text >= 0))
  }
  if (logits.length === 0) notes.push('No pair of this batch may serve as a negative, so the match loss saw matching pairs only.')
  return logits
}

function drawNegatives({ batch, options, source }: LossInput, sims: Contrast): { images: Int32Array; texts: Int32Array } {
  if ('choices' in source) return { images: source.choices.negativeImages, texts: source.choices.negativeTexts }
  const { imageCount: images, phrasesPerImage: perImage, alsoTrue } = batch
  const texts = images * perImage
  return chooseNegatives({
    simI2t: tf.tidy(() => tf.slice(sims.simI2t, [0, 0], [images, texts]).dataSync<'float32'>()),
    simT2i: tf.tidy(() => tf.slice(sims.simT2i, [0, 0], [texts, images]).dataSync<'float32'>()),
    images,
    texts,
    allowed: (text, image) => Math.floor(text / perImage) !== image && alsoTrue?.[text * images + image] !== 1,
    hardShare: options.hardNegatives,
    random: source.random,
  })
}

function gatherSource({ keys, values }: KeysValues, imageOf: Int32Array): KeysValues {
  const take = (x: Tensor4D): Tensor4D => {
    const [images, heads, tokens, depth] = x.shape
    const rows = rowsOf(tf.reshape(x, [images, heads * tokens * depth]), imageOf)
    return tf.reshape(rows, [imageOf.length, heads, tokens, depth])
  }
  return { keys: take(keys), values: take(values) }
}

function gatherTexts(fusion: FusionInput, text: TokenBatch, textOf: Int32Array): Omit<FusionInput, 'sources'> {
  const mask = new Int32Array(textOf.length * text.length)
  textOf.forEach((from, at) => mask.set(text.mask.subarray(from * text.length, (from + 1) * text.length), at * text.length))
  return { params: fusion.params, count: textOf.length, bias: paddingBias({ ids: mask, mask, count: textOf.length, length: text.length }) }
}

function gatherEntry(entry: Tensor2D, text: TokenBatch, textOf: Int32Array): Tensor2D {
  const width = entry.shape[1]
  const rows = rowsOf(tf.reshape(entry, [text.count, text.length * width]), textOf)
  return tf.reshape(rows, [textOf.length * text.length, width])
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

function amcLoss(
  { params, batch, options, notes }: LossInput,
  raw: Tensor2D,
  selected: Int32Array,
  record: (name: keyof LossParts, loss: Scalar) => Scalar,
): Scalar {
  const { mask_size: size } = params.config
  const area = size * size
  const masks = new Float32Array(selected.length * area)
  selected.forEach((n, at) => masks.set(batch.regionMasks!.subarray(n * area, (n + 1) * area), at * area))
  const tensors = amcTensors(rowsOf(raw, selected), tf.tensor2d(masks, [selected.length, area]), gridSide(params.config), size)
  const maximum: Scalar = tf.mul(record('amcMax', amcMaxLoss(tensors, options.amcMaxMargin)), options.amcMaxWeight)
  let loss = maximum as Scalar
  const covered = masks.reduce((sum, value) => sum + value, 0)
  if (covered > 0 && covered < masks.length) {
    loss = tf.add(loss, tf.mul(record('amcMean', amcMeanLoss(tensors, options.amcMeanMargin)), options.amcMeanWeight))
  } else {
    const what = covered > 0 ? 'cover their whole image' : 'are empty'
    notes.push(`All regions of this batch ${what}, so the mean part of the consistency loss was left out.`)
  }
  return tf.mul(loss, options.amcWeight)
}

function mlmLoss({ params, options, momentum }: LossInput, task: MlmTask, sources: readonly KeysValues[]): Scalar {
  const { text, positions } = task
  const rows = mlmRows(params, task, sources, options.specialTokens.pad)
  const soft = momentum?.softWords
  const everywhere = soft && options.mlmDistillAxis === 'sequence'
  const logits = maskedWordLogits(params, everywhere ? rows : rowsOf(rows, positions.rows)) // [N * L or M, V]
  const asked = everywhere ? rowsOf(logits, positions.rows) : logits
  const hard = wordCrossEntropy(asked, positions.words)
  if (!soft) return hard
  const shaped = everywhere ? tf.reshape(logits, [text.count, text.length, logits.shape[1]]) : logits
  const softLoss = softWordCrossEntropy(shaped, soft, positions, options.mlmDistillAxis)
  return tf.add(tf.mul(hard, 1 - options.alpha), tf.mul(softLoss, options.alpha))
}

