/** The formats that can be imported, in the order in which they are tried. */
import { basename } from 'node:path'
import { AppError, nearest } from '../../shared/errors.ts'
import { amcJson } from './amc-json.ts'
import type { Format } from './types.ts'
import { yolo } from './yolo.ts'

export const FORMATS: readonly Format[] = [amcJson, yolo]

/** @throws AppError 'bad-input' when the name is unknown or nothing matches the path */
export async function findFormat(path: string, name?: string): Promise<Format> {
  const known = FORMATS.map((format) => format.name)
  if (name && name !== 'auto') {
    const format = FORMATS.find((one) => one.name === name)
    if (format) return format
    const near = nearest(name, known)
    throw new AppError('bad-input', `There is no format ${name}.`, near ? `Did you mean ${near}?` : `Known are ${known.join(', ')}.`, 'format')
  }
  for (const format of FORMATS) if (await format.match(path)) return format
  throw new AppError(
    'bad-input',
    `${basename(path)} is in no format that can be read.`,
    'Read are AMC annotation JSON (a list of {"image", "caption", "bbox"}, or a folder with annotations.json) and YOLO folders (images, labels and class names).',
    path,
  )
}
