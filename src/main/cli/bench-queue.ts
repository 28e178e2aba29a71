/** The part of `amc bench curate` that asks the engine for the queue of a large dataset. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { QueueFigure } from '../bench/bench-queue.ts'
import type { CommandInput, CommandIo, CommandResult } from './command.ts'

/** Makes a project of so many regions in a temporary folder, and removes it. */
export async function benchQueuePart(input: CommandInput, io: CommandIo): Promise<CommandResult> {
  const [{ openEngine }, { makeSyntheticQueue }, { benchQueue }, { statSync }] = await Promise.all([import('../engine/engine.ts'), import('../bench/synthetic-queue.ts'), import('../bench/bench-queue.ts'), import('node:fs')])
  const folder = await mkdtemp(join(tmpdir(), 'amc-bench-'))
  const projectDir = join(folder, 'project')
  try {
    const regions = input.integer('regions', { min: 100 }) ?? 1_000_000
    const from = performance.now()
    const first = await openEngine({ projectDir })
    await first.settled
    const made = await makeSyntheticQueue(first.context.db, regions, input.integer('seed') ?? 1, (done) => {
      if (io.signal.aborted) throw new AppError('cancelled', 'The bench was cancelled.')
      io.progress.report('Making regions', done, regions)
    }).finally(first.close)
    const madeSeconds = (performance.now() - from) / 1000
    // Opened anew: nothing is in memory but what an engine that was just started has.
    const engine = await openEngine({ projectDir })
    await engine.settled
    const result = await benchQueue(engine, made, input.integer('times', { min: 1 }) ?? 7, (figure) => io.note(lineOf(figure))).finally(engine.close)
    const databaseBytes = statSync(join(projectDir, 'project.sqlite')).size
    const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
    return {
      json: { ...result, madeSeconds, databaseBytes },
      lines: [`${result.regions} regions, made in ${madeSeconds.toFixed(0)} s, database ${mb(databaseBytes)}; memory ${mb(result.memoryBefore)} before, ${mb(result.memoryAfter)} after`],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function lineOf({ what, medianMs, slowestMs, rows }: QueueFigure): string {
  return `${what.padEnd(62)}${medianMs.toFixed(1).padStart(8)} ms (slowest ${slowestMs.toFixed(1)})  ${rows} rows`
}
