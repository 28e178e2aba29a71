import { join } from 'node:path'
import { toErrorData } from '../../shared/errors.ts'
import type { DemoOutcome } from '../demo/demo-command.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { Command, CommandIo } from './command.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

const STAGES = { data: 'Making the dataset', 'without-amc': 'Training without AMC', 'with-amc': 'Training with AMC', measuring: 'Measuring' } as const

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Make the demo dataset, train with and without AMC, and measure both.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    seed: { type: 'string', value: 'N', help: 'Of the dataset and both runs; 0 when left out.' },
    steps: { type: 'string', value: 'N', help: 'Training steps of each run, instead of those of the presets.' },
  },
  details: `The same small model is trained twice from the same seed. Interrupted, the same command goes on where it was. At the end the dataset and both
checkpoints are in the project, to look at with \`amc serve\`.
Result: {untrained: {pointingGame}, withoutAmc: {pointingGame, itmAuc, minutes}, withAmc: {pointingGame, itmAuc, minutes}, suspects: {auroc, precisionAt50, precisionAtHalf},
chance: {...}, seed, steps}; shares from 0 to 1, pointing game AMC strict on all held-out scenes.`,
  run: async (input, io) => {
    const { demoTable, runDemo } = await import('../demo/demo-command.ts')
    const { noteWorker, oldWorkerGone } = await import('../features/runs/old-worker.ts')
    const steps = input.integer('steps', { min: 1 })
    // The project stays open, and so locked, from the first picture to the last figure.
    return withProject(input, io, async (engine) => {
      const { dir, cacheDir } = engine.context.project
      const outcome = await runDemo({
        dir, seed: input.integer('seed') ?? 0, ...(steps === undefined ? {} : { steps }), signal: io.signal,
        beforeTraining: async (compute) => {
          await oldWorkerGone(cacheDir, compute.pid())
          await compute.start()
          noteWorker(cacheDir, compute.pid())
        },
        onProgress: ({ stage, done, total, message, secondsLeft }) =>
          io.progress.report(STAGES[stage], done, total, secondsLeft === null ? message : `${message}, ${Math.ceil(secondsLeft / 60)} min left`),
      })
      noteWorker(cacheDir, null)
      io.progress.end()
      const table = demoTable(outcome.report)
      if (io.json) io.note(table)
      await addToProject(engine, io, outcome)
      return { json: outcome.report, lines: [table] }
    })
  },
}

/** The figures stand whether or not the project could take the rest, so a failure here is told and no more. */
async function addToProject(engine: EngineCore, io: CommandIo, { dataDir, runs, report }: DemoOutcome): Promise<void> {
  const datasetName = `Demo scenes, seed ${report.seed}`
  try {
    const { datasets, checkpoints } = engine.handlers
    const path = join(dataDir, 'annotations.json')
    const there = (await datasets.list({})).some((dataset) => dataset.name === datasetName)
    if (!there) await waitForJob(engine, await datasets.import({ path, name: datasetName }), io)
    const known = new Set((await checkpoints.list({})).map((one) => one.name))
    for (const [name, path] of [['without AMC', runs.withoutAmc.checkpoint], ['with AMC', runs.withAmc.checkpoint]] as const) {
      const called = `Demo ${name}, seed ${report.seed}, ${report.steps} steps`
      if (!known.has(called)) await checkpoints.import({ path, name: called })
    }
  } catch (error) {
    const { message, cure } = toErrorData(error)
    io.note(`The dataset and checkpoints were not added to the project: ${message} ${cure}`.trim())
  }
}
