/** For tests: saved states whose every value tells their step. */
import type { TensorToWrite } from '../../src/main/checkpoints/safetensors.ts'
import { openNewestState, type StateToWrite } from '../../src/main/train/state-files.ts'

const VALUES = 5000

export function stateOf(step: number): StateToWrite {
  const tensors = new Map<string, TensorToWrite>([
    ['model.w', { shape: [VALUES], data: new Float32Array(VALUES).fill(step) }],
    ['model.pointer', { shape: [1], data: BigInt64Array.of(BigInt(step)) }],
  ])
  return { step, tensors, info: { step, random: [1, 2, step] } }
}

/** The newest state as it was written; null when there is none. */
export function readNewest(folder: string, notes: string[] = []): StateToWrite | null {
  const saved = openNewestState(folder, notes)
  if (!saved) return null
  const { step, file, info } = saved
  const tensors = new Map([...file.tensors].map(([name, entry]) => [name, { shape: entry.shape, data: entry.read().data }]))
  file.close()
  return { step, tensors, info }
}
