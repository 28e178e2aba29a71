/**
 * Flickr30k Entities as it is published: Sentences/ID.txt ("[/EN#12/people A man] walks") and Annotations/ID.xml. Reading them gives
 * what info-ground prepares from the same files, so that both protocols mean the same samples.
 */
import type { Box } from '../../shared/geometry.ts'
import { AppError } from '../../shared/errors.ts'
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts'

export interface Sentence {
  readonly sentence: string
  readonly phrases: readonly {
    readonly first_word_index: number
    readonly phrase: string
    readonly phrase_id: string
    readonly phrase_type: readonly string[]
  }[]
}

export interface Annotation {
  readonly boxes: Readonly<Record<string, readonly Box[]>>
  /** Ids said to be the whole scene, and ids said not to be visible. */
  readonly scene: readonly string[]
  readonly nobox: readonly string[]
  readonly width: number
  readonly height: number
}

const OPENS = /^\[\/EN#(\d+)((?:\/[\w-]+)*)$/

/** @throws AppError 'bad-input' with the line of a phrase that does not close or is not marked as one */
export function readSentences(text: string, place: string): Sentence[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, i) => (line.trim() === '' ? [] : [readSentence(line, `${place}:${i + 1}`)]))
}

function readSentence(line: string, place: string): Sentence {
  const words: string[] = []
  const phrases: Sentence['phrases'][number][] = []
  let open: { first: number; id: string; types: string[] } | null = null
  for (const token of line.split(/\s+/).filter(Boolean)) {
    if (!open && token.startsWith('[')) {
      const match = OPENS.exec(token)
      if (!match) throw new AppError('bad-input', `"${token}" does not begin a phrase the way [/EN#12/people does.`, 'Name the folder Sentences of Flickr30k Entities.', place)
      open = { first: words.length, id: match[1]!, types: match[2]!.split('/').slice(1) }
      continue
    }
    const closes = open !== null && token.endsWith(']')
    words.push(closes ? token.slice(0, -1) : token)
    if (!closes || !open) continue
    phrases.push({ first_word_index: open.first, phrase: words.slice(open.first).join(' '), phrase_id: open.id, phrase_type: open.types })
    open = null
  }
  if (open) throw new AppError('bad-input', `The phrase [/EN#${open.id} is not closed by ].`, 'Fetch the file again.', place)
  return { sentence: words.join(' '), phrases }
}

/**
 * Boxes count from 1 in the files and from 0 here: all four numbers are one less, as the published tools do it. An object that carries
 * several ids gives its box to the first one, as there.
 * @throws AppError 'bad-input' naming what is missing
 */
export function readAnnotation(text: string, place: string): Annotation {
  const root = parseXml(text, place)
  const size = childrenOf(root, 'size')[0]
  if (root.name !== 'annotation' || !size) throw new AppError('bad-input', 'This XML is not an annotation with a size.', 'Name the folder Annotations of Flickr30k Entities.', place)
  const boxes: Record<string, Box[]> = {}
  const [scene, nobox]: [string[], string[]] = [[], []]
  for (const object of childrenOf(root, 'object')) {
    const id = textOf(object, 'name')
    if (!id) throw new AppError('bad-input', 'An object has no name.', 'Fetch the file again.', place)
    const box = childrenOf(object, 'bndbox')[0]
    if (box) {
      const own = Object.hasOwn(boxes, id) ? boxes[id]! : (boxes[id] = [])
      own.push(['xmin', 'ymin', 'xmax', 'ymax'].map((side) => wholeNumber(box, side, place) - 1) as unknown as Box)
    } else {
      if (Number(textOf(object, 'nobndbox') ?? 0) > 0) nobox.push(id)
      if (Number(textOf(object, 'scene') ?? 0) > 0) scene.push(id)
    }
  }
  return { boxes, scene, nobox, width: wholeNumber(size, 'width', place), height: wholeNumber(size, 'height', place) }
}

function wholeNumber(element: XmlElement, name: string, place: string): number {
  const text = textOf(element, name) ?? ''
  if (!/^-?\d+$/.test(text)) throw new AppError('bad-input', `<${name}> is not a whole number.`, 'Name the folder Annotations of Flickr30k Entities.', place)
  return Number(text)
}
