/**
 * The parts of a JSON file, one at a time, for files that are one object of long lists, or lists in lists. `choose` says for each path
 * whether to go into the value, to take it whole, or to pass over it; so a file of any length costs memory for its longest part only.
 * Knows line and column of everything; see json-elements.ts, which does the same for a plain list.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { fileError } from './json-elements.ts'
import { isBlank, JsonPlace, type Place } from './json-place.ts'

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
const CURE = 'Mend the file at this place, then import again. Nothing was imported.'
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
  readonly #at: JsonPlace
  readonly #choose: Choose
  readonly #frames: Frame[] = []
  #state: State = 'value!'
  #path: readonly string[] = []
  #depth = 0
  #keep = false
  #inString = false
  #escaped = false
  #pieces: Buffer[] = []
  #bytes = 0
  #start: Place = { line: 1, column: 1 }

  constructor(file: string, choose: Choose) {
    this.#at = new JsonPlace(file, CURE)
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
          } else if (byte === NEWLINE) this.#at.fail('a line break inside a text (is a closing quote missing?)')
        } else if (byte === QUOTE) {
          if (this.#depth === 0) this.#at.fail('a comma is missing before "')
          this.#inString = true
        } else if (byte === BRACE_OPEN || byte === OPEN) {
          if (this.#depth === 0) this.#at.fail('a comma is missing before a bracket')
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
      } else if (!isBlank(byte) && !(this.#frames.length === 0 && this.#at.isMark(byte))) {
        if (this.#step(byte)) from = i
      }
      this.#at.pass(byte)
    }
    if (this.#state === 'in-key' || this.#state === 'in-value') this.#add(chunk.subarray(from))
  }

  *finish(): Generator<JsonPart> {
    if (this.#state === 'in-value' && this.#depth === 0 && !this.#inString) yield* this.#finishValue()
    if (this.#state === 'end') return
    if (this.#at.isAtStart || (this.#frames.length === 0 && this.#state === 'value!')) this.#at.fail('the file is empty')
    this.#at.fail(this.#state === 'in-value' ? `the file ends inside the value that begins on line ${this.#start.line}` : `the file ends before ${this.#frames.at(-1)?.list ? 'the list is closed with ]' : 'the object is closed with }'}`)
  }

  /** One byte outside of values; true when a key or a value begins with it. */
  #step(byte: number): boolean {
    const frame = this.#frames.at(-1)
    if (isBlank(byte)) return false
    switch (this.#state) {
      case 'value':
      case 'value!':
        if (byte === CLOSE && this.#state === 'value' && frame?.list) return this.#leave()
        if (byte === CLOSE || byte === BRACE_CLOSE || byte === COMMA) this.#at.fail(`a value is missing before ${String.fromCharCode(byte)} (one comma too many?)`)
        return this.#beginValue(byte)
      case 'key':
      case 'key!':
        if (byte === BRACE_CLOSE && this.#state === 'key') return this.#leave()
        if (byte !== QUOTE) this.#at.fail(`a field name in double quotes is missing before ${String.fromCharCode(byte)}`)
        this.#begin('in-key', true)
        this.#inString = true
        return true
      case 'colon':
        if (byte !== COLON) this.#at.fail(`a colon is missing before ${String.fromCharCode(byte)}`)
        this.#state = 'value!'
        return false
      case 'after':
        if (byte === COMMA) this.#state = frame!.list ? 'value!' : 'key!'
        else if (byte === (frame!.list ? CLOSE : BRACE_CLOSE)) return this.#leave()
        else this.#at.fail(`a comma or ${frame!.list ? ']' : '}'} is missing before ${String.fromCharCode(byte)}`)
        return false
      default:
        return this.#at.fail('something follows the end')
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
    this.#start = this.#at.now
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
    if (this.#bytes > MAX_PART_BYTES) this.#at.fail(`the value that begins here has no end within ${MAX_PART_BYTES / 2 ** 20} MB (is a bracket missing?)`, this.#start)
    this.#pieces.push(piece)
  }

  #parse(): unknown {
    return this.#at.parse(Buffer.concat(this.#pieces, this.#bytes), this.#start)
  }
}
