/**
 * The measurements of runs, column by column and complete: fetched once, then grown by the engine's events. Kept outside
 * React, because a run measures more often than a screen needs to be drawn anew.
 */
import { useEffect, useSyncExternalStore } from 'react'
import type { MetricRow } from '../../shared/domain.ts'
import { ALERT_ROWS } from '../../shared/run-alerts.ts'
import { api, connectionStore } from './engine.ts'
import { onEngineEvent } from './events.ts'

export interface Series {
  readonly steps: number[]
  readonly values: number[]
  /** Of training, pauses left out, at each step. */
  readonly seconds: number[]
}

export interface RunMetrics {
  /** Grows with each change, so that readers know when to draw. */
  version: number
  lastStep: number
  loaded: boolean
  error: unknown
  readonly series: Map<string, Series>
  /** The newest rows in order, for the alerts. */
  readonly recent: MetricRow[]
}

export function emptyMetrics(): RunMetrics {
  return { version: 0, lastStep: -1, loaded: false, error: null, series: new Map(), recent: [] }
}

/** Adds rows in order. A row at or before the last step known replaces what was there, as after a resume from an earlier state. */
export function addRows(metrics: RunMetrics, rows: readonly MetricRow[]): void {
  for (const row of rows) {
    addRecent(metrics.recent, row)
    const values = row.wait === undefined ? row.values : { ...row.values, dataWait: row.wait }
    for (const [name, value] of Object.entries(values)) {
      let series = metrics.series.get(name)
      if (!series) {
        series = { steps: [], values: [], seconds: [] }
        metrics.series.set(name, series)
      }
      const last = series.steps.length - 1
      if (last < 0 || row.step > series.steps[last]!) {
        series.steps.push(row.step)
        series.values.push(value)
        series.seconds.push(row.seconds)
        continue
      }
      let at = last
      while (at > 0 && series.steps[at - 1]! >= row.step) at--
      if (series.steps[at] === row.step) {
        series.values[at] = value
        series.seconds[at] = row.seconds
      }
      else {
        series.steps.splice(at, 0, row.step)
        series.values.splice(at, 0, value)
        series.seconds.splice(at, 0, row.seconds)
      }
    }
    metrics.lastStep = Math.max(metrics.lastStep, row.step)
  }
  if (rows.length > 0) metrics.version++
}

/** A row at or before the last one known takes the place of what came from there on, as after a resume. */
function addRecent(recent: MetricRow[], row: MetricRow): void {
  while (recent.length > 0 && recent.at(-1)!.step >= row.step) recent.pop()
  recent.push(row)
  if (recent.length > 2 * ALERT_ROWS) recent.splice(0, ALERT_ROWS)
}

const runs = new Map<string, RunMetrics>()
const listeners = new Set<() => void>()
let scheduled = false

/** Once a frame at most, however many rows arrive. */
function notify(): void {
  if (scheduled) return
  scheduled = true
  window.requestAnimationFrame(() => {
    scheduled = false
    for (const listener of listeners) listener()
  })
}

async function load(runId: string, metrics: RunMetrics): Promise<void> {
  try {
    // What arrived by events meanwhile is simply written again.
    const rows = await api.runs.metrics({ id: runId, afterStep: metrics.loaded ? metrics.lastStep : -1 })
    addRows(metrics, rows)
    metrics.error = null
    metrics.loaded = true
  } catch (error) {
    metrics.error = error
  }
  metrics.version++
  notify()
}

let listening = false
function listen(): void {
  if (listening) return
  listening = true
  onEngineEvent((event) => {
    if (event.type !== 'run.measured') return
    const metrics = runs.get(event.runId)
    if (!metrics) return
    addRows(metrics, event.rows)
    notify()
  })
  let opened = connectionStore.getState().opened
  connectionStore.subscribe((state) => {
    if (state.opened <= opened) return
    opened = state.opened
    for (const [runId, metrics] of runs) void load(runId, metrics)
  })
}

function metricsOf(runId: string): RunMetrics {
  let metrics = runs.get(runId)
  if (!metrics) {
    metrics = emptyMetrics()
    runs.set(runId, metrics)
  }
  return metrics
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const NONE = emptyMetrics()

/** The measurements of one run, drawn again at most once a frame. The object is the same; `version` tells that it changed. */
export function useRunMetrics(runId: string | null): { readonly metrics: RunMetrics; readonly version: number; readonly retry: () => void } {
  const metrics = runId === null ? NONE : metricsOf(runId)
  useEffect(() => {
    listen()
    if (runId !== null && !metrics.loaded && metrics.error === null) void load(runId, metrics)
  }, [runId, metrics])
  const version = useSyncExternalStore(subscribe, () => metrics.version)
  return { metrics, version, retry: () => runId !== null && void load(runId, metrics) }
}
