import type { Command } from './command.ts'
import { EXPLAINER_LINES, EXPLAINER_OPTIONS, explainerChoice } from './explainer-options.ts'
import { MODEL_OPTION, pickCheckpoint, pickDataset } from './lookup.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

export const scoreCommand: Command = {
  name: 'score',
  summary: 'Score every region of a dataset with a checkpoint.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    dataset: { type: 'string', value: 'NAME', help: 'Dataset, by name or id; may be left out when there is only one.' },
    checkpoint: { type: 'string', value: 'CHECKPOINT', help: 'Checkpoint: name, id, or a file to import.', required: true },
    ...EXPLAINER_OPTIONS,
    model: MODEL_OPTION,
    split: { type: 'string', value: 'NAME', help: 'Only this split.', multiple: true },
  },
  details: `The protocol is AMC strict; with another explainer its name is part of the protocol, and scores of the two are kept apart. The screens show those of AMC strict.
Result: {checkpoint, dataset, protocol, scored, skipped, splits: [{split, regions, pointingGame, consistency}]}. Explainers:
${EXPLAINER_LINES}`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { handlers } = engine
      const dataset = await pickDataset(handlers, input.text('dataset'))
      const checkpoint = await pickCheckpoint(handlers, input.need('checkpoint'), 'checkpoint', io.note, input.text('model'))
      const splits = [...input.all('split')]
      const explainer = explainerChoice(input)
      const job = await handlers.scores.compute({ datasetId: dataset.id, checkpointId: checkpoint.id, ...(splits.length > 0 ? { splits } : {}), ...(explainer ? { explainer } : {}) })
      const result = (await waitForJob(engine, job, io)) as { protocol: string; scored: number; skipped: unknown }
      const rows = (await handlers.scores.summary({ datasetId: dataset.id, protocol: result.protocol })).filter((row) => row.checkpointId === checkpoint.id && (splits.length === 0 || splits.includes(row.split)))
      const table = rows.map(({ split, regions, pointingGame, consistency }) => ({ split, regions, pointingGame, consistency }))
      return {
        json: { checkpoint: { id: checkpoint.id, name: checkpoint.name }, dataset: { id: dataset.id, name: dataset.name }, ...result, splits: table },
        lines: [
          `${checkpoint.name} on ${dataset.name} (${result.protocol})`,
          ...table.map((row) => `  ${row.split.padEnd(10)}${String(row.regions).padStart(8)} regions   pointing game ${(100 * row.pointingGame).toFixed(1)} %   consistency ${row.consistency.toFixed(3)}`),
        ],
      }
    }),
}
