import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, isAppError, type KeySummary } from '../../shared/errors.ts'
import type { PthFile } from '../checkpoints/pth.ts'
import type { TensorSummary } from '../checkpoints/summary.ts'
import type { TensorFile } from '../checkpoints/tensor-file.ts'
import type { Command, CommandIo } from './command.ts'

const SHOWN = 12

export const checkpointInspectCommand: Command = {
  name: 'checkpoint inspect',
  summary: 'Say what is in a checkpoint file, and how its keys fit a model.',
  positionals: ['FILE'],
  options: {
    model: { type: 'string', value: 'NAME|FILE', help: 'Sizes of the model (albef-base, ... or YAML), when the checkpoint does not carry them.' },
    names: { type: 'boolean', help: 'Table of contents only: no values are read, so there are no sums.' },
    tensors: { type: 'boolean', help: 'Print a line for every tensor (--json always has them all).' },
  },
  details: `FILE is a .pth (zip or older form), a safetensors file, an index of several parts (model.safetensors.index.json), or a Hugging Face folder. Nothing of a .pth is ever executed.
Result: {format, count, tensors: [{name, dtype, shape, sum (float64), first (six values in row-major order)}], parameters, bytes, kinds: {float32: n, ...}, contents (keys
of the saved object), model, info, keys: {loaded, missing, unexpected, reshaped} or null, notes, notFinite: [names of tensors with NaN or infinite values]}.`,
  run: async (input, io) => {
    const path = resolve(input.positionals[0]!)
    if (!existsSync(path)) throw new AppError('not-found', `There is no file ${path}.`, 'Check the path.')
    const { openTensors, isPth } = await import('../checkpoints/open-tensors.ts')
    const file = await openTensors(path)
    try {
      const list = await listOf(file, !input.has('names'), io)
      const kinds: Record<string, number> = {}
      for (const { dtype } of list) kinds[dtype] = (kinds[dtype] ?? 0) + 1
      const parameters = list.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0)
      const contents = isPth(file) ? contentsOf(file) : []
      const notFinite = list.filter((tensor) => (tensor.notFinite ?? 0) > 0).map(({ name }) => name)
      const fit = await fitOf(path, file, input.text('model'))
      const { keys } = fit
      const tensors = list.map(({ notFinite: _counted, ...tensor }) => tensor)
      return {
        json: {
          format: file.format, count: list.length, tensors, parameters, bytes: statSync(file.path).size, kinds, contents,
          model: fit.model, info: fit.info, keys, notes: fit.notes, notFinite,
        },
        lines: [
          `${file.format}, ${list.length} tensors, ${parameters.toLocaleString('en')} numbers (${Object.entries(kinds).map(([kind, n]) => `${n} ${kind}`).join(', ')})`,
          ...(contents.length > 0 ? [`Holds ${contents.join(', ')}`] : []),
          fit.model ? `Model ${fit.model}` : 'It does not say the sizes of its model; name them with --model to see how its keys fit.',
          ...(keys ? keyLines(keys) : []),
          ...fit.notes,
          ...(notFinite.length > 0 ? [`Values that are not numbers (NaN or infinite) are in ${notFinite.length} tensors; training from it is refused unless asked for:`, ...some('not finite', notFinite)] : []),
          ...(input.has('tensors') ? tensors.map(lineOf) : []),
        ],
      }
    } finally {
      file.close()
    }
  },
}

type Listed = Omit<TensorSummary, 'sum' | 'first' | 'notFinite'> & Partial<TensorSummary>

async function listOf(file: TensorFile, withValues: boolean, io: CommandIo): Promise<Listed[]> {
  const { summarise } = await import('../checkpoints/summary.ts')
  const { TORCH_NAME } = await import('../checkpoints/tensor-file.ts')
  const list: Listed[] = []
  for (const entry of file.tensors.values()) {
    if (io.signal.aborted) throw new AppError('cancelled', 'Cancelled.')
    if (withValues) io.progress.report('Reading', list.length, file.tensors.size)
    list.push(withValues ? summarise(entry) : { name: entry.name, dtype: TORCH_NAME[entry.dtype], shape: entry.shape })
  }
  return list
}

function contentsOf({ root }: PthFile): string[] {
  return root instanceof Map ? [...root.keys()].filter((key): key is string => typeof key === 'string').slice(0, 50) : []
}

/** How the keys fit, from names and shapes alone. */
async function fitOf(path: string, file: TensorFile, model: string | undefined) {
  const { planKeys, summaryOf } = await import('../model/key-plan.ts')
  const none = { model: null as string | null, info: null as unknown, keys: null as KeySummary | null, notes: [] as readonly string[] }
  const fits = (config: ModelConfig, tensors: Parameters<typeof planKeys>[1], info: unknown, notes: readonly string[] = []) => {
    const plan = planKeys(config, tensors)
    return { model: config.name, info, keys: summaryOf(plan), notes: [...notes, ...plan.notes, ...plan.wrongShape] }
  }
  const { isHfFolder, openHfFolder } = await import('../checkpoints/hf/folder.ts')
  if (isHfFolder(path)) {
    const folder = await openHfFolder(path)
    folder.file.close()
    const { renameBert, renameImage } = await import('../checkpoints/hf/names.ts')
    const { tensors } = folder.sizes.model_type === 'bert' ? renameBert(file.tensors) : renameImage(file.tensors)
    const { hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads } = folder.sizes
    const notes = [`A ${folder.sizes.model_type} of Hugging Face: ${layers} layers of width ${width}, ${heads} heads. A run starts its encoder from it with ${folder.sizes.model_type === 'bert' ? 'init.text' : 'init.image'}.`]
    if (model === undefined) return { ...none, notes }
    const { loadModelConfig } = await import('../train/presets.ts')
    return fits(await loadModelConfig(model), tensors, null, notes)
  }
  const { openCheckpoint } = await import('../train/model-files.ts')
  try {
    const opened = await openCheckpoint(path, model)
    opened.file.close()
    return fits(opened.config, file.tensors, opened.info)
  } catch (error) {
    // A file without sizes can still be listed; with --model given, what is wrong must be said.
    if (model === undefined && isAppError(error) && error.code === 'bad-input') return none
    throw error
  }
}

export function keyLines({ loaded, missing, unexpected, reshaped }: KeySummary): string[] {
  return [
    `Keys: ${loaded} loaded, ${missing.length} missing, ${unexpected.length} unexpected, ${reshaped.length} reshaped`,
    ...some('missing', missing), ...some('unexpected', unexpected), ...some('reshaped', reshaped),
  ]
}

function lineOf({ name, dtype, shape, sum, first }: Listed): string {
  const values = first ? `  sum ${sum}  first ${first.join(' ')}` : ''
  return `  ${name}  ${dtype} [${shape.join(', ')}]${values}`
}

function some(what: string, names: readonly string[]): string[] {
  const shown = names.slice(0, SHOWN).map((name) => `  ${what}  ${name}`)
  return names.length > SHOWN ? [...shown, `  ${what}  … and ${names.length - SHOWN} more`] : shown
}
