import { resolve } from 'node:path'
import type { Comparison } from '../../shared/contract/compare.ts'
import { MOST_COMPARED } from '../../shared/contract/compare.ts'
import type { Checkpoint } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { Command, CommandInput, CommandIo, CommandResult } from './command.ts'
import { MODEL_OPTION, pickCheckpoint, pickDataset, pickNamed } from './lookup.ts'
import { writeText } from '../train/files.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'
import { programVersion } from './version.ts'

const SIDES = ['a', 'b', 'c', 'd'] as const

export const compareCommand: Command = {
  name: 'compare',
  summary: 'Compare two to four checkpoints: what one fixed and what it broke, and whether that is luck.',
  positionals: [],
  options: {
    project: { ...PROJECT_OPTION, required: false },
    dataset: { type: 'string', value: 'NAME', help: 'Dataset, by name or id; may be left out when there is only one.' },
    a: { type: 'string', value: 'CHECKPOINT', help: 'The reference: name, id, or a file to import.' },
    b: { type: 'string', value: 'CHECKPOINT', help: 'The one in question.' },
    c: { type: 'string', value: 'CHECKPOINT', help: 'A third.' },
    d: { type: 'string', value: 'CHECKPOINT', help: 'A fourth.' },
    results: { type: 'string', value: 'FILE', help: 'Instead of a project: result files of `amc evaluate`, two to four.', multiple: true },
    model: MODEL_OPTION,
    view: { type: 'string', value: 'NAME', help: 'Only what this saved view shows.' },
    split: { type: 'string', value: 'NAME', help: 'Only this split.' },
    draws: { type: 'string', value: 'N', help: 'Draws of the bootstrap (10,000).' },
    seed: { type: 'string', value: 'N', help: 'Seed of the draws (1).' },
    report: { type: 'string', value: 'FILE', help: 'Write a report as one HTML file that needs nothing else.' },
    csv: { type: 'string', value: 'FILE', help: 'Write the rows behind the numbers as CSV.' },
    pictures: { type: 'string', value: 'N', help: 'Pictures in the report of what was fixed and of what was broken, each pair (6).' },
    rows: { type: 'boolean', help: 'Put the scores of every region into the JSON too.' },
  },
  details: `Missing scores are computed first. Intervals hold 95 %, from a bootstrap over images (BCa; by percentiles where that is not defined); tests are exact
McNemar, corrected by Holm and by Benjamini-Hochberg over all pairs, and over all slices of all pairs.
Result: {protocol, title, total, withoutAnswer, missing, regions, images, checkpoints: [{id, name, missing, means}], method: {draws, seed, level, pairTests,
sliceTests}, pairs: [{a, b (places in checkpoints), headline: {pointingGame, consistency, uncertain, matchProbability} each {a, b, change, regions, interval:
{low, high, percentileLow, percentileHigh, method}}, matrix: {both, broken, fixed, neither}, test: {p, holm, bh}, slices}], notes, rows with --rows}.
With --report and --csv also where they were written. Of the first pair also at the top: a, b, headline with low and high, matrix, mcnemarP, slices.`,
  run: (input, io) => (input.all('results').length > 0 ? compareFiles(input) : compareProject(input, io)),
}

const randomness = (input: CommandInput) => {
  const [draws, seed] = [input.integer('draws', { min: 100, max: 100_000 }), input.integer('seed')]
  return { ...(draws === undefined ? {} : { draws }), ...(seed === undefined ? {} : { seed }) }
}

async function compareFiles(input: CommandInput): Promise<CommandResult> {
  for (const name of ['project', 'dataset', 'view', ...SIDES]) if (input.text(name) !== undefined) throw new AppError('usage', `--${name} does not go with --results.`, 'Leave one of them out.', name)
  const { compareResults } = await import('../features/compare/results.ts')
  const split = input.text('split')
  const comparison = await compareResults(input.all('results').map((path) => resolve(path)), { ...randomness(input), ...(split ? { split } : {}) })
  const { resultsReport } = await import('../features/compare/report/report.ts')
  const files = await writeFiles(input, comparison, async () => resultsReport(comparison, 'BCa', programVersion()))
  return resultOf(input, comparison, files)
}

/** Writes what was asked for and says where. */
async function writeFiles(input: CommandInput, comparison: Comparison, report: () => Promise<string>): Promise<Record<string, string>> {
  const [reportPath, csvPath] = [input.text('report'), input.text('csv')]
  const { comparisonCsv } = await import('../features/compare/report/csv.ts')
  if (reportPath !== undefined) await writeText(resolve(reportPath), await report())
  if (csvPath !== undefined) await writeText(resolve(csvPath), comparisonCsv(comparison))
  return { ...(reportPath === undefined ? {} : { report: resolve(reportPath) }), ...(csvPath === undefined ? {} : { csv: resolve(csvPath) }) }
}

function compareProject(input: CommandInput, io: CommandIo): Promise<CommandResult> {
  for (const name of ['project', 'a', 'b']) if (input.text(name) === undefined) throw new AppError('usage', `amc compare needs --${name}, or --results.`, 'Run `amc compare --help` for what it takes.', name)
  return withProject(input, io, async (engine) => {
    const { handlers } = engine
    const dataset = await pickDataset(handlers, input.text('dataset'))
    const wanted = input.text('view')
    const view = wanted === undefined ? null : pickNamed(await handlers.views.list({ datasetId: dataset.id }), wanted, 'view', 'view')
    const checkpoints: Checkpoint[] = []
    for (const side of SIDES.slice(0, MOST_COMPARED)) if (input.text(side) !== undefined) checkpoints.push(await pickCheckpoint(handlers, input.need(side), side, io.note, input.text('model')))
    const split = input.text('split')
    const population = { datasetId: dataset.id, ...(view ? { viewId: view.id } : {}), ...(split ? { split } : {}) }
    const request = { population, checkpointIds: checkpoints.map(({ id }) => id), ...randomness(input) }
    const first = await handlers.compare.get({ ...request, draws: 100 })
    for (const [k, { missing }] of first.checkpoints.entries()) {
      if (missing === 0) continue
      const job = await handlers.scores.compute({ datasetId: dataset.id, checkpointId: checkpoints[k]!.id, ...(view ? { viewId: view.id } : {}), ...(split ? { splits: [split] } : {}) })
      await waitForJob(engine, job, io)
    }
    const comparison = await handlers.compare.get(request)
    const pictures = input.integer('pictures', { max: 24 }) ?? 6
    const files = await writeFiles(input, comparison, async () => (await handlers.compare.report({ of: request, interval: 'BCa', pictures })).html)
    return resultOf(input, comparison, files)
  })
}

function resultOf(input: CommandInput, comparison: Comparison, files: Record<string, string>): CommandResult {
  const { rows, ...summary } = comparison
  const first = comparison.pairs[0]
  const side = (place: number) => ({ id: comparison.checkpoints[place]!.id, name: comparison.checkpoints[place]!.name })
  const flat = first ? Object.fromEntries(Object.entries(first.headline).map(([name, change]) => [name, change ? { a: change.a, b: change.b, change: change.change, low: change.interval?.low ?? null, high: change.interval?.high ?? null } : null])) : null
  return {
    json: { ...summary, ...files, a: side(0), b: side(1), headline: flat, matrix: first?.matrix ?? null, mcnemarP: first?.test.p ?? null, slices: first?.slices ?? [], ...(input.has('rows') ? { rows } : {}) },
    lines: [...linesOf(comparison), ...Object.values(files)],
  }
}

function linesOf({ title, protocol, regions, images, total, missing, withoutAnswer, checkpoints, pairs, method, notes }: Comparison): string[] {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`
  const left = [missing > 0 ? `${missing} without a score of all` : '', withoutAnswer > 0 ? `${withoutAnswer} without a phrase or box` : ''].filter(Boolean)
  const lines = [`On ${title}: ${regions} regions of ${images} images (${protocol}); ${total} asked for${left.length > 0 ? `, ${left.join(', ')}` : ''}`]
  if (pairs.length === 0) return [...lines, '  There is no region that all have scored.']
  for (const { a, b, headline, matrix, test } of pairs) {
    lines.push(`${checkpoints[a]!.name} (${SIDES[a]}) to ${checkpoints[b]!.name} (${SIDES[b]})`)
    for (const [name, value] of [['pointing game', headline.pointingGame], ['consistency', headline.consistency]] as const) {
      if (!value) continue
      const range = value.interval ? ` [${percent(value.interval.low)}, ${percent(value.interval.high)}] ${value.interval.method}` : ` (too few images for an interval)`
      lines.push(`  ${name.padEnd(16)}${SIDES[a]} ${percent(value.a)}   ${SIDES[b]} ${percent(value.b)}   change ${percent(value.change)}${range}`)
    }
    const corrected = pairs.length > 1 ? `, Holm ${test.holm.toPrecision(3)}, Benjamini-Hochberg ${test.bh.toPrecision(3)} over ${method.pairTests} pairs` : ''
    lines.push(`  fixed ${matrix.fixed}, broken ${matrix.broken}, both hit ${matrix.both}, both miss ${matrix.neither}; exact McNemar p = ${test.p.toPrecision(3)}${corrected}`)
  }
  return [...lines, `95 % intervals from ${method.draws} draws of whole images, seed ${method.seed}.`, ...notes.map((note) => `Note: ${note}`)]
}
