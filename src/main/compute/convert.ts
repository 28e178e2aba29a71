/** Takes a checkpoint of any kind we read into our own form, with an account of every key. One tensor at a time is in memory. */
import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { rawTensor, type RawTensor, writeRawSafetensors } from '../checkpoints/safetensors.ts'
import type { TensorEntry } from '../checkpoints/tensor-file.ts'
import { list, planKeys, refuseUnfit, summaryOf, type KeyPlan } from '../model/key-plan.ts'
import { fillQueues, plannedValues } from '../model/load-params.ts'
import { emptyQueues, momentumName, parameterSpecs, startAll } from '../model/params.ts'
import { createRandom } from '../model/random.ts'
import { explainWriteError } from '../train/files.ts'
import { checkpointHeader, openCheckpoint } from '../train/model-files.ts'
import type { ComputeMethods } from './protocol.ts'

const SEED = 0

/**
 * With a targetPath the weights are written there as safetensors in fp32; without one it only looks, and missing weights are
 * told instead of refused.
 * @throws AppError 'bad-input' when weights are missing (unless allowed) or it is another architecture; 'disk-full'
 */
export async function convertCheckpoint({ sourcePath, targetPath, modelConfig, allowMissing }: ComputeMethods['convert']['request']): Promise<ComputeMethods['convert']['result']> {
  const { file, config, info } = await openCheckpoint(sourcePath, modelConfig)
  try {
    const plan = planKeys(config, file.tensors)
    refuseUnfit(plan, sourcePath, allowMissing || targetPath === undefined)
    const notFinite: string[] = []
    if (targetPath !== undefined) {
      await mkdir(dirname(targetPath), { recursive: true })
      try {
        writeRawSafetensors(targetPath, modelFile(config, plan, notFinite), checkpointHeader(config, info ?? { step: 0, metrics: {} }))
      } catch (error) {
        throw explainWriteError(error, targetPath)
      }
    }
    const parameters = parameterSpecs(config).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0)
    const notes = [...plan.notes, ...(notFinite.length > 0 ? [`Weights that are not numbers (NaN or infinite) are in ${list(notFinite)}: nothing can be trained or explained with them.`] : [])]
    return { keys: summaryOf(plan), notes, modelName: config.name, parameters, sizeBytes: statSync(file.path).size }
  } finally {
    file.close()
  }
}

/** Every tensor of the model in its order, made when its turn comes: the same that saving the loaded model would write. */
function modelFile(config: ModelConfig, plan: KeyPlan<TensorEntry>, notFinite: string[]): Map<string, RawTensor> {
  const fresh = plan.missing.length > 0 ? startAll(config, createRandom(SEED)) : null
  const read = (name: string): Float32Array | undefined => {
    const source = plan.sources.get(name)
    if (!source) return fresh?.get(name)
    const { data, isFinite } = plannedValues(source)
    if (!isFinite) notFinite.push(name)
    return data
  }
  const tensors = new Map<string, RawTensor>()
  const specs = parameterSpecs(config)
  const add = (name: string, shape: readonly number[], otherwise?: string) =>
    tensors.set(name, { dtype: 'F32', shape, bytes: () => bytesOfFloats(read(name) ?? read(otherwise!)!) })
  for (const { name, shape } of specs) add(name, shape)
  if (config.momentum !== null) for (const { name, shape } of specs) if (momentumName(name)) add(momentumName(name)!, shape, name)
  const queues = emptyQueues(config, createRandom(SEED))
  if (queues) {
    if (plan.queues) fillQueues(config, queues, plan.queues, notFinite)
    const shape = [config.embed_dim, config.queue_size]
    for (const [name, data] of [['image_queue', queues.image], ['text_queue', queues.text]] as const) tensors.set(name, rawTensor(name, { shape, data }))
    for (const [name, at] of [['queue_ptr_img', queues.imagePointer], ['queue_ptr_txt', queues.textPointer]] as const) {
      tensors.set(name, rawTensor(name, { shape: [1], data: BigInt64Array.of(BigInt(at)) }))
    }
  }
  return tensors
}

function bytesOfFloats({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
