/**
 * XML of annotation tools as small trees, by saxes: it checks that the text is well formed, knows line and column, and expands no entity but
 * the five of XML and characters by number. A document that declares entities of its own is refused before anything is made of them.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { SaxesParser } from 'saxes'
import { AppError } from '../../shared/errors.ts'
import { fileError } from './json-elements.ts'

export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  /** Its own text, as it stands. */
  readonly text: string
  readonly line: number
}
interface Open extends Element {
  readonly children: Element[]
  text: string
}

const MAX_DEPTH = 64
const MAX_TREE = 2_000_000

/**
 * The children of the outermost element, one at a time, after `root` was asked about it.
 * @throws AppError 'bad-input' with file, line and column where it stops being XML; what `root` throws; 'cancelled'
 */
export async function* readXmlChildren(path: string, root: (element: Element) => void, signal?: AbortSignal): AsyncGenerator<Element> {
  const name = basename(path)
  const parser = new SaxesParser({ position: true })
  const open: Open[] = []
  let ready: Element[] = []
  let size = 0
  let fault: unknown = null
  const fail = (reason: string): void => {
    fault ??= new AppError('bad-input', `${name} is not whole XML: line ${parser.line}, column ${parser.column}: ${reason}.`, 'Mend the file at this place, then import again. Nothing was imported.', `${name}:${parser.line}:${parser.column}`)
  }
  parser.on('error', (error) => fail(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')))
  parser.on('doctype', (text) => {
    if (text.includes('<!ENTITY') || text.includes('[')) fail('it declares entities of its own, which could stand for anything')
  })
  parser.on('opentag', ({ name: tag, attributes }) => {
    const element: Open = { name: tag, attributes: attributes as Record<string, string>, children: [], text: '', line: parser.line }
    if (open.length >= MAX_DEPTH) fail('it nests too deeply')
    if (open.length === 0) {
      try {
        root(element)
      } catch (error) {
        fault ??= error
      }
    }
    if (++size > MAX_TREE) fail('one element holds too much')
    open.push(element)
  })
  parser.on('text', (text) => {
    const top = open.at(-1)
    if (top && open.length > 1) top.text += text
  })
  parser.on('cdata', (text) => {
    const top = open.at(-1)
    if (top) top.text += text
  })
  parser.on('closetag', () => {
    const element = open.pop()!
    if (open.length === 1) {
      ready.push(element)
      size = 0
    } else open.at(-1)?.children.push(element)
  })
  const decoder = new TextDecoder('utf-8')
  const take = function* (): Generator<Element> {
    const elements = ready
    ready = []
    yield* elements
    if (fault) throw fault
  }
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 64 * 1024, ...(signal ? { signal } : {}) })) {
      parser.write(decoder.decode(chunk as Buffer, { stream: true }))
      yield* take()
    }
    parser.close()
    yield* take()
  } catch (error) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    throw fileError(path, error)
  }
}

export const child = (element: Element, name: string): Element | undefined => element.children.find((one) => one.name === name)
export const textOf = (element: Element, name: string): string | undefined => child(element, name)?.text.trim()

/** Characters that XML cannot hold, however they are written. */
const NO_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

export const isXmlText = (text: string): boolean => !NO_XML.test(text) && text.isWellFormed()

/** For text and attributes: line ends are written as numbers, because readers make others of them. */
export function xml(text: string | number): string {
  return String(text).replace(/[&<>"\r\n\t]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? `&#${c.charCodeAt(0)};`)
}
