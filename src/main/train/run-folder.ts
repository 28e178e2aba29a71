/**
 * A run is a folder: everything it needs to begin, to go on after a stop or a crash, and to be read later.
 *
 *   config.yaml      resolved settings          run.json     model sizes, start checkpoint, what made it
 *   manifest.jsonl   frozen samples             data.jsonl   the image files as they were when it began
 *   metrics.jsonl    one line a step            state/       step-N.safetensors: weights, optimizer, generators; the newest two
 *   log.jsonl        notes for people           checkpoints/ step-N.safetensors, best.json, held.json
 *   probes.jsonl     heatmaps of the probe samples at each validation
 *   places.jsonl     images that lie elsewhere by now than the samples say; written when a run is taken up in another place
 *   events/          the curves for TensorBoard    metrics.csv   and as a table; both follow metrics.jsonl
 */
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { parse, stringify } from 'yaml'
import { changedModel } from '../../shared/config/change-model.ts'
import { parseModelConfig, type ModelConfig } from '../../shared/config/model-config.ts'
import { parseRunConfig, type RunConfig } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import { readJson, readLines, writeText, writeWhole } from './files.ts'
import { savedStepIn } from './state-files.ts'

export interface RunRecord {
  readonly version: 1
  /** As trained: with the changes that the settings adapt.* ask for. */
  readonly modelConfig: ModelConfig
  /** Checkpoint the weights come from, relative to the folder where possible; null: from scratch. */
  readonly startCheckpoint: string | null
  readonly createdAt: string
}

export interface RunPaths {
  readonly dir: string
  readonly config: string
  readonly record: string
  readonly manifest: string
  readonly metrics: string
  readonly log: string
  readonly probes: string
  readonly events: string
  readonly csv: string
  readonly data: string
  readonly places: string
  readonly states: string
  readonly checkpoints: string
  readonly best: string
  /** Steps whose checkpoints are in use elsewhere, as the engine tells: a list. */
  readonly held: string
  readonly checkpoint: (step: number) => string
}

export function runPaths(dir: string): RunPaths {
  const checkpoints = join(dir, 'checkpoints')
  return {
    dir,
    config: join(dir, 'config.yaml'),
    record: join(dir, 'run.json'),
    manifest: join(dir, 'manifest.jsonl'),
    metrics: join(dir, 'metrics.jsonl'),
    log: join(dir, 'log.jsonl'),
    probes: join(dir, 'probes.jsonl'),
    events: join(dir, 'events'),
    csv: join(dir, 'metrics.csv'),
    data: join(dir, 'data.jsonl'),
    places: join(dir, 'places.jsonl'),
    states: join(dir, 'state'),
    checkpoints,
    best: join(checkpoints, 'best.json'),
    held: join(checkpoints, 'held.json'),
    checkpoint: (step) => join(checkpoints, `step-${step}.safetensors`),
  }
}

export interface FreezeRun {
  readonly dir: string
  readonly config: RunConfig
  /** Before the changes of adapt.*. */
  readonly modelConfig: ModelConfig
  readonly samples: Iterable<ManifestSample> | AsyncIterable<ManifestSample>
  readonly startCheckpoint?: string
}

/** Writes the folder of a run that has not begun. Returns how many regions it holds by split. */
export async function freezeRun({ dir, config, modelConfig, samples, startCheckpoint }: FreezeRun): Promise<Record<string, number>> {
  const paths = runPaths(dir)
  await mkdir(paths.checkpoints, { recursive: true })
  const counts: Record<string, number> = {}
  await writeWhole(paths.manifest, async (temporary) => {
    const file = await open(temporary, 'w')
    try {
      let lines: string[] = []
      for await (const sample of samples) {
        counts[sample.split] = (counts[sample.split] ?? 0) + 1
        lines.push(`${JSON.stringify({ ...sample, imagePath: nearbyPath(dir, sample.imagePath) })}\n`)
        if (lines.length < 1000) continue
        await file.write(lines.join(''))
        lines = []
      }
      await file.write(lines.join(''))
    } finally {
      await file.close()
    }
  })
  const start = startCheckpoint === undefined ? null : nearbyPath(dir, startCheckpoint)
  const record: RunRecord = { version: 1, modelConfig: changedModel(modelConfig, config), startCheckpoint: start, createdAt: new Date().toISOString() }
  await writeText(paths.record, `${JSON.stringify(record, null, 1)}\n`)
  await writeText(paths.config, stringify(config)) // last: a folder without it is not a run
  return counts
}

/** Relative, so that a project folder can be moved, unless the file lies far away. */
function nearbyPath(dir: string, path: string): string {
  const near = relative(dir, resolve(path))
  return near.startsWith(join('..', '..', '..')) || isAbsolute(near) ? resolve(path) : near.split(sep).join('/')
}

interface Place {
  readonly imageId: string
  readonly path: string
}

/**
 * Notes where the images and the first checkpoint of a run lie now, where that is not what was frozen: a project may have been moved or
 * restored elsewhere since. The list of samples itself stays as it is, because a run goes on only with the very list it began with.
 * @param placeOf absolute path of an image; null when nobody knows it any more
 */
export async function placeRun(dir: string, placeOf: (imageId: string) => string | null, startCheckpoint: string | null): Promise<void> {
  const paths = runPaths(dir)
  if (!existsSync(paths.manifest)) return // who reads it says so
  const places = new Map<string, string>()
  const input = createReadStream(paths.manifest, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (line.trim() === '') continue
      const { imageId, imagePath } = JSON.parse(line) as ManifestSample
      const now = places.has(imageId) ? null : placeOf(imageId)
      if (now !== null && now !== resolve(dir, imagePath)) places.set(imageId, now)
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error // who reads it names the line
  } finally {
    input.destroy()
  }
  if (places.size === 0) await rm(paths.places, { force: true })
  else await writeText(paths.places, Array.from(places, ([imageId, path]) => `${JSON.stringify({ imageId, path: nearbyPath(dir, path) } satisfies Place)}\n`).join(''))
  const record = await readJson<RunRecord>(paths.record)
  if (!record || record.startCheckpoint === null || startCheckpoint === null || resolve(dir, record.startCheckpoint) === resolve(startCheckpoint)) return
  await writeText(paths.record, `${JSON.stringify({ ...record, startCheckpoint: nearbyPath(dir, startCheckpoint) }, null, 1)}\n`)
}

/** Absolute paths of the images that lie elsewhere than the list of samples says, by id. */
export async function readPlaces(paths: RunPaths): Promise<ReadonlyMap<string, string>> {
  return new Map((await readLines<Place>(paths.places)).map(({ imageId, path }) => [imageId, resolve(paths.dir, path)]))
}

/** The step a resumed run goes on from; 0 when nothing was saved. */
export function savedStepOf(paths: RunPaths): number {
  return savedStepIn(paths.states)
}

export interface OpenedRun {
  readonly paths: RunPaths
  readonly config: RunConfig
  readonly record: RunRecord
  /** Absolute path. */
  readonly startCheckpoint: string | null
}

/** @throws AppError 'bad-input' or 'newer-version' in words when the folder is not a run we can go on with */
export async function openRun(dir: string): Promise<OpenedRun> {
  const paths = runPaths(dir)
  let text: string
  try {
    text = await readFile(paths.config, 'utf8')
  } catch (error) {
    throw new AppError('not-found', 'This folder holds no run: config.yaml is missing.', 'Choose the folder of a run.', dir, { cause: error })
  }
  const record = await readJson<RunRecord>(paths.record)
  if (!record) throw new AppError('bad-input', 'The run has lost its file run.json.', 'Start it again from its dataset.', dir)
  if (record.version > 1) throw new AppError('newer-version', 'This run was made by a newer version of the program.', 'Update the program.', dir)
  return {
    paths,
    config: parseRunConfig(parse(text), paths.config),
    record: { ...record, modelConfig: parseModelConfig(record.modelConfig, paths.record) },
    startCheckpoint: record.startCheckpoint === null ? null : resolve(dir, record.startCheckpoint),
  }
}
