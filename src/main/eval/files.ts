/** Reading benchmark files: JSON with the place of a fault, and telling which of the neighbouring formats a file holds. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { findJsonFault } from '../formats/json-fault.ts'

/** @throws AppError 'not-found' when it is missing */
export async function readBenchmarkFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EISDIR') throw new AppError('bad-input', `${basename(path)} is a folder, not a file.`, 'Name the file in it.', path, { cause: error })
    throw new AppError('not-found', `There is no file ${basename(path)}.`, 'Check the folder given with --data, or name the file with its own option.', path, { cause: error })
  }
}

/** @throws AppError 'bad-input' with line and column */
export function parseBenchmarkJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const fault = findJsonFault(text)
    const before = text.slice(0, fault?.offset ?? 0).split('\n')
    const place = fault ? `${path}:${before.length}:${before.at(-1)!.length + 1}` : path
    throw new AppError('bad-input', `${basename(path)} is not JSON${fault ? `: ${fault.reason}` : ''}.`, 'Fetch the file again.', place, { cause: error })
  }
}

/** The formats that lie beside one another in benchmark folders. */
export type FileKind = 'info-ground boxes' | 'info-ground sentences' | 'test file' | 'AMC annotations' | 'COCO instances' | 'referring expressions' | 'detections' | 'captions' | 'other'

const SAYS: Readonly<Record<FileKind, string>> = {
  'info-ground boxes': 'the boxes of phrases by image id, as info-ground writes bounding_boxes_SPLIT.json',
  'info-ground sentences': 'sentences with their phrases by image id, as info-ground writes sentences_SPLIT.json',
  'test file': 'a test file: a list of {image, text, ref_id}',
  'AMC annotations': 'training annotations: a list of {image, caption, bbox}',
  'COCO instances': 'COCO instances: {images, annotations, categories}',
  'referring expressions': 'referring expressions: a list of {ref_id, ann_id, image_id, split, sentences}',
  detections: 'boxes of a detector by image id: {image_id: [[x, y, w, h], ...]}',
  captions: 'captions: a list of {image, caption}',
  other: 'something else',
}

const has = (value: unknown, ...keys: string[]): boolean => typeof value === 'object' && value !== null && keys.every((key) => key in value)

/** Judged by its first entry; an empty list or object is of any kind. */
export function kindOf(data: unknown): FileKind {
  if (Array.isArray(data)) {
    const first: unknown = data[0]
    if (has(first, 'ref_id', 'ann_id', 'sentences')) return 'referring expressions'
    if (has(first, 'text', 'ref_id')) return 'test file'
    if (has(first, 'caption', 'bbox')) return 'AMC annotations'
    if (has(first, 'image', 'caption')) return 'captions'
    return 'other'
  }
  if (typeof data !== 'object' || data === null) return 'other'
  if (has(data, 'images', 'annotations')) return 'COCO instances'
  const first: unknown = (data as Record<string, unknown>)[Object.keys(data)[0] ?? '']
  if (has(first, 'boxes')) return 'info-ground boxes'
  if (!Array.isArray(first)) return 'other'
  if (first.length === 0) return 'other'
  if (has(first[0], 'phrases')) return 'info-ground sentences'
  return Array.isArray(first[0]) && typeof first[0][0] === 'number' ? 'detections' : 'other'
}

/** @throws AppError 'bad-input' naming what the file holds instead */
export function expectKind(data: unknown, wanted: FileKind, path: string): void {
  const isEmpty = typeof data === 'object' && data !== null && Object.keys(data).length === 0
  const kind = kindOf(data)
  if (kind === wanted || isEmpty) return
  const instead = kind === 'other' ? '' : ` It holds ${SAYS[kind]}.`
  throw new AppError('bad-input', `${basename(path)} is not ${SAYS[wanted]}.${instead}`, 'Name the right file.', path)
}

/** @throws AppError 'bad-input' saying what is wrong with the entry */
export function wrongEntry(path: string, where: string, what: string): AppError {
  return new AppError('bad-input', `${basename(path)} has a wrong entry at ${where}: ${what}.`, 'Fetch the file again, or correct this entry.', path)
}

export const isNumberList = (value: unknown, length: number): value is readonly number[] =>
  Array.isArray(value) && value.length === length && value.every((one) => typeof one === 'number' && Number.isFinite(one))
