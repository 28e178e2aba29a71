/** Flickr30k Entities on recorded maps: the files as info-ground writes them, phrases and boxes in their order, points, shares. */
import { readImageHeader } from '../images/decode.ts'
import { flickrSamples, publishedSplit, readIds, type FlickrPart } from '../eval/flickr.ts'
import { judge, publishedResult } from '../eval/run.ts'
import { FIXED_KEYS, RESULT_KEYS } from '../eval/protocol.ts'
import type { EvalSample, SampleResult } from '../eval/types.ts'
import { preCaption } from '../model/pre-caption.ts'
import type { Box } from '../../shared/geometry.ts'
import type { HeatByPlace } from './cases-metrics.ts'
import { compareExactly, failed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import { recordedMapChecks, type RecordedPoint } from './points.ts'
import type { GoldenCase } from './setup.ts'

export const UNITS = 'metrics/unit_cases.json'
const DIR = 'metrics/flickr'
const EXPECTED = `${DIR}/expected.json`
/** Words of a phrase that the published reader keeps. */
const WORDS = 50

interface ExpectedJson {
  readonly metrics: Readonly<Record<string, number>>
  readonly log: readonly RecordedPoint[]
  readonly processed: readonly Processed[]
}

interface Processed {
  readonly index: number
  readonly image: string
  readonly phrase: string
  readonly split: string
  readonly boxes: readonly Box[]
  readonly h: number
  readonly w: number
}

interface FullBoxes {
  readonly boxes: Readonly<Record<string, readonly Box[]>>
  readonly width: number
  readonly height: number
  readonly scene: readonly string[]
  readonly nobox: readonly string[]
}

export function flickrCases(folder: GoldenFolder, heat: HeatByPlace): GoldenCase[] {
  return [
    { name: 'records flickr', run: () => recordChecks(folder) },
    { name: 'pointing game flickr', run: async () => pointCase(folder, heat) },
  ]
}

/** The lists of ids in the order in which their first image was evaluated. */
function partsOf(folder: GoldenFolder): (FlickrPart & { readonly name: string })[] {
  const images = folder.json<ExpectedJson>(EXPECTED).processed.map(({ image }) => image)
  const lists = folder.files.filter((name) => name.startsWith(`${DIR}/`) && name.endsWith('.txt'))
  const parts = lists.map((idsPath) => {
    const name = idsPath.slice(DIR.length + 1, -'.txt'.length)
    const places = { boxes: `${DIR}/bounding_boxes_${name}.json`, sentences: `${DIR}/sentences_${name}.json` }
    return {
      name, idsPath, ids: readIds(folder.text(idsPath)), places,
      boxes: folder.json<FlickrPart['boxes']>(places.boxes), sentences: folder.json<FlickrPart['sentences']>(places.sentences),
    }
  })
  return parts.sort((a, b) => images.indexOf(a.ids[0] ?? '') - images.indexOf(b.ids[0] ?? ''))
}

function samplesOf(folder: GoldenFolder): EvalSample[] {
  const samples: EvalSample[] = []
  for (const part of partsOf(folder)) samples.push(...flickrSamples(part, `${DIR}/images`, publishedSplit(part.idsPath), samples.length))
  return samples
}

async function recordChecks(folder: GoldenFolder): Promise<Check[]> {
  const { processed } = folder.json<ExpectedJson>(EXPECTED)
  const samples = samplesOf(folder)
  const sizes = new Map<string, { width: number; height: number }>()
  const checks: Check[] = [compareExactly('phrases with boxes', samples.length, processed.length)]
  for (const part of partsOf(folder)) {
    for (const id of part.ids) {
      const image = `${DIR}/images/${id}.jpg`
      const { width, height, boxes, scene, nobox } = part.boxes[id] as FlickrPart['boxes'][string] & FullBoxes
      if (!folder.has(image)) checks.push(failed(image, 'it is not in the folder'))
      else sizes.set(id, await readImageHeader(folder.path(image)))
      checks.push(
        compareExactly(`${id}: size of the image`, [sizes.get(id)?.width, sizes.get(id)?.height], [width, height]),
        compareExactly(`${id}: phrases without boxes`, [...scene, ...nobox].filter((phrase) => phrase in boxes), []),
      )
      for (const what of ['[].sentence', '[].phrases[].first_word_index', '[].phrases[].phrase_type']) {
        folder.leaveOut(part.places.sentences, `${id}${what}`, 'nothing in the evaluation depends on it')
      }
      part.sentences[id]?.forEach(({ phrases }, s) => phrases.forEach(({ phrase_id: phrase }, p) => {
        if (!(phrase in boxes)) folder.leaveOut(part.places.sentences, `${id}[${s}].phrases[${p}].phrase`, 'it has no box, so it is not evaluated')
      }))
    }
  }
  return [...checks, ...processed.flatMap((record, i) => phraseChecks(samples[i], record, sizes.get(record.image), i))]
}

function phraseChecks(sample: EvalSample | undefined, record: Processed, size: { width: number; height: number } | undefined, i: number): Check[] {
  const what = `phrase ${record.index}`
  if (!sample) return [failed(what, 'it is not among the samples')]
  return [
    compareExactly(`${what}: place`, [i, Number(sample.id)], [record.index, record.index]),
    compareExactly(`${what}: image`, sample.image.key, record.image),
    compareExactly(`${what}: words`, preCaption(sample.phrase, WORDS), record.phrase),
    compareExactly(`${what}: split`, sample.split, record.split),
    compareExactly(`${what}: boxes`, sample.boxes, record.boxes),
    compareExactly(`${what}: height and width`, [size?.height, size?.width], [record.h, record.w]),
  ]
}

function pointCase(folder: GoldenFolder, heat: HeatByPlace): Check[] {
  const { log, metrics, processed } = folder.json<ExpectedJson>(EXPECTED)
  const samples = samplesOf(folder)
  const results = samples.map((sample, i) => {
    const size = { width: processed[i]?.w ?? 1, height: processed[i]?.h ?? 1 }
    return judge(sample, { grid: heat(Number(sample.id)), matchProbability: null }, size, 16, 0.5).result
  })
  const checks = log.flatMap((record, i): Check[] => {
    const [sample, result] = [samples[i], results[i]]
    if (!sample || !result) return [failed(`${record.ref_id}`, 'it is not among the samples')]
    return [
      compareExactly(`${record.ref_id}: place`, Number(sample.id), record.ref_id),
      compareExactly(`${record.ref_id}: point`, result.point && [result.point.x, result.point.y], record.point),
      compareExactly(`${record.ref_id}: hit`, result.scores['pointing'] === 1, record.hit),
      compareExactly(`${record.ref_id}: boxes`, sample.boxes, record.boxes),
      compareExactly(`${record.ref_id}: split`, sample.split, record.split),
      compareExactly(`${record.ref_id}: height and width`, [processed[i]?.h, processed[i]?.w], record.hw),
      ...recordedMapChecks(heat(record.ref_id), record),
    ]
  })
  return [...checks, compareExactly('shares of hits', sorted(publishedOf(results)), sorted(metrics)), ...onlyChecks(folder, results)]
}

/** Which key comes first means nothing. */
const sorted = (shares: Readonly<Record<string, number | null>>): unknown => Object.entries(shares).sort(([a], [b]) => (a < b ? -1 : 1))

const publishedOf = (results: readonly SampleResult[]): Record<string, number | null> => publishedResult(results, RESULT_KEYS.flickr30k, FIXED_KEYS.flickr30k, 'pointing')

/** flickr_only_SPLIT_split: the result when the files of one split alone are evaluated has no key of the other. */
function onlyChecks(folder: GoldenFolder, results: readonly SampleResult[]): Check[] {
  if (!folder.has(UNITS)) return []
  const units = folder.json<Readonly<Record<string, unknown>>>(UNITS)
  return Object.keys(units).flatMap((key) => {
    const only = /^flickr_only_(\w+)_split$/.exec(key)?.[1]
    return only ? [compareExactly(key, sorted(publishedOf(results.filter(({ split }) => split === only))), sorted(units[key] as Readonly<Record<string, number>>))] : []
  })
}
