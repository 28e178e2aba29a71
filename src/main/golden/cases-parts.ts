/** What needs no model run: queues, position embeddings, learning rates. */
import { openPth } from '../checkpoints/pth.ts'
import { toFloat32 } from '../checkpoints/tensor-file.ts'
import { interpolatePositions, modelTensors } from '../model/load-params.ts'
import { enqueue } from '../model/momentum.ts'
import { tf } from '../model/tf.ts'
import type { FeatureQueues } from '../model/types.ts'
import { cosineRateAt, referenceRate, type ReferenceSchedule } from '../train/schedule.ts'
import { compareExactly, compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, type GoldenFolder } from './folder.ts'
import { scheduleChecks, schedulerChecks, SCHEDULE_UNUSED, type SchedulerJson } from './scheduler-state.ts'
import { firstCheckpoint, type GoldenCase } from './setup.ts'

export function partCases(folder: GoldenFolder): GoldenCase[] {
  const cases: GoldenCase[] = []
  const add = (needs: string, name: string, run: () => Promise<Check[]>): void => {
    if (folder.has(needs)) cases.push({ name, run })
  }
  add('queue_cases.json', 'queues', async () => queueCase(folder))
  add('pos_embed_interp.safetensors', 'position embeddings', () => positionCase(folder))
  add('lr_schedule.json', 'learning rates', async () => scheduleCase(folder))
  return cases
}

interface QueueStep {
  readonly queue: number
  readonly batch: number
  readonly start_ptr: number
  readonly step: number
  readonly ptr: number
  readonly image_row0: readonly number[]
  readonly text_row1: readonly number[]
}

/** Sample n brings the image features (n, -n) and the text features (10 n, -10 n); queues start as zeros. */
function queueCase(folder: GoldenFolder): Check[] {
  const { steps } = folder.json<{ steps: readonly QueueStep[] }>('queue_cases.json')
  folder.leaveOut('queue_cases.json', 'note', 'it says in words what the features are')
  const checks: Check[] = []
  let queues: FeatureQueues | null = null
  let number = 0
  const free = (): void => tf.dispose(queues ? [queues.image, queues.text] : [])
  for (const want of steps) {
    if (want.step === 0) {
      free()
      const zeros = () => tf.tidy(() => tf.variable(tf.zeros([2, want.queue]), false))
      queues = { image: zeros(), text: zeros(), imagePointer: want.start_ptr, textPointer: want.start_ptr }
      number = 0
    }
    const rows = (scale: number) => tf.tensor2d(Array.from({ length: want.batch }, (_, i) => [scale * (number + i + 1), -scale * (number + i + 1)]))
    const [image, text] = [rows(1), rows(10)]
    enqueue(queues!, image, text)
    tf.dispose([image, text])
    number += want.batch
    const what = `queue ${want.queue}, batch ${want.batch}, start ${want.start_ptr}, call ${want.step + 1}`
    checks.push(compareExactly(`${what}: pointers`, [queues!.imagePointer, queues!.textPointer], [want.ptr, want.ptr]))
    checks.push(compareNumbers(`${what}: images`, queues!.image.dataSync().slice(0, want.queue), want.image_row0, TOLERANCES.exact))
    checks.push(compareNumbers(`${what}: texts`, queues!.text.dataSync().slice(want.queue), want.text_row1, TOLERANCES.exact))
  }
  free()
  return checks
}

/** Pairs src... and dst... of [1, 1 + n * n, width]; src and src_m are those of the checkpoint. */
async function positionCase(folder: GoldenFolder): Promise<Check[]> {
  const file = folder.tensors('pos_embed_interp.safetensors')
  const checks = [...file.tensors.values()].flatMap((entry): Check[] => {
    if (!entry.name.startsWith('src')) return []
    const target = file.tensors.get(entry.name.replace(/^src/, 'dst'))
    if (!target) return [failed(entry.name, 'there is no tensor to compare with')]
    const got = interpolatePositions(toFloat32(entry.read()), entry.shape[1]!, target.shape[1]!, entry.shape[2]!)
    return [compareNumbers(entry.name, got, floatsOf(file, target.name), TOLERANCES.positions)]
  })
  const checkpoint = firstCheckpoint(folder)
  if (!checkpoint) return checks
  const pth = await openPth(folder.path(checkpoint))
  try {
    const stored = modelTensors(pth.tensors)
    for (const copy of ['', '_m']) {
      const [own, name] = [stored.get(`visual_encoder${copy}.pos_embed`), `src${copy}`]
      if (own && file.tensors.has(name)) checks.push(compareNumbers(`${name} in ${checkpoint}`, toFloat32(own.read()), floatsOf(file, name), TOLERANCES.exact))
    }
    return checks
  } finally {
    pth.close()
  }
}

const RATES = 'lr_schedule.json'

interface ScheduleJson {
  readonly iters: number
  readonly epochs: number
  readonly base_lr: number
  readonly sched: SchedulerJson
  readonly lr_run_length: readonly (readonly [rate: number, count: number])[]
  readonly n?: number
  readonly scheduler_state?: Readonly<Record<string, unknown>>
}

/** Rates are equal to the last bits of float64. */
const RATE_TOLERANCE = { ofLargest: 1e-12 }

/** The raw list is of the published settings whatever the folder's own. */
const RAW: ReferenceSchedule = { baseRate: 1e-5, minRate: 1e-6, warmupRate: 1e-6, warmupUnits: 20, periodEpochs: 30 }

function scheduleCase(folder: GoldenFolder): Check[] {
  const recorded = folder.json<Record<string, ScheduleJson | readonly number[]>>(RATES)
  return Object.entries(recorded).flatMap(([name, want]) => {
    if (!('sched' in want)) return [compareNumbers(name, want.map((_, t) => cosineRateAt(RAW, t)), want, RATE_TOLERANCE)]
    for (const [part, why] of Object.entries(SCHEDULE_UNUSED)) folder.leaveOut(RATES, `${name}.sched.${part}`, why)
    const rates = want.lr_run_length.flatMap(([rate, count]) => Array.from({ length: count }, () => rate))
    const got = Array.from({ length: want.epochs * want.iters }, (_, i) => referenceRate(scheduleOf(want), Math.floor(i / want.iters), i % want.iters))
    return [
      compareNumbers(name, got, rates, RATE_TOLERANCE),
      ...scheduleChecks(name, want.sched),
      ...(want.n === undefined ? [] : [compareExactly(`${name}: iterations`, want.epochs * want.iters, want.n)]),
      ...(want.scheduler_state ? schedulerChecks(name, want.scheduler_state, want.sched, [want.base_lr]) : []),
    ]
  })
}

function scheduleOf({ base_lr: baseRate, sched }: ScheduleJson): ReferenceSchedule {
  return { baseRate, minRate: sched.min_lr, warmupRate: sched.warmup_lr, warmupUnits: sched.warmup_epochs, periodEpochs: sched.epochs }
}
