/**
 * The sizes of a model: what an architecture is, and nothing about how it is trained. Read from configs/model/*.yaml, kept
 * in every checkpoint we write. A key that does not exist or sizes that do not divide are refused in words, before any
 * tensor is made.
 */
import { z } from 'zod'
import { AppError, nearest } from '../errors.ts'

const size = z.int().positive()

const imageSchema = z.strictObject({
  /** Side of the square image the model takes, px. */
  size,
  /** Side of one cell of the heatmap grid, px. */
  patch: size,
  width: size,
  depth: size,
  heads: size,
  mlp_ratio: z.number().positive().default(4),
  /** 'patch': one linear layer a patch, as ViT. 'conv': three strided convolutions to 12 px cells, for small images. */
  stem: z.enum(['patch', 'conv']).default('patch'),
})

const textSchema = z.strictObject({
  /** 'bert-base-uncased', the path of a vocabulary file (one word piece a line), or the list itself. */
  vocabulary: z.union([z.string().min(1), z.array(z.string()).min(5)]).default('bert-base-uncased'),
  vocab_size: size,
  width: size,
  /** All BERT layers, text and fusion together. */
  layers: size,
  /** The first layer with cross-attention: layers before it read the text alone. */
  fusion_layer: z.int().nonnegative(),
  heads: size,
  intermediate: size,
  max_positions: size,
})

export const modelConfigSchema = z.strictObject({
  name: z.string().min(1),
  image: imageSchema,
  text: textSchema,
  /** Dimensions of the joint space of the image-text contrast. */
  embed_dim: size,
  /** Features kept of earlier batches as extra negatives; 0: none. */
  queue_size: z.int().nonnegative().default(0),
  /** Decay of the momentum copy; null: no copy, and no soft targets. */
  momentum: z.number().gt(0).lt(1).nullable().default(null),
  /** Start value of the learned temperature. */
  temperature: z.number().min(0.001).max(0.5).default(0.07),
  /** The BERT layer, counted from zero, whose cross-attention gives the heatmap. */
  gradcam_layer: z.int().nonnegative(),
  /** Side of the upsampled heatmap and of the region mask, px. */
  mask_size: size,
  /** Longest text in word pieces, [CLS] included. */
  max_tokens: size.default(25),
  mlm_probability: z.number().gt(0).lt(1).default(0.15),
  /** 'bert': normal with deviation 0.02, as the published models. 'small': scaled by the fan-in, for models of a few million weights. */
  init: z.enum(['bert', 'small']).default('bert'),
})

export type ModelConfig = z.infer<typeof modelConfigSchema>

/**
 * Checks plain data (parsed YAML or JSON) as a model configuration.
 * @param place the file, for the error.
 * @throws AppError 'bad-input' with every fault found, one a line.
 */
export function parseModelConfig(raw: unknown, place: string): ModelConfig {
  const parsed = modelConfigSchema.safeParse(raw)
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap(describeIssue)
    throw new AppError('bad-input', `The model configuration ${place} cannot be used: ${faults.join('; ')}.`, 'Correct the file and try again.', place)
  }
  const faults = modelFaults(parsed.data)
  if (faults.length > 0) {
    throw new AppError('bad-input', `The sizes in ${place} do not fit together: ${faults.join('; ')}.`, 'Correct the sizes and try again.', place)
  }
  return parsed.data
}

/** Side of the heatmap grid in cells. */
export function gridSide(config: ModelConfig): number {
  return config.image.size / config.image.patch
}

type Issue = z.core.$ZodIssue

function describeIssue(issue: Issue): string[] {
  const where = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path)
    return issue.keys.map((key) => {
      const near = nearest(key, known)
      const name = where ? `${where}.${key}` : key
      return `the key '${name}' does not exist${near ? ` (did you mean '${where ? `${where}.` : ''}${near}'?)` : ''}`
    })
  }
  return [`${where ? `'${where}': ` : ''}${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`]
}

function keysAt(path: readonly PropertyKey[]): string[] {
  if (path[0] === 'image') return Object.keys(imageSchema.shape)
  if (path[0] === 'text') return Object.keys(textSchema.shape)
  return Object.keys(modelConfigSchema.shape)
}

/** Conv stem: strides 3, 2, 2. */
export const CONV_STEM_CELL_PX = 12

/** Sizes that do not fit together, in words; empty when they do. */
export function modelFaults({ image, text, ...config }: ModelConfig): string[] {
  const faults: string[] = []
  const mustDivide = (whole: number, part: number, wholeName: string, partName: string): void => {
    if (whole % part !== 0) faults.push(`${wholeName} ${whole} cannot be divided by ${partName} ${part}`)
  }
  mustDivide(image.size, image.patch, 'image.size', 'image.patch')
  mustDivide(image.width, image.heads, 'image.width', 'image.heads')
  mustDivide(text.width, text.heads, 'text.width', 'text.heads')
  if (image.stem === 'conv' && image.patch !== CONV_STEM_CELL_PX) {
    faults.push(`the conv stem makes cells of ${CONV_STEM_CELL_PX} px, but image.patch is ${image.patch}`)
  }
  if (!Number.isInteger(image.width * image.mlp_ratio)) {
    faults.push(`image.width ${image.width} times image.mlp_ratio ${image.mlp_ratio} is not a whole number`)
  }
  if (text.fusion_layer >= text.layers) {
    faults.push(`text.fusion_layer ${text.fusion_layer} leaves no fusion layer among text.layers ${text.layers}`)
  } else if (config.gradcam_layer < text.fusion_layer || config.gradcam_layer >= text.layers) {
    faults.push(`gradcam_layer ${config.gradcam_layer} is not one of the fusion layers ${text.fusion_layer} to ${text.layers - 1}`)
  }
  if (config.max_tokens > text.max_positions) {
    faults.push(`max_tokens ${config.max_tokens} is more than text.max_positions ${text.max_positions}`)
  }
  if (Array.isArray(text.vocabulary) && text.vocabulary.length !== text.vocab_size) {
    faults.push(`text.vocabulary has ${text.vocabulary.length} words, but text.vocab_size is ${text.vocab_size}`)
  }
  if (config.queue_size > 0 && config.momentum === null) {
    faults.push(`queue_size ${config.queue_size} needs a momentum copy, but momentum is null`)
  }
  return faults
}
