/**
 * The parts of a JSON file, one at a time, for files that are one object of long lists, or lists in lists. `choose` says for each path
 * whether to go into the value, to take it whole, or to pass over it; so a file of any length costs memory for its longest part only.
 * Knows line and column of everything; see json-elements.ts, which does the same for a plain list.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { fileError } from './json-elements.ts'
import { findJsonFault } from './json-fault.ts'

export interface JsonPart {
  /** Names of the fields that lead to it; elements of lists have no name. */
  readonly path: readonly string[]
  readonly value: unknown
  /** Line on which it begins, from 1. */
  readonly line: number
}
/** @param depth of the value: 0 for the outermost, one more for each list and object around it */
export type Choose = (path: readonly string[], depth: number) => 'enter' | 'take' | 'pass'

const MAX_PART_BYTES = 64 * 1024 * 1024
const MAX_DEPTH = 64
const [QUOTE, BACKSLASH, NEWLINE, COMMA, COLON, OPEN, CLOSE, BRACE_OPEN, BRACE_CLOSE] = [0x22, 0x5c, 0x0a, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]

/** @throws AppError 'bad-input' with place "file:line:column" at the first thing that is not JSON */
export async function* readJsonParts(path: string, choose: Choose, signal?: AbortSignal): AsyncGenerator<JsonPart> {
  const scan = new PartScanner(basename(path), choose)
  const stream = createReadStream(path, { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) })
  try {
    for await (const chunk of stream) yield* scan.feed(chunk as Buffer)
  } catch (error) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    throw fileError(path, error)
  }
  yield* scan.finish()
}

interface Frame {
  readonly list: boolean
  readonly path: readonly string[]
}
/** What may come next. 'value!' and 'key!' follow a comma: the list cannot end there. */
type State = 'value' | 'value!' | 'key' | 'key!' | 'in-key' | 'colon' | 'in-value' | 'after' | 'end'

class PartScanner {
  readonly #file: string
  readonly #choose: Choose
  readonly #frames: Frame[] = []
  #state: State = 'value!'
  #path: readonly string[] = []
  #line = 1
  #column = 1
  #depth = 0
  #keep = false
  #inString = false
  #escaped = false
  #pieces: Buffer[] = []
  #bytes = 0
  #start = { line: 1, column: 1 }
  #seen = 0

  constructor(file: string, choose: Choose) {
    this.#file = file
    this.#choose = choose
  }

  *feed(chunk: Buffer): Generator<JsonPart> {
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      let done = false
      if (this.#state === 'in-key' || this.#state === 'in-value') {
        if (this.#inString) {
          if (this.#escaped) this.#escaped = false
          else if (byte === BACKSLASH) this.#escaped = true
          else if (byte === QUOTE) {
            this.#inString = false
            done = this.#depth === 0
          } else if (byte === NEWLINE) this.#fail('a line break inside a text (is a closing quote missing?)')
        } else if (byte === QUOTE) {
          if (this.#depth === 0) this.#fail('a comma is missing before "')
          this.#inString = true
        } else if (byte === BRACE_OPEN || byte === OPEN) {
          if (this.#depth === 0) this.#fail('a comma is missing before a bracket')
          this.#depth++
        } else if (this.#depth === 0 && (byte === COMMA || byte === CLOSE || byte === BRACE_CLOSE || isBlank(byte))) {
          // A number or word ends where something else begins.
          this.#add(chunk.subarray(from, i))
          yield* this.#finishValue()
          this.#step(byte)
        } else if (byte === BRACE_CLOSE || byte === CLOSE) done = --this.#depth === 0
        if (done) {
          this.#add(chunk.subarray(from, i + 1))
          if (this.#state === 'in-key') this.#finishKey()
          else yield* this.#finishValue()
        }
      } else if (!isBlank(byte) && !this.#isMark(byte)) {
        if (this.#step(byte)) from = i
      }
      this.#advance(byte)
    }
    if (this.#state === 'in-key' || this.#state === 'in-value') this.#add(chunk.subarray(from))
  }

  *finish(): Generator<JsonPart> {
    if (this.#state === 'in-value' && this.#depth === 0 && !this.#inString) yield* this.#finishValue()
    if (this.#state === 'end') return
    if (this.#seen === 0 || (this.#frames.length === 0 && this.#state === 'value!')) this.#fail('the file is empty')
    this.#fail(this.#state === 'in-value' ? `the file ends inside the value that begins on line ${this.#start.line}` : `the file ends before ${this.#frames.at(-1)?.list ? 'the list is closed with ]' : 'the object is closed with }'}`)
  }

  /** One byte outside of values; true when a key or a value begins with it. */
  #step(byte: number): boolean {
    const frame = this.#frames.at(-1)
    if (isBlank(byte)) return false
    switch (this.#state) {
      case 'value':
      case 'value!':
        if (byte === CLOSE && this.#state === 'value' && frame?.list) return this.#leave()
        if (byte === CLOSE || byte === BRACE_CLOSE || byte === COMMA) this.#fail(`a value is missing before ${String.fromCharCode(byte)} (one comma too many?)`)
        return this.#beginValue(byte)
      case 'key':
      case 'key!':
        if (byte === BRACE_CLOSE && this.#state === 'key') return this.#leave()
        if (byte !== QUOTE) this.#fail(`a field name in double quotes is missing before ${String.fromCharCode(byte)}`)
        this.#begin('in-key', true)
        this.#inString = true
        return true
      case 'colon':
        if (byte !== COLON) this.#fail(`a colon is missing before ${String.fromCharCode(byte)}`)
        this.#state = 'value!'
        return false
      case 'after':
        if (byte === COMMA) this.#state = frame!.list ? 'value!' : 'key!'
        else if (byte === (frame!.list ? CLOSE : BRACE_CLOSE)) return this.#leave()
        else this.#fail(`a comma or ${frame!.list ? ']' : '}'} is missing before ${String.fromCharCode(byte)}`)
        return false
      default:
        return this.#fail('something follows the end')
    }
  }

  #beginValue(byte: number): boolean {
    const frame = this.#frames.at(-1)
    const path = frame ? (frame.list ? frame.path : this.#path) : []
    const container = byte === OPEN || byte === BRACE_OPEN
    const what = this.#choose(path, this.#frames.length)
    if (container && what === 'enter' && this.#frames.length < MAX_DEPTH) {
      this.#frames.push({ list: byte === OPEN, path })
      this.#state = byte === OPEN ? 'value' : 'key'
      return false
    }
    this.#path = path
    this.#begin('in-value', what !== 'pass')
    this.#depth = container ? 1 : 0
    this.#inString = byte === QUOTE
    return true
  }

  #begin(state: State, keep: boolean): void {
    this.#state = state
    this.#keep = keep
    this.#start = { line: this.#line, column: this.#column }
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
    this.#pieces = []
    this.#bytes = 0
  }

  #leave(): boolean {
    this.#frames.pop()
    this.#state = this.#frames.length === 0 ? 'end' : 'after'
    return false
  }

  #finishKey(): void {
    this.#path = [...(this.#frames.at(-1)?.path ?? []), this.#parse() as string]
    this.#state = 'colon'
  }

  *#finishValue(): Generator<JsonPart> {
    this.#state = this.#frames.length === 0 ? 'end' : 'after'
    if (this.#keep) yield { path: this.#path, value: this.#parse(), line: this.#start.line }
  }

  #add(piece: Buffer): void {
    if (!this.#keep) return
    this.#bytes += piece.length
    if (this.#bytes > MAX_PART_BYTES) this.#failAt(this.#start, `the value that begins here has no end within ${MAX_PART_BYTES / 2 ** 20} MB (is a bracket missing?)`)
    this.#pieces.push(piece)
  }

  #parse(): unknown {
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(this.#pieces, this.#bytes))
    } catch {
      return this.#failAt(this.#start, 'the value that begins here holds bytes that are not UTF-8')
    }
    try {
      return JSON.parse(text) as unknown
    } catch {
      const fault = findJsonFault(text) ?? { offset: 0, reason: 'this is not JSON' }
      const lines = text.slice(0, fault.offset).split('\n')
      const characters = Array.from(lines.at(-1)!).length
      return this.#failAt({ line: this.#start.line + lines.length - 1, column: lines.length === 1 ? this.#start.column + characters : characters + 1 }, fault.reason)
    }
  }

  #isMark(byte: number): boolean {
    if (this.#seen >= 3 || this.#frames.length > 0) return false
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

  #fail(reason: string): never {
    return this.#failAt({ line: this.#line, column: this.#column }, reason)
  }

  #failAt({ line, column }: { line: number; column: number }, reason: string): never {
    throw new AppError('bad-input', `${this.#file} is not valid JSON: line ${line}, column ${column}: ${reason}.`, 'Mend the file at this place, then import again. Nothing was imported.', `${this.#file}:${line}:${column}`)
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
