/**
 * One training step, up to its gradients: total = ITC + ITM + MLM + weight * (0.2 AMC_mean + 0.8 AMC_max). Images are encoded
 * once for all their phrases. Everything random comes from the host, so a step can be repeated exactly.
 */
import { encodeText, imageSources, paddingBias } from './bert.ts'
import { chooseMaskedWords } from './choices.ts'
import { imageFeature, textFeature } from './features.ts'
import { releaseOpenGraphs, withRecomputation } from './graph.ts'
import { maskedPositions } from './losses/mlm.ts'
import { enqueue, updateMomentum } from './momentum.ts'
import type { ChoiceSource } from './negatives.ts'
import { learningNames, variableOf } from './params.ts'
import { maskedLogits, totalLoss, type MlmTask, type MomentumFeatures } from './step-losses.ts'
import { tf, type Scalar, type Tensor, type Tensor4D } from './tf.ts'
import type { LossParts, ModelParams, StepOptions, StepResult, TrainBatch } from './types.ts'
import { encodeImage } from './vit.ts'

export type { ChoiceSource } from './negatives.ts'

export const TEMPERATURE_RANGE = [0.001, 0.5] as const

/**
 * Losses and gradients of one step. Changes the temperature's clamp, the momentum copy and the queues as the reference's
 * forward pass does; parameters change in applyAdamW.
 */
export function stepGradients(params: ModelParams, batch: TrainBatch, options: StepOptions, source: ChoiceSource): StepResult {
  clampTemperature(params)
  if (options.followMomentum !== false) updateMomentum(params)
  const notes: string[] = []
  const scope = tf.engine()
  scope.startScope('step')
  try {
    const images = imageTensor(params, batch)
    const mlm = options.mlm ? mlmTask(params, batch, options, source, notes) : null
    const momentum = params.config.momentum === null ? null : momentumPass(params, images, batch, options, mlm)
    const parts: Partial<Record<keyof LossParts, Scalar>> = {}
    const forward = (): Scalar => totalLoss({ params, batch, options, source, images, mlm, momentum, notes, parts })
    const learning = learningNames(params)
    const variables = learning.map((name) => variableOf(params, name))
    const { value, grads } = withRecomputation(options.recompute ?? false, () => tf.engine().gradients(forward, variables as Tensor[], undefined, true))
    if (params.queues && momentum) enqueue(params.queues, momentum.image, momentum.text)
    const gradients = new Map<string, Tensor>()
    learning.forEach((name, i) => {
      const gradient = grads[i] as Tensor | null
      if (gradient) gradients.set(name, tf.keep(gradient))
    })
    return { total: value.dataSync()[0]!, parts: readParts(parts), gradients, notes }
  } finally {
    releaseOpenGraphs()
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

/** What the momentum copy makes of the same batch; nothing learns through it. */
export function momentumPass(params: ModelParams, images: Tensor4D, batch: TrainBatch, options: StepOptions, mlm: MlmTask | null): MomentumFeatures {
  const pass = (): MomentumFeatures => {
    const { pad } = options.specialTokens
    const tokens = encodeImage(params, images, '_m')
    const text = encodeText(params, batch.text, paddingBias(batch.text), pad, '_m')
    const features = { image: imageFeature(params, tokens, batch.imageCount, '_m'), text: textFeature(params, text, batch.text.count, '_m') }
    if (!mlm || options.alpha === 0) return { ...features, softWords: null }
    const sources = imageSources(params, tokens, batch.imageCount, '_m')
    return { ...features, softWords: tf.softmax(maskedLogits(params, mlm, sources, pad, '_m')) }
  }
  return tf.tidy(pass as () => never)
}
