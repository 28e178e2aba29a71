/** Models as files: a checkpoint with everything needed to use it, and the vocabulary that goes with a configuration. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { parseModelConfig, type ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import { openTensors } from '../checkpoints/open-tensors.ts'
import { writeSafetensors, type TensorToWrite } from '../checkpoints/safetensors.ts'
import type { TensorFile } from '../checkpoints/tensor-file.ts'
import { liveTensors, paramsFromTensors, type KeyReport } from '../model/load-params.ts'
import { createTokenizer, type Tokenizer } from '../model/tokenizer.ts'
import type { ModelParams } from '../model/types.ts'
import { explainWriteError } from './files.ts'
import { configsDir, loadModelConfig } from './presets.ts'
import { recogniseModel } from './recognise.ts'

/** A model ready to be used. */
export interface LoadedModel {
  readonly params: ModelParams
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}

/** Said of a checkpoint in its own header. */
export interface CheckpointInfo {
  readonly step: number
  readonly preset?: string
  readonly seed?: number
  /** Known figures, by name with the protocol. */
  readonly metrics: Readonly<Record<string, number>>
}

const CONFIG_KEY = 'amc.modelConfig'
const INFO_KEY = 'amc.info'

/** Word pieces by id. The demo's word list belongs to its data: see resolveVocabulary. */
export async function vocabularyOf(config: ModelConfig): Promise<readonly string[]> {
  const { vocabulary } = config.text
  if (Array.isArray(vocabulary)) return vocabulary
  const path = vocabularyPath(vocabulary)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('bad-input', `The vocabulary "${vocabulary}" cannot be read.`, 'Name a vocab.txt with one word piece a line.', path, { cause: error })
  }
  return text.replace(/\r/g, '').replace(/\n$/, '').split('\n')
}

function vocabularyPath(name: string): string {
  const resources = join(dirname(configsDir()), 'resources')
  if (name === 'demo') return join(resources, 'demo', 'vocabulary.txt')
  if (isAbsolute(name) || /[\\/]/.test(name)) return name
  return join(resources, 'vocabularies', `${name}.txt`)
}

const SPECIAL_WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const MOST_WORDS = 8000

/**
 * Gives a from-scratch model of vocabulary 'demo' its words: the demo's own list when it covers the phrases, else the words
 * of the phrases themselves, most frequent first. Other configurations are returned as they are.
 */
export async function resolveVocabulary(config: ModelConfig, phrases: Iterable<string>): Promise<ModelConfig> {
  if (config.text.vocabulary !== 'demo') return config
  const demo = await vocabularyOf(config)
  const counts = new Map<string, number>()
  for (const phrase of phrases) for (const word of wordsOf(phrase)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const known = new Set(demo)
  const covered = [...counts.keys()].every((word) => known.has(word))
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_WORDS)
  const vocabulary = covered ? [...demo] : [...SPECIAL_WORDS, ...frequent.map(([word]) => word)]
  return { ...config, text: { ...config.text, vocabulary, vocab_size: vocabulary.length } }
}

/** Words as the tokenizer will see them: lower case, without accents and punctuation. */
function wordsOf(phrase: string): string[] {
  return phrase.toLowerCase().normalize('NFD').replace(/\p{Mn}/gu, '').split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
}

export async function tokenizerFor(config: ModelConfig): Promise<Tokenizer> {
  return createTokenizer(await vocabularyOf(config))
}

/** Writes weights, model sizes and what is known of them; whole or not at all. fp16 halves the file. */
export async function saveCheckpoint(path: string, params: ModelParams, info: CheckpointInfo, precision: 'fp32' | 'fp16'): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const tensors = new Map<string, TensorToWrite>()
  for (const [name, tensor] of liveTensors(params)) {
    const dtype = precision === 'fp16' && tensor.dtype === 'F32' ? 'F16' : tensor.dtype
    tensors.set(name, { shape: tensor.shape, dtype, get data() { return tensor.data } })
  }
  try {
    writeSafetensors(path, tensors, checkpointHeader(params.config, info))
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

/** What a checkpoint of ours says of itself. */
export function checkpointHeader(config: ModelConfig, info: CheckpointInfo): Record<string, string> {
  return { format: 'pt', [CONFIG_KEY]: JSON.stringify(config), [INFO_KEY]: JSON.stringify(info) }
}

export interface CheckpointFile {
  readonly file: TensorFile
  readonly config: ModelConfig
  readonly info: CheckpointInfo | null
}

/**
 * Opens a checkpoint without reading its weights. The model's sizes are those given (a name of configs/model, the path of a
 * YAML file, or the sizes themselves), else those in its own header, else those of the known model that it fits in every tensor.
 * @throws AppError 'bad-input' when it is no checkpoint or nothing tells its sizes
 */
export async function openCheckpoint(path: string, modelConfig?: string | ModelConfig): Promise<CheckpointFile> {
  if (!existsSync(path)) throw new AppError('not-found', 'The checkpoint is missing.', 'Put it back, or choose another.', path)
  const file = await openTensors(path)
  try {
    if (typeof modelConfig === 'object') return { file, config: modelConfig, info: infoOf(file) }
    if (modelConfig !== undefined) return { file, config: await loadModelConfig(modelConfig), info: infoOf(file) }
    const embedded = file.metadata[CONFIG_KEY]
    if (embedded !== undefined) return { file, config: parseModelConfig(JSON.parse(embedded), path), info: infoOf(file) }
    const known = await recogniseModel(file.tensors)
    if (known) return { file, config: known, info: infoOf(file) }
    throw new AppError('bad-input', 'This checkpoint does not say the sizes of its model, and is none of the known ones.', 'Name its model configuration, for example albef-base.', path)
  } catch (error) {
    file.close()
    throw error
  }
}

function infoOf(file: TensorFile): CheckpointInfo | null {
  const text = file.metadata[INFO_KEY]
  return text === undefined ? null : (JSON.parse(text) as CheckpointInfo)
}

/** A checkpoint's model in memory, with the account of its keys. */
export async function loadModel(path: string, modelConfig?: string | ModelConfig): Promise<LoadedModel & { readonly report: KeyReport; readonly info: CheckpointInfo | null }> {
  const { file, config, info } = await openCheckpoint(path, modelConfig)
  try {
    const tokenizer = await tokenizerFor(config)
    const { params, report } = paramsFromTensors(config, file.tensors, { place: path })
    return { params, config, tokenizer, report, info }
  } finally {
    file.close()
  }
}

/**
 * A checkpoint's model for heatmaps alone: without the momentum copy and the queues, which only training needs.
 * @param fits is told the sizes before any weight is read, and throws when they are too large
 */
export async function loadForHeatmaps(path: string, modelConfig: string | undefined, fits: (config: ModelConfig) => void): Promise<LoadedModel> {
  const { file, config } = await openCheckpoint(path, modelConfig)
  file.close()
  const needed = { ...config, momentum: null, queue_size: 0 }
  fits(needed)
  return loadModel(path, needed)
}
