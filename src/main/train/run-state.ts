/**
 * Everything a run needs to go on as if it had never stopped, in one file: weights, momentum copy, queues, AdamW's moments, the
 * state of every random stream, the place in the data, the best so far. One file, so that they can never disagree.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import type { TensorToWrite } from '../checkpoints/safetensors.ts'
import { toFloat32 } from '../checkpoints/tensor-file.ts'
import { liveTensors, paramsFromTensors } from '../model/load-params.ts'
import type { ModelParams } from '../model/types.ts'
import type { BatchState } from './batches.ts'
import type { Judge, Stall } from './early-stop.ts'
import { liveMoments, restoreMoments, type AdamWState, type Moment } from './optimizer.ts'
import type { RunIdentity } from './run-identity.ts'
import { openNewestState, writeState } from './state-files.ts'

export interface Best {
  readonly step: number
  readonly value: number
  /** What the value is of; absent in older states, which knew the pointing game alone. Null: nothing is validated, the newest is the best. */
  readonly judge?: Judge | null
}

export interface RunProgressState {
  readonly step: number
  readonly elapsedSeconds: number
  readonly batches: BatchState
  /** Generator of masked words and negatives. */
  readonly choices: readonly number[]
  readonly best: Best | null
  /** Absent in states that were saved before runs could end early. */
  readonly stall?: Stall
  /** Texts whose features went into the queue; absent in older states. */
  readonly queued?: number
  readonly identity: RunIdentity
}

interface StateInfo extends RunProgressState {
  /** Updates that AdamW made to each parameter. */
  readonly optimizerSteps: Readonly<Record<string, number>>
}

const MODEL = 'model.'
const FIRST = 'optimizer.first.'
const SECOND = 'optimizer.second.'

/** Durable when it returns. @throws AppError 'disk-full' that names the step which stays saved */
export function saveRunState(folder: string, params: ModelParams, optimizer: AdamWState, state: RunProgressState): void {
  const tensors = new Map<string, TensorToWrite>()
  for (const [name, tensor] of liveTensors(params)) tensors.set(MODEL + name, tensor)
  const optimizerSteps: Record<string, number> = {}
  for (const [name, moment] of liveMoments(optimizer)) {
    const { shape, step } = moment
    tensors.set(FIRST + name, { shape, dtype: 'F32', get data() { return moment.first } })
    tensors.set(SECOND + name, { shape, dtype: 'F32', get data() { return moment.second } })
    optimizerSteps[name] = step
  }
  const info: StateInfo = { ...state, optimizerSteps }
  writeState(folder, { step: state.step, tensors, info })
}

export interface LoadedState {
  readonly params: ModelParams
  readonly state: RunProgressState
  /** States that were passed over because they could not be read, in sentences. */
  readonly notes: readonly string[]
}

/**
 * The newest state that is whole; null when nothing was saved yet.
 * @param accept called with what was saved before any tensor is made; may throw
 */
export async function loadRunState(
  folder: string, config: ModelConfig, optimizer: AdamWState, accept: (state: RunProgressState) => Promise<void>,
): Promise<LoadedState | null> {
  const notes: string[] = []
  const saved = openNewestState(folder, notes)
  if (!saved) return null
  const { file } = saved
  try {
    const { optimizerSteps, ...state } = saved.info as StateInfo
    await accept(state)
    const { params } = paramsFromTensors(config, file.tensors, { place: file.path, exact: true })
    restoreMoments(optimizer, new Map(Object.entries(optimizerSteps).map(([name, step]): [string, Moment] => {
      const [first, second] = [FIRST + name, SECOND + name].map((key) => file.tensors.get(key))
      if (!first || !second) throw new AppError('bad-input', `The saved state lacks what the optimizer knows of ${name}.`, 'Start a new run from the last checkpoint of this one.', file.path)
      return [name, { shape: first.shape, first: toFloat32(first.read()), second: toFloat32(second.read()), step }]
    })))
    return { params, state, notes }
  } finally {
    file.close()
  }
}
