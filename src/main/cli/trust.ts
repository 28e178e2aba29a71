import { TRUST_FIGURES, type TrustResult } from '../../shared/contract/trust.ts'
import type { Command } from './command.ts'
import { EXPLAINER_OPTIONS, explainerChoice } from './explainer-options.ts'
import { MODEL_OPTION, pickCheckpoint, pickDataset, pickNamed } from './lookup.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

export const trustCommand: Command = {
  name: 'trust',
  summary: 'Test how far the explanation of a checkpoint can be trusted.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    dataset: { type: 'string', value: 'NAME', help: 'Dataset, by name or id; may be left out when there is only one.' },
    checkpoint: { type: 'string', value: 'CHECKPOINT', help: 'Checkpoint: name, id, or a file to import.', required: true },
    view: { type: 'string', value: 'NAME', help: 'A saved view of the dataset, by name or id.' },
    split: { type: 'string', value: 'NAME', help: 'Only this split.' },
    samples: { type: 'string', value: 'N', help: 'Regions that are drawn, always the same ones (32).' },
    ...EXPLAINER_OPTIONS,
    model: MODEL_OPTION,
  },
  details: `Result: {protocol, samples, of, deletion: {area, curve}, insertion: {area, curve}, randomisation: [{stage, correlation}], shifts: {pixels, correlation}, skipped, ...}.
It is kept in the project and shown under Compare. docs/evaluation.md says how each is measured.
${TRUST_FIGURES.map(({ title, better, says }) => `  ${title.padEnd(15)} ${says} (${better} is better)`).join('\n')}`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { handlers } = engine
      const dataset = await pickDataset(handlers, input.text('dataset'))
      const wanted = input.text('view')
      const view = wanted === undefined ? null : pickNamed(await handlers.views.list({ datasetId: dataset.id }), wanted, 'view', 'view')
      const [split, samples, explainer] = [input.text('split'), input.integer('samples', { min: 1, max: 10_000 }), explainerChoice(input)]
      const checkpoint = await pickCheckpoint(handlers, input.need('checkpoint'), 'checkpoint', io.note, input.text('model'))
      const job = await handlers.trust.compute({
        datasetId: dataset.id, checkpointId: checkpoint.id, ...(view ? { viewId: view.id } : {}), ...(split ? { split } : {}), ...(samples === undefined ? {} : { samples }), ...(explainer ? { explainer } : {}),
      })
      const result = (await waitForJob(engine, job, io)) as TrustResult
      return {
        json: { checkpoint: { id: checkpoint.id, name: checkpoint.name }, dataset: { id: dataset.id, name: dataset.name }, view: view && { id: view.id, name: view.name }, ...result },
        lines: [
          `${checkpoint.name} on ${view?.name ?? dataset.name}: ${result.samples} of ${result.of} regions (${result.protocol})`,
          ...TRUST_FIGURES.map(({ title, better, of, says }) => `  ${title.padEnd(15)} ${of(result).toFixed(3)}  (${better} is better) ${says}`),
          ...result.randomisation.map(({ stage, correlation }) => `    random down to ${stage.padEnd(40)} ${correlation.toFixed(3)}`),
          ...(result.skipped.length > 0 ? [`  ${result.skipped.length} regions were passed over because their image cannot be read, the first: ${result.skipped[0]!.reason}`] : []),
        ],
      }
    }),
}
