/** Metrics of the evaluation sets on recorded maps, by the product's own readers and figures. */
import { publishedIou } from '../eval/detections.ts'
import { prepareImage } from '../eval/images.ts'
import type { XywhBox } from '../eval/types.ts'
import { upsampleBicubic } from '../eval/upsample.ts'
import type { HeatGrid } from '../../shared/consistency.ts'
import { pointStrictlyInside, type Box } from '../../shared/geometry.ts'
import { flickrCases, UNITS } from './cases-flickr.ts'
import { referCases } from './cases-refer.ts'
import { compareExactly, compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, tensorOf, type GoldenFolder } from './folder.ts'
import type { GoldenCase } from './setup.ts'

const TENSORS = 'metrics/metrics.safetensors'
const SETS = ['refcoco+', 'refclef', 'flickr']

export function metricCases(folder: GoldenFolder): GoldenCase[] {
  const cases: GoldenCase[] = []
  if (folder.has(TENSORS)) {
    for (const set of SETS.filter((one) => folder.has(`metrics/${one}/expected.json`))) {
      const heat = heatsOf(folder, set)
      cases.push(...(set === 'flickr' ? flickrCases(folder, heat) : referCases(folder, set as 'refcoco+' | 'refclef', heat)))
    }
    cases.push({ name: 'upsampled maps', run: () => upsampledCase(folder) })
  }
  if (folder.has(UNITS)) cases.push({ name: 'points and boxes', run: async () => unitChecks(folder) })
  return cases
}

/** A recorded map by its place in preds_SET. */
export type HeatByPlace = (place: number) => HeatGrid & { readonly values: Float32Array }

/** preds_refcoco of metrics/refcoco+, and so on; read when the first map is asked for. */
function heatsOf(folder: GoldenFolder, set: string): HeatByPlace {
  const name = `preds_${set.replace('+', '')}`
  const file = folder.tensors(TENSORS)
  return (place) => {
    const [count, height, width] = tensorOf(file, name).shape as [number, number, number]
    if (!(place >= 0 && place < count)) throw new Error(`${name} has ${count} maps; ${place} is asked for`)
    return { width, height, values: floatsOf(file, name).subarray(place * width * height, (place + 1) * width * height) }
  }
}

/** up_SET_ID: the whole map of a record at its image's size; SET_imageN_Spx: an image as the model takes it. */
async function upsampledCase(folder: GoldenFolder): Promise<Check[]> {
  const file = folder.tensors(TENSORS)
  const checks: Check[] = []
  for (const name of file.tensors.keys()) {
    const [, short, id] = /^(?:up|preds)_([a-z]+)(?:_(\d+))?$/.exec(name) ?? []
    const set = SETS.find((one) => one.replace('+', '') === short)
    if (set && id === undefined) continue // the maps themselves: compared by the cases of their set
    if (set) {
      const [height, width] = tensorOf(file, name).shape as [number, number]
      checks.push(compareNumbers(name, upsampleBicubic(heatsOf(folder, set)(placeOf(folder, set, Number(id))), { width, height }), floatsOf(file, name), TOLERANCES.evaluation))
    } else checks.push(await imageCheck(folder, name))
  }
  return checks
}

/** Maps are recorded in the order of the expressions; those of Flickr30k are named by their place. */
function placeOf(folder: GoldenFolder, set: string, id: number): number {
  const name = `metrics/${set}/refs_unc_as_json.json`
  return folder.has(name) ? folder.json<readonly { readonly ref_id: number }[]>(name).findIndex((ref) => ref.ref_id === id) : id
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
  const { planes } = await prepareImage(folder.path(path), { side, resize: 'linear', orientation: 'as stored' })
  return compareNumbers(name, planes, floatsOf(folder.tensors(TENSORS), name), TOLERANCES.exact)
}

interface UnitJson {
  readonly point?: readonly { readonly fn: string; readonly box: Box; readonly pt: readonly [number, number]; readonly out: boolean }[]
  readonly iou?: readonly { readonly fn: string; readonly a: XywhBox; readonly b: XywhBox; readonly out: number }[]
}

function unitChecks(folder: GoldenFolder): Check[] {
  const { point = [], iou = [] } = folder.json<UnitJson>(UNITS)
  return [
    ...point.map(({ fn, box, pt, out }) => {
      const what = `${fn} ${JSON.stringify(box)} ${JSON.stringify(pt)}`
      if (fn !== 'point_in_box_xywh' && fn !== 'point_in_box_xyxy') return failed(what, 'nothing here computes it')
      const corners: Box = fn === 'point_in_box_xywh' ? [box[0], box[1], box[0] + box[2], box[1] + box[3]] : box
      return compareExactly(what, pointStrictlyInside(pt[0], pt[1], corners), out)
    }),
    ...iou.map(({ fn, a, b, out }) => {
      const what = `${fn} ${JSON.stringify(a)} ${JSON.stringify(b)}`
      return fn === 'computeIoU_xywh' ? compareExactly(what, publishedIou(a, b), out) : failed(what, 'nothing here computes it')
    }),
  ]
}
