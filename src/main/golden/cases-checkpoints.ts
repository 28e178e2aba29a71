/** Checkpoints as files: every listed tensor, the two forms against each other, and everything that is saved beside the model. */
import { openPth, type PthFile } from '../checkpoints/pth.ts'
import { PyTuple } from '../checkpoints/pickle.ts'
import { isContiguous, TorchTensor } from '../checkpoints/torch-objects.ts'
import type { HostTensor } from '../checkpoints/tensor-file.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import { plain } from './plain.ts'
import { trainingStateChecks } from './training-state.ts'
import type { GoldenCase } from './setup.ts'

const LEGACY_MODEL = 'model_legacy.pth'

export function checkpointCases(folder: GoldenFolder): GoldenCase[] {
  const cases: GoldenCase[] = []
  for (const listing of folder.files.filter((name) => /^[^/]*_tensors\.json$/.test(name))) {
    const stem = listing.replace(/_tensors\.json$/, '')
    for (const pth of checkpointsOf(folder, stem)) cases.push({ name: `checkpoint ${pth}`, run: () => listedCase(folder, pth, listing) })
  }
  for (const [zip, legacy] of twins(folder)) cases.push({ name: `${zip} equals its legacy form`, run: () => sameCase(folder, zip, legacy) })
  for (const pth of folder.files.filter((name) => /^(checkpoint_\d+|ckpt_step\d+)\.pth$/.test(name))) {
    cases.push({ name: `training state of ${pth}`, run: () => stateCase(folder, pth) })
  }
  return cases
}

const isWhole = (name: string): boolean => /^checkpoint_\d+(\.pth)?$/.test(name)

/** x.pth, x_legacy.pth, and for a whole checkpoint the legacy form of its model alone. */
function checkpointsOf(folder: GoldenFolder, stem: string): string[] {
  return [`${stem}.pth`, `${stem}_legacy.pth`, ...(isWhole(stem) ? [LEGACY_MODEL] : [])].filter((name) => folder.has(name))
}

function twins(folder: GoldenFolder): [zip: string, legacy: string][] {
  return folder.files
    .filter((name) => /^[^/]+\.pth$/.test(name))
    .map((name): [string, string] => [name, isWhole(name) ? LEGACY_MODEL : name.replace(/\.pth$/, '_legacy.pth')])
    .filter(([, legacy]) => folder.has(legacy))
}

interface ListedTensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly stride?: readonly number[]
  readonly storage_offset?: number
  readonly contiguous?: boolean
  readonly sum?: number | string
  readonly first: readonly (number | string)[]
  readonly last?: number | string | null
}

interface ListedValues {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly unknown[]
}

type Listing = readonly ListedTensor[] | { readonly listing: readonly ListedTensor[]; readonly values: Readonly<Record<string, ListedValues>> }

const DTYPES: Readonly<Record<string, string>> = {
  float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL',
}

/** Every tensor of the file is listed, and every listed one has the type, shape, view, sum and values that are listed. */
async function listedCase(folder: GoldenFolder, pth: string, listing: string): Promise<Check[]> {
  const json = folder.json<Listing>(listing)
  const [listed, values] = 'listing' in json ? [json.listing, json.values] : [json, {} as Record<string, ListedValues>]
  const file = await openPth(folder.path(pth))
  try {
    const model = modelOf(file)
    const names = compareExactly('names of the tensors', [...model].filter(([, value]) => value instanceof TorchTensor).map(([name]) => name), listed.map(({ name }) => name))
    return [names, ...listed.flatMap((want) => {
      const tensor = model.get(want.name)
      return tensor instanceof TorchTensor ? tensorChecks(file, tensor, want, values[want.name]) : [failed(want.name, 'the file was read without it')]
    })]
  } finally {
    file.close()
  }
}

/** The named tensors: those under 'model', or of the object itself where it is a bare state. */
function modelOf(file: PthFile): ReadonlyMap<string, unknown> {
  const root = file.root as ReadonlyMap<string, unknown>
  const model = root.get('model')
  return model instanceof Map ? (model as ReadonlyMap<string, unknown>) : root
}

function tensorChecks(file: PthFile, view: TorchTensor, want: ListedTensor, all: ListedValues | undefined): Check[] {
  const tensor = file.entryOf(view, want.name).read()
  const numbers = numbersOf(tensor)
  const checks = [
    compareExactly(`${want.name}: type and shape`, [tensor.dtype, tensor.shape], [DTYPES[want.dtype], want.shape]),
    compareNumbers(`${want.name}: first and last`, [...numbers.slice(0, want.first.length), ...(want.last === undefined ? [] : numbers.slice(-1))], [...want.first, ...lastOf(want)].map(asNumber), TOLERANCES.exact),
    sumCheck(want, tensor, numbers),
  ]
  if (want.stride) checks.push(compareExactly(`${want.name}: stride`, view.stride, want.stride))
  if (want.storage_offset !== undefined) checks.push(compareExactly(`${want.name}: offset in its storage`, view.offset, want.storage_offset))
  // An empty tensor is contiguous whatever its strides.
  if (want.contiguous !== undefined) checks.push(compareExactly(`${want.name}: contiguous`, numbers.length === 0 || isContiguous(view.shape, view.stride), want.contiguous))
  if (!all) return checks
  return [
    ...checks,
    compareExactly(`${want.name}: type and shape of its values`, [all.dtype, all.shape], [want.dtype, want.shape]),
    compareNumbers(`${want.name}: values`, numbers, all.data.map(asNumber), TOLERANCES.exact),
  ]
}

const numbersOf = ({ data }: HostTensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number)

const lastOf = ({ last }: ListedTensor): (number | string)[] => (last === undefined || last === null ? [] : [last])

/** Sums were taken in float64: the order of adding leaves the last bits open. */
function sumCheck({ name, sum }: ListedTensor, { data }: HostTensor, numbers: readonly number[]): Check {
  if (sum === undefined) return passed(`${name}: no sum recorded`)
  const got = numbers.reduce((total, value) => total + value, 0)
  if (!Number.isFinite(got)) return compareNumbers(`${name}: sum`, [got], [asNumber(sum)], TOLERANCES.exact)
  const size = numbers.reduce((total, value) => total + Math.abs(value), 0)
  return compareNumbers(`${name}: sum`, [got], [asNumber(sum)], { absolute: 1e-12 * Math.max(1, size) * Math.max(1, Math.log2(data.length + 1)), text: 'sums to their rounding' })
}

function asNumber(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return Number(value)
  const word = value.toLowerCase()
  if (word === 'nan') return NaN
  if (/^[+]?inf(inity)?$/.test(word)) return Infinity
  if (/^-inf(inity)?$/.test(word)) return -Infinity
  return Number(value)
}

/** The same objects in the same order; tensors by type, shape and values. Of a whole checkpoint the legacy form holds the model alone. */
async function sameCase(folder: GoldenFolder, zip: string, legacy: string): Promise<Check[]> {
  const [a, b] = [await openPth(folder.path(zip)), await openPth(folder.path(legacy))]
  try {
    const root = a.root as ReadonlyMap<string, unknown>
    return sameChecks('', { file: b, value: b.root }, { file: a, value: legacy === LEGACY_MODEL ? new Map([['model', root.get('model')]]) : root })
  } finally {
    a.close()
    b.close()
  }
}

interface Saved {
  readonly file: PthFile
  readonly value: unknown
}

function sameChecks(what: string, got: Saved, want: Saved): Check[] {
  if (got.value instanceof TorchTensor && want.value instanceof TorchTensor) {
    const [a, b] = [got, want].map(({ file, value }) => file.entryOf(value as TorchTensor, what).read()) as [HostTensor, HostTensor]
    return [compareExactly(`${what}: type and shape`, [a.dtype, a.shape], [b.dtype, b.shape]), compareNumbers(what, numbersOf(a), numbersOf(b), TOLERANCES.exact)]
  }
  const [a, b] = [childrenOf(got.value), childrenOf(want.value)]
  if (!a || !b) return [compareExactly(what, plain(got.value), plain(want.value))]
  const checks = [compareExactly(`${what || 'names'}: keys`, [...a.keys()], [...b.keys()])]
  for (const [key, value] of b) checks.push(...sameChecks(what ? `${what}.${key}` : key, { file: got.file, value: a.get(key) }, { file: want.file, value }))
  return checks
}

function childrenOf(value: unknown): Map<string, unknown> | null {
  if (value instanceof Map) return new Map([...(value as ReadonlyMap<unknown, unknown>)].map(([key, child]) => [String(key), child]))
  const items: readonly unknown[] | null = value instanceof PyTuple ? value.items : Array.isArray(value) ? value : null
  return items && new Map(items.map((child, i) => [String(i), child]))
}

async function stateCase(folder: GoldenFolder, pth: string): Promise<Check[]> {
  const file = await openPth(folder.path(pth))
  try {
    return await trainingStateChecks(folder, pth, file)
  } finally {
    file.close()
  }
}
