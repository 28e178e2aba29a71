/**
 * What a run keeps on disk as it goes: checkpoints, the best of them, and states to go on from. The order is that of safety: a
 * state is removed when a newer one is durable, a checkpoint when the state that no longer needs it is.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunConfig } from '../../shared/config/run-config.ts'
import type { MetricRow } from '../../shared/domain.ts'
import type { Run } from './begin-run.ts'
import { judgeOf } from './early-stop.ts'
import { readJson, readLines, syncIfThere, writeText } from './files.ts'
import { saveCheckpoint } from './model-files.ts'
import type { RunEvent } from './run-events.ts'
import { type Best, saveRunState } from './run-state.ts'

type CheckpointEvent = Extract<RunEvent, { type: 'train.checkpoint' }>

/** Writes the checkpoint of this step and the state to go on from, then forgets what is not needed any more. */
export async function keepStep(run: Run, step: number, measured: MetricRow['values'] | null): Promise<CheckpointEvent | null> {
  const event = measured ? await writeCheckpoint(run, step, measured) : null
  await saveState(run, step)
  if (event?.best) await writeBest(run)
  if (event) await forgetOld(run, step)
  return event
}

/** A checkpoint of a step at which nothing was measured, beside those that are kept. */
export async function keepStopped(run: Run, step: number): Promise<CheckpointEvent> {
  const path = run.paths.checkpoint(step)
  // Where nothing is validated the last is the best, here too; a state that is saved knows of it.
  const best = run.validation.images.length === 0
  if (best) run.best = bestAfter(run.best, step, {}, false, run.config)
  if (step !== run.lastSavedStep) await saveState(run, step)
  await save(run, step, {})
  if (best) await writeBest(run)
  return { type: 'train.checkpoint', path, step, best, metrics: {} }
}

async function writeCheckpoint(run: Run, step: number, metrics: MetricRow['values']): Promise<CheckpointEvent> {
  await save(run, step, metrics)
  const before = run.best
  run.best = bestAfter(before, step, metrics, run.validation.images.length > 0, run.config)
  const best = run.best !== before
  return { type: 'train.checkpoint', path: run.paths.checkpoint(step), step, best, metrics }
}

/**
 * Without held-out images the newest is the best. With them, the newest of those with the highest value of what the run is judged by; a
 * validation in which none could be read, or that gave no number, decides nothing.
 */
export function bestAfter(best: Best | null, step: number, metrics: MetricRow['values'], isValidated: boolean, { earlyStop }: RunConfig): Best | null {
  if (!isValidated) return { step, value: step, judge: null }
  // A run that an earlier version of the program began goes on by the measure it was begun with.
  const judge = best === null ? judgeOf(earlyStop) : (best.judge ?? 'pointingGame')
  const value = metrics[`val.${judge}`]
  return value !== undefined && Number.isFinite(value) && (best === null || value >= best.value) ? { step, value, judge } : best
}

function save({ paths, model, config }: Run, step: number, metrics: MetricRow['values']): Promise<void> {
  return saveCheckpoint(paths.checkpoint(step), model.params, { step, seed: config.seed, preset: config.title, metrics }, config.save.precision)
}

/** The curves up to the step are made durable first: a state never knows of rows that are not there. */
async function saveState(run: Run, step: number): Promise<void> {
  const { paths, model, optimizer, batches, choices, best, stall, queued, pace, identity } = run
  for (const file of [paths.metrics, paths.probes]) await syncIfThere(file)
  saveRunState(paths.states, model.params, optimizer, { step, batches, best, stall, queued, identity, choices: choices.state(), elapsedSeconds: pace.elapsedSeconds() })
  run.lastSavedStep = step
}

/** Makes best.json say what the run knows: its step with what was measured there. */
export async function writeBest({ paths, best }: Run): Promise<void> {
  if (!best) return void (await rm(paths.best, { force: true }))
  if ((await readJson<{ step: number }>(paths.best).catch(() => null))?.step === best.step) return
  const row = (await readLines<MetricRow>(paths.metrics)).find(({ step }) => step === best.step)
  const metrics = Object.fromEntries(Object.entries(row?.values ?? {}).filter(([name]) => name.startsWith('val.')))
  await writeText(paths.best, `${JSON.stringify({ step: best.step, metrics })}\n`)
}

/** Removes checkpoints up to a step, but for the newest ones, the best, and those in use. Later ones, of a part that was cut off, are written again. */
export async function forgetOld({ paths, config, best }: Pick<Run, 'paths' | 'config' | 'best'>, step: number): Promise<void> {
  const written = (await readdir(paths.checkpoints)).flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number)
  const old = written.filter((one) => one <= step).sort((a, b) => b - a).slice(config.save.keep)
  const held = new Set(await readJson<readonly number[]>(paths.held).catch(() => null))
  for (const one of old) if (one !== best?.step && !held.has(one)) await rm(join(paths.checkpoints, `step-${one}.safetensors`), { force: true })
}
