/** Rows of a CSV file with a header, as objects by column; csv-parse reads, we tell where. */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { type CsvError, parse } from 'csv-parse'
import { AppError } from '../../shared/errors.ts'
import { fileError } from './json-elements.ts'

export interface CsvRow {
  readonly row: Readonly<Record<string, string>>
  /** Line on which it ends, from 1. */
  readonly line: number
}

const MAX_RECORD = 64 * 1024 * 1024

/** @throws AppError 'bad-input' with the line where the file stops being CSV, or naming a column that is missing; 'cancelled' */
export async function* readCsv(path: string, columns: readonly string[], signal?: AbortSignal): AsyncGenerator<CsvRow> {
  const name = basename(path)
  const header = (names: string[]): string[] => {
    const found = names.map((one) => one.trim())
    const missing = columns.filter((column) => !found.includes(column))
    if (missing.length > 0) throw new AppError('bad-input', `${name} has no column ${missing.join(', ')}; it has ${found.join(', ')}.`, 'Choose the file of this format, or mend its first line.', `${name}:1`)
    return found
  }
  const parser = parse({ bom: true, columns: header, info: true, skip_empty_lines: true, max_record_size: MAX_RECORD, record_delimiter: ['\r\n', '\n'] })
  const stream = createReadStream(path, signal ? { signal } : {})
  stream.once('error', (error) => parser.destroy(error))
  stream.pipe(parser)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Record<string, string>; info: { lines: number } }>) yield { row: record, line: info.lines }
  } catch (error) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    const { code, lines, message } = error as CsvError & { lines?: number }
    if (!String(code).startsWith('CSV_')) throw fileError(path, error)
    throw new AppError('bad-input', `${name} is not whole CSV: ${message.split('\n')[0]!}`, 'Mend the file at this place, then import again. Nothing was imported.', `${name}:${lines ?? 1}`, { cause: error })
  } finally {
    stream.destroy()
  }
}

/** One row as text; fields with commas, quotes or line breaks are quoted, and so is what begins with a blank. */
export function csvLine(fields: readonly (string | number | boolean | null)[]): string {
  return `${fields.map((field) => {
    const text = field === null ? '' : String(field)
    return /[",\r\n]|^\s|\s$|^\uFEFF/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }).join(',')}\r\n`
}
