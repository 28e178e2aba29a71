/** The model, the batch and the choices that a golden folder describes; sizes come from its files alone. */
import { openPth, type PthFile } from '../checkpoints/pth.ts'
import type { TensorEntry } from '../checkpoints/tensor-file.ts'
import { modelTensors, paramsFromTensors } from '../model/load-params.ts'
import { createTokenizer, type Tokenizer } from '../model/tokenizer.ts'
import { REFERENCE_STEP, type ModelParams, type StepChoices, type StepOptions, type TrainBatch } from '../model/types.ts'
import { parseModelConfig, type ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import type { Check } from './compare.ts'
import { floatsOf, intsOf, tensorOf, type GoldenFolder } from './folder.ts'

interface RunJson {
  readonly image_res: number
  readonly vision_width: number
  readonly vit_depth: number
  readonly vit_heads: number
  readonly embed_dim: number
  readonly temp: number
  readonly mlm_probability: number
  readonly queue_size: number
  readonly momentum: number
  readonly mask_size: number
  readonly gcam_layer: number
  readonly bert_config: string
}

interface BertJson {
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly max_position_embeddings: number
  readonly num_attention_heads: number
  readonly num_hidden_layers: number
  readonly vocab_size: number
  readonly fusion_layer: number
  /** The word whose look-ups get no gradient. */
  readonly pad_token_id?: number
}

export interface InputsJson {
  readonly special_ids: { readonly pad: number; readonly unk: number; readonly cls: number; readonly sep: number; readonly mask: number }
  readonly alpha: number
  readonly amc_weights: readonly [number, number]
  readonly margins: readonly [number, number]
  readonly initial_queue_ptr?: number
  readonly captions?: readonly string[]
  readonly pre_captions?: readonly string[]
}

export interface GoldenSetup {
  readonly folder: GoldenFolder
  readonly config: ModelConfig
  readonly inputs: InputsJson
  readonly batch: TrainBatch
  readonly choices: StepChoices
  readonly options: StepOptions
  /** A model of its own each time; the caller disposes it. */
  load(checkpoint?: string, imageSize?: number): Promise<ModelParams>
  /** The checkpoint's file; the caller closes it. */
  open(): Promise<PthFile>
}

/** Null when the folder has no model inputs. */
export async function goldenSetup(folder: GoldenFolder): Promise<GoldenSetup | null> {
  const checkpoint = firstCheckpoint(folder)
  if (!checkpoint || !folder.has('inputs.safetensors') || !folder.has('inputs.json')) return null
  const config = await modelConfigOf(folder, checkpoint)
  const inputs = folder.json<InputsJson>('inputs.json')
  const { batch, choices } = readBatch(folder)
  const { special_ids: special, alpha, amc_weights: weights, margins } = inputs
  // The word embedding's padding word is set in the model's own configuration (0 where it is not), whatever the tokenizer pads with.
  const specialTokens = { ...special, pad: bertJson(folder).pad_token_id ?? 0 }
  const options: StepOptions = {
    ...REFERENCE_STEP,
    specialTokens,
    alpha,
    amcMeanWeight: weights[0],
    amcMaxWeight: weights[1],
    amcMeanMargin: margins[0],
    amcMaxMargin: margins[1],
    fullLastLayer: true,
  }
  const load = async (name = checkpoint, imageSize = config.image.size): Promise<ModelParams> => {
    const file = await openPth(folder.path(name))
    try {
      const sized = { ...config, image: { ...config.image, size: imageSize } }
      return paramsFromTensors(sized, file.tensors, { place: name }).params
    } finally {
      file.close()
    }
  }
  return { folder, config, inputs, batch, choices, options, load, open: () => openPth(folder.path(checkpoint)) }
}

/** The checkpoint the recorded values start from: checkpoint_*.pth, the first by name. */
export function firstCheckpoint(folder: GoldenFolder): string | undefined {
  return folder.files.find((name) => /^checkpoint_\d+\.pth$/.test(name))
}

const bertJson = (folder: GoldenFolder): BertJson => folder.json<BertJson>(folder.json<RunJson>('config.json').bert_config)

/** The sizes of the folder's model. */
export async function modelConfigOf(folder: GoldenFolder, checkpoint = firstCheckpoint(folder)!): Promise<ModelConfig> {
  const run = folder.json<RunJson>('config.json')
  const bert = bertJson(folder)
  const file = await openPth(folder.path(checkpoint))
  const tensors: ReadonlyMap<string, TensorEntry> = modelTensors(file.tensors)
  file.close()
  const patches = tensors.get('visual_encoder.patch_embed.proj.weight')
  const fc1 = tensors.get('visual_encoder.blocks.0.mlp.fc1.weight')
  if (!patches || !fc1) throw new AppError('bad-input', `${checkpoint} has no image encoder.`, 'Check that the folder is complete.', checkpoint)
  return parseModelConfig(
    {
      name: 'golden',
      image: {
        size: run.image_res,
        patch: patches.shape[3],
        width: run.vision_width,
        depth: run.vit_depth,
        heads: run.vit_heads,
        mlp_ratio: fc1.shape[0]! / run.vision_width,
      },
      text: {
        vocab_size: bert.vocab_size,
        width: bert.hidden_size,
        layers: bert.num_hidden_layers,
        fusion_layer: bert.fusion_layer,
        heads: bert.num_attention_heads,
        intermediate: bert.intermediate_size,
        max_positions: bert.max_position_embeddings,
      },
      embed_dim: run.embed_dim,
      queue_size: run.queue_size,
      momentum: run.momentum,
      temperature: run.temp,
      gradcam_layer: run.gcam_layer,
      mask_size: run.mask_size,
      max_tokens: Math.min(25, bert.max_position_embeddings),
      mlm_probability: run.mlm_probability,
    },
    'config.json',
  )
}

function readBatch(folder: GoldenFolder): { batch: TrainBatch; choices: StepChoices } {
  const file = folder.tensors('inputs.safetensors')
  const [count, length] = tensorOf(file, 'input_ids').shape as [number, number]
  const batch: TrainBatch = {
    images: floatsOf(file, 'image'),
    imageCount: count,
    phrasesPerImage: 1,
    text: { ids: intsOf(file, 'input_ids'), mask: intsOf(file, 'attention_mask'), count, length },
    regionMasks: floatsOf(file, 'gt_mask'),
    hasRegion: indicator(folder, ''),
  }
  const choices: StepChoices = {
    mlm: { inputIds: intsOf(file, 'mlm_input_ids'), labels: intsOf(file, 'mlm_labels') },
    negativeImages: intsOf(file, 'neg_image_idx'),
    negativeTexts: intsOf(file, 'neg_text_idx'),
  }
  return { batch, choices }
}

/** Which samples have a region, by the variant's name; '' for the plain one. */
export function indicator(folder: GoldenFolder, variant: string): Uint8Array {
  const name = variant ? `gt_mask_indicator_${variant}` : 'gt_mask_indicator'
  return Uint8Array.from(intsOf(folder.tensors('inputs.safetensors'), name), (value) => (value > 0 ? 1 : 0))
}

export function hasVariant(folder: GoldenFolder, variant: string): boolean {
  return folder.tensors('inputs.safetensors').tensors.has(`gt_mask_indicator_${variant}`)
}

/** The words of a vocabulary file, one a line; line ends of every kind, as Python reads them. */
const wordsOf = (folder: GoldenFolder, name: string): string[] => folder.text(name).replace(/(\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/)

export interface Vocabulary {
  readonly name: string
  readonly words: readonly string[]
}

/**
 * The vocabulary in the folder that has this many words; undefined when none has.
 * @param hint of several of the same size the one whose name begins with this: 'bert' means bert_vocab.txt
 */
export function vocabularyOf(folder: GoldenFolder, size: number, hint = ''): Vocabulary | undefined {
  const names = folder.files.filter((name) => /^\w*vocab\.txt$/.test(name)).sort((a, b) => rank(a, hint) - rank(b, hint))
  return names.map((name) => ({ name, words: wordsOf(folder, name) })).find(({ words }) => words.length === size || new Set(words).size === size)
}

const rank = (name: string, hint: string): number => (name === `${hint}_vocab.txt` ? 0 : name === 'vocab.txt' ? 1 : 2)

/** The vocabulary of the folder's model. */
export function modelTokenizer({ folder, config }: Pick<GoldenSetup, 'folder' | 'config'>): Tokenizer {
  const found = vocabularyOf(folder, config.text.vocab_size)
  if (!found) throw new AppError('bad-input', `No vocabulary of ${config.text.vocab_size} words is in the folder.`, 'Check that the folder is complete.', folder.dir)
  return createTokenizer(found.words)
}

/** A case of the suite: named by what it compares. */
export interface GoldenCase {
  readonly name: string
  /** What the comparison leaves open, in a sentence. */
  readonly note?: string
  run(): Promise<readonly Check[]>
}
