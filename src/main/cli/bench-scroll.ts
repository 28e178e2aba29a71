/** The part of `amc bench curate` that scrolls the queue of a large dataset in a browser without a window. */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { CommandInput, CommandIo, CommandResult } from './command.ts'

/** Makes a project of so many regions in a temporary folder, and removes it. */
export async function benchScrollPart(input: CommandInput, io: CommandIo): Promise<CommandResult> {
  const [{ createEngine, openEngine }, { makeSyntheticQueue }, { openBenchPage }, { benchScroll }] = await Promise.all([import('../engine/engine.ts'), import('../bench/synthetic-queue.ts'), import('../bench/chromium.ts'), import('../bench/bench-scroll.ts')])
  const folder = await mkdtemp(join(tmpdir(), 'amc-bench-'))
  const projectDir = join(folder, 'project')
  try {
    const regions = input.integer('regions', { min: 1000 }) ?? 1_000_000
    const first = await openEngine({ projectDir })
    await first.settled
    const { datasetId } = await makeSyntheticQueue(first.context.db, regions, input.integer('seed') ?? 1, (done) => {
      if (io.signal.aborted) throw new AppError('cancelled', 'The bench was cancelled.')
      io.progress.report('Making regions', done, regions)
    }).finally(first.close)
    const engine = await createEngine({ projectDir, port: 0 })
    try {
      await engine.settled
      const url = engine.url.replace(/\/$/, '')
      const page = await openBenchPage({ width: 1600, height: 1000 })
      try {
        await page.send('Network.setCookie', { name: 'amc-tour', value: 'seen', url })
        await page.send('Page.navigate', { url: `${url}/?token=${engine.token}#/settings` })
        await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1500))')
        const result = await benchScroll(page, `${url}/#/curate?dataset=${datasetId}`, input.integer('frames', { min: 10, max: 2_000 }) ?? 240)
        return {
          json: { cpus: cpus().length, regions, ...result },
          lines: [
            `${regions} regions: first rows after ${result.openedMs.toFixed(0)} ms`,
            ...result.gestures.map(({ gesture, framesPerSecond, p95FrameMs, frames, emptyRowFrames }) => `${gesture.padEnd(6)} ${framesPerSecond.toFixed(0).padStart(4)} frames/s  95 % within ${p95FrameMs.toFixed(0)} ms  rows still to come in ${emptyRowFrames} of ${frames} frames`),
          ],
        }
      } finally {
        await page.close()
      }
    } finally {
      await engine.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
