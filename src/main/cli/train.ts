import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Run } from '../../shared/domain.ts'
import { AppError, fromErrorData } from '../../shared/errors.ts'
import { parseAssignment } from '../../shared/config/run-config.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { Command, CommandIo, CommandResult } from './command.ts'
import { MODEL_OPTION, pickCheckpoint, pickDataset, pickNamed, pickRun } from './lookup.ts'
import { PROJECT_OPTION, withProject } from './project.ts'
import { parseAxis, trainSweep } from './train-sweep.ts'
import { duration, watchRun } from './watch-run.ts'

const RESULT = `Ctrl+C stops after the step in hand and saves; \`amc resume\` goes on from there.
Result: {run: {id, name, number, state, step, totalSteps, elapsedSeconds, ...}, checkpoints: [{id, name, step, best, metrics}], metrics: {name: last value}}.`

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train on a dataset of a project.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    dataset: { type: 'string', value: 'NAME', help: 'Dataset, by name or id; may be left out when there is only one.' },
    view: { type: 'string', value: 'NAME', help: 'Only the regions of this saved view of the dataset, by name or id. Several in turn: --set curriculum.views="Easy 0.3; * 0.7".' },
    config: { type: 'string', value: 'NAME|FILE', help: 'A preset (demo-amc, amc-one-gpu, ...) or a YAML file of settings.', required: true },
    set: { type: 'string', value: 'key=value', help: 'Changes one setting.', multiple: true },
    sweep: { type: 'string', value: 'key=v1,v2', help: 'Makes a run for each of these values; given twice, for each combination.', multiple: true },
    start: { type: 'string', value: 'CHECKPOINT', help: 'Checkpoint to start from: name, id or file.' },
    model: MODEL_OPTION,
    name: { type: 'string', value: 'NAME', help: 'Name of the run.' },
  },
  details: `${RESULT}
With --sweep a table of the runs with the validation that the best checkpoint of each is from, the highest with a star:
by the pointing game, or what earlyStop.metric says.
Result then: {runs: [{run, swept: {key: value}, best: {step, values: {val.pointingGame, ...}} or null, checkpoint: {id, name} or null}], best: id of a run or null}.`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { handlers } = engine
      const dataset = await pickDataset(handlers, input.text('dataset'))
      const wantedView = input.text('view')
      const view = wantedView === undefined ? null : pickNamed(await handlers.views.list({ datasetId: dataset.id }), wantedView, 'view', 'view')
      const start = input.text('start')
      const startCheckpoint = start ? await pickCheckpoint(handlers, start, 'start', io.note, input.text('model')) : null
      const config = input.need('config')
      const name = input.text('name')
      const request = {
        preset: existsSync(resolve(config)) ? resolve(config) : config,
        overrides: Object.fromEntries(input.all('set').map(parseAssignment).map(({ key, value }) => [key, value])),
        datasetId: dataset.id,
        ...(view ? { viewId: view.id } : {}),
        ...(name ? { name } : {}),
        ...(startCheckpoint ? { startCheckpointId: startCheckpoint.id } : {}),
      }
      const axes = input.all('sweep').map(parseAxis)
      const { problems } = await handlers.runs.estimate(request)
      for (const problem of problems) io.note(`${problem.key}: ${problem.message}`)
      return axes.length > 0 ? trainSweep(engine, request, axes, io) : follow(engine, await handlers.runs.start(request), io)
    }),
}

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'Go on with a run that was stopped or interrupted.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    run: { type: 'string', value: 'RUN', help: 'Run, by name, number or id; may be left out when there is only one.' },
  },
  details: RESULT,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const run = await pickRun(engine.handlers, input.text('run'))
      return follow(engine, await engine.handlers.runs.resume({ id: run.id }), io)
    }),
}

/** Shows a run until it ends. A run that was stopped on the way ends with exit code 130; what it did is saved. */
async function follow(engine: EngineCore, started: Run, io: CommandIo): Promise<CommandResult> {
  const { handlers, context } = engine
  const { id } = started
  const run = await watchRun(engine, started, io)
  if (run.state === 'failed') throw run.error ? fromErrorData(run.error as never) : new AppError('internal', `The run ${run.name} failed.`)
  const checkpoints = (await handlers.checkpoints.list({})).filter((one) => one.runId === id).map(({ id: checkpoint, name, step, best, metrics }) => ({ id: checkpoint, name, step, best, metrics }))
  const metrics: Record<string, number> = {}
  for (const row of await handlers.runs.metrics({ id, afterStep: -1 })) Object.assign(metrics, row.values)
  const shown = Object.entries(metrics).filter(([name]) => name.startsWith('val.') || name === 'loss.total')
  return {
    json: { run, checkpoints, metrics },
    lines: [
      `${run.name}: ${run.state} at step ${run.step} of ${run.totalSteps} after ${duration(run.elapsedSeconds)}`,
      ...shown.map(([name, value]) => `  ${name.padEnd(24)}${value.toFixed(4)}`),
      ...checkpoints.map((one) => `  checkpoint ${one.name}${one.best ? ' (best)' : ''}`),
      ...(run.state !== 'finished' ? [`Go on with: amc resume --project ${context.project.dir} --run ${run.number}`] : []),
    ],
    exitCode: run.state === 'finished' ? 0 : 130,
  }
}
