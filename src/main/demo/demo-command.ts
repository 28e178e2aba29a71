/**
 * `amc demo`: makes the demo dataset, trains the same small model without and with AMC from the same seed, and measures
 * both on the held-out scenes. Interrupted, it goes on where it was: data, runs and their steps are kept in the project folder.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withOverrides, type RunConfig } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import { loadBackend } from '../compute/backend.ts'
import { spawnCompute, type Compute } from '../compute/client.ts'
import type { ComputeEvent } from '../compute/protocol.ts'
import { setTf } from '../model/tf.ts'
import { resolveVocabulary } from '../train/model-files.ts'
import { loadModelConfig, loadRunConfig } from '../train/presets.ts'
import { freezeRun, runPaths } from '../train/run-folder.ts'
import { measureDemo, type DemoMeasures } from './demo-measures.ts'
import { demoRecipeKey, generateDemo, type DemoRegion } from './generate.ts'
import { IMAGE_SIDE_PX } from './phrases.ts'
import { PLANTED_ERRORS_FILE } from './demo-folder.ts'
import type { PlantedErrorsFile } from './planted-errors.ts'

export interface DemoCommandOptions {
  /** Project folder: the dataset goes to dir/demo-seed-N-KEY, the runs to dir/runs. The caller keeps others out of it. */
  readonly dir: string
  /** Of the dataset and of both runs. */
  readonly seed: number
  /** Steps of each run instead of the presets' own. */
  readonly steps?: number
  /** Other flat settings of both runs, for trials. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Called with the process that is going to train, before it does. */
  readonly beforeTraining?: (compute: Compute) => Promise<void>
  readonly onProgress?: (progress: DemoCommandProgress) => void
  readonly signal?: AbortSignal
}

export interface DemoCommandProgress {
  readonly stage: 'data' | 'without-amc' | 'with-amc' | 'measuring'
  readonly done: number
  readonly total: number
  readonly secondsLeft: number | null
  readonly message: string
}

export interface DemoReport {
  readonly untrained: { readonly pointingGame: number }
  readonly withoutAmc: RunReport
  readonly withAmc: RunReport
  readonly suspects: DemoMeasures['suspects']
  readonly chance: { readonly randomPixel: number; readonly imageCentre: number; readonly randomObject: number; readonly suspects: number }
  readonly seed: number
  readonly steps: number
}
export interface RunReport {
  readonly pointingGame: number
  readonly itmAuc: number
  /** Wall time of the training, validations included. */
  readonly minutes: number
}

export interface DemoOutcome {
  readonly report: DemoReport
  /** Folder of the dataset. */
  readonly dataDir: string
  /** Folders and last checkpoints of the two runs, and more figures than the report holds. */
  readonly runs: Readonly<Record<'withoutAmc' | 'withAmc', { readonly dir: string; readonly checkpoint: string }>>
  readonly measures: DemoMeasures
}

/** Fractions in [0, 1]. Throws AppError 'cancelled' when the signal is aborted; called again it goes on from there. */
export async function runDemo(options: DemoCommandOptions): Promise<DemoOutcome> {
  const { dir, seed, signal, onProgress } = options
  // A folder of its own for each seed and recipe: pictures that a project's regions lie on are never exchanged for others.
  const dataDir = join(dir, `demo-seed-${seed}-${await demoRecipeKey({ dir, seed })}`)
  await mkdir(dir, { recursive: true })
  await generateDemo({
    dir: dataDir, seed, ...(signal ? { signal } : {}),
    onProgress: ({ done, total }) => onProgress?.({ stage: 'data', done, total, secondsLeft: null, message: `Drew ${done} of ${total} images` }),
  })
  const samples = await demoSamples(dataDir)
  const { withAmc, withoutAmc } = await trainBoth(samples, options)
  setTf((await loadBackend()).tf)
  const planted = JSON.parse(await readFile(join(dataDir, PLANTED_ERRORS_FILE), 'utf8')) as PlantedErrorsFile
  const measures = await measureDemo({
    samples, seed,
    wrong: new Set(planted.errors.map((error) => regionIdOf(error.index))),
    withoutAmc: withoutAmc.checkpoint,
    withAmc: withAmc.checkpoint,
    onProgress: (done, total, message) => onProgress?.({ stage: 'measuring', done, total, secondsLeft: null, message }),
    ...(signal ? { signal } : {}),
  })
  const report: DemoReport = {
    untrained: { pointingGame: measures.untrained.pointingGame },
    withoutAmc: { pointingGame: measures.withoutAmc.pointingGame, itmAuc: measures.withoutAmc.itmAuc, minutes: withoutAmc.minutes },
    withAmc: { pointingGame: measures.withAmc.pointingGame, itmAuc: measures.withAmc.itmAuc, minutes: withAmc.minutes },
    suspects: measures.suspects,
    chance: measures.chance,
    seed,
    steps: withAmc.steps,
  }
  return { report, dataDir, runs: { withoutAmc, withAmc }, measures }
}

const regionIdOf = (index: number): string => `demo-${index}`

/** The dataset as frozen samples; ids are positions in annotations.json. */
export async function demoSamples(dataDir: string): Promise<ManifestSample[]> {
  const regions = JSON.parse(await readFile(join(dataDir, 'annotations.json'), 'utf8')) as DemoRegion[]
  return regions.map((region, index) => ({
    regionId: regionIdOf(index),
    revision: 1,
    imageId: region.image,
    imagePath: join(dataDir, region.image),
    width: IMAGE_SIDE_PX,
    height: IMAGE_SIDE_PX,
    phrase: region.caption,
    boxes: region.bbox,
    split: region.split,
    imageConcepts: region.imageConcepts,
    phraseConcepts: region.phraseConcepts,
    kind: region.kind,
  }))
}

interface Trained {
  readonly dir: string
  readonly checkpoint: string
  readonly minutes: number
  readonly steps: number
}

/**
 * In a process of their own, as the workstation trains: it is set up for it, and this one stays free to be interrupted. One
 * thread, unless the environment says otherwise: for a model this small a second one gains nothing, costs a third more as
 * soon as anything else runs, and with one the same seed gives the same bits.
 */
async function trainBoth(samples: readonly ManifestSample[], options: DemoCommandOptions): Promise<{ withAmc: Trained; withoutAmc: Trained }> {
  const threads = process.env['TF_NUM_INTRAOP_THREADS'] ?? '1'
  const compute = spawnCompute({ role: 'job', env: { TF_NUM_INTRAOP_THREADS: threads } })
  try {
    await options.beforeTraining?.(compute)
    const withAmc = await train(compute, 'with-amc', 'demo-amc', samples, options)
    return { withAmc, withoutAmc: await train(compute, 'without-amc', 'demo-without-amc', samples, options) }
  } finally {
    await compute.close()
  }
}

async function train(
  compute: Compute, stage: 'without-amc' | 'with-amc', preset: string, samples: readonly ManifestSample[],
  { dir, seed, steps, overrides, onProgress, signal }: DemoCommandOptions,
): Promise<Trained> {
  const config = withOverrides(await loadRunConfig(preset), { ...overrides, seed, ...(steps === undefined ? {} : { steps }) })
  const runDir = join(dir, 'runs', `${preset}-seed-${seed}-${keyOf(config, samples)}`)
  if (!existsSync(runPaths(runDir).config)) {
    const modelConfig = await resolveVocabulary(await loadModelConfig(config.model), samples.map((sample) => sample.phrase))
    await freezeRun({ dir: runDir, config, modelConfig, samples })
  }
  let validated = ''
  const onEvent = (event: ComputeEvent): void => {
    if (event.type === 'train.metrics') validated = lastValidation(event, validated)
    if (event.type !== 'train.progress') return
    const { step, totalSteps, secondsLeft } = event.progress
    onProgress?.({ stage, done: step, total: totalSteps, secondsLeft, message: `${config.title}: step ${step} of ${totalSteps}${validated}` })
  }
  const { state, step } = await compute.call('train', { runDir, resume: true }, { onEvent, ...(signal ? { signal } : {}) })
  if (state === 'stopped') throw new AppError('cancelled', `Stopped after step ${step}; the same command goes on from there.`)
  return { dir: runDir, checkpoint: runPaths(runDir).checkpoint(step), minutes: (await recordedSeconds(runDir)) / 60, steps: step }
}

/** Other settings or other data are another run. */
function keyOf(config: RunConfig, samples: readonly ManifestSample[]): string {
  const said = ({ phrase, boxes, split }: ManifestSample): unknown => [phrase, boxes, split]
  return createHash('sha256').update(JSON.stringify([{ ...config, title: '', summary: '' }, samples.map(said)])).digest('hex').slice(0, 8)
}

function lastValidation(event: Extract<ComputeEvent, { type: 'train.metrics' }>, before: string): string {
  const row = event.rows.at(-1)
  const value = row?.values['val.pointingGame']
  return value === undefined ? before : `, pointing game ${(100 * value).toFixed(1)} % at step ${row!.step}`
}

/** Wall time of a run up to its last step, in one go or in several. */
async function recordedSeconds(runDir: string): Promise<number> {
  const lines = (await readFile(runPaths(runDir).metrics, 'utf8')).trimEnd().split('\n')
  return (JSON.parse(lines.at(-1)!) as { seconds: number }).seconds
}

/** The report as a table for people. */
export function demoTable({ untrained, withoutAmc, withAmc, suspects, chance, seed, steps }: DemoReport): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const rows = [
    ['', 'pointing game', 'match AUC', 'training'],
    ['untrained', percent(untrained.pointingGame), '', ''],
    ['without AMC', percent(withoutAmc.pointingGame), withoutAmc.itmAuc.toFixed(3), `${withoutAmc.minutes.toFixed(1)} min`],
    ['with AMC', percent(withAmc.pointingGame), withAmc.itmAuc.toFixed(3), `${withAmc.minutes.toFixed(1)} min`],
    ['chance: random pixel', percent(chance.randomPixel), '0.500', ''],
    ['chance: image centre', percent(chance.imageCentre), '', ''],
    ['chance: random object', percent(chance.randomObject), '', ''],
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) => row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('   ').trimEnd())
  return [
    `Held-out scenes, AMC strict, seed ${seed}, ${steps} steps a run`,
    ...lines,
    `Wrong boxes found by suspicion: AUROC ${suspects.auroc.toFixed(3)}, precision at 50 ${percent(suspects.precisionAt50)}, at half their number ${percent(suspects.precisionAtHalf)} (share of wrong boxes ${percent(chance.suspects)})`,
  ].join('\n')
}
