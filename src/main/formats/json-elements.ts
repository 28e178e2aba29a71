/**
 * The elements of a JSON list in a file, one at a time, so that a file of any length costs memory for its longest element only.
 * Knows the line and column of everything, because people mend these files by hand.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { findJsonFault, type JsonFault } from './json-fault.ts'

export interface JsonElement {
  readonly value: unknown
  /** Line on which the element begins, from 1. */
  readonly line: number
}

/** Longest element that is read; a longer one is a bracket or quote that was never closed. */
const MAX_ELEMENT_BYTES = 16 * 1024 * 1024
const QUOTE = 0x22
const BACKSLASH = 0x5c
const NEWLINE = 0x0a
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

/** @throws AppError 'bad-input' with place "file:line:column" at the first thing that is not JSON */
export async function* readJsonElements(path: string, signal?: AbortSignal): AsyncGenerator<JsonElement> {
  const scan = new ListScanner(basename(path))
  const stream = createReadStream(path, { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) })
  try {
    for await (const chunk of stream) yield* scan.feed(chunk as Buffer)
  } catch (error) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    throw fileError(path, error)
  }
  scan.finish()
}

export function fileError(path: string, error: unknown): unknown {
  const errno = (error as NodeJS.ErrnoException).code
  if (errno === 'ENOENT') return new AppError('bad-input', `${basename(path)} does not exist.`, 'Check the path.', path)
  if (errno === 'EACCES' || errno === 'EPERM') return new AppError('bad-input', `${basename(path)} may not be read by this user.`, 'Change its permissions.', path)
  if (errno === 'EISDIR') return new AppError('bad-input', `${basename(path)} is a folder, not a file.`, 'Name a file.', path)
  return error
}

type State = 'before-list' | 'first-element' | 'element' | 'in-element' | 'after-list'

class ListScanner {
  readonly #file: string
  #state: State = 'before-list'
  #line = 1
  /** Column of the next byte's character, from 1, in characters (not bytes). */
  #column = 1
  #depth = 0
  #inString = false
  #escaped = false
  #pieces: Buffer[] = []
  #bytes = 0
  #startLine = 1
  #startColumn = 1
  #seen = 0

  constructor(file: string) {
    this.#file = file
  }

  *feed(chunk: Buffer): Generator<JsonElement> {
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (this.#state === 'in-element') {
        if (this.#inString) {
          if (this.#escaped) this.#escaped = false
          else if (byte === BACKSLASH) this.#escaped = true
          else if (byte === QUOTE) this.#inString = false
          else if (byte === NEWLINE) this.#fail('a line break inside a text (is a closing quote missing?)')
        } else if (byte === QUOTE) this.#inString = true
        else if (byte === BRACE_OPEN || byte === OPEN) this.#depth++
        else if (this.#depth === 0 && (byte === COMMA || byte === CLOSE)) {
          this.#keep(chunk.subarray(from, i))
          yield this.#take()
          this.#state = byte === COMMA ? 'element' : 'after-list'
        } else if (byte === BRACE_CLOSE || byte === CLOSE) this.#depth--
        if (this.#depth < 0) this.#fail('a closing bracket without an opening one')
      } else if (!isBlank(byte) && !this.#isMark(byte)) {
        if (this.#state === 'before-list') {
          if (byte !== OPEN) this.#fail(byte === BRACE_OPEN ? 'a list [ ... ] of entries is expected, this file begins with {' : 'a list [ ... ] of entries is expected')
          this.#state = 'first-element'
        } else if (this.#state === 'after-list') this.#fail('something follows the end of the list')
        else if (byte === CLOSE && this.#state === 'first-element') this.#state = 'after-list'
        else if (byte === CLOSE || byte === COMMA) this.#fail(`an entry is missing before ${byte === CLOSE ? ']' : ','} (one comma too many?)`)
        else {
          this.#begin(byte)
          from = i
        }
      }
      this.#advance(byte)
    }
    if (this.#state === 'in-element') this.#keep(chunk.subarray(from))
  }

  finish(): void {
    if (this.#state === 'before-list') this.#fail('the file is empty')
    if (this.#state === 'in-element') {
      // A wrong bracket far above is the likelier cause; its place helps more than the end of the file.
      const text = this.#text()
      const fault = findJsonFault(text)
      if (fault && !fault.reason.includes('no closing')) this.#failIn(text, fault)
      if (fault) this.#fail(`the file ends inside the entry that begins on line ${this.#startLine}`)
    }
    if (this.#state !== 'after-list') this.#fail('the file ends before the list is closed with ]')
  }

  /** A byte order mark before the list: UTF-8's is passed over, UTF-16's is named. */
  #isMark(byte: number): boolean {
    if (this.#seen >= 3 || this.#state !== 'before-list') return false
    if (byte === 0xfe || byte === 0xff || byte === 0) this.#fail('the file is not UTF-8 (it looks like UTF-16)')
    return byte === [0xef, 0xbb, 0xbf][this.#seen]
  }

  #advance(byte: number): void {
    if (byte === NEWLINE) {
      this.#line++
      this.#column = 1
    } else if ((byte & 0xc0) !== 0x80 && !(this.#seen === 0 && byte === 0xef)) this.#column++
    if (this.#seen < 3) this.#seen++
  }

  #begin(byte: number): void {
    this.#state = 'in-element'
    this.#startLine = this.#line
    this.#startColumn = this.#column
    this.#depth = byte === BRACE_OPEN || byte === OPEN ? 1 : 0
    this.#inString = byte === QUOTE
    this.#escaped = false
    this.#pieces = []
    this.#bytes = 0
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > MAX_ELEMENT_BYTES) {
      this.#failAt(this.#startLine, this.#startColumn, 'the entry that begins here has no end within 16 MB (is a bracket missing?)')
    }
    this.#pieces.push(piece)
  }

  #text(): string {
    const bytes = Buffer.concat(this.#pieces, this.#bytes)
    this.#pieces = []
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return this.#failAt(this.#startLine, this.#startColumn, 'the entry that begins here holds bytes that are not UTF-8')
    }
  }

  #take(): JsonElement {
    const text = this.#text()
    try {
      return { value: JSON.parse(text) as unknown, line: this.#startLine }
    } catch {
      return this.#failIn(text, findJsonFault(text) ?? { offset: 0, reason: 'this is not JSON' })
    }
  }

  /** Fails at the place of a fault inside the current element. */
  #failIn(text: string, fault: JsonFault): never {
    const lines = text.slice(0, fault.offset).split('\n')
    const characters = Array.from(lines.at(-1)!).length
    const column = lines.length === 1 ? this.#startColumn + characters : characters + 1
    this.#failAt(this.#startLine + lines.length - 1, column, fault.reason)
  }

  #fail(reason: string): never {
    this.#failAt(this.#line, this.#column, reason)
  }

  #failAt(line: number, column: number, reason: string): never {
    throw new AppError(
      'bad-input',
      `${this.#file} is not valid JSON: line ${line}, column ${column}: ${reason}.`,
      'Mend the file at that place and import it again. Nothing was imported.',
      `${this.#file}:${line}:${column}`,
    )
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09
}
