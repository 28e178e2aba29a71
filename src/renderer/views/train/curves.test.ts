import { describe, expect, it } from 'vitest'
import { axisEnd, axisText, curvesOf, imagesAStep, pickFrames, positions } from './curves.ts'

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

  it('lie along steps, time or images seen', () => {
    const series = { steps: [1, 2, 10], seconds: [0.5, 1, 40] }
    const perStep = imagesAStep({ 'batch.images': 8, 'batch.accumulate': 2 })
    expect(positions('step', series, perStep)).toEqual([1, 2, 10])
    expect(positions('time', series, perStep)).toEqual([0.5, 1, 40])
    expect(positions('samples', series, perStep)).toEqual([16, 32, 160])
    expect((['step', 'time', 'samples'] as const).map((axis) => axisEnd(axis, 100, perStep))).toEqual([100, 0, 1600])
    expect((['step', 'time', 'samples'] as const).map((axis) => axisText(axis, 1600))).toEqual(['step 1,600', '27 min', '1,600 images'])
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
