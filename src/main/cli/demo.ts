import { join } from 'node:path'
import { toErrorData } from '../../shared/errors.ts'
import type { DemoOutcome } from '../demo/demo-command.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { Command, CommandIo } from './command.ts'
import { loopLines, runLoop } from './demo-loop.ts'
import { makeProject, NEW_PROJECT_OPTION, waitForJob } from './project.ts'

const STAGES = { data: 'Making the dataset', 'without-amc': 'Training without AMC', 'with-amc': 'Training with AMC', measuring: 'Measuring' } as const

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Make the demo dataset, train with and without AMC, correct the suspects, train on, and measure it all.',
  positionals: [],
  options: {
    project: NEW_PROJECT_OPTION,
    seed: { type: 'string', value: 'N', help: 'Of the dataset and both runs; 0 when left out.' },
    steps: { type: 'string', value: 'N', help: 'Training steps of each run, instead of those of the presets.' },
    'more-steps': { type: 'string', value: 'N', help: 'Steps of the two runs after the corrections, instead of those of their preset.' },
    'no-curation': { type: 'boolean', help: 'End after the first two runs.' },
  },
  details: `The same small model is trained twice from the same seed. Then as many suspects as there are planted errors are looked at, in the order of the Suspects
queue; a reviewer is played who puts right what is wrong among them, and training goes on from the checkpoint with AMC, once with the corrections and
once on the data as it was. Interrupted, the same command goes on where it was. At the end the dataset, the edits, the runs and their checkpoints are in the
project, to look at with \`amc serve\`.
Result: {untrained: {pointingGame}, withoutAmc: {pointingGame, itmAuc, minutes}, withAmc: {pointingGame, itmAuc, minutes}, suspects: {auroc, precisionAt50, precisionAtHalf},
chance: {...}, seed, steps, curation: {reviewed, corrected, wrong, steps, before, continuedUncorrected, continuedCorrected, corrections: {change, interval, p},
correctionsAlone: {change, interval, p}}}, curation only where it was done; shares from 0 to 1, pointing game AMC strict on all held-out scenes.`,
  run: async (input, io) => {
    const { demoTable, runDemo } = await import('../demo/demo-command.ts')
    const { noteWorker, oldWorkerGone } = await import('../features/runs/old-worker.ts')
    const steps = input.integer('steps', { min: 1 })
    const moreSteps = input.integer('more-steps', { min: 1 })
    // The project stays open, and so locked, from the first picture to the last figure.
    return makeProject(input, io, async (engine) => {
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
      if (io.json || !input.has('no-curation')) io.note(table)
      const added = await addToProject(engine, io, outcome)
      if (!added || input.has('no-curation')) return { json: outcome.report, lines: input.has('no-curation') ? [table] : [] }
      const curation = await runLoop(engine, io, { dataDir: outcome.dataDir, seed: outcome.report.seed, ...added, ...(moreSteps === undefined ? {} : { steps: moreSteps }) })
      return { json: { ...outcome.report, curation }, lines: loopLines(curation) }
    })
  },
}

/** The figures stand whether or not the project could take the rest, so a failure here is told, and there is no more to do. */
async function addToProject(engine: EngineCore, io: CommandIo, { dataDir, runs, report }: DemoOutcome): Promise<{ datasetId: string; checkpointId: string } | null> {
  const datasetName = `Demo scenes, seed ${report.seed}`
  try {
    const { datasets, checkpoints } = engine.handlers
    const path = join(dataDir, 'annotations.json')
    const datasetNamed = async () => (await datasets.list({})).find((dataset) => dataset.name === datasetName)
    if (!(await datasetNamed())) await waitForJob(engine, await datasets.import({ path, name: datasetName }), io)
    let checkpointId = ''
    for (const [name, path] of [['without AMC', runs.withoutAmc.checkpoint], ['with AMC', runs.withAmc.checkpoint]] as const) {
      const called = `Demo ${name}, seed ${report.seed}, ${report.steps} steps`
      const known = (await checkpoints.list({})).find((one) => one.name === called)
      checkpointId = (known ?? (await checkpoints.import({ path, name: called })).checkpoint).id
    }
    return { datasetId: (await datasetNamed())!.id, checkpointId }
  } catch (error) {
    const { message, cure } = toErrorData(error)
    io.note(`The dataset and checkpoints were not added to the project: ${message} ${cure}`.trim())
    return null
  }
}
