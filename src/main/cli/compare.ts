import type { Command } from './command.ts'
import { MODEL_OPTION, pickCheckpoint, pickDataset } from './lookup.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

export const compareCommand: Command = {
  name: 'compare',
  summary: 'Compare two checkpoints on a dataset: what one fixed and what it broke.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    dataset: { type: 'string', value: 'NAME', help: 'Dataset, by name or id; may be left out when there is only one.' },
    a: { type: 'string', value: 'CHECKPOINT', help: 'The reference: name, id, or a file to import.', required: true },
    b: { type: 'string', value: 'CHECKPOINT', help: 'The one in question.', required: true },
    model: MODEL_OPTION,
    split: { type: 'string', value: 'NAME', help: 'Only this split.' },
    rows: { type: 'boolean', help: 'Put the scores of every region into the JSON too.' },
  },
  details: `Missing scores are computed first. Result: {protocol, a, b, regions, images, headline: {pointingGame, consistency, uncertain, matchProbability} each
{a, b, change, low, high} (95 % interval, bootstrap over images), matrix: {both, broken, fixed, neither}, mcnemarP (exact), slices, rows with --rows}.`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { handlers } = engine
      const dataset = await pickDataset(handlers, input.text('dataset'))
      const a = await pickCheckpoint(handlers, input.need('a'), 'a', io.note, input.text('model'))
      const b = await pickCheckpoint(handlers, input.need('b'), 'b', io.note, input.text('model'))
      const split = input.text('split')
      const request = { datasetId: dataset.id, a: a.id, b: b.id, ...(split ? { split } : {}) }
      let comparison = await handlers.compare.get(request)
      for (const [missing, checkpoint] of [[comparison.missingA, a], [comparison.missingB, b]] as const) {
        if (missing === 0) continue
        const job = await handlers.scores.compute({ datasetId: dataset.id, checkpointId: checkpoint.id, ...(split ? { splits: [split] } : {}) })
        await waitForJob(engine, job, io)
      }
      comparison = await handlers.compare.get(request)
      const { rows, ...summary } = comparison
      const { headline, matrix } = comparison
      const percent = (value: number) => `${(100 * value).toFixed(1)} %`
      const lines = [`${a.name} (a) and ${b.name} (b) on ${dataset.name}: ${comparison.regions} regions of ${comparison.images} images (${comparison.protocol})`]
      if (headline && matrix) {
        for (const [name, value] of [['pointing game', headline.pointingGame], ['consistency', headline.consistency]] as const) {
          lines.push(`  ${name.padEnd(16)}a ${percent(value.a)}   b ${percent(value.b)}   change ${percent(value.change)} [${percent(value.low)}, ${percent(value.high)}]`)
        }
        lines.push(`  fixed ${matrix.fixed}, broken ${matrix.broken}, both hit ${matrix.both}, both miss ${matrix.neither}; McNemar p = ${comparison.mcnemarP?.toPrecision(3) ?? '–'}`)
      } else lines.push('  There is no region that both have scored.')
      return { json: { ...summary, a: { id: a.id, name: a.name }, b: { id: b.id, name: b.name }, ...(input.has('rows') ? { rows } : {}) }, lines }
    }),
}
