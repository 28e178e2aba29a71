import { describe, expect, it } from 'vitest'
import { knowsOnlyDemo } from './demo-only.ts'

const datasets = [{ id: 'scenes', demo: true }, { id: 'photographs' }]
const runs = [{ id: 'r1', datasetId: 'scenes' }, { id: 'r2', datasetId: 'photographs' }]

describe('knowsOnlyDemo', () => {
  it('holds for what comes with the program and for runs on the demo', () => {
    expect(knowsOnlyDemo({ modelName: 'demo', origin: 'shipped', runId: null }, datasets, runs)).toBe(true)
    expect(knowsOnlyDemo({ modelName: 'demo', origin: 'run', runId: 'r1' }, datasets, runs)).toBe(true)
  })

  it('does not hold for the demo model trained on something else, nor for another model', () => {
    expect(knowsOnlyDemo({ modelName: 'demo', origin: 'run', runId: 'r2' }, datasets, runs)).toBe(false)
    expect(knowsOnlyDemo({ modelName: 'demo', origin: 'run', runId: 'gone' }, datasets, runs)).toBe(false)
    expect(knowsOnlyDemo({ modelName: 'demo', origin: 'imported', runId: null }, datasets, runs)).toBe(false)
    expect(knowsOnlyDemo({ modelName: 'albef-base-256', origin: 'run', runId: 'r1' }, datasets, runs)).toBe(false)
  })
})
