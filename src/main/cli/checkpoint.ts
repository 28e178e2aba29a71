import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError, isAppError } from '../../shared/errors.ts'
import type { Command } from './command.ts'

const SHOWN = 12

export const checkpointInspectCommand: Command = {
  name: 'checkpoint inspect',
  summary: 'Say what is in a checkpoint file, and how its keys fit a model.',
  positionals: ['FILE'],
  options: {
    model: { type: 'string', value: 'NAME|FILE', help: 'Sizes of the model (albef-base, ... or YAML), when the checkpoint does not carry them.' },
    tensors: { type: 'boolean', help: 'Put every tensor into the JSON: name, kind, shape.' },
  },
  details: `Reads the table of contents only; nothing of a .pth is ever executed.
Result: {format, tensors, parameters, kinds: {F32: n, ...}, model, info, keys: {loaded, missing, unexpected, reshaped} or null, list with --tensors}.`,
  run: async (input, io) => {
    const path = resolve(input.positionals[0]!)
    if (!existsSync(path)) throw new AppError('not-found', `There is no file ${path}.`, 'Check the path.')
    const { openSafetensors } = await import('../checkpoints/safetensors.ts')
    const { openPth } = await import('../checkpoints/pth.ts')
    const file = path.endsWith('.safetensors') ? openSafetensors(path) : await openPth(path)
    const kinds: Record<string, number> = {}
    let parameters = 0
    for (const { dtype, shape } of file.tensors.values()) {
      kinds[dtype] = (kinds[dtype] ?? 0) + 1
      parameters += shape.reduce((product, n) => product * n, 1)
    }
    const list = Array.from(file.tensors.values(), ({ name, dtype, shape }) => ({ name, dtype, shape }))
    const { format } = file
    file.close()
    const fit = await fitOf(path, input.text('model'))
    const { keys } = fit
    return {
      json: { format, tensors: list.length, parameters, kinds, model: fit.model, info: fit.info, keys, ...(input.has('tensors') ? { list } : {}) },
      lines: [
        `${format}, ${list.length} tensors, ${parameters.toLocaleString('en')} numbers (${Object.entries(kinds).map(([kind, n]) => `${n} ${kind}`).join(', ')})`,
        fit.model ? `Model ${fit.model}` : 'It does not say the sizes of its model; name them with --model to see how its keys fit.',
        ...(keys ? [`Keys: ${keys.loaded} loaded, ${keys.missing.length} missing, ${keys.unexpected.length} unexpected, ${keys.reshaped.length} reshaped`] : []),
        ...(keys ? [...some('missing', keys.missing), ...some('unexpected', keys.unexpected), ...some('reshaped', keys.reshaped)] : []),
      ],
    }

    async function fitOf(source: string, model: string | undefined) {
      const { openCheckpoint } = await import('../train/model-files.ts')
      try {
        const opened = await openCheckpoint(source, model)
        opened.file.close()
        const { spawnCompute } = await import('../compute/client.ts')
        const compute = spawnCompute({ role: 'interactive', onLog: io.note })
        try {
          const result = await compute.call('convert', { sourcePath: source, allowMissing: true, ...(model ? { modelConfig: model } : {}) }, { signal: io.signal })
          return { model: opened.config.name, info: opened.info, keys: result.keys }
        } finally {
          await compute.close(2_000)
        }
      } catch (error) {
        // A file without sizes can still be listed; with --model given, what is wrong must be said.
        if (model === undefined && isAppError(error) && error.code === 'bad-input') return { model: null, info: null, keys: null }
        throw error
      }
    }
  },
}

function some(what: string, names: readonly string[]): string[] {
  const shown = names.slice(0, SHOWN).map((name) => `  ${what}  ${name}`)
  return names.length > SHOWN ? [...shown, `  ${what}  … and ${names.length - SHOWN} more`] : shown
}
