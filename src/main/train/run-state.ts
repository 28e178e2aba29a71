/**
 * Everything a run needs to go on as if it had never stopped, in one file: weights, AdamW's moments, the state of every
 * random stream, the place in the data. One file, renamed into place, so that weights and generators can never disagree.
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import { openSafetensors, writeSafetensors, type TensorToWrite } from '../checkpoints/safetensors.ts'
import { toFloat32 } from '../checkpoints/tensor-file.ts'
import { exportTensors, paramsFromTensors } from '../model/load-params.ts'
import type { ModelParams } from '../model/types.ts'
import type { BatchState } from './batches.ts'
import { explainWriteError } from './files.ts'
import { STATE_KEY } from './run-folder.ts'
import { readMoments, restoreMoments, type AdamWState, type Moment } from './optimizer.ts'

export interface Best {
  readonly step: number
  readonly value: number
}

export interface RunProgressState {
  readonly step: number
  readonly elapsedSeconds: number
  readonly batches: BatchState
  /** Generator of masked words and negatives. */
  readonly choices: readonly number[]
  readonly best: Best | null
}

const STEPS_KEY = 'amc.optimizerSteps'
const MODEL = 'model.'
const FIRST = 'optimizer.first.'
const SECOND = 'optimizer.second.'

export async function saveRunState(path: string, params: ModelParams, optimizer: AdamWState, state: RunProgressState): Promise<void> {
  const tensors = new Map<string, TensorToWrite>()
  for (const [name, tensor] of exportTensors(params)) tensors.set(MODEL + name, tensor)
  const steps: Record<string, number> = {}
  for (const [name, { shape, first, second, step }] of readMoments(optimizer)) {
    tensors.set(FIRST + name, { shape, data: first })
    tensors.set(SECOND + name, { shape, data: second })
    steps[name] = step
  }
  await mkdir(dirname(path), { recursive: true })
  try {
    writeSafetensors(path, tensors, { [STATE_KEY]: JSON.stringify(state), [STEPS_KEY]: JSON.stringify(steps) })
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

/** Null when nothing was saved yet. */
export function loadRunState(path: string, config: ModelConfig, optimizer: AdamWState): { params: ModelParams; state: RunProgressState } | null {
  if (!existsSync(path)) return null
  const file = openSafetensors(path)
  try {
    const [state, steps] = [file.metadata[STATE_KEY], file.metadata[STEPS_KEY]]
    if (!state || !steps) throw new AppError('bad-input', 'The saved state of the run cannot be read.', 'Start the run again.', path)
    const { params } = paramsFromTensors(config, file.tensors, { place: path })
    const values = (name: string): Float32Array => toFloat32(file.tensors.get(name)!.read())
    const moments = new Map<string, Moment>()
    for (const [name, step] of Object.entries(JSON.parse(steps) as Record<string, number>)) {
      moments.set(name, { shape: file.tensors.get(FIRST + name)!.shape, first: values(FIRST + name), second: values(SECOND + name), step })
    }
    restoreMoments(optimizer, moments)
    return { params, state: JSON.parse(state) as RunProgressState }
  } finally {
    file.close()
  }
}
