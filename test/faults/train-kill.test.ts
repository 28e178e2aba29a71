/** A worker that trains is killed at random moments, again and again: the run that comes of it is the unbroken one, bit for bit. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { spawnCompute } from '../../src/main/compute/client.ts'
import { createRandom, type RandomSource } from '../../src/main/model/random.ts'
import { runPaths } from '../../src/main/train/run-folder.ts'
import { openNewestState } from '../../src/main/train/state-files.ts'
import { drawSamples, freezeTinyRun, temporaryFolder, TINY, TINY_MOMENTUM, type TinyRun } from '../support/tiny-runs.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', OMP_NUM_THREADS: '1' }
const STEPS = 14

/** Trains until the end, or until the process is killed so many milliseconds after a step was told. Whether it came to the end. */
async function train(runDir: string, kill: { readonly step: number; readonly afterMs: number } | null): Promise<boolean> {
  const compute = spawnCompute({ role: 'job', env: ONE_THREAD })
  let killed = false
  try {
    const result = await compute.call('train', { runDir, resume: true }, {
      onEvent: (event) => {
        if (!kill || killed || event.type !== 'train.metrics' || event.rows[0]!.step < kill.step) return
        killed = true
        const pid = compute.pid()!
        setTimeout(() => process.kill(pid, 'SIGKILL'), kill.afterMs)
      },
    })
    return result.state === 'finished'
  } catch (error) {
    expect(String(error)).toContain('SIGKILL')
    return false
  } finally {
    await compute.close()
  }
}

/** Everything of a run but times: rows of the curves, the probes' film, checkpoints byte for byte, and the state to go on from. */
async function recordOf(dir: string) {
  const paths = runPaths(dir)
  const names = (await readdir(paths.checkpoints)).sort()
  const files = await Promise.all(names.map(async (name) => [name, (await readFile(join(paths.checkpoints, name))).toString('base64')] as const))
  const saved = openNewestState(paths.states)!
  const tensors = [...saved.file.tensors].map(([name, entry]) => [name, Buffer.from(new Uint8Array(entry.read().data.buffer)).toString('base64')] as const)
  saved.file.close()
  const { elapsedSeconds: _, ...info } = saved.info as { elapsedSeconds: number }
  return {
    rows: (await readFile(paths.metrics, 'utf8')).replace(/"(seconds|wait)":[^,]+,/g, ''),
    probes: await readFile(paths.probes, 'utf8'),
    checkpoints: Object.fromEntries(files),
    info,
    tensors: Object.fromEntries(tensors),
  }
}

/** Rising steps of the run, each with a moment in it; some fall into a step, some into a validation or a save. */
function drawKills(random: RandomSource, count: number): { step: number; afterMs: number }[] {
  const steps = new Set<number>()
  while (steps.size < count) steps.add(1 + random.below(STEPS - 1))
  return [...steps].sort((a, b) => a - b).map((step) => ({ step, afterMs: random.below(40) }))
}

interface Case {
  readonly name: string
  readonly seed: number
  readonly kills: number
  readonly run: Partial<TinyRun>
  /** The step after which it ends by itself, if not the last. */
  readonly ends?: number
}
const CASES: readonly Case[] = [
  {
    name: 'with momentum copies, queues, distillation and every augmentation', seed: 1, kills: 4,
    run: { modelConfig: TINY_MOMENTUM, overrides: { 'loss.distillation': 0.4, 'data.boxes': 'one', 'data.colorJitter': 0.5, 'data.grayscale': 0.3, 'data.flip': 0.5, 'optimizer.clipNorm': 1 } },
  },
  {
    name: 'with views in turn, two batches a step and a frozen part', seed: 2, kills: 2,
    run: { modelConfig: TINY, overrides: { 'batch.accumulate': 2, 'batch.images': 2, freeze: 'embeddings', 'curriculum.views': 'first 0.4; second 0.3; * 0.3', 'schedule.kind': 'reference', 'schedule.warmupHundreds': 1 } },
  },
  {
    name: 'that ends early, its count of validations taken up each time', seed: 3, kills: 3, ends: 8,
    run: { modelConfig: TINY, overrides: { 'validation.every': 2, 'earlyStop.metric': 'consistency', 'earlyStop.patience': 3, 'earlyStop.minDelta': 1 } },
  },
]

test.skipIf(!hasTensorFlow).each(CASES)(`kill -9 of the worker at random moments, $name${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async ({ seed, kills, run, ends = STEPS }) => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'images'))
  const drawn = await drawSamples(join(folder, 'images'), 16)
  const samples = drawn.map((sample, i) => ({ ...sample, ...(sample.split === 'train' ? { stages: i % 3 === 0 ? [0] : i % 3 === 1 ? [0, 1] : [] } : {}) }))
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')]
  const overrides = { steps: STEPS, 'validation.every': 4, 'save.every': 3, 'save.keep': 2, ...run.overrides }
  for (const dir of [whole, broken]) await freezeTinyRun({ ...run, dir, images: '', samples, overrides })
  expect(await train(whole, null)).toBe(true)
  const plan = drawKills(createRandom(seed), kills)
  for (const kill of plan) await train(broken, kill)
  if (ends < STEPS) expect(await train(broken, null), 'one that has ended ends again at once').toBe(true)
  expect(await train(broken, null)).toBe(true)
  const [one, other] = [await recordOf(whole), await recordOf(broken)]
  expect(one.rows.trimEnd().split('\n').map((line) => (JSON.parse(line) as { step: number }).step)).toEqual(Array.from({ length: ends }, (_, i) => i + 1))
  expect(other, `killed at ${JSON.stringify(plan)}`).toEqual(one)
  const log = await readFile(runPaths(broken).log, 'utf8')
  expect(log).toContain('Resumed after step')
}, 240_000)
