/** Forward values, losses of every variant, AMC tensors. */
import { encodeText, imageSources, maskedWordLogits, paddingBias } from '../model/bert.ts'
import { imageFeature, textFeature } from '../model/features.ts'
import { fuse, fuseTapped, fuseToMatch, fusionEntry, type FusionInput } from '../model/fusion.ts'
import { rawMaps, ungroup } from '../model/gradcam.ts'
import { amcMaxLoss, amcMeanLoss, amcTensors } from '../model/losses/amc.ts'
import { softCrossEntropy } from '../model/losses/itc.ts'
import { updateMomentum } from '../model/momentum.ts'
import { clampAtZero, rowsOf } from '../model/nn.ts'
import { disposeParams } from '../model/params.ts'
import { stepGradients } from '../model/step.ts'
import { batchContrast } from '../model/step-losses.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../model/tf.ts'
import type { ModelParams, StepOptions, StepResult, TokenBatch, TrainBatch } from '../model/types.ts'
import { encodeImage } from '../model/vit.ts'
import { gridSide } from '../../shared/config/model-config.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf } from './folder.ts'
import { hasVariant, indicator, type GoldenCase, type GoldenSetup } from './setup.ts'

export function forwardCases(setup: GoldenSetup): GoldenCase[] {
  const { folder } = setup
  const cases: GoldenCase[] = []
  if (folder.has('forward.safetensors')) cases.push({ name: 'forward', run: () => forwardCase(setup) })
  if (folder.has('losses.json')) cases.push(...lossCases(setup))
  for (const file of folder.files) {
    const variant = /^amc_(\w+)\.safetensors$/.exec(file)?.[1]
    if (variant) cases.push({ name: `amc ${variant}`, run: () => amcCase(setup, file, variant) })
  }
  return cases
}

/** Runs with a model of its own and frees it and everything computed. */
export async function withModel<T>(setup: GoldenSetup, use: (params: ModelParams) => T): Promise<T> {
  const params = await setup.load()
  tf.engine().startScope('golden')
  try {
    return use(params)
  } finally {
    tf.engine().endScope()
    disposeParams(params)
  }
}

function forwardCase(setup: GoldenSetup): Promise<Check[]> {
  return withModel(setup, (params) => {
    const file = setup.folder.tensors('forward.safetensors')
    const computed = forwardTensors(params, setup)
    return [...file.tensors.keys()].map((name) => {
      const got = computed.get(name)
      if (!got) return failed(name, 'nothing here computes it')
      return compareNumbers(name, got, floatsOf(file, name), TOLERANCES.forward)
    })
  })
}

/** Every intermediate of the recorded forward pass by its recorded name. */
function forwardTensors(params: ModelParams, setup: GoldenSetup): Map<string, ArrayLike<number>> {
  const { batch, choices, inputs } = setup
  const { pad } = inputs.special_ids
  updateMomentum(params)
  const count = batch.imageCount
  const bias = paddingBias(batch.text)
  const encode = (copy: '' | '_m') => {
    const tokens = encodeImage(params, pixels(setup), copy)
    const text = encodeText(params, batch.text, bias, pad, copy)
    return { tokens, text, image: imageFeature(params, tokens, count, copy), feature: textFeature(params, text, count, copy) }
  }
  const own = encode('')
  const slow = encode('_m')
  const momentum = { image: slow.image, text: slow.feature }
  const sims = batchContrast(params, batch, inputs.alpha, own.image, own.feature, momentum)

  const sources = imageSources(params, own.tokens, count)
  const fusion: FusionInput = { params, count, bias, sources }
  const entry = fusionEntry(fusion, own.text)
  const tap = fuseTapped(fusion, entry, params.config.gradcam_layer, false)
  const wrongText = takeTexts(batch.text, [...batch.text.mask.keys()].slice(0, count).concat(Array.from(choices.negativeTexts)))
  const wrong: FusionInput = { params, count: 2 * count, bias: paddingBias(wrongText), sources, imageOf: choices.negativeImages }
  const wrongEntry = fusionEntry(wrong, encodeText(params, wrongText, wrong.bias, pad))
  const words = (copy: '' | '_m', tokens: Tensor2D): Tensor => {
    const text = { ...batch.text, ids: choices.mlm.inputIds }
    const input: FusionInput = { params, copy, count, bias, sources: imageSources(params, tokens, count, copy) }
    return maskedWordLogits(params, fuse(input, fusionEntry(input, encodeText(params, text, bias, pad, copy)), 'all'), copy)
  }
  const logits = tf.concat([tap.logits, fuseToMatch(wrong, wrongEntry, false)], 0)
  const tensors: Record<string, Tensor> = {
    image_embeds: own.tokens,
    image_embeds_m: slow.tokens,
    text_embeds: own.text,
    image_feat: own.image,
    image_feat_m: slow.image,
    text_feat: own.feature,
    text_feat_m: slow.feature,
    sim_i2t: sims.simI2t,
    sim_t2i: sims.simT2i,
    sim_i2t_targets: sims.targetsI2t,
    sim_t2i_targets: sims.targetsT2i,
    fusion_pos: fuse(fusion, entry, 'all'),
    fusion_neg: fuse(wrong, wrongEntry, 'all'),
    itm_logits: logits,
    attn_map: ungroup(tap.attention, count),
    attn_grad: ungroup(tap.gradient, count),
    mlm_logits: words('', own.tokens),
    mlm_logits_m: words('_m', slow.tokens),
  }
  const values = new Map<string, ArrayLike<number>>(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync()]))
  values.set('weights_i2t', drawingWeights(sims.simI2t, count))
  values.set('weights_t2i', drawingWeights(sims.simT2i, count))
  return values
}

const pixels = ({ batch, config }: GoldenSetup): Tensor4D =>
  tf.tensor4d(batch.images as Float32Array, [batch.imageCount, 3, config.image.size, config.image.size])

/** Softmax over the batch's own columns with the pair itself at 0: what hard negatives are drawn by. */
function drawingWeights(sims: Tensor2D, count: number): ArrayLike<number> {
  const weights = tf.softmax(tf.slice(sims, [0, 0], [count, count]))
  return tf.mul(weights, tf.sub(1, tf.eye(count))).dataSync()
}

function takeTexts(text: TokenBatch, rows: readonly number[]): TokenBatch {
  const take = (from: Int32Array): Int32Array => Int32Array.from(rows.flatMap((row) => Array.from(from.subarray(row * text.length, (row + 1) * text.length))))
  return { ids: take(text.ids), mask: take(text.mask), count: rows.length, length: text.length }
}

type LossJson = Record<string, unknown>

function lossCases(setup: GoldenSetup): GoldenCase[] {
  const recorded = setup.folder.json<Record<string, LossJson | string>>('losses.json')
  return Object.entries(recorded).map(([key, want]) => ({ name: `losses ${key}`, run: () => lossCase(setup, key, want) }))
}

/** What differs from the plain step in a recorded variant; null when its name means nothing here. */
function variantOf(setup: GoldenSetup, key: string): { batch: TrainBatch; options: StepOptions } | null {
  const { batch, options, folder } = setup
  const alpha = /^alpha_([\d.]+)$/.exec(key)?.[1]
  const layer = /layer_?(\d+)$/.exec(key)?.[1]
  if (key === 'f32' || key === 'f64' || key === 'full') return { batch, options }
  if (alpha) return { batch, options: { ...options, alpha: Number(alpha) } }
  if (layer) return { batch, options: { ...options, gradcamLayer: Number(layer) } }
  if (hasVariant(folder, key)) return { batch: { ...batch, hasRegion: indicator(folder, key) }, options }
  return null
}

async function lossCase(setup: GoldenSetup, key: string, want: LossJson | string): Promise<Check[]> {
  // A text is the reference's crash: here the same input must give numbers.
  if (typeof want === 'string') return [await survives(setup, key, want)]
  const variant = variantOf(setup, key)
  if (!variant) return [failed(key, 'nothing here knows this variant')]
  const tolerance = key === 'f64' ? TOLERANCES.stepLosses : TOLERANCES.losses
  const checks = formChecks(want)
  for (const fullLastLayer of [true, false]) {
    const run = await step(setup, variant.batch, { ...variant.options, fullLastLayer })
    const which = fullLastLayer ? '' : ' ([CLS] rows alone)'
    for (const [name, value] of Object.entries(recordedLosses(want))) {
      const got = run[name]
      checks.push(got === undefined ? failed(name, 'nothing here computes it') : compareNumbers(`${name}${which}`, [got], [value], tolerance))
    }
    if ('values' in want) checks.push(compareExactly(`losses without a region${which}`, [run['loss_mean'], run['loss_max']], [undefined, undefined]))
  }
  return checks
}

/** Three unnamed losses are what the reference returns without any region. */
const UNNAMED = ['loss_mlm', 'loss_ita', 'loss_itm']

/** What is recorded of the losses' form: each is one number, whatever its shape. */
function formChecks(want: LossJson): Check[] {
  return Object.keys(want).flatMap((key): Check[] => {
    if (key.startsWith('shape_')) return [compareExactly(`${key}: values`, (want[key] as readonly number[]).reduce((product, n) => product * n, 1), 1)]
    if (key === 'values') return [compareExactly('losses without a region', UNNAMED.length, (want[key] as readonly number[]).length)]
    if (key === 'n_returned') return [compareExactly(key, UNNAMED.length, want[key])]
    return typeof want[key] === 'number' ? [] : [failed(key, 'nothing here knows it')]
  })
}

function recordedLosses(want: LossJson): Record<string, number> {
  const { values } = want
  if (Array.isArray(values)) return Object.fromEntries(UNNAMED.map((name, i) => [name, values[i] as number]))
  return Object.fromEntries(Object.keys(want).flatMap((key) => (typeof want[key] === 'number' ? [[key, want[key]]] : [])))
}

async function step(setup: GoldenSetup, batch: TrainBatch, options: StepOptions): Promise<Record<string, number | undefined>> {
  const losses = await withModel(setup, (params) => {
    const result = stepGradients(params, batch, options, { choices: setup.choices })
    tf.dispose([...result.gradients.values()])
    return namedLosses(result, options)
  })
  return { ...losses, ...(await withModel(setup, (params) => directions(params, setup, options.alpha))) }
}

/** Losses under the reference's names. */
export function namedLosses({ total, parts }: StepResult, options: StepOptions): Record<string, number | undefined> {
  const { amcMean, amcMax } = parts
  const amc = amcMean === undefined || amcMax === undefined ? undefined : options.amcMeanWeight * amcMean + options.amcMaxWeight * amcMax
  return { loss_mlm: parts.mlm, loss_ita: parts.itc, loss_itm: parts.itm, loss_mean: amcMean, loss_max: amcMax, amc, total }
}

/** The two directions of the contrast apart; a step gives their mean alone. */
function directions(params: ModelParams, setup: GoldenSetup, alpha: number): Record<string, number> {
  const { batch, inputs } = setup
  const { pad } = inputs.special_ids
  updateMomentum(params)
  const features = (copy: '' | '_m') => ({
    image: imageFeature(params, encodeImage(params, pixels(setup), copy), batch.imageCount, copy),
    text: textFeature(params, encodeText(params, batch.text, paddingBias(batch.text), pad, copy), batch.text.count, copy),
  })
  const own = features('')
  const sims = batchContrast(params, batch, alpha, own.image, own.text, features('_m'))
  return {
    loss_i2t: softCrossEntropy(sims.simI2t, sims.targetsI2t).dataSync()[0]!,
    loss_t2i: softCrossEntropy(sims.simT2i, sims.targetsT2i).dataSync()[0]!,
  }
}

/** One sample, on which the reference stops: all losses are finite and what is missing is said. */
async function survives(setup: GoldenSetup, key: string, message: string): Promise<Check> {
  const { batch, config } = setup
  const size = Number(/^batch_?(\d+)$/.exec(key)?.[1] ?? NaN)
  if (!(size <= batch.imageCount) || !/^\w+Error: /.test(message)) return failed(key, 'nothing here knows this variant')
  const { length } = batch.text
  const area = config.mask_size ** 2
  const small: TrainBatch = {
    ...batch,
    images: (batch.images as Float32Array).slice(0, size * 3 * config.image.size ** 2),
    imageCount: size,
    text: { ids: batch.text.ids.slice(0, size * length), mask: batch.text.mask.slice(0, size * length), count: size, length },
    regionMasks: batch.regionMasks!.slice(0, size * area),
    hasRegion: batch.hasRegion.slice(0, size),
  }
  const { mlm } = setup.choices
  const choices = {
    mlm: { inputIds: mlm.inputIds.slice(0, size * length), labels: mlm.labels.slice(0, size * length) },
    negativeImages: new Int32Array(size).fill(-1),
    negativeTexts: new Int32Array(size).fill(-1),
  }
  const result = await withModel(setup, (params) => {
    const run = stepGradients(params, small, setup.options, { choices })
    tf.dispose([...run.gradients.values()])
    return run
  })
  return Number.isFinite(result.total) ? passed(`${size} sample gives finite losses`) : failed(key, `the total is ${result.total}`)
}

function amcCase(setup: GoldenSetup, file: string, variant: string): Promise<Check[]> {
  return withModel(setup, (params) => {
    const recorded = setup.folder.tensors(file)
    const { batch, config, inputs, options } = setup
    const layer = Number(/^layer_?(\d+)$/.exec(variant)?.[1] ?? config.gradcam_layer)
    const has = hasVariant(setup.folder, variant) ? indicator(setup.folder, variant) : batch.hasRegion
    const rows = Int32Array.from(has.keys()).filter((n) => has[n] === 1)
    const bias = paddingBias(batch.text)
    const fusion: FusionInput = { params, count: batch.text.count, bias, sources: imageSources(params, encodeImage(params, pixels(setup)), batch.imageCount) }
    const tap = fuseTapped(fusion, fusionEntry(fusion, encodeText(params, batch.text, bias, inputs.special_ids.pad)), layer, false)
    const raw = rowsOf(rawMaps(tap, batch.text), rows)
    const area = config.mask_size ** 2
    const masks = rowsOf(tf.tensor2d(batch.regionMasks!, [batch.text.count, area]), rows)
    const amc = amcTensors(raw, masks, gridSide(config), config.mask_size)
    const computed: Record<string, Tensor> = {
      attn_map: ungroup(tap.attention, batch.text.count),
      attn_grad: ungroup(tap.gradient, batch.text.count),
      gradcam_full_selected: fullMaps(tap, batch.text, rows),
      gradcam_raw: raw,
      gradcam_norm: amc.normal,
      gradcam_up: amc.upsampled,
      mask_selected: masks,
      avg_in: amc.meanInside,
      avg_out: amc.meanOutside,
      max_in: amc.maxInside,
      max_out: amc.maxOutside,
      loss_mean: amcMeanLoss(amc, options.amcMeanMargin),
      loss_max: amcMaxLoss(amc, options.amcMaxMargin),
    }
    return [...recorded.tensors.keys()].map((name) => {
      const got = computed[name]
      return got ? compareNumbers(name, got.dataSync(), floatsOf(recorded, name), TOLERANCES.amc) : failed(name, 'nothing here computes it')
    })
  })
}

/** Step 1 of the recorded formula: A * max(G, 0) * mask for every head and token, selected samples. */
function fullMaps(tap: { attention: Tensor4D; gradient: Tensor4D }, text: TokenBatch, rows: Int32Array): Tensor {
  const attention = ungroup(tap.attention, text.count)
  const [count, heads, length, tokens] = attention.shape
  const cells = (x: Tensor4D): Tensor4D => tf.slice(x, [0, 0, 0, 1], [count, heads, length, tokens - 1])
  const mask = tf.tensor4d(Float32Array.from(text.mask), [count, 1, length, 1])
  const full = tf.mul(tf.mul(cells(attention), clampAtZero(cells(ungroup(tap.gradient, text.count)))), mask)
  return tf.gather(full, tf.tensor1d(rows, 'int32'))
}
