/** A small reader for XML of the kind that annotation tools write: elements and text. Attributes are passed over, nothing is fetched. */
import { AppError } from '../../shared/errors.ts'

export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  /** Its own text, entities resolved. */
  readonly text: string
}

const MAX_DEPTH = 64
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/gy

/** @throws AppError 'bad-input' with the line where it stops being XML */
export function parseXml(text: string, place: string): XmlElement {
  interface Open {
    readonly name: string
    readonly children: XmlElement[]
    text: string
  }
  const top: Open = { name: '', children: [], text: '' }
  const open: Open[] = [top]
  let at = 0
  const fail = (reason: string): never => {
    const line = text.slice(0, at).split('\n').length
    throw new AppError('bad-input', `This is not whole XML: ${reason}.`, 'Fetch the file again.', `${place}:${line}`)
  }
  const close = (): void => {
    const { name, children, text: own } = open.pop()!
    open.at(-1)!.children.push({ name, children, text: own })
  }
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) return fail('a tag is not one')
    const [, cdata, slash, name, , selfClosing, words] = match
    const current = open.at(-1)!
    if (cdata !== undefined) current.text += cdata
    else if (words !== undefined) {
      if (current === top && /[^\s\uFEFF]/.test(words)) fail('text stands outside the elements')
      current.text += words.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (all, decimal?: string, hex?: string, entity?: string) => entityOf(all, decimal, hex, entity))
    } else if (name !== undefined && slash) {
      if (current === top || current.name !== name) fail(`</${name}> closes what is not open`)
      close()
    } else if (name !== undefined) {
      if (open.length > MAX_DEPTH) fail('it nests too deeply')
      if (current === top && top.children.length > 0) fail('a second element stands beside the outermost')
      open.push({ name, children: [], text: '' })
      if (selfClosing) close()
    }
    at = TOKEN.lastIndex
  }
  if (open.length > 1) fail(`<${open.at(-1)!.name}> is not closed`)
  return top.children[0] ?? fail('it holds no element')
}

function entityOf(all: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return ENTITIES[name] ?? all
  const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal)
  return code <= 0x10ffff ? String.fromCodePoint(code) : all
}

export const childrenOf = (element: XmlElement, name: string): XmlElement[] => element.children.filter((child) => child.name === name)
export const textOf = (element: XmlElement, name: string): string | undefined => childrenOf(element, name)[0]?.text.trim()
