/** The weights a run starts from: a checkpoint, encoders made for something else, or none of it. */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { RunConfig } from '../../shared/config/run-config.ts'
import { type EncoderStart, imageStart, textStart } from '../checkpoints/hf/start.ts'
import { list } from '../model/key-plan.ts'
import { paramsFromTensors } from '../model/load-params.ts'
import { createParams } from '../model/params.ts'
import type { ModelParams } from '../model/types.ts'
import { openCheckpoint, vocabularyOf } from './model-files.ts'

export interface StartWeights {
  readonly params: ModelParams
  /** What was taken from where and what started anew, in plain sentences for the run's log. */
  readonly notes: readonly string[]
}

export interface StartWeightsInput {
  readonly modelConfig: ModelConfig
  readonly config: RunConfig
  /** Path of the checkpoint the run starts from. */
  readonly startCheckpoint: string | null
}

/** @throws AppError 'bad-input' for what does not fit, lacks parameters or holds NaN, unless the run's settings let it through */
export async function startWeights({ modelConfig, config, startCheckpoint }: StartWeightsInput): Promise<StartWeights> {
  const { seed, init } = config
  if (startCheckpoint !== null) return fromCheckpoint(startCheckpoint, modelConfig, config)
  const starts: EncoderStart[] = []
  try {
    if (init.text) starts.push(await textStart(init.text, modelConfig, await vocabularyOf(modelConfig)))
    if (init.image) starts.push(await imageStart(init.image, modelConfig))
    if (starts.length === 0) return { params: createParams(modelConfig, seed), notes: [] }
    const tensors = new Map(starts.flatMap((start) => [...start.tensors]))
    const place = [init.text, init.image].filter((path) => path !== '').join(' and ')
    const { params, report } = paramsFromTensors(modelConfig, tensors, { allowMissing: { seed }, allowNotFinite: init.acceptNotFinite, place })
    const anew = `Parameters that start anew, as these models do not have them: ${report.missing.length}.`
    return { params, notes: [...starts.flatMap((start) => start.notes), anew] }
  } finally {
    for (const start of starts) start.close()
  }
}

async function fromCheckpoint(path: string, modelConfig: ModelConfig, { seed, init }: RunConfig): Promise<StartWeights> {
  const { file } = await openCheckpoint(path, modelConfig)
  try {
    const { params, report } = paramsFromTensors(modelConfig, file.tensors, {
      place: path, allowNotFinite: init.acceptNotFinite, ...(init.acceptMissing ? { allowMissing: { seed } } : {}),
    })
    const ignored = [init.text, init.image].filter((folder) => folder !== '')
    return {
      params,
      notes: [
        ...report.notes,
        ...(report.missing.length > 0 ? [`The start checkpoint lacks some parameters, which start anew (${report.missing.length}): ${list(report.missing)}.`] : []),
        ...(report.reshaped.length > 0 ? [`Fitted to this model's sizes: ${list(report.reshaped.map(({ name }) => name))}.`] : []),
        ...(ignored.length > 0 ? ['init.text and init.image are not used, as the run starts from a checkpoint.'] : []),
      ],
    }
  } finally {
    file.close()
  }
}
