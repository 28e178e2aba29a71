/**
 * The elements of a JSON list in a file, one at a time, so that a file of any length costs memory for its longest element only.
 * Knows the line and column of everything, because people mend these files by hand.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { findJsonFault } from './json-fault.ts'
import { isBlank, JsonPlace, type Place } from './json-place.ts'

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
const CURE = 'Mend the file at that place and import it again. Nothing was imported.'
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
  readonly #at: JsonPlace
  #state: State = 'before-list'
  #depth = 0
  #inString = false
  #escaped = false
  #pieces: Buffer[] = []
  #bytes = 0
  #start: Place = { line: 1, column: 1 }

  constructor(file: string) {
    this.#at = new JsonPlace(file, CURE)
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
          else if (byte === NEWLINE) this.#at.fail('a line break inside a text (is a closing quote missing?)')
        } else if (byte === QUOTE) this.#inString = true
        else if (byte === BRACE_OPEN || byte === OPEN) this.#depth++
        else if (this.#depth === 0 && (byte === COMMA || byte === CLOSE)) {
          this.#keep(chunk.subarray(from, i))
          yield { value: this.#at.parse(this.#whole(), this.#start), line: this.#start.line }
          this.#state = byte === COMMA ? 'element' : 'after-list'
        } else if (byte === BRACE_CLOSE || byte === CLOSE) this.#depth--
        if (this.#depth < 0) this.#at.fail('a closing bracket without an opening one')
      } else if (!isBlank(byte) && !(this.#state === 'before-list' && this.#at.isMark(byte))) {
        if (this.#state === 'before-list') {
          if (byte !== OPEN) this.#at.fail(byte === BRACE_OPEN ? 'a list [ ... ] of entries is expected, this file begins with {' : 'a list [ ... ] of entries is expected')
          this.#state = 'first-element'
        } else if (this.#state === 'after-list') this.#at.fail('something follows the end of the list')
        else if (byte === CLOSE && this.#state === 'first-element') this.#state = 'after-list'
        else if (byte === CLOSE || byte === COMMA) this.#at.fail(`an entry is missing before ${byte === CLOSE ? ']' : ','} (one comma too many?)`)
        else {
          this.#begin(byte)
          from = i
        }
      }
      this.#at.pass(byte)
    }
    if (this.#state === 'in-element') this.#keep(chunk.subarray(from))
  }

  finish(): void {
    if (this.#state === 'before-list') this.#at.fail('the file is empty')
    if (this.#state === 'in-element') {
      // A wrong bracket far above is the likelier cause; its place helps more than the end of the file.
      const text = this.#at.decode(this.#whole(), this.#start)
      const fault = findJsonFault(text)
      if (fault && !fault.reason.includes('no closing')) this.#at.failIn(text, this.#start, fault)
      if (fault) this.#at.fail(`the file ends inside the entry that begins on line ${this.#start.line}`)
    }
    if (this.#state !== 'after-list') this.#at.fail('the file ends before the list is closed with ]')
  }

  #begin(byte: number): void {
    this.#state = 'in-element'
    this.#start = this.#at.now
    this.#depth = byte === BRACE_OPEN || byte === OPEN ? 1 : 0
    this.#inString = byte === QUOTE
    this.#escaped = false
    this.#pieces = []
    this.#bytes = 0
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > MAX_ELEMENT_BYTES) {
      this.#at.fail('the entry that begins here has no end within 16 MB (is a bracket missing?)', this.#start)
    }
    this.#pieces.push(piece)
  }

  #whole(): Buffer {
    const bytes = Buffer.concat(this.#pieces, this.#bytes)
    this.#pieces = []
    return bytes
  }
}
