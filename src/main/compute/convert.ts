/** Takes a checkpoint of any kind we read into our own form, with an account of every key. */
import { statSync } from 'node:fs'
import { countParameters, disposeParams } from '../model/params.ts'
import { paramsFromTensors } from '../model/load-params.ts'
import { openCheckpoint, saveCheckpoint } from '../train/model-files.ts'
import type { ComputeMethods } from './protocol.ts'

/**
 * With a targetPath the weights are written there as safetensors in fp32; without one it only looks, and missing weights are
 * told instead of refused.
 * @throws AppError 'bad-input' when weights are missing (unless allowed) or it is another architecture; 'disk-full'
 */
export async function convertCheckpoint({ sourcePath, targetPath, modelConfig, allowMissing }: ComputeMethods['convert']['request']): Promise<ComputeMethods['convert']['result']> {
  const { file, config, info } = await openCheckpoint(sourcePath, modelConfig)
  try {
    const lenient = allowMissing || targetPath === undefined
    const { params, report } = paramsFromTensors(config, file.tensors, { place: sourcePath, ...(lenient ? { allowMissing: { seed: 0 } } : {}) })
    try {
      if (targetPath !== undefined) await saveCheckpoint(targetPath, params, info ?? { step: 0, metrics: {} }, 'fp32')
      return {
        keys: {
          loaded: report.loaded.length, missing: report.missing, unexpected: report.unexpected,
          reshaped: report.reshaped.map(({ name, from, to }) => `${name}: ${from.join(' x ')} became ${to.join(' x ')}`),
        },
        modelName: config.name, parameters: countParameters(params), sizeBytes: statSync(sourcePath).size,
      }
    } finally {
      disposeParams(params)
    }
  } finally {
    file.close()
  }
}
