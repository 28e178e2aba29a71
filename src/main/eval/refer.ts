/**
 * RefCOCO+ and RefCLEF: referring expressions (the pickle refs(unc).p), the objects they refer to (instances.json), and if they are
 * given the published test files, [{image, text, ref_id}]. Without test files every sentence of every expression is a sample.
 */
import { isAbsolute, join } from 'node:path'
import { PyTuple, readPickle } from '../checkpoints/pickle.ts'
import { expectKind, isNumberList, kindOf, wrongEntry } from './files.ts'
import type { EvalImage, EvalSample, XywhBox } from './types.ts'

export interface Expression {
  readonly ref_id: number
  readonly ann_id: number
  readonly image_id: number
  readonly split: string
  readonly sentences: readonly { readonly sent_id: number; readonly sent: string }[]
}

export interface Instances {
  readonly images: readonly { readonly id: number; readonly file_name: string; readonly width: number; readonly height: number }[]
  readonly annotations: readonly { readonly id: number; readonly bbox: XywhBox }[]
}

export interface TestEntry {
  readonly image: string
  readonly text: string
  readonly ref_id: number
  readonly split?: string
}

/** Image ids as text, each with its proposals. */
export type Detections = Readonly<Record<string, readonly XywhBox[]>>

/** A pickle of plain data; nothing in it is run, and any name in it is refused. */
export function readExpressions(bytes: Uint8Array, path: string): readonly Expression[] {
  const data = plain(readPickle(bytes, 0, { place: path, allowed: () => null }).value)
  expectKind(data, 'referring expressions', path)
  return data as readonly Expression[]
}

/** Python's values as JSON would have them. */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]))
  if (value instanceof PyTuple) return value.items.map(plain)
  return Array.isArray(value) ? value.map(plain) : value
}

/** What refers to what, found by id. */
export interface ReferTables {
  readonly expressions: ReadonlyMap<number, Expression>
  readonly images: ReadonlyMap<number, Instances['images'][number]>
  readonly boxes: ReadonlyMap<number, XywhBox>
  readonly instancesPath: string
}

/** @throws AppError 'bad-input' when a file is of another kind */
export function referTables(expressions: readonly Expression[], instances: Instances, instancesPath: string): ReferTables {
  expectKind(instances, 'COCO instances', instancesPath)
  return {
    expressions: new Map(expressions.map((one) => [one.ref_id, one])),
    images: new Map(instances.images.map((one) => [one.id, one])),
    boxes: new Map(instances.annotations.map((one) => [one.id, one.bbox])),
    instancesPath,
  }
}

/** Rows x, y, w, h; what follows in a row, a score, is not looked at. @throws AppError 'bad-input' */
export function readDetections(data: unknown, path: string): Detections {
  expectKind(data, 'detections', path)
  const rows = (id: string, list: unknown): XywhBox[] => {
    if (!Array.isArray(list)) throw wrongEntry(path, id, 'it is not a list of boxes')
    return list.map((row: unknown, i) => {
      const numbers = Array.isArray(row) ? row.slice(0, 4) : row
      if (!isNumberList(numbers, 4)) throw wrongEntry(path, `${id}[${i}]`, 'a box is not x, y, w, h')
      return numbers as unknown as XywhBox
    })
  }
  return Object.fromEntries(Object.entries(data as Record<string, unknown>).map(([id, list]) => [id, rows(id, list)]))
}

export interface ReferInput {
  readonly tables: ReferTables
  /** Null: every sentence of every expression, with the expression's own split. */
  readonly tests: readonly { readonly path: string; readonly entries: readonly TestEntry[] }[] | null
  readonly detections: Detections | null
  readonly imagesDir: string
  /** 'file': a test entry's own split counts, as published for RefCLEF; else the expression's. */
  readonly splitFrom: 'expressions' | 'file'
}

export function referSamples({ tables, tests, detections, imagesDir, splitFrom }: ReferInput): EvalSample[] {
  const place = tables.instancesPath
  const sample = (expression: Expression, image: EvalImage, phrase: string, id: string, split: string): EvalSample => {
    const box = tables.boxes.get(expression.ann_id)
    if (!box) throw wrongEntry(place, `annotation ${expression.ann_id}`, `it is missing, but expression ${expression.ref_id} refers to it`)
    if (!isNumberList(box, 4)) throw wrongEntry(place, `annotation ${expression.ann_id}`, 'its bbox is not x, y, w, h')
    const own = detections?.[String(expression.image_id)]
    return {
      id, image, phrase, split, boxes: [[box[0], box[1], box[0] + box[2], box[1] + box[3]]], referred: box,
      ...(detections === null ? { detections: null } : own ? { detections: own } : {}),
    }
  }
  const imageOf = (expression: Expression, file: string | null): EvalImage => {
    const record = tables.images.get(expression.image_id)
    if (!record) throw wrongEntry(place, `image ${expression.image_id}`, `it is missing, but expression ${expression.ref_id} refers to it`)
    const name = file ?? record.file_name
    return { key: String(expression.image_id), path: isAbsolute(name) ? name : join(imagesDir, name), size: { width: record.width, height: record.height } }
  }
  if (tests) {
    return tests.flatMap(({ path, entries }) => {
      expectKind(entries, 'test file', path)
      return entries.map((entry, i) => {
        const expression = tables.expressions.get(Number(entry.ref_id))
        if (!expression) throw wrongEntry(path, `entry ${i}`, `there is no expression ${entry.ref_id}`)
        if (typeof entry.image !== 'string' || typeof entry.text !== 'string') throw wrongEntry(path, `entry ${i}`, 'image or text is missing')
        if (splitFrom === 'file' && entry.split === undefined) throw wrongEntry(path, `entry ${i}`, 'it has no split, and this protocol counts by the split of the test file')
        const split = splitFrom === 'file' ? entry.split! : expression.split
        return sample(expression, imageOf(expression, entry.image), entry.text, `${expression.ref_id}`, split)
      })
    }).map(uniquely())
  }
  return [...tables.expressions.values()].flatMap((expression) => {
    const image = imageOf(expression, null)
    return expression.sentences.map(({ sent }) => sample(expression, image, sent, `${expression.ref_id}`, expression.split))
  }).map(uniquely())
}

/** The first phrase of an expression keeps its id; further ones get a number behind it. */
function uniquely(): (sample: EvalSample) => EvalSample {
  const seen = new Map<string, number>()
  return (sample) => {
    const count = (seen.get(sample.id) ?? 0) + 1
    seen.set(sample.id, count)
    return count === 1 ? sample : { ...sample, id: `${sample.id}/${count}` }
  }
}

/** Expressions may also come as JSON of the same shape. @throws AppError 'bad-input' */
export function asExpressions(data: unknown, path: string): readonly Expression[] {
  if (kindOf(data) !== 'referring expressions') expectKind(data, 'referring expressions', path)
  return data as readonly Expression[]
}
