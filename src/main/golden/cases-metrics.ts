/** Metrics of the evaluation sets on recorded maps: points, hits, shares, upsampled maps. */
import { readFileSync } from 'node:fs'
import { PyTuple, readPickle } from '../checkpoints/pickle.ts'
import { decodeRgb } from '../images/decode.ts'
import { TRAINING_LEVELS } from '../train/pixels.ts'
import { resizeLinear } from '../train/resize.ts'
import type { HeatGrid } from '../../shared/consistency.ts'
import { pointStrictlyInside, type Box } from '../../shared/geometry.ts'
import { planes } from './cases-preparation.ts'
import { compareExactly, compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, tensorOf, type GoldenFolder } from './folder.ts'
import { pointChecks, upsampleBicubic, type RecordedPoint } from './points.ts'
import type { GoldenCase } from './setup.ts'

const TENSORS = 'metrics/metrics.safetensors'
const UNITS = 'metrics/unit_cases.json'

interface PointResults {
  readonly metrics: Readonly<Record<string, number>>
  readonly log: readonly RecordedPoint[]
}

interface RefJson {
  readonly ref_id: number
  readonly ann_id: number
  readonly image_id: number
  readonly split: string
}

interface InstancesJson {
  readonly images: readonly { readonly id: number; readonly width: number; readonly height: number }[]
  readonly annotations: readonly { readonly id: number; readonly bbox: Box }[]
}

export function metricCases(folder: GoldenFolder): GoldenCase[] {
  const cases: GoldenCase[] = []
  if (folder.has(TENSORS)) {
    for (const set of ['refcoco+', 'refclef', 'flickr']) {
      if (folder.has(`metrics/${set}/expected.json`)) cases.push({ name: `pointing game ${set}`, run: async () => pointCase(folder, set) })
      if (folder.has(`metrics/${set}/refs(unc).p`)) cases.push({ name: `records ${set}`, run: async () => recordChecks(folder, set) })
    }
    cases.push({ name: 'upsampled maps', run: () => upsampledCase(folder) })
  }
  if (folder.has(UNITS)) cases.push({ name: 'points in boxes', run: async () => unitChecks(folder) })
  return cases
}

/** preds_refcoco of metrics/refcoco+, by the place of a record in its list. */
function heats(folder: GoldenFolder, set: string): (index: number) => HeatGrid {
  const name = `preds_${set.replace('+', '')}`
  const file = folder.tensors(TENSORS)
  const [, height, width] = tensorOf(file, name).shape as [number, number, number]
  const values = floatsOf(file, name)
  return (index) => ({ width, height, values: values.subarray(index * width * height, (index + 1) * width * height) })
}

const refsOf = (folder: GoldenFolder, set: string): readonly RefJson[] | null => {
  const name = `metrics/${set}/refs_unc_as_json.json`
  return folder.has(name) ? folder.json<readonly RefJson[]>(name) : null
}

function pointCase(folder: GoldenFolder, set: string): Check[] {
  const name = `metrics/${set}/expected.json`
  const json = folder.json<Readonly<Record<string, unknown>>>(name)
  const points = ('log' in json ? json : json['on_bbox_false']) as PointResults | undefined
  if (!points) return [failed(name, 'it holds no points')]
  for (const key of Object.keys(json)) if (!COMPARED.includes(key)) folder.leaveOut(name, key)
  const [heat, refs] = [heats(folder, set), refsOf(folder, set)]
  const order = (json['result_order_ref_ids'] ?? json['order']) as readonly number[] | undefined
  const splits = json['splits_from_annotation_json'] as readonly string[] | undefined
  const place = (id: number): number => (refs ? refs.findIndex((ref) => ref.ref_id === id) : id)
  const checks = pointChecks(
    (_, { ref_id: id }) => heat(place(id)), points.log, points.metrics,
    ({ ref_id: id, split }, at) => splits?.[at] ?? refs?.[place(id)]?.split ?? split ?? '',
  )
  if (order) checks.push(compareExactly('order', points.log.map((record) => record.ref_id), order))
  return checks
}

const COMPARED = ['on_bbox_false', 'metrics', 'log', 'result_order_ref_ids', 'order', 'notes', 'splits_from_annotation_json', 'ref_splits']

/** The pickle as its JSON twin says; boxes and sizes of the log as the instances say. */
function recordChecks(folder: GoldenFolder, set: string): Check[] {
  const [pickle, twin, instances] = [`metrics/${set}/refs(unc).p`, `metrics/${set}/refs_unc_as_json.json`, `metrics/${set}/instances.json`]
  const read = readPickle(readFileSync(folder.path(pickle)), 0, { place: pickle, allowed: () => null })
  const checks = folder.has(twin) ? [compareExactly(pickle, plain(read.value), folder.json<unknown>(twin))] : []
  if (!folder.has(instances)) return checks
  const { images, annotations } = folder.json<InstancesJson>(instances)
  const json = folder.json<Readonly<Record<string, unknown>>>(`metrics/${set}/expected.json`)
  const { log } = ('log' in json ? json : json['on_bbox_false']) as PointResults
  const refs = plain(read.value) as RefJson[]
  return checks.concat(
    log.flatMap((record): Check[] => {
      const ref = refs.find(({ ref_id: id }) => id === record.ref_id)
      const image = images.find(({ id }) => id === ref?.image_id)
      const annotation = annotations.find(({ id }) => id === ref?.ann_id)
      return [
        compareExactly(`${record.ref_id}: box`, annotation?.bbox, record.ref_box),
        compareExactly(`${record.ref_id}: height and width`, [image?.height, image?.width], record.hw),
      ]
    }),
  )
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]))
  if (value instanceof PyTuple) return value.items.map(plain)
  return Array.isArray(value) ? value.map(plain) : value
}

/** up_SET_ID: the whole map of a record at its image's size; SET_imageN_Spx: an image as the model takes it. */
async function upsampledCase(folder: GoldenFolder): Promise<Check[]> {
  const file = folder.tensors(TENSORS)
  const checks: Check[] = []
  for (const name of file.tensors.keys()) {
    if (name.startsWith('preds_')) continue
    const [, short, id] = /^up_(\w+)_(\d+)$/.exec(name) ?? []
    const set = ['refcoco+', 'refclef', 'flickr'].find((one) => one.replace('+', '') === short)
    if (set) {
      const [height, width] = tensorOf(file, name).shape as [number, number]
      const place = refsOf(folder, set)?.findIndex(({ ref_id: ref }) => ref === Number(id)) ?? Number(id)
      checks.push(compareNumbers(name, upsampleBicubic(heats(folder, set)(place), width, height), floatsOf(file, name), TOLERANCES.evaluation))
    } else checks.push(await imageCheck(folder, name))
  }
  return checks
}

interface ProcessedJson {
  readonly processed?: readonly { readonly index: number; readonly image: string }[]
}

async function imageCheck(folder: GoldenFolder, name: string): Promise<Check> {
  const [, set, index, size] = /^(\w+)_image(\d+)_(\d+)px$/.exec(name) ?? []
  const expected = `metrics/${set}/expected.json`
  const image = folder.has(expected) ? folder.json<ProcessedJson>(expected).processed?.find((one) => one.index === Number(index))?.image : undefined
  const path = `metrics/${set}/images/${image}.jpg`
  if (!image || !folder.has(path)) return failed(name, 'nothing here computes it')
  const side = Number(size)
  const got = planes(resizeLinear(await decodeRgb(folder.path(path)), side, side).data, side, TRAINING_LEVELS)
  return compareNumbers(name, got, floatsOf(folder.tensors(TENSORS), name), TOLERANCES.exact)
}

interface UnitJson {
  readonly point: readonly { readonly fn: string; readonly box: Box; readonly pt: readonly [number, number]; readonly out: boolean }[]
}

function unitChecks(folder: GoldenFolder): Check[] {
  const json = folder.json<UnitJson & Readonly<Record<string, unknown>>>(UNITS)
  for (const key of Object.keys(json)) if (key !== 'point') folder.leaveOut(UNITS, key)
  return json.point.map(({ fn, box, pt, out }) => {
    const corners: Box = fn.endsWith('xywh') ? [box[0], box[1], box[0] + box[2], box[1] + box[3]] : box
    return compareExactly(`${fn} ${JSON.stringify(box)} ${JSON.stringify(pt)}`, pointStrictlyInside(pt[0], pt[1], corners), out)
  })
}
