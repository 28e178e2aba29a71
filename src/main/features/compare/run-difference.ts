/** How two checkpoints came to differ: the frozen settings and the frozen samples of the runs they are from. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { flattenConfig, type RunConfig, settingsOf } from '../../../shared/config/run-config.ts'
import type { RunDifference } from '../../../shared/contract/compare.ts'
import { AppError } from '../../../shared/errors.ts'
import type { ManifestSample } from '../../../shared/manifest.ts'
import { type CheckpointRow, requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import type { Project } from '../../store/project.ts'
import { openRun } from '../../train/run-folder.ts'

/** So many regions are named; all are counted. */
const LISTED = 500

type Data = NonNullable<RunDifference['data']>
type Listed = Data['regions'][number]

interface Frozen {
  readonly runId: string
  readonly name: string
  readonly config: RunConfig
  readonly manifest: string
  readonly startCheckpoint: string | null
}

export async function runDifference(db: Db, project: Project, a: string, b: string): Promise<RunDifference> {
  const [rowA, rowB] = [requireCheckpoint(db, a), requireCheckpoint(db, b)]
  const [frozenA, frozenB] = [await frozenOf(db, project, rowA), await frozenOf(db, project, rowB)]
  const compared = frozenA && frozenB ? await compareSamples(frozenA.manifest, frozenB.manifest) : null
  const side = (row: CheckpointRow, frozen: Frozen | null, regions: number | null): RunDifference['a'] =>
    frozen && { runId: frozen.runId, name: frozen.name, step: row.step, regions: regions ?? 0, startCheckpoint: frozen.startCheckpoint }
  const alone = async (frozen: Frozen | null): Promise<number | null> => (frozen && !compared ? countLines(frozen.manifest) : null)
  const { data = null, sizeA = await alone(frozenA), sizeB = await alone(frozenB) } = compared ?? {}
  return { a: side(rowA, frozenA, sizeA), b: side(rowB, frozenB, sizeB), config: frozenA && frozenB ? configChanges(frozenA.config, frozenB.config) : [], data }
}

/** Null when the checkpoint is not from a run, or the run has lost its folder. */
async function frozenOf(db: Db, project: Project, checkpoint: CheckpointRow): Promise<Frozen | null> {
  const run = db.get<{ id: string; name: string; folder: string; start_checkpoint_id: string | null }>('SELECT id, name, folder, start_checkpoint_id FROM runs WHERE id = ?', checkpoint.run_id ?? '')
  if (!run) return null
  try {
    const { config, paths, record } = await openRun(project.fromStored(run.folder))
    await stat(paths.manifest)
    const start = db.get<{ name: string }>('SELECT name FROM checkpoints WHERE id = ?', run.start_checkpoint_id ?? '')?.name
    return { runId: run.id, name: run.name, config, manifest: paths.manifest, startCheckpoint: record.startCheckpoint === null ? null : (start ?? 'a checkpoint that is gone') }
  } catch (error) {
    if (error instanceof AppError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The settings that differ, by their own keys and in their own order. */
export function configChanges(a: RunConfig, b: RunConfig): RunDifference['config'] {
  const [flatA, flatB] = [flattenConfig(a), flattenConfig(b)] as [Record<string, unknown>, Record<string, unknown>]
  const labels = new Map([...settingsOf(a), ...settingsOf(b)].map(({ key, label }) => [key, label]))
  const written = (value: unknown): string | null => (value === undefined ? null : String(value))
  return [...new Set([...Object.keys(flatA), ...Object.keys(flatB)])].filter((key) => key !== 'title' && key !== 'summary')
    .map((key) => ({ key, label: labels.get(key) ?? key, a: written(flatA[key]), b: written(flatB[key]) })).filter((line) => line.a !== line.b)
}

interface Kept {
  readonly revision: number
  readonly imageId: string
  readonly phrase: string
  readonly boxes: string
  readonly outlines: string
  readonly split: string
}

/** Which regions, and which revisions of them, the two runs trained and validated on. */
async function compareSamples(pathA: string, pathB: string): Promise<{ data: Data; sizeA: number; sizeB: number }> {
  const before = new Map<string, Kept>()
  for await (const sample of samples(pathA)) before.set(sample.regionId, keptOf(sample))
  const sizeA = before.size
  const [revised, onlyB]: [Listed[], Listed[]] = [[], []]
  const counts = { same: 0, revised: 0, onlyB: 0 }
  let sizeB = 0
  for await (const sample of samples(pathB)) {
    sizeB++
    const [old, now] = [before.get(sample.regionId), keptOf(sample)]
    before.delete(sample.regionId)
    const what = old ? (['phrase', 'boxes', 'outlines', 'split'] as const).filter((field) => old[field] !== now[field]) : []
    if (old && what.length === 0) {
      counts.same++
      continue
    }
    counts[old ? 'revised' : 'onlyB']++
    const list = old ? revised : onlyB
    if (list.length < LISTED) list.push({ regionId: sample.regionId, imageId: now.imageId, kind: old ? 'revised' : 'only-b', split: now.split, phraseA: old?.phrase ?? null, phraseB: now.phrase, revisionA: old?.revision ?? null, revisionB: now.revision, what })
  }
  const onlyA = [...before].slice(0, LISTED).map(([regionId, kept]): Listed => ({ regionId, imageId: kept.imageId, kind: 'only-a', split: kept.split, phraseA: kept.phrase, phraseB: null, revisionA: kept.revision, revisionB: null, what: [] }))
  const regions = [...revised, ...onlyB, ...onlyA].slice(0, LISTED)
  return { data: { ...counts, onlyA: before.size, regions, listed: regions.length }, sizeA, sizeB }
}

function keptOf({ revision, imageId, phrase, boxes, outlines, split }: ManifestSample): Kept {
  return { revision, imageId, phrase, boxes: JSON.stringify(boxes), outlines: JSON.stringify(outlines ?? []), split }
}

async function* samples(path: string): AsyncGenerator<ManifestSample> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) if (line !== '') yield JSON.parse(line) as ManifestSample
}

async function countLines(path: string): Promise<number> {
  let count = 0
  for await (const _ of samples(path)) count++
  return count
}
