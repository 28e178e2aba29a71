import { describe, expect, it } from 'vitest'
import { curvesOf, pickFrames } from './curves.ts'

describe('curves of a run', () => {
  it('shows six from the start and AMC where it is measured', () => {
    expect(curvesOf(new Set())).toHaveLength(6)
    const names = curvesOf(new Set(['loss.total', 'loss.amcMax', 'lr'])).map((curve) => curve.metric)
    expect(names.indexOf('loss.amcMax')).toBe(1)
    expect(names.at(-1)).toBe('lr')
  })

  it('appends what it does not know by name', () => {
    const last = curvesOf(new Set(['val.newMeasure'])).at(-1)!
    expect(last).toMatchObject({ metric: 'val.newMeasure', dots: true })
  })

  it('picks the first, the last and some between', () => {
    expect(pickFrames([1, 2, 3], 7)).toEqual([1, 2, 3])
    const picked = pickFrames(Array.from({ length: 100 }, (_, i) => i), 7)
    expect(picked).toHaveLength(7)
    expect(picked[0]).toBe(0)
    expect(picked.at(-1)).toBe(99)
    expect(new Set(picked).size).toBe(7)
  })
})
