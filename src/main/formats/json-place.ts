/** Where a reader of JSON stands in its file, and how it says what is wrong there: for people who mend these files by hand. */
import { AppError } from '../../shared/errors.ts'
import { findJsonFault, type JsonFault } from './json-fault.ts'

const NEWLINE = 0x0a
const MARK = [0xef, 0xbb, 0xbf]

/** Counted from 1; columns in characters, not bytes. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Counts lines and columns byte by byte. A byte order mark before the first value has no column. */
export class JsonPlace {
  readonly #file: string
  readonly #cure: string
  #line = 1
  #column = 1
  #seen = 0

  /** @param cure said with every fault */
  constructor(file: string, cure: string) {
    this.#file = file
    this.#cure = cure
  }

  /** The next byte's. */
  get now(): Place {
    return { line: this.#line, column: this.#column }
  }

  /** Whether no byte was passed yet. */
  get isAtStart(): boolean {
    return this.#seen === 0
  }

  /** Whether the next byte belongs to UTF-8's byte order mark, which is passed over. UTF-16's, and UTF-16 itself, fail by name. */
  isMark(byte: number): boolean {
    if (this.#seen >= MARK.length) return false
    if (byte === 0xfe || byte === 0xff || byte === 0) this.fail('the file is not UTF-8 (it looks like UTF-16)')
    return byte === MARK[this.#seen]
  }

  pass(byte: number): void {
    if (byte === NEWLINE) {
      this.#line++
      this.#column = 1
    } else if ((byte & 0xc0) !== 0x80 && !(this.#seen === 0 && byte === MARK[0])) this.#column++
    if (this.#seen < MARK.length) this.#seen++
  }

  /** The JSON value in these bytes, which began at `start`. */
  parse(bytes: Buffer, start: Place): unknown {
    const text = this.decode(bytes, start)
    try {
      return JSON.parse(text) as unknown
    } catch {
      return this.failIn(text, start, findJsonFault(text) ?? { offset: 0, reason: 'this is not JSON' })
    }
  }

  decode(bytes: Buffer, start: Place): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return this.fail('the value that begins here holds bytes that are not UTF-8', start)
    }
  }

  /** Fails at the place of a fault inside a text that began at `start`. */
  failIn(text: string, start: Place, fault: JsonFault): never {
    const lines = text.slice(0, fault.offset).split('\n')
    const characters = Array.from(lines.at(-1)!).length
    return this.fail(fault.reason, { line: start.line + lines.length - 1, column: lines.length === 1 ? start.column + characters : characters + 1 })
  }

  /** @throws AppError 'bad-input' with place "file:line:column" */
  fail(reason: string, { line, column }: Place = this.now): never {
    throw new AppError('bad-input', `${this.#file} is not valid JSON: line ${line}, column ${column}: ${reason}.`, this.#cure, `${this.#file}:${line}:${column}`)
  }
}

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09
}
