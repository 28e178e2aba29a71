import { spawnSync } from 'node:child_process'
import { parseAssignment } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'
import type { BenchPhase } from '../bench/bench-model.ts'
import type { Command, CommandInput, CommandIo, CommandResult } from './command.ts'

/** Set in the process that measures: the allocator reads its settings before anything of ours runs. */
const INSIDE = 'AMC_BENCH_INSIDE'

export const benchModelCommand: Command = {
  name: 'bench model',
  summary: 'Make, explain, train and save a model of given sizes with random weights; tell time and memory beside the prediction.',
  positionals: [],
  options: {
    model: { type: 'string', value: 'NAME|FILE', help: 'Sizes: a name of configs/model or a YAML file (albef-base unless given).' },
    images: { type: 'string', value: 'N', help: 'Images a step (2).' },
    phrases: { type: 'string', value: 'N', help: 'Phrases an image (1).' },
    tokens: { type: 'string', value: 'N', help: 'Word pieces a phrase (12).' },
    steps: { type: 'string', value: 'N', help: 'Training steps (2).' },
    set: { type: 'string', value: 'key=value', help: 'A setting of the run, such as memory.recompute=true or freeze=image.', multiple: true },
    force: { type: 'boolean', help: 'Try even what is predicted not to fit.' },
  },
  details: `Refuses with the numbers what is predicted not to fit into the memory that is free.
Result: {model, parameters, needs: {total, weights, ...}, phases: [{phase, seconds, peakBytes, predictedBytes, note}]}.`,
  run: async (input, io) => (process.env[INSIDE] ? measure(input, io) : inOwnProcess(io)),
}

/** The same command again in a process with the allocator's settings of the computing processes. */
async function inOwnProcess(io: CommandIo): Promise<CommandResult> {
  const { ALLOCATOR } = await import('../compute/client.ts')
  const args = [...process.execArgv, ...process.argv.slice(1), ...(io.json ? [] : ['--json'])]
  const { stdout, status, error } = spawnSync(process.execPath, args, { env: { ...ALLOCATOR, ...process.env, [INSIDE]: '1' }, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (error || status === null) throw new AppError('internal', 'The process that measures was ended from outside, as happens when memory runs out.', 'Try smaller sizes.')
  if (stdout.trim() === '') return { json: null, lines: [], exitCode: status } // it has said why
  const result = JSON.parse(stdout) as { parameters: number; phases: readonly BenchPhase[] }
  const highest = Math.max(...result.phases.map((phase) => phase.peakBytes))
  return { json: result, lines: [`${(result.parameters / 1e6).toFixed(1)} million weights, at most ${(highest / 1e9).toFixed(2)} GB of memory`], exitCode: status }
}

async function measure(input: CommandInput, io: CommandIo): Promise<CommandResult> {
  const [{ changedModel }, { parseRunConfig, withOverrides }, { loadModelConfig }, { benchModel }, memory, { loadBackend }, { setTf }] = await Promise.all([
    import('../../shared/config/change-model.ts'), import('../../shared/config/run-config.ts'), import('../train/presets.ts'), import('../bench/bench-model.ts'),
    import('../model/memory.ts'), import('../compute/backend.ts'), import('../model/tf.ts'),
  ])
  const config = withOverrides(parseRunConfig({}), {
    'batch.images': input.integer('images', { min: 1 }) ?? 2,
    'batch.phrases': input.integer('phrases', { min: 1 }) ?? 1,
    ...Object.fromEntries(input.all('set').map(parseAssignment).map(({ key, value }) => [key, value])),
  })
  const name = input.text('model') ?? 'albef-base'
  const model = changedModel(await loadModelConfig(name), config)
  const tokens = input.integer('tokens', { min: 2, max: model.max_tokens }) ?? Math.min(12, model.max_tokens)
  const needs = memory.runMemory(model, config, { trainImages: config.batch.images, tokens })
  if (!input.has('force')) memory.requireMemory(needs, memory.availableMemory(), config)
  setTf((await loadBackend()).tf)
  const result = await benchModel({ model, config, tokens, steps: input.integer('steps', { min: 1 }) ?? 2, onPhase: (phase) => io.note(lineOf(phase)) })
  return { json: { model: name, ...result }, lines: [] }
}

function lineOf({ phase, seconds, peakBytes, predictedBytes, note }: BenchPhase): string {
  const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
  const beside = predictedBytes === null ? '' : `, predicted ${gb(predictedBytes)} (${(predictedBytes / peakBytes).toFixed(2)} of it)`
  return `${phase.padEnd(8)}${seconds.toFixed(1).padStart(7)} s  peak ${gb(peakBytes)}${beside}  ${note}`
}
