/** A run as the command line shows it while it goes on. */
import type { MetricRow, Run } from '../../shared/domain.ts'
import { type Alert, ALERT_ROWS, runAlerts } from '../../shared/run-alerts.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { CommandIo } from './command.ts'

const ENDED: readonly Run['state'][] = ['finished', 'paused', 'stopped', 'failed']

/** Shows a run until it ends, with its alerts as they come. Ctrl+C stops it after the step in hand; what it did is saved. */
export async function watchRun({ handlers, context }: EngineCore, started: Run, io: CommandIo): Promise<Run> {
  const { id } = started
  const loss = { text: '' }
  let recent: readonly MetricRow[] = await handlers.runs.metrics({ id, afterStep: -1 })
  const told = new Set<Alert['kind']>()
  const tellAlerts = (): void => {
    for (const { kind, title, message, cure } of runAlerts(recent, started.config, started.totalSteps)) {
      if (!told.has(kind)) io.note(`${title}: ${message} ${cure}`)
      told.add(kind)
    }
  }
  const ended = Promise.withResolvers<void>()
  const stopListening = context.events.on((event) => {
    if (event.type === 'run.measured' && event.runId === id) {
      const total = event.rows.at(-1)?.values['loss.total']
      if (total !== undefined) loss.text = `loss ${total.toFixed(3)}`
      const first = event.rows[0]?.step ?? 0
      recent = [...recent.filter((row) => row.step < first), ...event.rows].slice(-ALERT_ROWS)
      tellAlerts()
    }
    if (event.type !== 'run.progressed' || event.run.id !== id) return
    const { run } = event
    const left = run.secondsLeft === null ? '' : `, ${duration(run.secondsLeft)} left`
    io.progress.report(run.name, run.step, run.totalSteps, `${loss.text}${left}`)
    if (ENDED.includes(run.state)) ended.resolve()
  })
  const stop = (): void => {
    io.note('Stopping after this step and saving')
    void (async () => handlers.runs.stop({ id }))().catch(() => ended.resolve())
  }
  io.signal.addEventListener('abort', stop, { once: true })
  try {
    const goesOn = !ENDED.includes((await handlers.runs.get({ id })).state)
    if (goesOn && io.signal.aborted) stop()
    if (goesOn) await ended.promise
  } finally {
    stopListening()
    io.signal.removeEventListener('abort', stop)
    io.progress.end()
  }
  return handlers.runs.get({ id })
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
