/** `amc train --sweep`: the grid, one run after the other, and what each came to. The computing is arithmetic, in processes of its own. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import type { CommandIo } from '../../src/main/cli/command.ts'
import { runCli } from '../../src/main/cli/run-cli.ts'
import { bestValidation, parseAxis, trainSweep } from '../../src/main/cli/train-sweep.ts'
import type { Run } from '../../src/shared/domain.ts'
import { annotationsOf, importInto, openEngineWithProcesses, temporaryFolder, writeDataset } from '../support/engine.ts'

interface Swept {
  readonly runs: readonly { readonly run: Run; readonly swept: Record<string, unknown>; readonly best: { readonly step: number; readonly values: Record<string, number> } | null; readonly checkpoint: { readonly id: string } | null }[]
  readonly best: string | null
}

function quiet(signal = new AbortController().signal): CommandIo & { readonly notes: string[] } {
  const notes: string[] = []
  return { out: () => {}, note: (text) => void notes.push(text), progress: { report: () => {}, end: () => {} }, signal, json: true, notes }
}

async function project() {
  const projectDir = join(await temporaryFolder(), 'project')
  const engine = await openEngineWithProcesses(projectDir)
  const datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(8, 2)))
  return { engine, projectDir, request: { preset: 'demo-amc', overrides: { 'batch.images': 2, steps: 4, 'validation.every': 2, 'save.every': 2, 'memory.check': false }, datasetId, name: 'grid' } }
}

describe('a sweep from the command line', () => {
  test('trains every combination, and tells the best validation of each', async () => {
    const { engine, request } = await project()
    const io = quiet()
    const answer = await trainSweep(engine, request, [parseAxis('optimizer.learningRate=1e-5,1e-4'), parseAxis('loss.amc=0,1')], io)
    const { runs, best } = answer.json as Swept
    expect(answer.exitCode).toBe(0)
    expect(runs.map(({ swept }) => [swept['optimizer.learningRate'], swept['loss.amc']])).toEqual([[1e-5, 0], [1e-5, 1], [1e-4, 0], [1e-4, 1]])
    expect(runs.map(({ run }) => [run.name, run.state, run.step])).toEqual(['1e-5, amc 0', '1e-5, amc 1', '1e-4, amc 0', '1e-4, amc 1'].map((name) => [`grid: learningRate ${name}`, 'finished', 4]))
    for (const one of runs) {
      const kept = (await engine.handlers.checkpoints.list({})).find(({ id }) => id === one.checkpoint?.id)!
      expect(kept).toMatchObject({ runId: one.run.id, best: true, step: one.best!.step })
      const rows = await engine.handlers.runs.metrics({ id: one.run.id, afterStep: -1 })
      expect(one.best!.values['val.pointingGame']).toBe(Math.max(...rows.flatMap((row) => row.values['val.pointingGame'] ?? [])))
    }
    expect(runs.map(({ best: at }) => at!.step)).toEqual([2, 2, 2, 2])
    const highest = Math.max(...runs.map((one) => one.best!.values['val.pointingGame']!))
    expect(runs.find(({ run }) => run.id === best)!.best!.values['val.pointingGame']).toBe(highest)
    expect(runs.find(({ run }) => run.id === best)!.swept['optimizer.learningRate']).toBe(1e-4)
    // The same as a table: a head, a line a run, one star.
    expect(answer.lines).toHaveLength(5)
    expect(answer.lines.filter((line) => line.startsWith('*'))).toHaveLength(1)
    expect(answer.lines[1]).toMatch(/grid: learningRate 1e-5, amc 0 +finished +4\/4 +\d+ +\d\.\d{4} +\d\.\d{4}$/)
    expect(io.notes[0]).toMatch(/^4 runs: /)
  }, 120_000)

  test('stopped at once, it keeps what waits in the project and ends as interrupted', async () => {
    const { engine, request } = await project()
    const stopping = new AbortController()
    stopping.abort()
    const answer = await trainSweep(engine, request, [parseAxis('seed=1,2,3')], quiet(stopping.signal))
    expect(answer.exitCode).toBe(130)
    expect((await engine.handlers.runs.list({})).map((run) => run.state)).toEqual(['stopped', 'stopped', 'stopped'])
  }, 120_000)

  test('reads values as --set does, and says what is wrong before anything starts', async () => {
    expect(parseAxis('loss.itm=true, false')).toEqual({ key: 'loss.itm', values: [true, false] })
    expect(parseAxis('data.boxes=one,all').values).toEqual(['one', 'all'])
    for (const wrong of ['seed', 'seed=1', 'seed=1,,2', '=1,2']) expect(() => parseAxis(wrong)).toThrow(/--sweep needs/)
    expect(() => parseAxis('seed=1,x')).toThrow(/seed cannot be "x"/)
    const { engine, projectDir } = await project()
    await engine.close()
    let err = ''
    const code = await runCli(COMMANDS, ['train', '--project', projectDir, '--config', 'demo-amc', '--sweep', 'sead=1,2'], { stdout: { write: () => {} }, stderr: { write: (text) => (err += text) } }, new AbortController().signal, '0')
    expect([code, err]).toEqual([3, expect.stringMatching(/no setting "sead"[^]*seed/)])
  }, 60_000)
})

test('the best validation is the highest by what judges the run, the latest among equals; a run without any has none', () => {
  const row = (step: number, values: Record<string, number>) => ({ step, seconds: step, values })
  expect(bestValidation([row(1, { 'val.pointingGame': 0.5, 'loss.total': 3 }), row(2, { 'loss.total': 2 }), row(3, { 'val.pointingGame': 0.7, 'val.consistency': 0.4 }), row(5, { 'val.pointingGame': 0.7 }), row(6, { 'val.pointingGame': 0.6, 'val.consistency': NaN })], 'val.pointingGame')).toEqual({ step: 5, values: { 'val.pointingGame': 0.7 } })
  expect(bestValidation([row(1, { 'loss.total': 3 })], 'val.pointingGame')).toBeNull()
  expect(bestValidation([row(1, { 'val.pointingGame': 0.9, 'val.consistency': 0.3 }), row(2, { 'val.pointingGame': 0.1, 'val.consistency': 0.4 })], 'val.consistency')?.step).toBe(2)
})
