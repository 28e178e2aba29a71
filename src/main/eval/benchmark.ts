/** Finds the files of a protocol below a folder, and reads them into samples. */
import { existsSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join, relative, resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { parseBenchmarkJson, readBenchmarkFile } from './files.ts'
import { flickrSamples, publishedSplit, readIds, splitByName, type FlickrPart } from './flickr.ts'
import { readAnnotation, readSentences } from './flickr-original.ts'
import { RESULT_KEYS, type Protocol } from './protocol.ts'
import { asExpressions, readDetections, readExpressions, referSamples, referTables, type Instances, type TestEntry } from './refer.ts'
import type { Benchmark } from './types.ts'

export interface BenchmarkFiles {
  readonly dataDir: string
  /** Instead of the protocol's own places, by their names in `files`. Relative paths are taken as they are. */
  readonly given?: Readonly<Partial<Record<'ids' | 'boxes' | 'sentences' | 'refs' | 'instances' | 'tests' | 'detections' | 'images', readonly string[]>>>
  readonly withoutDetections?: boolean
  /** 'path' as published: val when the path of the ids' file has the letters val anywhere. 'name': only its own name is looked at. */
  readonly splitBy?: 'path' | 'name'
}

/** A benchmark with the files it was read from. */
export interface ReadBenchmark extends Benchmark {
  readonly imagesDir: string
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
}

const FILES_AT_ONCE = 16

/** @throws AppError 'not-found' naming the places where a file was looked for; 'bad-input' when a file is not what it should be */
export async function readBenchmark(protocol: Protocol, input: BenchmarkFiles): Promise<ReadBenchmark> {
  const files: { path: string; sha256: string }[] = []
  const note = (path: string, sha256: string): void => void files.push({ path: shown(input, path), sha256 })
  const read = async (path: string): Promise<Buffer> => {
    const bytes = await readBenchmarkFile(path)
    note(path, createHash('sha256').update(bytes).digest('hex'))
    return bytes
  }
  const json = async (path: string): Promise<unknown> => parseBenchmarkJson((await read(path)).toString('utf8'), path)
  const imagesDir = placeOf(protocol, input, 'images', 'folder of the images')
  const source: Source = { protocol, input, imagesDir, read, json, note }
  const { samples, notes } = protocol.reader === 'refer' ? await readRefer(source) : await readFlickr(source)
  if (samples.length === 0) throw new AppError('bad-input', `The files of ${protocol.title} hold no phrase with a box.`, 'Check the folder given with --data.', input.dataDir)
  return { samples, notes, imagesDir, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

interface Source {
  readonly protocol: Protocol
  readonly input: BenchmarkFiles
  readonly imagesDir: string
  readonly read: (path: string) => Promise<Buffer>
  readonly json: (path: string) => Promise<unknown>
  /** Remembers what a file or a folder of files held. */
  readonly note: (path: string, sha256: string) => void
}

type FileName = keyof Protocol['files']

const shown = ({ dataDir }: BenchmarkFiles, path: string): string => {
  const below = relative(resolve(dataDir), resolve(path))
  return below.startsWith('..') ? resolve(path) : below
}

/** Where a file is; the first place that exists. */
function findPlace({ files }: Protocol, { dataDir, given }: BenchmarkFiles, name: FileName, split = ''): string | null {
  const own = given?.[name]?.[0]
  if (own !== undefined) return own
  const places = (files[name] ?? []).map((place) => join(dataDir, place.replaceAll('{split}', split)))
  return places.find((place) => existsSync(place)) ?? null
}

function placeOf(protocol: Protocol, input: BenchmarkFiles, name: FileName, what: string, split = ''): string {
  const place = findPlace(protocol, input, name, split)
  if (place !== null) return place
  const places = (protocol.files[name] ?? []).map((one) => one.replaceAll('{split}', split)).join(', ')
  throw new AppError('not-found', `The ${what} of ${protocol.title} is not in ${input.dataDir}: looked for ${places}.`, `Name it with --${OPTION_OF[name]}.`, input.dataDir)
}

/** The options of the command line that name a file. */
export const OPTION_OF: Readonly<Record<FileName, string>> = {
  ids: 'ids', boxes: 'boxes', sentences: 'sentences', refs: 'refs', instances: 'instances', tests: 'test-file', detections: 'detections', images: 'images',
}

interface Part {
  readonly ids: string
  readonly boxes: string
  readonly sentences: string
}

async function readFlickr(source: Source): Promise<Benchmark> {
  const { protocol, input, imagesDir } = source
  const samples: Benchmark['samples'][number][] = []
  const notes: string[] = []
  for (const part of flickrParts(source)) {
    const byPath = publishedSplit(shown(input, part.ids))
    const byName = splitByName(part.ids)
    if (byPath !== byName) {
      notes.push(`${part.ids} counts as ${input.splitBy === 'name' ? byName : byPath}, by its ${input.splitBy === 'name' ? 'own name' : 'whole path, as published'}; by its ${input.splitBy === 'name' ? 'whole path, as published' : 'own name'} it would be ${input.splitBy === 'name' ? byPath : byName}.`)
    }
    const read = protocol.reader === 'info-ground' ? await readPrepared(source, part) : await readFolders(source, part)
    samples.push(...flickrSamples(read, imagesDir, input.splitBy === 'name' ? byName : byPath, samples.length))
  }
  return { samples, notes }
}

/** One part for each list of ids: those given, or the protocol's splits that are there. */
function flickrParts({ protocol, input }: Source): Part[] {
  const { given = {} } = input
  const lists = [given.ids, given.boxes, given.sentences]
  if (given.ids) {
    const isFolders = protocol.reader === 'flickr30k-folders'
    const place = (name: 'boxes' | 'sentences', i: number): string => {
      const own = given[name]
      if (own === undefined) return placeOf(protocol, input, name, NAMES[name], splitByName(given.ids![i]!))
      return own[isFolders ? Math.min(i, own.length - 1) : i]!
    }
    if (!isFolders && lists.some((list) => list !== undefined && list.length !== given.ids!.length)) {
      throw new AppError('usage', 'There must be as many files of boxes and of sentences as lists of ids.', 'Give --ids, --boxes and --sentences equally often, in the same order.')
    }
    return given.ids.map((ids, i) => ({ ids, boxes: place('boxes', i), sentences: place('sentences', i) }))
  }
  const splits = protocol.splits.filter((split) => findPlace(protocol, input, 'ids', split) !== null)
  if (splits.length === 0) placeOf(protocol, input, 'ids', NAMES.ids, protocol.splits[0])
  return splits.map((split) => ({
    ids: placeOf(protocol, input, 'ids', NAMES.ids, split), boxes: placeOf(protocol, input, 'boxes', NAMES.boxes, split), sentences: placeOf(protocol, input, 'sentences', NAMES.sentences, split),
  }))
}

const NAMES = { ids: 'list of image ids', boxes: 'boxes', sentences: 'sentences' } as const

async function readPrepared({ read, json }: Source, { ids, boxes, sentences }: Part): Promise<FlickrPart> {
  return {
    idsPath: ids,
    ids: readIds((await read(ids)).toString('utf8')),
    boxes: (await json(boxes)) as FlickrPart['boxes'],
    sentences: (await json(sentences)) as FlickrPart['sentences'],
    places: { boxes, sentences },
  }
}

async function readFolders({ read, note }: Source, { ids: idsPath, boxes, sentences }: Part): Promise<FlickrPart> {
  const ids = readIds((await read(idsPath)).toString('utf8'))
  const annotations: Record<string, ReturnType<typeof readAnnotation>> = {}
  const spoken: Record<string, ReturnType<typeof readSentences>> = {}
  const [boxHash, sentenceHash] = [createHash('sha256'), createHash('sha256')]
  for (let from = 0; from < ids.length; from += FILES_AT_ONCE) {
    const some = ids.slice(from, from + FILES_AT_ONCE).map((id) => ({ id, xml: join(boxes, `${id}.xml`), txt: join(sentences, `${id}.txt`) }))
    const read = await Promise.all(some.map(async (one) => ({ ...one, box: await readBenchmarkFile(one.xml), sentence: await readBenchmarkFile(one.txt) })))
    for (const { id, xml, txt, box, sentence } of read) {
      annotations[id] = readAnnotation(box.toString('utf8'), xml)
      spoken[id] = readSentences(sentence.toString('utf8'), txt)
      boxHash.update(box)
      sentenceHash.update(sentence)
    }
  }
  note(boxes, boxHash.digest('hex'))
  note(sentences, sentenceHash.digest('hex'))
  return { idsPath, ids, boxes: annotations, sentences: spoken, places: { boxes, sentences } }
}

async function readRefer({ protocol, input, imagesDir, read, json }: Source): Promise<Benchmark> {
  const [refsPath, instancesPath] = [placeOf(protocol, input, 'refs', 'file of expressions'), placeOf(protocol, input, 'instances', 'file of instances')]
  const expressions = refsPath.endsWith('.json') ? asExpressions(await json(refsPath), refsPath) : readExpressions(await read(refsPath), refsPath)
  const tables = referTables(expressions, (await json(instancesPath)) as Instances, instancesPath)
  const testPaths = input.given?.tests ?? (protocol.files.tests ?? []).map((place) => join(input.dataDir, place)).filter((place) => existsSync(place))
  const tests: { path: string; entries: readonly TestEntry[] }[] = []
  for (const path of testPaths) tests.push({ path, entries: (await json(path)) as readonly TestEntry[] })
  const detectionsPath = input.withoutDetections ? null : findPlace(protocol, input, 'detections')
  const detections = detectionsPath === null ? null : readDetections(await json(detectionsPath), detectionsPath)
  const all = referSamples({ tables, tests: tests.length > 0 ? tests : null, detections, imagesDir, splitFrom: protocol.counts === 'refclef' ? 'file' : 'expressions' })
  const notes = tests.length > 0 ? [] : ['There are no test files: every sentence of every expression in the splits that count is a sample.']
  if (protocol.files.detections && detections === null && !input.withoutDetections) notes.push("There are no detector's boxes, so only the pointing game is evaluated.")
  // The published test files hold what is evaluated; of all expressions, those that count.
  const counts = RESULT_KEYS[protocol.counts]
  return { samples: tests.length > 0 ? all : all.filter(({ split }) => counts(split) !== null), notes }
}
