/** Result files of `amc evaluate` compared sample by sample: the same benchmark, protocol and settings, or it is refused. */
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { type Comparison, type CompareRow, type CompareScores, MOST_COMPARED, type ResultFile } from '../../../shared/contract/compare.ts'
import { AppError } from '../../../shared/errors.ts'
import { compareScores, type StatisticsOptions } from './statistics.ts'

const resultSchema = z.object({
  format: z.literal('amc-evaluation'), version: z.literal(1), title: z.string(), finishedAt: z.string(),
  checkpoint: z.object({ name: z.string(), fingerprint: z.string() }),
  settings: z.object({ protocol: z.string(), mode: z.string(), layer: z.number(), imageSize: z.number(), data: z.string() }),
  samples: z.array(z.object({ id: z.string(), split: z.string(), image: z.string(), phrase: z.string(), scores: z.record(z.string(), z.number().nullable()), error: z.string().optional() })),
})
type Result = z.infer<typeof resultSchema>
type Sample = Result['samples'][number]

/** @throws AppError 'not-found', 'bad-input' for a file that is no result of this version */
async function readResult(path: string): Promise<Result> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('not-found', 'This result file cannot be read.', 'Name a file that `amc evaluate` wrote.', path, { cause: error })
  }
  try {
    return resultSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new AppError('bad-input', 'This file is not a result of `amc evaluate` that this version can read.', 'Evaluate the checkpoint again.', path, { cause: error })
  }
}

/** The results of a folder, newest first; what is no result is left out, as is a folder that is not there. */
export async function listResults(dir: string): Promise<ResultFile[]> {
  const names = await readdir(dir).catch(() => [] as string[])
  const found = await Promise.all(names.filter((name) => name.endsWith('.json')).map(async (name) => {
    const result = await readResult(join(dir, name)).catch(() => null)
    return result ? [{ name, checkpoint: result.checkpoint.name, title: result.title, protocol: result.settings.protocol, group: groupOf(result), samples: result.samples.length, finishedAt: result.finishedAt }] : []
  }))
  return found.flat().sort((a, b) => b.finishedAt.localeCompare(a.finishedAt))
}

/** Results of one group may be compared: of one protocol on the same data. */
function groupOf({ settings }: Result): string {
  return `${settings.protocol} ${settings.data.slice(0, 16)}`
}

/** @throws AppError 'bad-input' when they are not of the same benchmark, 'usage' for too few or too many */
export async function compareResults(paths: readonly string[], { split, ...options }: StatisticsOptions & { readonly split?: string } = {}): Promise<Comparison> {
  if (paths.length < 2 || paths.length > MOST_COMPARED) throw new AppError('usage', `Two to ${MOST_COMPARED} result files can be compared; these are ${paths.length}.`, 'Name others.')
  const results: Result[] = []
  for (const path of paths) results.push(await readResult(path))
  results.forEach((result, k) => {
    if (groupOf(result) !== groupOf(results[0]!)) throw new AppError('bad-input', `${basename(paths[k]!)} is of another benchmark or of other data than ${basename(paths[0]!)}.`, 'Compare results of the same protocol on the same files.', paths[k])
  })
  const wanted = (sample: Sample): boolean => split === undefined || sample.split === split
  const byId = results.map((result) => new Map(result.samples.filter(wanted).map((sample) => [sample.id, sample])))
  const all = new Map(byId.flatMap((samples) => [...samples]))
  const missingOf = byId.map((samples) => all.size - samples.size)
  const rows: CompareRow[] = []
  for (const [id, { split: own, image, phrase }] of all) {
    const samples = byId.map((one) => one.get(id))
    if (!samples.every((sample) => sample !== undefined)) continue
    rows.push({ regionId: id, imageId: image, phrase, split: own, boxAreaShare: null, boxes: null, tags: [], concepts: [], scores: samples.map(scoresOf) })
  }
  const { means, ...statistics } = await compareScores(rows, results.length, options)
  const { title, settings } = results[0]!
  return {
    protocol: 'AMC strict', title: `${title}, ${split ?? 'all splits'}`, source: 'results', total: all.size, withoutAnswer: 0, missing: all.size - rows.length, regions: rows.length,
    images: new Set(rows.map((row) => row.imageId)).size,
    checkpoints: results.map(({ checkpoint }, k) => ({ id: basename(paths[k]!), name: checkpoint.name, missing: missingOf[k]!, means: means[k]! })), ...statistics, rows,
    notes: [
      ...results.flatMap((result) => {
        const unread = result.samples.filter((sample) => wanted(sample) && sample.error !== undefined).length
        return unread > 0 ? [`${result.checkpoint.name}: ${unread} phrases had no heatmap and count as misses, as the protocol says.`] : []
      }),
      ...results.flatMap(({ checkpoint, settings: other }) => (other.mode === settings.mode && other.layer === settings.layer && other.imageSize === settings.imageSize ? []
        : [`${checkpoint.name} was evaluated at ${other.mode}, layer ${other.layer}, ${other.imageSize} px; ${results[0]!.checkpoint.name} at ${settings.mode}, layer ${settings.layer}, ${settings.imageSize} px.`])),
    ],
  }
}

function scoresOf({ scores }: Sample): CompareScores {
  const uncertain = scores['uncertain'] ?? null
  return { pointingHit: scores['pointing'] === 1, insideEnergy: scores['energyInside'] ?? null, maxMargin: scores['maxMargin'] ?? null, uncertain: uncertain === null ? null : uncertain === 1, matchProbability: scores['matchProbability'] ?? null }
}
