import { describe, expect, it } from 'vitest'
import { addRows, emptyMetrics } from './metrics.ts'

const row = (step: number, values: Record<string, number>) => ({ step, seconds: step, values })

describe('measurements of a run', () => {
  it('keeps every point of every metric', () => {
    const metrics = emptyMetrics()
    addRows(metrics, [row(1, { loss: 3 }), row(2, { loss: 2, val: 0.5 }), row(3, { loss: 1 })])
    expect(metrics.series.get('loss')).toEqual({ steps: [1, 2, 3], values: [3, 2, 1], seconds: [1, 2, 3] })
    expect(metrics.series.get('val')).toEqual({ steps: [2], values: [0.5], seconds: [2] })
    expect(metrics.lastStep).toBe(3)
    expect(metrics.version).toBe(1)
  })

  it('takes the same row twice as one, and newer values for old steps', () => {
    const metrics = emptyMetrics()
    addRows(metrics, [row(1, { loss: 3 }), row(2, { loss: 2 })])
    addRows(metrics, [row(2, { loss: 2.5 }), row(1, { loss: 3.5 }), row(3, { loss: 1 })])
    expect(metrics.series.get('loss')).toEqual({ steps: [1, 2, 3], values: [3.5, 2.5, 1], seconds: [1, 2, 3] })
  })

  it('draws how long steps waited as a curve of its own, and keeps the newest rows in order over a resume', () => {
    const metrics = emptyMetrics()
    addRows(metrics, [{ ...row(1, { loss: 3 }), wait: 0.25 }, row(2, { loss: 2 }), row(3, { loss: 1 })])
    addRows(metrics, [row(2, { loss: 2.5 })])
    expect(metrics.series.get('dataWait')).toEqual({ steps: [1], values: [0.25], seconds: [1] })
    expect(metrics.recent.map(({ step, values }) => [step, values['loss']])).toEqual([[1, 3], [2, 2.5]])
    addRows(metrics, Array.from({ length: 3000 }, (_, i) => row(i + 3, { loss: 1 })))
    expect(metrics.recent.length).toBeLessThanOrEqual(1200)
    expect(metrics.recent.at(-1)!.step).toBe(3002)
    expect(metrics.series.get('loss')!.values).toHaveLength(3002)
  })

  it('puts a late row in its place', () => {
    const metrics = emptyMetrics()
    addRows(metrics, [row(5, { loss: 5 }), row(9, { loss: 9 }), row(2, { loss: 2 }), row(7, { loss: 7 })])
    expect(metrics.series.get('loss')!.steps).toEqual([2, 5, 7, 9])
    expect(metrics.series.get('loss')!.values).toEqual([2, 5, 7, 9])
  })
})
