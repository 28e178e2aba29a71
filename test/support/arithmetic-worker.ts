/**
 * A compute process made of arithmetic: it speaks the real protocol over the real channel, so that tests of the engine's side of
 * jobs need no TensorFlow. A run of it writes what a real one writes that the engine reads: curves, checkpoints, saved states.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { parse } from 'yaml'
import { AppError, toErrorData } from '../../src/shared/errors.ts'
import type { ManifestSample } from '../../src/shared/manifest.ts'
import type { ComputeEvent, ScoredRegion, ToCompute } from '../../src/main/compute/protocol.ts'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { writeState } from '../../src/main/train/state-files.ts'
import { openRun, runPaths, savedStepOf } from '../../src/main/train/run-folder.ts'

const BATCH = 8
const STEP_MS = 10
const running = new Map<number, AbortController>()
type Emit = (event: ComputeEvent) => void

async function score(request: { manifestPath: string }, signal: AbortSignal, emit: Emit): Promise<unknown> {
  const samples = (await readFile(request.manifestPath, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as ManifestSample)
  let done = 0
  while (done < samples.length) {
    if (signal.aborted) throw new AppError('cancelled', `Stopped after ${done} of ${samples.length} regions; these are kept.`)
    const batch = samples.slice(done, (done += BATCH))
    emit({ type: 'score.batch', done: Math.min(done, samples.length), total: samples.length, regions: batch.map(scored) })
    await setTimeout(STEP_MS)
  }
  return { scored: done, skipped: [] }
}

function scored({ regionId, revision, phrase }: ManifestSample): ScoredRegion {
  const values = Float32Array.from({ length: 576 }, (_, i) => (i + phrase.length) % 7)
  const scores = { pointingHit: true, insideEnergy: 0.5, meanMargin: 0.1, maxMargin: 0.1, amcMean: 0, amcMax: 0, softIou: 0.3, uncertain: false, matchProbability: 0.9 }
  return { regionId, revision, phrase, tokens: ['[CLS]'], truncated: false, scores, grid: { width: 24, height: 24, values }, peak: { x: 1, y: 1 } }
}

async function train({ runDir, resume }: { runDir: string; resume: boolean }, signal: AbortSignal, emit: Emit): Promise<unknown> {
  const { config, record } = await openRun(runDir)
  const paths = runPaths(runDir)
  const { steps } = parse(await readFile(paths.config, 'utf8')) as { steps: number }
  let highest = 0
  const save = (step: number, measured: Readonly<Record<string, number>> = {}): void => {
    writeState(paths.states, { step, tensors: new Map([['x', { shape: [1], data: Float32Array.of(step) }]]), info: { step } })
    writeSafetensors(paths.checkpoint(step), new Map([['temp', { shape: [1], data: Float32Array.of(step) }]]), { 'amc.modelConfig': JSON.stringify(record.modelConfig) })
    emit({ type: 'train.checkpoint', path: paths.checkpoint(step), step, best: Object.hasOwn(measured, 'val.pointingGame') && measured['val.pointingGame']! >= highest, metrics: measured })
    highest = Math.max(highest, measured['val.pointingGame'] ?? 0)
  }
  for (let step = (resume ? savedStepOf(paths) : 0) + 1; step <= steps; step++) {
    // Another value for another learning rate, falling after the first validation.
    const measured: Record<string, number> = config.validation.every > 0 && step % config.validation.every === 0 ? { 'val.pointingGame': Math.min(0.9, config.optimizer.learningRate * 1000) + 0.1 / step, 'val.consistency': 0.5 } : {}
    const row = { step, seconds: step / 100, values: { 'loss.total': 1 / step, ...measured } }
    await appendFile(paths.metrics, `${JSON.stringify(row)}\n`)
    emit({ type: 'train.metrics', rows: [row] })
    if (step % config.save.every === 0 || step === steps) save(step, measured)
    const progress = { step, totalSteps: steps, epoch: 0, elapsedSeconds: step / 100, secondsLeft: 1, samplesPerSecond: 1, dataWaitShare: 0, lastSavedStep: savedStepOf(paths) || null }
    emit({ type: 'train.progress', progress })
    await setTimeout(STEP_MS)
    if (!signal.aborted) continue
    if (step % config.save.every !== 0) save(step)
    return { state: 'stopped', step }
  }
  return { state: 'finished', step: steps }
}

const METHODS: Readonly<Record<string, (request: never, signal: AbortSignal, emit: Emit) => Promise<unknown>>> = {
  info: async () => ({ library: 'arithmetic', device: 'cpu', gpu: false, whyNotGpu: null, threads: 1 }),
  score, train,
}

process.on('message', (message: ToCompute) => {
  if (message.kind === 'cancel') return running.get(message.id)?.abort()
  const { id } = message
  const controller = new AbortController()
  running.set(id, controller)
  const send = (answer: object): void => void (process.connected && process.send!({ id, ...answer }))
  METHODS[message.method]!(message.request as never, controller.signal, (event) => send({ kind: 'event', event }))
    .then((result) => send({ kind: 'result', result }), (error: unknown) => send({ kind: 'error', error: toErrorData(error) }))
    .finally(() => {
      running.delete(id)
      if (!process.connected) process.exit(0)
    })
})
process.on('disconnect', () => {
  for (const controller of running.values()) controller.abort()
  if (running.size === 0) process.exit(0)
})
process.on('SIGINT', () => undefined)
process.send!({ kind: 'ready' })

