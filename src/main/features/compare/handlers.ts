/** Two to four checkpoints on one population: one join of their scores, then counts, intervals, tests and slices. */
import { basename, join } from 'node:path'
import type { z } from 'zod'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { comparedResultsSchema, comparedSchema, Comparison, Population } from '../../../shared/contract/compare.ts'
import { AppError } from '../../../shared/errors.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { PROTOCOL } from '../../store/region-rows.ts'
import { askedFor, joinScores } from './population.ts'
import { compareResults, listResults } from './results.ts'
import { runDifference } from './run-difference.ts'
import { comparisonCsv } from './report/csv.ts'
import { projectReport, resultsReport } from './report/report.ts'
import { compareScores, type StatisticsOptions } from './statistics.ts'

const KEPT = 8
/** Where `amc evaluate` writes in a project. */
const RESULTS = 'evaluation'

type Compared = z.infer<typeof comparedSchema>
type ComparedResults = z.infer<typeof comparedResultsSchema>

export function compareHandlers(context: EngineContext): Handlers<'compare'> {
  const { db, events, project, version } = context
  // A screen asks for the same comparison often; the answer holds until scores, regions or views of the dataset change.
  const kept = new Map<string, { datasetId: string; answer: Promise<Comparison> }>()
  events.on((event) => {
    if (event.type === 'checkpoints.changed') return kept.clear() // their names are in the answer
    if (event.type !== 'scores.changed' && event.type !== 'regions.changed' && event.type !== 'views.changed') return
    for (const [key, entry] of kept) if (entry.datasetId === event.datasetId) kept.delete(key)
  })
  const inProject = ({ population, checkpointIds, ...chance }: Compared): Promise<Comparison> => {
    const key = JSON.stringify([population.datasetId, population.viewId, population.split, checkpointIds, chance.draws, chance.seed])
    const known = kept.get(key)
    if (known) return known.answer
    const answer = compare(db, population, checkpointIds, given(chance))
    kept.set(key, { datasetId: population.datasetId, answer })
    answer.catch(() => kept.delete(key))
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
    return answer
  }
  const inResults = ({ names, split, ...chance }: ComparedResults): Promise<Comparison> => {
    const paths = names.map((name) => join(project.dir, RESULTS, basename(name))) // no path ever comes from the page
    return compareResults(paths, { ...given(chance), ...(split === undefined ? {} : { split }) })
  }
  return {
    get: inProject,
    results: inResults,
    resultFiles: () => listResults(join(project.dir, RESULTS)),
    runs: ({ a, b }) => runDifference(db, project, a, b),
    report: async ({ of, interval: kind, pictures }) => ({
      html: 'names' in of ? resultsReport(await inResults(of), kind, version) : await projectReport(context, of.population, await inProject(of), { kind, pictures }),
    }),
    csv: async ({ of }) => ({ csv: comparisonCsv('names' in of ? await inResults(of) : await inProject(of)) }),
  }
}

/** Without what is undefined. */
function given({ draws, seed }: { draws?: number | undefined; seed?: number | undefined }): StatisticsOptions {
  return { ...(draws === undefined ? {} : { draws }), ...(seed === undefined ? {} : { seed }) }
}

async function compare(db: Db, population: Population, checkpointIds: readonly string[], options: StatisticsOptions): Promise<Comparison> {
  const { title, filter, notes } = askedFor(db, population)
  const twice = checkpointIds.find((id, i) => checkpointIds.indexOf(id) < i)
  if (twice !== undefined) throw new AppError('usage', 'The same checkpoint is named twice.', 'Choose different ones.', twice)
  const checkpoints = checkpointIds.map((id) => requireCheckpoint(db, id))
  const { rows, missingOf, ...counts } = joinScores(db, filter, checkpoints)
  const { means, ...statistics } = await compareScores(rows, checkpoints.length, options)
  return {
    protocol: PROTOCOL, title, source: 'project', ...counts, regions: rows.length, images: new Set(rows.map((row) => row.imageId)).size,
    checkpoints: checkpoints.map(({ id, name }, k) => ({ id, name, missing: missingOf[k]!, means: means[k]! })), ...statistics, rows, notes: [...notes],
  }
}
