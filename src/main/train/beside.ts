/**
 * The curves again for those who live in other tools: a TensorBoard event file and a CSV table beside metrics.jsonl, which stays
 * the truth. When a run is taken up, both are written anew from it, so that no step is in them twice.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MetricRow } from '../../shared/domain.ts'
import { appendBytes, readLines, writeWhole } from './files.ts'
import type { RunPaths } from './run-folder.ts'
import { scalarsEvent, versionEvent } from './tfevents.ts'

export interface Beside {
  /** After the row is in metrics.jsonl. */
  add(row: MetricRow): Promise<void>
}

/** @param createdAt when the run was made; times in the event file count from there, without the pauses of the run */
export async function openBeside({ metrics, events, csv }: Pick<RunPaths, 'metrics' | 'events' | 'csv'>, createdAt: string): Promise<Beside> {
  const startSeconds = Date.parse(createdAt) / 1000
  const eventFile = join(events, `events.out.tfevents.${Math.floor(startSeconds)}.amc`)
  const timeOf = (row: MetricRow): number => startSeconds + row.seconds
  const rows = await readLines<MetricRow>(metrics)
  await rm(events, { recursive: true, force: true })
  await mkdir(events, { recursive: true })
  await writeWhole(eventFile, (temporary) => writeFile(temporary, Buffer.concat([versionEvent(startSeconds), ...rows.map((row) => scalarsEvent(timeOf(row), row))])))

  let columns: string[] = []
  const writeTable = async (all: readonly MetricRow[]): Promise<void> => {
    columns = [...new Set(all.flatMap((row) => Object.keys(row.values)))]
    await writeWhole(csv, (temporary) => writeFile(temporary, [csvLine(['step', 'seconds', 'wait', ...columns]), ...all.map((row) => csvRow(row, columns))].join('')))
  }
  await writeTable(rows)
  return {
    async add(row) {
      await appendBytes(eventFile, scalarsEvent(timeOf(row), row))
      // A table has one head: with a quantity that was not measured before it is written anew.
      if (Object.keys(row.values).every((name) => columns.includes(name))) await appendBytes(csv, Buffer.from(csvRow(row, columns)))
      else await writeTable(await readLines<MetricRow>(metrics))
    },
  }
}

function csvRow({ step, seconds, wait, values }: MetricRow, columns: readonly string[]): string {
  return csvLine([step, seconds, wait, ...columns.map((name) => values[name])])
}

function csvLine(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map((cell) => (typeof cell === 'string' && /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : String(cell ?? ''))).join(',')}\n`
}
