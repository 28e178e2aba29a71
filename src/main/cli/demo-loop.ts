/**
 * The demo goes round once: the suspects of the checkpoint with AMC are looked at, what is wrong is put right, training goes on from that
 * checkpoint, and what the corrections were worth is measured on the held-out scenes. All of it through the functions the screens call,
 * so the edits, runs and scores are in the project to look at.
 *
 * The reviewer is played: for the regions that the queue shows, and for no other, the file of planted errors says where the object really
 * is, as a person sees it in the picture. Training longer changes a model too, so a second run goes on for as many steps from
 * the same seed on the data as it was.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { CompareInterval } from '../../shared/contract/compare.ts'
import type { Region, Run } from '../../shared/domain.ts'
import { AppError, fromErrorData, isAppError } from '../../shared/errors.ts'
import { sameBox } from '../../shared/geometry.ts'
import { diffRegion } from '../../shared/region-diff.ts'
import { PLANTED_ERRORS_FILE } from '../demo/demo-folder.ts'
import type { PlantedError, PlantedErrorsFile } from '../demo/planted-errors.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { CommandIo } from './command.ts'
import { waitForJob } from './project.ts'
import { watchRun } from './watch-run.ts'

export interface LoopInput {
  readonly dataDir: string
  readonly datasetId: string
  /** The checkpoint whose suspects are looked at, and that training goes on from. */
  readonly checkpointId: string
  readonly seed: number
  readonly steps?: number
  /** Other flat settings of both runs, for trials. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

interface Change {
  readonly change: number
  readonly interval: CompareInterval | null
  /** Exact McNemar, over the regions of the held-out scenes. */
  readonly p: number
}
export interface LoopReport {
  /** Suspects that were looked at, the most suspect first: as many as there are planted errors. */
  readonly reviewed: number
  readonly corrected: number
  /** Wrong boxes in all. */
  readonly wrong: number
  readonly steps: number
  /** Pointing game on the held-out scenes. */
  readonly before: number
  readonly continuedUncorrected: number
  readonly continuedCorrected: number
  /** Against the checkpoint that both began from. */
  readonly corrections: Change
  /** Against as many steps on the data as it was: what the corrections alone were worth. */
  readonly correctionsAlone: Change
}

const AS_IT_WAS = 'Demo continued on the data as it was'
const CORRECTED = 'Demo continued on the corrected data'

/** Called again it goes on where it was. @throws AppError 'cancelled' when the command's signal is aborted */
export async function runLoop(engine: EngineCore, io: CommandIo, input: LoopInput): Promise<LoopReport> {
  const { handlers } = engine
  const { datasetId, checkpointId } = input
  await waitForJob(engine, await handlers.scores.compute({ datasetId, checkpointId }), io)
  const { errors } = JSON.parse(await readFile(join(input.dataDir, PLANTED_ERRORS_FILE), 'utf8')) as PlantedErrorsFile
  const known = await knownRun(engine, AS_IT_WAS, input)
  if (!known && (await reviewedOf(engine, input, errors)).reviewed > 0) {
    throw new AppError('conflict', 'Regions of this demo were reviewed already, so no run can begin on the data as it was.', 'Run the demo in a new project folder, or with --no-curation.')
  }
  const asItWas = known ?? (await start(engine, AS_IT_WAS, input))
  await review(engine, io, input, errors)
  const corrected = (await knownRun(engine, CORRECTED, input)) ?? (await start(engine, CORRECTED, input))
  const ends: string[] = []
  for (const run of [asItWas, corrected]) ends.push(await finish(engine, io, run))
  for (const id of ends) await waitForJob(engine, await handlers.scores.compute({ datasetId, checkpointId: id, splits: ['val'] }), io)
  const comparison = await handlers.compare.get({ population: { datasetId, split: 'val' }, checkpointIds: [checkpointId, ...ends] })
  const pairOf = (a: number, b: number) => comparison.pairs.find((pair) => pair.a === a && pair.b === b)!
  const changeOf = (a: number, b: number): Change => {
    const { headline, test } = pairOf(a, b)
    return { change: headline.pointingGame.change, interval: headline.pointingGame.interval, p: test.p }
  }
  const [own, since] = [pairOf(0, 1).headline.pointingGame, pairOf(0, 2).headline.pointingGame]
  return {
    ...(await reviewedOf(engine, input, errors)), wrong: errors.length, steps: corrected.totalSteps,
    before: own.a, continuedUncorrected: own.b, continuedCorrected: since.b, corrections: changeOf(0, 2), correctionsAlone: changeOf(1, 2),
  }
}

const nameOf = (title: string, { seed }: LoopInput): string => `${title}, seed ${seed}`

async function knownRun({ handlers }: EngineCore, title: string, input: LoopInput): Promise<Run | undefined> {
  const { datasetId, checkpointId, steps } = input
  return (await handlers.runs.list({})).find((run) => run.name === nameOf(title, input) && run.datasetId === datasetId && run.startCheckpointId === checkpointId && (steps === undefined || run.totalSteps === steps))
}

async function start({ handlers }: EngineCore, title: string, input: LoopInput): Promise<Run> {
  const { datasetId, checkpointId, seed, steps, overrides } = input
  return handlers.runs.start({ preset: 'demo-continue', overrides: { ...overrides, seed, ...(steps === undefined ? {} : { steps }) }, datasetId, startCheckpointId: checkpointId, name: nameOf(title, input) })
}

/** Suspects in the order of the queue, until as many are decided as boxes are wrong; each decision is an edit like any other. */
async function review(engine: EngineCore, io: CommandIo, input: LoopInput, errors: readonly PlantedError[]): Promise<void> {
  const { handlers } = engine
  const { datasetId, checkpointId } = input
  const { reviewed } = await reviewedOf(engine, input, errors)
  if (reviewed >= errors.length) return
  const { rows } = await handlers.regions.query({
    filter: { datasetId, checkpointId, splits: ['train'], statuses: ['unreviewed'] }, sort: 'suspect', descending: true, offset: 0, limit: errors.length - reviewed,
  })
  for (const [i, row] of rows.entries()) {
    if (io.signal.aborted) throw new AppError('cancelled', 'Stopped while the suspects were looked at; the same command goes on from there.')
    io.progress.report('Looking at suspects', i + 1, rows.length, row.phrase)
    const { image, regions } = await handlers.regions.onImage({ imageId: row.imageId, checkpointIds: [] })
    const region = regions.find(({ id }) => id === row.id)!
    const error = errorOf(errors, image.name, region)
    const after = { ...region, status: 'accepted' as const, ...(error ? { boxes: [error.trueBox], outlines: [] } : {}) }
    await handlers.regions.apply({
      editId: randomUUID(), label: error ? `Box of “${region.phrase}” put right` : `Accept “${region.phrase}”`,
      edits: [{ regionId: region.id, revision: region.revision, diff: diffRegion(region, after) }], suspect: { regionId: region.id, checkpointId },
    })
  }
  io.progress.end()
}

function errorOf(errors: readonly PlantedError[], imageName: string, { phrase, boxes }: Pick<Region, 'phrase' | 'boxes'>): PlantedError | undefined {
  return errors.find((error) => basename(error.image) === basename(imageName) && error.caption === phrase && boxes.length === 1 && sameBox(boxes[0]!, error.wrongBox))
}

/** From what is stored, so that it holds after an interruption too. */
async function reviewedOf({ handlers }: EngineCore, { datasetId }: LoopInput, errors: readonly PlantedError[]): Promise<{ reviewed: number; corrected: number }> {
  const [limit, rows] = [2000, await handlers.regions.query({ filter: { datasetId, splits: ['train'], statuses: ['accepted'] }, sort: 'file-order', descending: false, offset: 0, limit: 2000 })]
  if (rows.total > limit) throw new AppError('conflict', `${rows.total} regions of the demo are decided already.`, 'Run the demo in a new project folder.')
  let corrected = 0
  for (const { id, imageId, phrase } of rows.rows) {
    const { image, regions } = await handlers.regions.onImage({ imageId, checkpointIds: [] })
    const region = regions.find((one) => one.id === id)
    if (region?.boxes.length === 1 && errors.some((error) => basename(error.image) === basename(image.name) && error.caption === phrase && sameBox(region.boxes[0]!, error.trueBox))) corrected++
  }
  return { reviewed: rows.total, corrected }
}

/** Waits for the run, going on with one that was interrupted. @returns its last checkpoint */
async function finish(engine: EngineCore, io: CommandIo, { id }: Run): Promise<string> {
  const { handlers } = engine
  const before = await handlers.runs.get({ id })
  // One that waits may do so from an earlier start, whose queue nobody has taken up; where it is in this one's, there is nothing to do.
  if (before.state !== 'finished') await Promise.resolve().then(() => handlers.runs.resume({ id })).catch((error: unknown) => {
    if (!(isAppError(error) && error.code === 'conflict')) throw error
  })
  const run = await watchRun(engine, await handlers.runs.get({ id }), io)
  if (run.state === 'failed') throw run.error ? fromErrorData(run.error as never) : new AppError('internal', `The run ${run.name} failed.`)
  if (run.state !== 'finished') throw new AppError('cancelled', `Stopped after step ${run.step} of ${run.name}; the same command goes on from there.`)
  return (await handlers.checkpoints.list({})).find((one) => one.runId === id && one.step === run.step)!.id
}

/** For people. */
export function loopLines({ reviewed, corrected, wrong, steps, before, continuedUncorrected, continuedCorrected, corrections, correctionsAlone }: LoopReport): string[] {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const points = ({ change, interval, p }: Change): string => {
    const signed = (value: number): string => `${value < 0 ? '-' : '+'}${(100 * Math.abs(value)).toFixed(1)}`
    return `${signed(change)} points${interval ? ` [${signed(interval.low)}, ${signed(interval.high)}]` : ''}, exact McNemar p = ${p.toPrecision(2)}`
  }
  return [
    `Curated: ${reviewed} suspects looked at, ${corrected} of ${wrong} wrong boxes put right; then ${steps} steps more from the checkpoint with AMC`,
    `Pointing game on the held-out scenes: before ${percent(before)}, with the corrections ${percent(continuedCorrected)} (${points(corrections)})`,
    `As many steps on the data as it was: ${percent(continuedUncorrected)}; the corrections alone were worth ${points(correctionsAlone)}`,
  ]
}
