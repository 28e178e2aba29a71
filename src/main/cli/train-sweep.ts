/** `amc train --sweep`: a run for each combination of a few values, one after the other, and a table of what each came to. */
import type { MetricRow, Run } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { parseAssignment } from '../../shared/config/run-config.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { CommandIo, CommandResult } from './command.ts'
import { watchRun } from './watch-run.ts'

type Request = Parameters<EngineCore['handlers']['runs']['start']>[0]
type Axes = Parameters<EngineCore['handlers']['runs']['sweep']>[0]['axes']

/** `key=v1,v2,...`, each value checked as `--set` checks it. @throws AppError 'usage' or 'bad-input' */
export function parseAxis(argument: string): Axes[number] {
  const at = argument.indexOf('=')
  const words = argument.slice(at + 1).split(',').map((word) => word.trim())
  if (at < 1 || words.length < 2 || words.includes('')) throw new AppError('usage', `--sweep needs key=value,value, but got "${argument}".`, 'For example: --sweep optimizer.learningRate=1e-5,3e-5')
  const key = argument.slice(0, at).trim()
  return { key, values: words.map((word) => parseAssignment(`${key}=${word}`).value) }
}

interface Best {
  readonly step: number
  readonly values: MetricRow['values']
}

/** By what a run's best checkpoint is chosen. */
function judgeOf(config: Run['config']): string {
  const metric = config['earlyStop.metric']
  return `val.${typeof metric === 'string' && metric !== 'off' ? metric : 'pointingGame'}`
}

/** The validation that the run's best checkpoint was chosen at: the highest value, the latest among equals. */
export function bestValidation(rows: readonly MetricRow[], judge: string): Best | null {
  let best: Best | null = null
  for (const { step, values } of rows) {
    const value = values[judge]
    if (value === undefined || !Number.isFinite(value) || (best && value < best.values[judge]!)) continue
    best = { step, values: Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith('val.'))) }
  }
  return best
}

/** Makes the runs and waits for all of them. Ctrl+C stops the one in hand and those that wait; a run that fails does not hold back the others. */
export async function trainSweep(engine: EngineCore, request: Request, axes: Axes, io: CommandIo): Promise<CommandResult> {
  const { handlers } = engine
  const started = await handlers.runs.sweep({ run: request, axes })
  io.note(`${started.length} runs: ${started.map((run) => run.name).join('; ')}`)
  const stopWaiting = (): void => {
    for (const { id } of started) void (async () => ((await handlers.runs.get({ id })).state === 'waiting' ? handlers.runs.stop({ id }) : null))().catch(() => undefined) // it has ended by itself
  }
  if (io.signal.aborted) stopWaiting()
  io.signal.addEventListener('abort', stopWaiting, { once: true })
  const judge = judgeOf(started[0]!.config)
  const runs: { readonly run: Run; readonly best: Best | null; readonly checkpoint: { readonly id: string; readonly name: string } | null }[] = []
  try {
    for (const one of started) {
      const run = await watchRun(engine, one, io)
      const best = bestValidation(await handlers.runs.metrics({ id: run.id, afterStep: -1 }), judge)
      const checkpoint = (await handlers.checkpoints.list({})).find((kept) => kept.runId === run.id && kept.best)
      runs.push({ run, best, checkpoint: checkpoint ? { id: checkpoint.id, name: checkpoint.name } : null })
    }
  } finally {
    io.signal.removeEventListener('abort', stopWaiting)
  }
  const value = ({ best }: (typeof runs)[number]): number => best?.values[judge] ?? -Infinity
  const winner = runs.reduce<(typeof runs)[number] | null>((top, one) => (one.best && (!top || value(one) > value(top)) ? one : top), null)
  return {
    json: { runs: runs.map(({ run, ...rest }) => ({ run, swept: Object.fromEntries(axes.map(({ key }) => [key, run.config[key]])), ...rest })), best: winner?.run.id ?? null },
    lines: table([
      ['', 'run', 'state', 'step', 'best at', 'pointing', 'consistency'],
      ...runs.map((one) => [one === winner ? '*' : '', one.run.name, one.run.state, `${one.run.step}/${one.run.totalSteps}`, one.best ? String(one.best.step) : '-', shown(one.best, 'val.pointingGame'), shown(one.best, 'val.consistency')]),
    ]).concat(runs.flatMap(({ run }) => (run.error ? [`${run.name}: ${run.error.message} ${run.error.cure}`.trim()] : []))),
    exitCode: runs.some(({ run }) => run.state === 'failed') ? 1 : runs.every(({ run }) => run.state === 'finished') ? 0 : 130,
  }
}

const shown = (best: Best | null, name: string): string => best?.values[name]?.toFixed(4) ?? '-'

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd())
}
