/**
 * A checkpoint for use elsewhere: as .pth in the form that the published training and evaluation code read
 * ({'model', 'optimizer', 'lr_scheduler', 'config', 'epoch'}), or as safetensors that say their model's sizes.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { RunConfig } from '../../shared/config/run-config.ts'
import { AppError, type KeySummary } from '../../shared/errors.ts'
import { formOf, type Precision, rawOf } from '../checkpoints/convert-file.ts'
import { PyFloat, PyOrderedDict, PyTuple } from '../checkpoints/pickle.ts'
import { SavedTensor, writePth } from '../checkpoints/pth-writer.ts'
import { rawTensor, writeRawSafetensors } from '../checkpoints/safetensors.ts'
import type { TensorEntry, TensorFile } from '../checkpoints/tensor-file.ts'
import { modelTensors, planKeys, refuseUnfit, summaryOf } from '../model/key-plan.ts'
import { parameterSpecs } from '../model/params.ts'
import { checkpointHeader, openCheckpoint, type CheckpointInfo } from './model-files.ts'
import { loadRunConfig } from './presets.ts'
import { openRun } from './run-folder.ts'
import { openNewestState } from './state-files.ts'

/** As the saved state names AdamW's moments. */
const FIRST = 'optimizer.first.'
const SECOND = 'optimizer.second.'

export interface ExportOptions {
  /** A checkpoint, or the folder of a run: then its newest saved state, with AdamW's moments. */
  readonly source: string
  /** Its ending says the form. */
  readonly target: string
  readonly modelConfig?: string
  /** Floats in another width; as stored when left away. */
  readonly precision?: Precision
  /** Leave the momentum copy and the queues out: what evaluation needs, at half the size. */
  readonly weightsOnly?: boolean
  /** Written as 'epoch': the published code goes on with the one after. */
  readonly epoch?: number
}

export interface Exported {
  readonly tensors: number
  readonly model: string
  readonly keys: KeySummary
  /** Parameters whose AdamW moments went along. */
  readonly moments: number
}

/** @throws AppError 'bad-input' when the checkpoint is not a whole model, 'usage' for an ending that is no form */
export async function exportCheckpoint({ source, target, modelConfig, precision, weightsOnly = false, epoch = 0 }: ExportOptions): Promise<Exported> {
  const form = formOf(target)
  const { file, config, info, steps, settings } = await openSource(source, modelConfig)
  try {
    const plan = planKeys(config, file.tensors)
    refuseUnfit(plan, source, false)
    if (plan.reshaped.length > 0) throw new AppError('bad-input', `${source} is of other sizes than ${config.name}.`, 'Name the model configuration it was made with.', source)
    const isHelper = (name: string): boolean => /^[a-z_]+_m\.|^(image|text|idx)_queue$|^queue_ptr/.test(name)
    const kept = [...modelTensors(file.tensors)].filter(([name]) => !weightsOnly || !isHelper(name))
    const header = checkpointHeader(config, info)
    const moments = steps ? adamState(config, file.tensors, steps) : new Map<number, unknown>()
    if (form === 'safetensors') writeRawSafetensors(target, new Map(kept.map(([name, entry]) => [name, rawOf(entry, precision)])), header)
    else {
      writePth(target, new Map<string, unknown>([
        ['model', referenceModel(config, kept, precision)],
        ['optimizer', new Map<string, unknown>([['state', moments], ['param_groups', parameterGroups(config, settings)]])],
        ['lr_scheduler', scheduler(settings)],
        ['config', referenceConfig(config)],
        ['epoch', epoch],
        ['amc', new Map(Object.entries(header))],
      ]))
    }
    return { tensors: kept.length, model: config.name, keys: summaryOf(plan), moments: form === 'pth' ? moments.size : 0 }
  } finally {
    file.close()
  }
}

interface Source {
  readonly file: TensorFile
  readonly config: ModelConfig
  readonly info: CheckpointInfo
  /** Updates AdamW made to each parameter; null where no moments are. */
  readonly steps: Readonly<Record<string, number>> | null
  readonly settings: RunConfig
}

async function openSource(source: string, modelConfig?: string): Promise<Source> {
  if (!existsSync(join(source, 'run.json'))) {
    const { file, config, info } = await openCheckpoint(source, modelConfig)
    return { file, config, info: info ?? { step: 0, metrics: {} }, steps: null, settings: await loadRunConfig('amc-reference') }
  }
  const { paths, record, config } = await openRun(source)
  const state = openNewestState(paths.states)
  if (!state) throw new AppError('bad-input', 'This run has no saved state.', 'Name one of its checkpoints.', source)
  const { optimizerSteps, step } = state.info as { optimizerSteps: Record<string, number>; step: number }
  return { file: state.file, config: record.modelConfig, info: { step, seed: config.seed, metrics: {} }, steps: optimizerSteps, settings: config }
}

/** With what the published code's state dict has besides: tied decoder weights, position ids, both queue pointers. */
function referenceModel(config: ModelConfig, tensors: readonly (readonly [string, TensorEntry])[], precision?: Precision): PyOrderedDict {
  const model = new PyOrderedDict()
  for (const [name, entry] of tensors) model.set(name, new SavedTensor(rawOf(entry, precision)))
  const positions = BigInt64Array.from({ length: config.text.max_positions }, (_, i) => BigInt(i))
  for (const encoder of ['text_encoder', 'text_encoder_m']) {
    const words = model.get(`${encoder}.bert.embeddings.word_embeddings.weight`)
    if (!words) continue
    model.set(`${encoder}.cls.predictions.decoder.weight`, words)
    const bias = model.get(`${encoder}.cls.predictions.bias`)
    if (bias) model.set(`${encoder}.cls.predictions.decoder.bias`, bias)
    model.set(`${encoder}.bert.embeddings.position_ids`, new SavedTensor(rawTensor('position_ids', { shape: [1, positions.length], data: positions })))
  }
  return model
}

/** The order in which the published code numbers its parameters: those without weight decay, then the others. */
function decayGroups(config: ModelConfig): readonly [readonly string[], readonly string[]] {
  const specs = parameterSpecs(config)
  const isSpared = ({ name, shape }: { name: string; shape: readonly number[] }): boolean => shape.length === 1 || name.endsWith('.bias')
  return [specs.filter(isSpared).map(({ name }) => name), specs.filter((spec) => !isSpared(spec)).map(({ name }) => name)]
}

function parameterGroups(config: ModelConfig, { optimizer, schedule }: RunConfig): unknown[] {
  const [spared, decayed] = decayGroups(config)
  const group = (decay: number, from: number, count: number) =>
    new Map<string, unknown>([
      ['weight_decay', new PyFloat(decay)], ['lr', new PyFloat(schedule.warmupLearningRate)], ['betas', new PyTuple([new PyFloat(optimizer.beta1), new PyFloat(optimizer.beta2)])],
      ['eps', new PyFloat(optimizer.epsilon)],
      ['amsgrad', false], ['initial_lr', new PyFloat(optimizer.learningRate)], ['params', Array.from({ length: count }, (_, i) => from + i)],
    ])
  return [group(0, 0, spared.length), group(optimizer.weightDecay, spared.length, decayed.length)]
}

function adamState(config: ModelConfig, tensors: ReadonlyMap<string, TensorEntry>, steps: Readonly<Record<string, number>>): Map<number, unknown> {
  const state = new Map<number, unknown>()
  decayGroups(config).flat().forEach((name, id) => {
    const [first, second, step] = [tensors.get(FIRST + name), tensors.get(SECOND + name), steps[name]]
    if (!first || !second || step === undefined) return // never reached by a gradient
    state.set(id, new Map<string, unknown>([['step', step], ['exp_avg', new SavedTensor(rawOf(first))], ['exp_avg_sq', new SavedTensor(rawOf(second))]]))
  })
  return state
}

function scheduler({ optimizer: { learningRate }, schedule }: RunConfig): Map<string, unknown> {
  const { warmupLearningRate: first, minLearningRate: lowest, warmupHundreds: warmup, periodEpochs: period } = schedule
  const rise = warmup > 0 ? (learningRate - first) / warmup : 1
  return new Map<string, unknown>([
    ['param_group_field', 'lr'], ['_initial_param_group_field', 'initial_lr'], ['base_values', [new PyFloat(learningRate), new PyFloat(learningRate)]], ['metric', null],
    ['noise_range_t', null], ['noise_pct', new PyFloat(0.67)], ['noise_type', 'normal'], ['noise_std', new PyFloat(1)], ['noise_seed', 42],
    ['t_initial', period], ['t_mul', new PyFloat(1)], ['lr_min', new PyFloat(lowest)], ['decay_rate', new PyFloat(1)], ['cycle_limit', 1],
    ['warmup_t', warmup], ['warmup_lr_init', new PyFloat(first)], ['warmup_prefix', true], ['t_in_epochs', true], ['warmup_steps', [new PyFloat(rise), new PyFloat(rise)]],
  ])
}

/** Sizes under the names of the published settings. */
function referenceConfig({ image, ...config }: ModelConfig): Map<string, unknown> {
  return new Map<string, unknown>([
    ['image_res', image.size], ['vision_width', image.width], ['embed_dim', config.embed_dim], ['temp', new PyFloat(config.temperature)],
    ['mlm_probability', new PyFloat(config.mlm_probability)], ['queue_size', config.queue_size], ['momentum', new PyFloat(config.momentum ?? 0.995)],
    ['mask_size', config.mask_size], ['gcam_layer', config.gradcam_layer],
  ])
}
