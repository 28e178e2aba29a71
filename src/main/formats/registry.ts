/** The formats that can be imported and exported, in the order in which they are tried: the particular before the general. */
import { basename } from 'node:path'
import { AppError, nearest } from '../../shared/errors.ts'
import { amcCsv } from './amc-csv.ts'
import { amcJson, hasCaptions } from './amc-json.ts'
import { amcJsonl } from './amc-jsonl.ts'
import { coco, lvis } from './coco.ts'
import { cvat } from './cvat.ts'
import { flickr30k } from './flickr30k.ts'
import { labelStudio } from './label-studio.ts'
import { labelme } from './labelme.ts'
import { odvg } from './odvg.ts'
import { openImages } from './open-images.ts'
import { pascalVoc } from './pascal-voc.ts'
import { refer } from './refer.ts'
import type { Format } from './types.ts'
import { via } from './via.ts'
import { visualGenome } from './visual-genome.ts'
import { yolo } from './yolo.ts'

export const FORMATS: readonly Format[] = [
  amcJsonl, amcCsv, odvg, refer, flickr30k, visualGenome, openImages, lvis, coco, cvat, pascalVoc, labelStudio, via, labelme, yolo, amcJson,
]

/** @throws AppError 'bad-input' when there is no such format */
export function formatNamed(name: string): Format {
  const format = FORMATS.find((one) => one.name === name)
  if (format) return format
  const known = FORMATS.map((one) => one.name)
  const near = nearest(name, known)
  throw new AppError('bad-input', `There is no format ${name}.`, near ? `Did you mean ${near}? Known are ${known.join(', ')}.` : `Known are ${known.join(', ')}.`, 'format')
}

/** @throws AppError 'bad-input' when the name is unknown, the path is in another format than the one named, or nothing matches it */
export async function findFormat(path: string, name?: string): Promise<Format> {
  if (name && name !== 'auto') {
    const format = formatNamed(name)
    if (await format.match(path)) return format
    for (const other of FORMATS) {
      if (other !== format && other !== amcJson && (await other.match(path))) {
        throw new AppError('bad-input', `${basename(path)} is in the format ${other.title} (${other.name}), not ${format.title}.`, `Choose ${other.name}, or let the format be recognised.`, path)
      }
    }
    // A list may be many things; one with captions is hardly anything else.
    if (format !== amcJson && (await hasCaptions(path))) {
      throw new AppError('bad-input', `${basename(path)} looks like ${amcJson.title} (${amcJson.name}); it is not ${format.title}.`, `Choose ${amcJson.name}, or let the format be recognised.`, path)
    }
    return format // reading says what is wrong with it
  }
  for (const format of FORMATS) if (await format.match(path)) return format
  throw new AppError('bad-input', `${basename(path)} is in no format that can be read.`, `Known are ${FORMATS.map((one) => one.title).join(', ')}.`, path)
}
