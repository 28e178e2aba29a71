/** What needs no model run: tokenizers, text cleaning, checkpoints, queues, position embeddings, learning rates. */
import { openPth, type PthFile } from '../checkpoints/pth.ts'
import { toFloat32, type HostTensor } from '../checkpoints/tensor-file.ts'
import { interpolatePositions } from '../model/load-params.ts'
import { enqueue } from '../model/momentum.ts'
import { preCaption } from '../model/pre-caption.ts'
import { tf } from '../model/tf.ts'
import { createTokenizer } from '../model/tokenizer.ts'
import type { FeatureQueues } from '../model/types.ts'
import { cosineRateAt, referenceRate, type ReferenceSchedule } from '../train/schedule.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, type GoldenFolder } from './folder.ts'
import { vocabularyOf, type GoldenCase } from './setup.ts'

export function partCases(folder: GoldenFolder): GoldenCase[] {
  const cases: GoldenCase[] = []
  const add = (needs: string, name: string, run: () => Promise<Check[]>): void => {
    if (folder.has(needs)) cases.push({ name, run })
  }
  for (const file of tokenizerFiles(folder)) add(file, file.replace(/\.json$/, ''), async () => tokenizerCase(folder, file))
  add('pre_caption.json', 'pre_caption', async () => captionCase(folder))
  for (const file of folder.files.filter((name) => /^[^/]*_tensors\.json$/.test(name))) {
    const stem = file.replace(/_tensors\.json$/, '')
    for (const pth of checkpointsOf(folder, stem)) add(pth, `checkpoint ${pth}`, () => checkpointCase(folder, pth, file))
  }
  add('queue_cases.json', 'queues', async () => queueCase(folder))
  add('pos_embed_interp.safetensors', 'position embeddings', async () => positionCase(folder))
  add('lr_schedule.json', 'learning rates', async () => scheduleCase(folder))
  for (const pth of folder.files.filter((name) => /^checkpoint_\d+\.pth$/.test(name))) {
    add('model_legacy.pth', `${pth} equals its legacy form`, () => sameTensors(folder, pth, 'model_legacy.pth'))
  }
  return cases
}

const tokenizerFiles = (folder: GoldenFolder): string[] => folder.files.filter((name) => /^tokenizer_\w+\.json$/.test(name))

interface TokenizerJson {
  readonly vocab_size: number
  readonly special: Readonly<Record<string, number>>
  readonly single: readonly { readonly text: string; readonly tokens: readonly string[]; readonly input_ids: readonly number[] }[]
  readonly [batch: string]: unknown
}

interface TokenBatchJson {
  readonly texts: readonly string[]
  readonly max_length?: number
  readonly input_ids: readonly (readonly number[])[]
  readonly attention_mask: readonly (readonly number[])[]
}

/** The vocabulary is the one of the size that the file names. */
function tokenizerCase(folder: GoldenFolder, file: string): Check[] {
  const recorded = folder.json<TokenizerJson>(file)
  const vocabulary = vocabularyOf(folder, recorded.vocab_size)
  if (!vocabulary) return [failed(file, `no vocabulary of ${recorded.vocab_size} words is in the folder`)]
  const tokenizer = createTokenizer(vocabulary)
  const checks = [compareExactly('special ids', sorted(tokenizer.special), sorted(recorded.special))]
  for (const { text, tokens, input_ids: ids } of recorded.single) {
    checks.push(compareExactly(`pieces of ${JSON.stringify(text)}`, tokenizer.tokenize(text), tokens))
    checks.push(compareExactly(`ids of ${JSON.stringify(text)}`, tokenizer.encode(text).ids, ids))
  }
  for (const [name, value] of Object.entries(recorded)) {
    if (!name.startsWith('batch')) continue
    const batch = value as TokenBatchJson
    const got = tokenizer.encodeBatch(batch.texts, batch.max_length)
    checks.push(compareExactly(`${name} ids`, Array.from(got.ids), batch.input_ids.flat()))
    checks.push(compareExactly(`${name} mask`, Array.from(got.mask), batch.attention_mask.flat()))
  }
  return checks
}

const sorted = (record: Readonly<Record<string, number>>): [string, number][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))

function captionCase(folder: GoldenFolder): Check[] {
  const cases = folder.json<{ inp: string; max_words: number; out: string }[]>('pre_caption.json')
  return cases.map(({ inp, max_words: words, out }) => compareExactly(JSON.stringify(inp), preCaption(inp, words), out))
}

/** x.pth, x_legacy.pth, and for a whole checkpoint the legacy form of its model alone. */
function checkpointsOf(folder: GoldenFolder, stem: string): string[] {
  const legacyModel = /^checkpoint_\d+$/.test(stem) ? ['model_legacy.pth'] : []
  return [`${stem}.pth`, `${stem}_legacy.pth`, ...legacyModel].filter((name) => folder.has(name))
}

interface ListedTensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly sum?: number | string
  readonly first: readonly (number | string)[]
  readonly last?: number | string
}

const DTYPES: Readonly<Record<string, string>> = {
  float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL',
}

/** Every listed tensor: name, type, shape, first and last values, and all values where they are recorded. */
async function checkpointCase(folder: GoldenFolder, pth: string, listing: string): Promise<Check[]> {
  const json = folder.json<readonly ListedTensor[] | { listing: readonly ListedTensor[]; values: Record<string, { data: readonly unknown[] }> }>(listing)
  const [listed, values] = 'listing' in json ? [json.listing, json.values] : [json, {} as Record<string, { data: readonly unknown[] }>]
  const file = await openPth(folder.path(pth))
  try {
    return listed.flatMap((want): Check[] => {
      const entry = [want.name, `model.${want.name}`].map((name) => file.tensors.get(name)).find(Boolean)
      if (!entry) return [failed(want.name, 'the file was read without it')]
      const tensor = entry.read()
      const numbers = Array.from(tensor.data as ArrayLike<number | bigint>, Number)
      const form = compareExactly(`${want.name}: type and shape`, [tensor.dtype, tensor.shape], [DTYPES[want.dtype], want.shape])
      const ends = compareNumbers(`${want.name}: first and last`, endsOf(numbers, want.first.length), [...want.first, ...lastOf(want)].map(asNumber), TOLERANCES.exact)
      const all = values[want.name]
      const whole = all ? compareNumbers(`${want.name}: values`, numbers, all.data.map(asNumber), TOLERANCES.exact) : sumCheck(want, tensor, numbers)
      return [form, ends, whole]
    })
  } finally {
    file.close()
  }
}

/** The same tensors in the same order with the same values. */
async function sameTensors(folder: GoldenFolder, name: string, other: string): Promise<Check[]> {
  const [a, b] = [await openPth(folder.path(name)), await openPth(folder.path(other))]
  try {
    const isModel = (key: string): boolean => key.startsWith('model.')
    const names = [...a.tensors.keys()].filter(isModel)
    const values = (file: PthFile, key: string): number[] => Array.from(file.tensors.get(key)!.read().data as ArrayLike<number | bigint>, Number)
    return [compareExactly('names', [...b.tensors.keys()].filter(isModel), names), ...names.map((key) => compareNumbers(key, values(b, key), values(a, key), TOLERANCES.exact))]
  } finally {
    a.close()
    b.close()
  }
}

const endsOf = (numbers: readonly number[], first: number): number[] => [...numbers.slice(0, first), ...numbers.slice(-1)]
const lastOf = ({ last }: ListedTensor): (number | string)[] => (last === undefined || last === null ? [] : [last])

/** Sums were taken in float64: the order of adding leaves the last bits open. */
function sumCheck({ name, sum }: ListedTensor, { data }: HostTensor, numbers: readonly number[]): Check {
  if (sum === undefined) return passed(`${name}: no sum recorded`)
  const got = numbers.reduce((total, value) => total + value, 0)
  const size = numbers.reduce((total, value) => total + Math.abs(value), 0)
  return compareNumbers(`${name}: sum`, [got], [asNumber(sum)], { absolute: 1e-12 * Math.max(1, size) * Math.max(1, Math.log2(data.length + 1)), text: 'sums to their rounding' })
}

function asNumber(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return Number(value)
  const word = value.toLowerCase()
  if (word === 'nan') return NaN
  return word.startsWith('-') ? -Infinity : Infinity
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

/** Pairs src... and dst... of [1, 1 + n * n, width]. */
function positionCase(folder: GoldenFolder): Check[] {
  const file = folder.tensors('pos_embed_interp.safetensors')
  return [...file.tensors.values()].flatMap((entry): Check[] => {
    if (!entry.name.startsWith('src')) return []
    const target = file.tensors.get(entry.name.replace(/^src/, 'dst'))
    if (!target) return [failed(entry.name, 'there is no tensor to compare with')]
    const got = interpolatePositions(toFloat32(entry.read()), entry.shape[1]!, target.shape[1]!, entry.shape[2]!)
    return [compareNumbers(entry.name, got, floatsOf(file, target.name), TOLERANCES.positions)]
  })
}

interface ScheduleJson {
  readonly iters: number
  readonly epochs: number
  readonly base_lr: number
  readonly sched: Readonly<Record<'epochs' | 'min_lr' | 'warmup_lr' | 'warmup_epochs', number>>
  readonly lr_run_length: readonly (readonly [rate: number, count: number])[]
}

/** Rates are equal to the last bits of float64. */
const RATE_TOLERANCE = { ofLargest: 1e-12 }

function scheduleCase(folder: GoldenFolder): Check[] {
  const recorded = folder.json<Record<string, ScheduleJson | readonly number[]>>('lr_schedule.json')
  return Object.entries(recorded).map(([name, want]) => {
    if (!('sched' in want)) {
      const first = Object.values(recorded).find((other): other is ScheduleJson => 'sched' in other)
      const schedule = first ? scheduleOf(rawDefaults(first)) : null
      if (!schedule) return failed(name, 'no schedule says what it is of')
      return compareNumbers(name, want.map((_, t) => cosineRateAt(schedule, t)), want, RATE_TOLERANCE)
    }
    const rates = want.lr_run_length.flatMap(([rate, count]) => Array.from({ length: count }, () => rate))
    const got = rates.map((_, i) => referenceRate(scheduleOf(want), Math.floor(i / want.iters), i % want.iters))
    return compareNumbers(name, got, rates, RATE_TOLERANCE)
  })
}

function scheduleOf({ base_lr: baseRate, sched }: Pick<ScheduleJson, 'base_lr' | 'sched'>): ReferenceSchedule {
  return { baseRate, minRate: sched.min_lr, warmupRate: sched.warmup_lr, warmupUnits: sched.warmup_epochs, periodEpochs: sched.epochs }
}

/** The raw list is of the published settings whatever the folder's own. */
function rawDefaults(json: ScheduleJson): Pick<ScheduleJson, 'base_lr' | 'sched'> {
  return { base_lr: 1e-5, sched: { ...json.sched, min_lr: 1e-6, epochs: 30, warmup_epochs: 20, warmup_lr: 1e-6 } }
}
