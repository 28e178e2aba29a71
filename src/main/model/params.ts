/**
 * The weights of a model by the names of the reference's state dict: which there are, their shapes, and how they start.
 * The names are the contract with every published checkpoint.
 */
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, nearest } from '../../shared/errors.ts'
import { createRandom, type RandomSource } from './random.ts'
import { tf, type Variable } from './tf.ts'
import type { FeatureQueues, ModelParams } from './types.ts'

type Start = 'zeros' | 'ones' | 'linear' | 'linear-torch' | 'embedding' | 'conv' | 'temperature'

export interface ParamSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: Start
}

export const STEM_CHANNELS = [32, 64] as const

/** Every trained parameter in the order of the reference's state dict. */
export function parameterSpecs(config: ModelConfig): ParamSpec[] {
  return [
    { name: 'temp', shape: [], start: 'temperature' },
    ...visionSpecs(config),
    ...textSpecs(config),
    ...linearSpecs('vision_proj', config.embed_dim, config.image.width, 'linear-torch'),
    ...linearSpecs('text_proj', config.embed_dim, config.text.width, 'linear-torch'),
    ...linearSpecs('itm_head', 2, config.text.width, 'linear-torch'),
  ]
}

function visionSpecs({ image, ...config }: ModelConfig): ParamSpec[] {
  const prefix = 'visual_encoder.'
  const cells = gridSide({ image, ...config }) ** 2
  const specs: ParamSpec[] = [
    { name: `${prefix}cls_token`, shape: [1, 1, image.width], start: 'embedding' },
    { name: `${prefix}pos_embed`, shape: [1, 1 + cells, image.width], start: 'embedding' },
  ]
  if (image.stem === 'patch') {
    specs.push({ name: `${prefix}patch_embed.proj.weight`, shape: [image.width, 3, image.patch, image.patch], start: 'conv' })
    specs.push({ name: `${prefix}patch_embed.proj.bias`, shape: [image.width], start: 'zeros' })
  } else {
    specs.push(...stemSpecs(prefix, image.width))
  }
  const inner = image.width * image.mlp_ratio
  for (let i = 0; i < image.depth; i++) {
    const block = `${prefix}blocks.${i}.`
    specs.push(
      ...normSpecs(`${block}norm1`, image.width),
      ...linearSpecs(`${block}attn.qkv`, 3 * image.width, image.width),
      ...linearSpecs(`${block}attn.proj`, image.width, image.width),
      ...normSpecs(`${block}norm2`, image.width),
      ...linearSpecs(`${block}mlp.fc1`, inner, image.width),
      ...linearSpecs(`${block}mlp.fc2`, image.width, inner),
    )
  }
  specs.push(...normSpecs(`${prefix}norm`, image.width))
  return specs
}

function stemSpecs(prefix: string, width: number): ParamSpec[] {
  const sizes = [
    { inputs: 3, outputs: STEM_CHANNELS[0], kernel: 5 },
    { inputs: STEM_CHANNELS[0], outputs: STEM_CHANNELS[1], kernel: 3 },
    { inputs: STEM_CHANNELS[1], outputs: width, kernel: 3 },
  ]
  const specs = sizes.flatMap(({ inputs, outputs, kernel }, i): ParamSpec[] => [
    { name: `${prefix}stem.${i}.conv.weight`, shape: [outputs, inputs, kernel, kernel], start: 'conv' },
    { name: `${prefix}stem.${i}.conv.bias`, shape: [outputs], start: 'zeros' },
    ...normSpecs(`${prefix}stem.${i}.norm`, outputs),
  ])
  return [
    ...specs,
    { name: `${prefix}stem.proj.weight`, shape: [width, width, 1, 1], start: 'conv' },
    { name: `${prefix}stem.proj.bias`, shape: [width], start: 'zeros' },
  ]
}

function textSpecs({ image, text }: ModelConfig): ParamSpec[] {
  const embeddings = 'text_encoder.bert.embeddings.'
  const specs: ParamSpec[] = [
    { name: `${embeddings}word_embeddings.weight`, shape: [text.vocab_size, text.width], start: 'embedding' },
    { name: `${embeddings}position_embeddings.weight`, shape: [text.max_positions, text.width], start: 'embedding' },
    { name: `${embeddings}token_type_embeddings.weight`, shape: [2, text.width], start: 'embedding' },
    ...normSpecs(`${embeddings}LayerNorm`, text.width),
  ]
  for (let i = 0; i < text.layers; i++) {
    const layer = `text_encoder.bert.encoder.layer.${i}.`
    specs.push(...attentionSpecs(`${layer}attention`, text.width, text.width))
    if (i >= text.fusion_layer) specs.push(...attentionSpecs(`${layer}crossattention`, text.width, image.width))
    specs.push(
      ...linearSpecs(`${layer}intermediate.dense`, text.intermediate, text.width),
      ...linearSpecs(`${layer}output.dense`, text.width, text.intermediate),
      ...normSpecs(`${layer}output.LayerNorm`, text.width),
    )
  }
  const head = 'text_encoder.cls.predictions.'
  specs.push(
    { name: `${head}bias`, shape: [text.vocab_size], start: 'zeros' },
    ...linearSpecs(`${head}transform.dense`, text.width, text.width),
    ...normSpecs(`${head}transform.LayerNorm`, text.width),
  )
  return specs
}

function attentionSpecs(name: string, width: number, source: number): ParamSpec[] {
  return [
    ...linearSpecs(`${name}.self.query`, width, width),
    ...linearSpecs(`${name}.self.key`, width, source),
    ...linearSpecs(`${name}.self.value`, width, source),
    ...linearSpecs(`${name}.output.dense`, width, width),
    ...normSpecs(`${name}.output.LayerNorm`, width),
  ]
}

function linearSpecs(name: string, outputs: number, inputs: number, start: Start = 'linear'): ParamSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], start },
    { name: `${name}.bias`, shape: [outputs], start: 'zeros' },
  ]
}

function normSpecs(name: string, width: number): ParamSpec[] {
  return [
    { name: `${name}.weight`, shape: [width], start: 'ones' },
    { name: `${name}.bias`, shape: [width], start: 'zeros' },
  ]
}

const MOMENTUM_PARTS = ['visual_encoder', 'vision_proj', 'text_encoder', 'text_proj']

/** Name of a parameter's momentum copy, or null: the temperature and the ITM head have none. */
export function momentumName(name: string): string | null {
  const part = name.split('.', 1)[0]!
  return MOMENTUM_PARTS.includes(part) ? `${part}_m${name.slice(part.length)}` : null
}

/** A new model. The same seed gives the same weights. */
export function createParams(config: ModelConfig, seed: number): ModelParams {
  const random = createRandom(seed)
  const values = startAll(config, random)
  return assembleParams(config, values, emptyQueues(config, random))
}

/** Start values of every parameter, drawn in the order of the state dict. */
export function startAll(config: ModelConfig, random: RandomSource): Map<string, Float32Array> {
  return new Map(parameterSpecs(config).map((spec) => [spec.name, startValues(spec, config, random)]))
}

export interface QueueValues {
  readonly image: Float32Array // [E, Q]
  readonly text: Float32Array
  readonly imagePointer: number
  readonly textPointer: number
}

/**
 * Variables out of host values: one for each parameter, and a momentum copy where the configuration asks for one
 * (from its own values when given, else equal to the parameter).
 */
export function assembleParams(config: ModelConfig, values: ReadonlyMap<string, Float32Array>, queues: QueueValues | null): ModelParams {
  const variables = new Map<string, Variable>()
  const specs = parameterSpecs(config)
  const add = (name: string, shape: readonly number[], data: Float32Array): void => {
    variables.set(name, tf.tidy(() => tf.variable(tf.tensor(data, [...shape], 'float32'))))
  }
  for (const spec of specs) add(spec.name, spec.shape, values.get(spec.name)!)
  if (config.momentum !== null) {
    for (const spec of specs) {
      const copy = momentumName(spec.name)
      if (copy) add(copy, spec.shape, values.get(copy) ?? values.get(spec.name)!)
    }
  }
  return { config, variables, trainable: specs.map((spec) => spec.name), queues: queues && makeQueues(config, queues) }
}

function makeQueues(config: ModelConfig, values: QueueValues): FeatureQueues {
  const make = (data: Float32Array): Variable =>
    tf.tidy(() => tf.variable(tf.tensor2d(data, [config.embed_dim, config.queue_size]), false))
  return {
    image: make(values.image),
    text: make(values.text),
    imagePointer: values.imagePointer,
    textPointer: values.textPointer,
  }
}

/** Unit columns in random directions, as the reference starts its queues; null when the model has none. */
export function emptyQueues(config: ModelConfig, random: RandomSource): QueueValues | null {
  const { embed_dim: rows, queue_size: columns } = config
  if (columns === 0) return null
  const make = (): Float32Array => {
    const data = Float32Array.from({ length: rows * columns }, () => random.normal())
    for (let c = 0; c < columns; c++) {
      let square = 0
      for (let r = 0; r < rows; r++) square += data[r * columns + c]! ** 2
      for (let r = 0; r < rows; r++) data[r * columns + c]! /= Math.sqrt(square)
    }
    return data
  }
  return { image: make(), text: make(), imagePointer: 0, textPointer: 0 }
}

function startValues({ shape, start }: ParamSpec, config: ModelConfig, random: RandomSource): Float32Array {
  const count = shape.reduce((product, n) => product * n, 1)
  const fanIn = count / (shape[0] ?? 1)
  switch (start) {
    case 'zeros':
      return new Float32Array(count)
    case 'ones':
      return new Float32Array(count).fill(1)
    case 'temperature':
      return Float32Array.of(config.temperature)
    case 'embedding':
      return truncatedNormal(count, 0.02, random)
    case 'conv':
    case 'linear':
    case 'linear-torch':
      if (config.init === 'small') return truncatedNormal(count, Math.min(0.1, 1 / Math.sqrt(fanIn)), random)
      if (start === 'linear') return truncatedNormal(count, 0.02, random)
      return Float32Array.from({ length: count }, () => (2 * random.next() - 1) / Math.sqrt(fanIn))
  }
}

/** Normal values, drawn again beyond two deviations. */
function truncatedNormal(count: number, deviation: number, random: RandomSource): Float32Array {
  return Float32Array.from({ length: count }, () => {
    let value = random.normal()
    while (Math.abs(value) > 2) value = random.normal()
    return value * deviation
  })
}

/** The variable of that name; a name that does not exist is our fault, said with the nearest one. */
export function variableOf(params: ModelParams, name: string): Variable {
  const variable = params.variables.get(name)
  if (!variable) {
    const near = nearest(name, [...params.variables.keys()])
    throw new AppError('internal', `The model has no parameter '${name}'${near ? ` (nearest: '${near}')` : ''}.`)
  }
  return variable
}

/** The trained parameters that are not frozen (freeze.ts), in their fixed order. */
export function learningNames(params: ModelParams): readonly string[] {
  return params.trainable.filter((name) => variableOf(params, name).trainable)
}

export function disposeParams(params: ModelParams): void {
  for (const variable of params.variables.values()) variable.dispose()
  params.queues?.image.dispose()
  params.queues?.text.dispose()
}
