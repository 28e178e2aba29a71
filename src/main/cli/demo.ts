import { join, resolve } from 'node:path'
import { toErrorData } from '../../shared/errors.ts'
import type { DemoOutcome } from '../demo/demo-command.ts'
import type { Command, CommandInput, CommandIo } from './command.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

const STAGES = { data: 'Making the dataset', 'without-amc': 'Training without AMC', 'with-amc': 'Training with AMC', measuring: 'Measuring' } as const
/** What the workstation calls it when it makes it by itself: then it is there already. */
const DATASET_NAME = 'Demo scenes'

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
Result: {untrained: {pointingGame}, withoutAmc: {pointingGame, itmAuc, minutes}, withAmc: {pointingGame, itmAuc, minutes}, suspects: {auroc, precisionAt50},
chance: {...}, seed, steps}; shares from 0 to 1, pointing game AMC strict on all held-out scenes.`,
  run: async (input, io) => {
    const { demoTable, runDemo } = await import('../demo/demo-command.ts')
    const dir = resolve(input.need('project'))
    const steps = input.integer('steps', { min: 1 })
    const outcome = await runDemo({
      dir, seed: input.integer('seed') ?? 0, ...(steps === undefined ? {} : { steps }), signal: io.signal,
      onProgress: ({ stage, done, total, message, secondsLeft }) =>
        io.progress.report(STAGES[stage], done, total, secondsLeft === null ? message : `${message}, ${Math.ceil(secondsLeft / 60)} min left`),
    })
    io.progress.end()
    const table = demoTable(outcome.report)
    if (io.json) io.note(table)
    await addToProject(input, io, dir, outcome)
    return { json: outcome.report, lines: [table] }
  },
}

/** The figures stand whether or not the project could take the rest, so a failure here is told and no more. */
async function addToProject(input: CommandInput, io: CommandIo, dir: string, { runs, report }: DemoOutcome): Promise<void> {
  try {
    await withProject(input, io, async (engine) => {
      const { datasets, checkpoints } = engine.handlers
      if (!(await datasets.list({})).some((dataset) => dataset.name === DATASET_NAME)) {
        await waitForJob(engine, await datasets.import({ path: join(dir, 'demo', 'annotations.json'), name: DATASET_NAME }), io)
      }
      const known = new Set((await checkpoints.list({})).map((one) => one.name))
      for (const [name, path] of [['without AMC', runs.withoutAmc.checkpoint], ['with AMC', runs.withAmc.checkpoint]] as const) {
        const called = `Demo ${name}, seed ${report.seed}, ${report.steps} steps`
        if (!known.has(called)) await checkpoints.import({ path, name: called })
      }
    })
  } catch (error) {
    const { message, cure } = toErrorData(error)
    io.note(`The dataset and checkpoints were not added to the project: ${message} ${cure}`.trim())
  }
}
