/** Checkpoints from one form into another, out to other programs, and into a project. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Precision } from '../checkpoints/convert-file.ts'
import { keyLines } from './checkpoint.ts'
import type { Command, CommandInput, OptionSpec } from './command.ts'
import { PROJECT_OPTION, withProject } from './project.ts'

const MODEL_OPTION: OptionSpec = { type: 'string', value: 'NAME|FILE', help: 'Sizes of the model (albef-base, ... or YAML), when the checkpoint does not carry them.' }
const PRECISION_OPTION: OptionSpec = { type: 'string', value: 'fp32|fp16|bf16', help: 'Write floating tensors in this width; left away, every value keeps its bits.' }

export const checkpointConvertCommand: Command = {
  name: 'checkpoint convert',
  summary: 'Write the tensors of a file in the other form, bit for bit.',
  positionals: ['IN', 'OUT'],
  options: { precision: PRECISION_OPTION },
  details: `OUT ends in .safetensors or .pth (.pt, .bin). What a .pth holds beside tensors (optimizer, settings, epoch) goes along in the header of the safetensors file,
so that .pth -> .safetensors -> .pth gives the same object. Written .pth files are read by torch.load(..., weights_only=True).
Result: {from, to, tensors, bytes, path}.`,
  run: async (input) => {
    const { source, target } = places(input)
    const { convertFile } = await import('../checkpoints/convert-file.ts')
    const { explainWriteError } = await import('../train/files.ts')
    const done = await convertFile(source, target, precisionOf(input)).catch((error: unknown) => {
      throw explainWriteError(error, target)
    })
    return { json: { ...done, path: target }, lines: [`${basename(target)}: ${done.tensors} tensors, ${done.bytes.toLocaleString('en')} bytes (${done.to}, from ${done.from})`] }
  },
}

export const checkpointExportCommand: Command = {
  name: 'checkpoint export',
  summary: 'Write a checkpoint or a run for the published code, or for another machine.',
  positionals: ['FILE', 'OUT'],
  options: {
    model: MODEL_OPTION,
    precision: PRECISION_OPTION,
    'weights-only': { type: 'boolean', help: 'Leave out the momentum copy and the queues: enough for evaluation.' },
    epoch: { type: 'string', value: 'N', help: 'Epoch to write into a .pth; the published code goes on with the next. Usually 0.' },
  },
  details: `FILE is a checkpoint, or the folder of a run (then its newest saved state, with the optimizer's moments). OUT.pth is what the published training and evaluation code
load: {'model', 'optimizer', 'lr_scheduler', 'config', 'epoch'}. OUT.safetensors says its model's sizes and is read by this program as it is.
Result: {model, tensors, keys: {loaded, missing, unexpected, reshaped}, moments, path}.`,
  run: async (input) => {
    const { source, target } = places(input)
    const [model, precision, epoch] = [input.text('model'), precisionOf(input), input.integer('epoch')]
    const { exportCheckpoint } = await import('../train/export-checkpoint.ts')
    const { explainWriteError } = await import('../train/files.ts')
    const done = await exportCheckpoint({
      source, target, weightsOnly: input.has('weights-only'), ...(model ? { modelConfig: model } : {}), ...(precision ? { precision } : {}), ...(epoch === undefined ? {} : { epoch }),
    }).catch((error: unknown) => {
      throw explainWriteError(error, target)
    })
    return {
      json: { ...done, path: target },
      lines: [`${basename(target)}: ${done.tensors} tensors of ${done.model}${done.moments > 0 ? `, with the optimizer's moments of ${done.moments} parameters` : ''}`, ...keyLines(done.keys)],
    }
  },
}

export const checkpointImportCommand: Command = {
  name: 'checkpoint import',
  summary: 'Bring a checkpoint into a project, with an account of its keys.',
  positionals: ['FILE'],
  options: {
    project: PROJECT_OPTION,
    name: { type: 'string', value: 'NAME', help: 'Name of the checkpoint; usually that of the file.' },
    model: MODEL_OPTION,
    'allow-missing': { type: 'boolean', help: 'Start missing parameters anew instead of refusing.' },
  },
  details: `The weights are written into the project, so that the file may go. A checkpoint that lacks parameters of its model is refused unless --allow-missing is given.
Result: {checkpoint, name, model, keys: {loaded, missing, unexpected, reshaped}, notes}. The account is kept with the checkpoint.`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const path = resolve(input.positionals[0]!)
      if (!existsSync(path)) throw new AppError('not-found', `There is no file ${path}.`, 'Check the path.')
      const [name, model] = [input.text('name'), input.text('model')]
      const { checkpoint, keys, notes } = await engine.handlers.checkpoints.import(
        { path, allowMissing: input.has('allow-missing'), ...(name ? { name } : {}), ...(model ? { modelConfig: model } : {}) }, { signal: io.signal },
      )
      return {
        json: { checkpoint: checkpoint.id, name: checkpoint.name, model: checkpoint.modelName, keys, notes },
        lines: [`${checkpoint.name} (${checkpoint.modelName})`, ...keyLines(keys), ...notes],
      }
    }),
}

function places(input: CommandInput): { source: string; target: string } {
  const [source, target] = [resolve(input.positionals[0]!), resolve(input.positionals[1]!)]
  if (!existsSync(source)) throw new AppError('not-found', `There is no file ${source}.`, 'Check the path.')
  if (source === target) throw new AppError('usage', 'The file to write is the one to read.', 'Choose another name for it.', target)
  return { source, target }
}

function precisionOf(input: CommandInput): Precision | undefined {
  const written = input.text('precision')
  if (written === undefined || written === 'fp32' || written === 'fp16' || written === 'bf16') return written
  throw new AppError('usage', `--precision must be fp32, fp16 or bf16; it is "${written}".`, 'Leave it away to keep every value as it is.', 'precision')
}
