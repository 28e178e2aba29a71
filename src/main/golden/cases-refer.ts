/** RefCOCO+ and RefCLEF on recorded maps: expressions, points, a detector's boxes, what counts where, and where the published code stops. */
import { readFileSync } from 'node:fs'
import { boxScores } from '../eval/detections.ts'
import { DETECTOR_PUBLISHED, judge, publishedResult, withDetections, type Found } from '../eval/run.ts'
import { FIXED_KEYS, RESULT_KEYS } from '../eval/protocol.ts'
import { readDetections, readExpressions, referSamples, referTables, type Expression, type Instances } from '../eval/refer.ts'
import type { EvalSample, SampleResult, XywhBox } from '../eval/types.ts'
import { upsampleBicubic } from '../eval/upsample.ts'
import type { HeatByPlace } from './cases-metrics.ts'
import { compareExactly, compareNumbers, failed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import { recordedMapChecks, type RecordedPoint } from './points.ts'
import type { GoldenCase } from './setup.ts'

type SetName = 'refcoco+' | 'refclef'

interface RecordedBox extends Omit<RecordedPoint, 'point'> {
  readonly scores: readonly (number | 'nan' | 'inf' | '-inf')[]
  readonly pred_box: XywhBox
  readonly iou: number
}

interface Recorded<R> {
  readonly metrics: Readonly<Record<string, number>>
  readonly log: readonly R[]
}

/** RefCLEF's file is one result; RefCOCO+'s holds several by name. */
type ExpectedJson = Readonly<Record<string, unknown>> & {
  readonly order?: readonly number[]
  readonly result_order_ref_ids?: readonly number[]
  readonly splits_from_annotation_json?: readonly string[]
  readonly ref_splits?: readonly string[]
}

interface FullInstances extends Instances {
  readonly annotations: readonly (Instances['annotations'][number] & { readonly image_id: number; readonly category_id: number })[]
}

/** Size of a map for the figures that are not recorded here. */
const MASK_SIZE = 16
/** Sums of many pixels. */
const SUMS = { ofLargest: 2e-5 }
const WITH_BOXES = /^on_bbox_true_alpha(\d+(?:\.\d+)?)$/
const STOPS = ['first_sample_no_positive_det', 'empty_split', 'nan_heatmap']

export function referCases(folder: GoldenFolder, set: SetName, heat: HeatByPlace): GoldenCase[] {
  const name = `metrics/${set}/expected.json`
  const json = folder.json<ExpectedJson>(name)
  const point = 'log' in json ? (json as unknown as Recorded<RecordedPoint>) : (json['on_bbox_false'] as Recorded<RecordedPoint> | undefined)
  const cases: GoldenCase[] = [{ name: `records ${set}`, run: async () => recordChecks(folder, set) }]
  if (point) cases.push({ name: `pointing game ${set}`, run: async () => pointCase(setup(), point) })
  for (const key of Object.keys(json)) {
    const alpha = WITH_BOXES.exec(key)?.[1]
    if (alpha) cases.push({ name: `detector's boxes ${set}, alpha ${alpha}`, run: async () => boxCase(setup(), json[key] as Recorded<RecordedBox>, Number(alpha)) })
    if (STOPS.includes(key)) folder.leaveOut(name, key, 'the message with which the published code stops; here the evaluation goes on and says so, which is compared')
  }
  if (STOPS.some((key) => key in json)) cases.push({ name: `where the published code stops, ${set}`, run: async () => stopChecks(setup(), Object.keys(json)) })
  folder.leaveOut(name, 'notes', 'words for readers')
  return cases

  function setup(): ReferSetup {
    return { folder, set, heat, json, ...tablesOf(folder, set) }
  }
}

interface ReferSetup {
  readonly folder: GoldenFolder
  readonly set: SetName
  readonly heat: HeatByPlace
  readonly json: ExpectedJson
  readonly tables: ReturnType<typeof referTables>
  readonly expressions: readonly Expression[]
}

const fileOf = (set: SetName, name: string): string => `metrics/${set}/${name}`

function tablesOf(folder: GoldenFolder, set: SetName): Pick<ReferSetup, 'tables' | 'expressions'> {
  const [pickle, instances] = [fileOf(set, 'refs(unc).p'), fileOf(set, 'instances.json')]
  const expressions = readExpressions(readFileSync(folder.path(pickle)), pickle)
  return { expressions, tables: referTables(expressions, folder.json<Instances>(instances), instances) }
}

/** In the order of the evaluation: what counts, of all expressions; for RefCLEF, whose test file has splits of its own, all. */
function samplesOf({ folder, set, json, tables, expressions }: ReferSetup): EvalSample[] {
  const boxes = fileOf(set, 'dets.json')
  const detections = folder.has(boxes) ? readDetections(folder.json(boxes), boxes) : null
  if (folder.has(boxes)) folder.leaveOut(boxes, '', 'numbers after x, y, w, h: scores, which nothing depends on')
  const order = json.order ?? json.result_order_ref_ids ?? []
  const splits = json.splits_from_annotation_json
  const common = { tables, detections, imagesDir: '' }
  if (splits) {
    const entries = order.map((id, i) => ({ image: `${id}`, text: expressions.find(({ ref_id: one }) => one === id)?.sentences[0]?.sent ?? '', ref_id: id, split: splits[i]! }))
    return referSamples({ ...common, tests: [{ path: 'order', entries }], splitFrom: 'file' })
  }
  // One map is recorded for each expression, whatever the number of its sentences.
  const isFirst = ({ id }: EvalSample): boolean => !id.includes('/')
  const counted = new Map([...tables.expressions].filter(([, { split }]) => RESULT_KEYS[set](split) !== null))
  return referSamples({ ...common, tables: { ...tables, expressions: counted }, tests: null, splitFrom: 'expressions' }).filter(isFirst)
}

/** All samples judged with one exponent. */
function evaluated(setup: ReferSetup, alpha: number): { samples: EvalSample[]; results: SampleResult[]; found: Found[] } {
  const samples = samplesOf(setup)
  const found = samples.map((sample) => judge(sample, { grid: setup.heat(placeOf(setup, sample)), matchProbability: null }, sample.image.size!, MASK_SIZE, alpha))
  return { samples, found, results: withDetections(samples, found, []) }
}

const placeOf = ({ expressions }: ReferSetup, { id }: Pick<EvalSample, 'id'>): number => expressions.findIndex((one) => `${one.ref_id}` === id)

function pointCase(setup: ReferSetup, { log, metrics }: Recorded<RecordedPoint>): Check[] {
  const { samples, results } = evaluated(setup, 0.5)
  return [
    ...orderChecks(setup, samples, log),
    ...log.flatMap((record, i): Check[] => {
      const [sample, result] = [samples[i], results[i]]
      if (!sample || !result) return [failed(`${record.ref_id}`, 'it is not among the samples')]
      return [
        compareExactly(`${record.ref_id}: point`, result.point && [result.point.x, result.point.y], record.point),
        compareExactly(`${record.ref_id}: hit`, result.scores['pointing'] === 1, record.hit),
        ...sampleChecks(setup, sample, record),
      ]
    }),
    compareExactly('shares of hits', publishedOf(setup, results, 'pointing'), metrics),
  ]
}

function boxCase(setup: ReferSetup, { log, metrics }: Recorded<RecordedBox>, alpha: number): Check[] {
  const { samples, results } = evaluated(setup, alpha)
  return [
    ...orderChecks(setup, samples, log),
    ...log.flatMap((record, i): Check[] => {
      const [sample, detection] = [samples[i], results[i]?.detection]
      if (!sample?.detections || !detection) return [failed(`${record.ref_id}`, "it has no detector's boxes")]
      const scores = boxScores(upsampleBicubic(setup.heat(placeOf(setup, sample)), sample.image.size!), sample.image.size!, sample.detections, alpha)
      return [
        compareNumbers(`${record.ref_id}: scores of the boxes`, scores, record.scores.map((score) => (score === 'nan' ? NaN : Number(String(score).replace('inf', 'Infinity')))), SUMS),
        compareExactly(`${record.ref_id}: chosen box`, detection.box, record.pred_box),
        compareExactly(`${record.ref_id}: IoU`, detection.iou, record.iou),
        compareExactly(`${record.ref_id}: hit`, detection.iou >= 0.5, record.hit),
        ...sampleChecks(setup, sample, record),
      ]
    }),
    compareExactly('shares of hits', publishedOf(setup, results, DETECTOR_PUBLISHED), metrics),
  ]
}

const publishedOf = ({ set }: ReferSetup, results: readonly SampleResult[], metric: string): Record<string, number | null> =>
  publishedResult(results, RESULT_KEYS[set], FIXED_KEYS[set], metric)

function orderChecks({ json }: ReferSetup, samples: readonly EvalSample[], log: readonly { readonly ref_id: number }[]): Check[] {
  const got = samples.map(({ id }) => Number(id))
  const order = json.order ?? json.result_order_ref_ids
  return [
    compareExactly('order of the log', got, log.map((record) => record.ref_id)),
    ...(order ? [compareExactly('order', got, order)] : []),
  ]
}

function sampleChecks(setup: ReferSetup, sample: EvalSample, record: Omit<RecordedPoint, 'point'>): Check[] {
  const size = sample.image.size!
  return [
    compareExactly(`${record.ref_id}: box`, sample.referred, record.ref_box),
    compareExactly(`${record.ref_id}: height and width`, [size.height, size.width], record.hw),
    ...(record.split === undefined ? [] : [compareExactly(`${record.ref_id}: split`, sample.split, record.split)]),
    ...recordedMapChecks(setup.heat(placeOf(setup, sample)), record),
  ]
}

/** The pickle as its JSON twin says; expressions and objects belong together. */
function recordChecks(folder: GoldenFolder, set: SetName): Check[] {
  const { expressions } = tablesOf(folder, set)
  const [twin, instances] = [fileOf(set, 'refs_unc_as_json.json'), fileOf(set, 'instances.json')]
  const { annotations } = folder.json<FullInstances>(instances)
  for (const part of ['annotations[].area', 'annotations[].iscrowd', 'annotations[].segmentation', 'images[].file_name', 'categories']) {
    folder.leaveOut(instances, part, 'nothing in the evaluation depends on it')
  }
  const { ref_splits: splits } = folder.json<ExpectedJson>(fileOf(set, 'expected.json'))
  const byId = new Map(annotations.map((annotation) => [annotation.id, annotation]))
  const splitOf = new Map(expressions.map(({ ann_id: id, split }) => [id, split]))
  annotations.forEach(({ id }, i) => {
    const split = splitOf.get(id)
    if (split === undefined) folder.leaveOut(instances, `annotations[${i}]`, 'no expression refers to it')
    else if (set === 'refcoco+' && RESULT_KEYS[set](split) === null) folder.leaveOut(instances, `annotations[${i}].bbox`, `expressions of the split ${split} are not evaluated`)
  })
  return [
    ...(folder.has(twin) ? [compareExactly('refs(unc).p', expressions, folder.json<unknown>(twin))] : []),
    ...(splits ? [compareExactly('splits of the expressions', expressions.map(({ split }) => split), splits)] : []),
    ...expressions.map((one) => objectCheck(byId.get(one.ann_id), one as FullExpression)),
  ]
}

type FullExpression = Expression & { readonly category_id: number }

function objectCheck(annotation: FullInstances['annotations'][number] | undefined, expression: FullExpression): Check {
  const what = `object of expression ${expression.ref_id}`
  if (!annotation) return failed(what, 'it is not among the instances')
  return compareExactly(what, [annotation.image_id, annotation.category_id], [expression.image_id, expression.category_id])
}

/** No box with heat at the very first, no sample in a split, a map that is not a number: a miss, no value, a miss, and said. */
function stopChecks(setup: ReferSetup, keys: readonly string[]): Check[] {
  const checks: Check[] = []
  const { samples, found } = evaluated(setup, 0.5)
  if (keys.includes('first_sample_no_positive_det')) {
    const at = found.findIndex(({ chosen }) => chosen === null)
    const notes: string[] = []
    const [result] = at < 0 ? [] : withDetections(samples.slice(at), found.slice(at), notes)
    checks.push(compareExactly('first sample without a box', [result?.detection?.box, result?.detection?.iou, notes.some((note) => note.includes('the published code stops'))], [null, 0, true]))
  }
  if (keys.includes('empty_split')) {
    checks.push(compareExactly('splits without samples', Object.values(publishedOf(setup, [], 'pointing')), FIXED_KEYS[setup.set].map(() => null)))
  }
  if (keys.includes('nan_heatmap')) {
    const grid = setup.heat(0)
    const { result, chosen } = judge(samples[0]!, { grid: { ...grid, values: grid.values.slice().fill(NaN) }, matchProbability: null }, samples[0]!.image.size!, MASK_SIZE, 0.5)
    checks.push(compareExactly('a map that is not a number', [result.point, result.scores['pointing'], result.error !== undefined, chosen], [null, 0, true, null]))
  }
  return checks
}
