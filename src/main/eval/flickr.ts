/**
 * Flickr30k Entities as info-ground prepares it: ids (one a line), boxes of phrases by image, sentences with their phrases.
 * Samples come in the order of the ids, then of the sentences, then of the phrases; phrases without boxes are left out.
 */
import { join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { expectKind, isNumberList, wrongEntry } from './files.ts'
import type { EvalSample } from './types.ts'

export interface FlickrBoxes {
  /** x1 y1 x2 y2 by phrase id. */
  readonly boxes: Readonly<Record<string, readonly Box[]>>
}

export interface FlickrSentence {
  readonly phrases: readonly { readonly phrase: string; readonly phrase_id: string }[]
}

/** The files of one list of ids, read. */
export interface FlickrPart {
  /** Path of the list of ids as it was given: the published split is read out of it. */
  readonly idsPath: string
  readonly ids: readonly string[]
  readonly boxes: Readonly<Record<string, FlickrBoxes>>
  readonly sentences: Readonly<Record<string, readonly FlickrSentence[]>>
  /** Named in errors. */
  readonly places: { readonly boxes: string; readonly sentences: string }
}

export const readIds = (text: string): string[] => text.split(/\s+/).filter(Boolean)

/** As published: 'val' when the three letters occur anywhere in the path, else 'test'. */
export const publishedSplit = (path: string): string => (path.includes('val') ? 'val' : 'test')

/** By the file's own name alone. */
export const splitByName = (path: string): string => publishedSplit(path.split(/[\\/]/).at(-1)!)

/**
 * @param index of the first sample: they are numbered over all parts
 * @throws AppError 'bad-input' when a file is of another kind, or lacks an image that the ids name
 */
export function flickrSamples(part: FlickrPart, imagesDir: string, split: string, index = 0): EvalSample[] {
  const { ids, boxes: allBoxes, sentences: allSentences, places } = part
  expectKind(allBoxes, 'info-ground boxes', places.boxes)
  expectKind(allSentences, 'info-ground sentences', places.sentences)
  const samples: EvalSample[] = []
  for (const id of ids) {
    const [sentences, boxes] = [allSentences[id], allBoxes[id]?.boxes]
    if (!sentences) throw lacks(places.sentences, id, part.idsPath)
    if (!boxes) throw lacks(places.boxes, id, part.idsPath)
    const image = { key: id, path: join(imagesDir, `${id}.jpg`), size: null }
    for (const sentence of sentences) {
      for (const entry of sentence.phrases) {
        const phraseId = entry.phrase_id
        const own = Object.hasOwn(boxes, phraseId) ? boxes[phraseId]! : null
        if (!own) continue
        const { phrase } = entry
        if (typeof phrase !== 'string') throw wrongEntry(places.sentences, id, 'a phrase is not a text')
        if (!own.every((box) => isNumberList(box, 4))) throw wrongEntry(places.boxes, `${id}, phrase ${phraseId}`, 'a box is not four numbers')
        samples.push({ id: String(index + samples.length), image, phrase, boxes: own, split })
      }
    }
  }
  return samples
}

function lacks(path: string, id: string, idsPath: string): AppError {
  return new AppError('bad-input', `The file does not have image ${id}, which is in the list ${idsPath}.`, 'Check that the files belong to the same split.', path)
}
