/** One JSON value a line, with the line and column of what is broken. */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { fileError } from './json-elements.ts'
import { findJsonFault } from './json-fault.ts'

const MAX_LINE = 64 * 1024 * 1024

/** Empty lines are passed over, but counted. @throws AppError 'bad-input' at the first line that is not JSON, 'cancelled' */
export async function* readLines(path: string, signal?: AbortSignal): AsyncGenerator<{ value: unknown; line: number }> {
  let line = 0
  for await (const text of textLines(path, signal)) {
    line++
    if (text.trim() !== '') yield { value: parse(text, path, line), line }
  }
}

/** Lines end with \n or \r\n and nothing else: a text may hold other separators of Unicode. */
async function* textLines(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  const name = basename(path)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let count = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) })) {
      const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
      rest = parts.pop()!
      if (rest.length > MAX_LINE) throw new AppError('bad-input', `Line ${count + parts.length + 1} of ${name} is longer than ${MAX_LINE / 2 ** 20} million characters.`, 'One image a line is expected.', `${name}:${count + parts.length + 1}`)
      count += parts.length
      yield* parts
    }
    rest += decoder.decode()
    if (rest !== '') yield rest
  } catch (error) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    if ((error as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new AppError('bad-input', `${name} holds bytes that are not UTF-8, on line ${count + 1} or after.`, 'Save it as UTF-8.', `${name}:${count + 1}`, { cause: error })
    throw fileError(path, error)
  }
}

function parse(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const { offset, reason } = findJsonFault(text) ?? { offset: 0, reason: 'this is not JSON' }
    const column = Array.from(text.slice(0, offset)).length + 1
    throw new AppError('bad-input', `${basename(path)} is not valid JSON: line ${line}, column ${column}: ${reason}.`, 'Mend the file at this place, then import again. Nothing was imported.', `${basename(path)}:${line}:${column}`)
  }
}
