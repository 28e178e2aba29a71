import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { align, envelope, lastAt, smooth, within } from './smoothing.ts'

describe('unbiased smoothing', () => {
  it('leaves values as they are without weight', () => {
    expect([...smooth([3, 1, 2], 0)]).toEqual([3, 1, 2])
  })

  it('starts at the first value, not at zero', () => {
    const out = smooth([5, 5, 5, 5], 0.9)
    for (const value of out) expect(value).toBeCloseTo(5, 12)
  })

  it('is the weighted mean of what came before', () => {
    // weights 0.6 * 0.4, 0.4 over their sum 0.64
    expect(smooth([1, 3], 0.6)[1]).toBeCloseTo((0.24 * 1 + 0.4 * 3) / 0.64, 12)
  })

  it('passes by what is not finite', () => {
    const out = smooth([Number.NaN, 2, Number.NaN, 2], 0.5)
    expect(out[0]).toBeNaN()
    expect([...out.slice(1)]).toEqual([2, 2, 2])
  })

  it('stays between the least and the greatest value', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (values, weight) => {
      const low = Math.min(...values) - 1e-6
      const high = Math.max(...values) + 1e-6
      for (const value of smooth(values, weight)) expect(value >= low && value <= high).toBe(true)
    }))
  })
})

describe('envelope', () => {
  it('keeps every point where there is room', () => {
    const result = envelope([1, 2, 5], [3, 1, 2], [3, 2, 2], 10)
    expect([...result.steps]).toEqual([1, 2, 5])
    expect([...result.low]).toEqual([3, 1, 2])
    expect([...result.line]).toEqual([3, 2, 2])
  })

  it('holds every raw value inside the band, in few buckets', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 3 }), (values, buckets, radius) => {
      const steps = values.map((_, i) => i * 3)
      const result = envelope(steps, values, smooth(values, 0.5), buckets, radius)
      expect(result.steps.length).toBeLessThanOrEqual(Math.max(buckets, 1))
      expect(Math.min(...result.low)).toBe(Math.min(...values))
      expect(Math.max(...result.high)).toBe(Math.max(...values))
      expect(result.steps.at(-1)).toBe(steps.at(-1))
      for (let i = 1; i < result.steps.length; i++) expect(result.steps[i]!).toBeGreaterThan(result.steps[i - 1]!)
    }))
  })

  it('reaches over neighbours where points are few', () => {
    const result = envelope([1, 2, 3, 4], [1, 5, 2, 3], [1, 3, 3, 3], 10, 1)
    expect([...result.low]).toEqual([1, 1, 2, 2])
    expect([...result.high]).toEqual([5, 5, 5, 3])
  })

  it('breaks the line where a value is not finite, also among many in a bucket', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i === 55 ? Number.NaN : 1))
    const steps = values.map((_, i) => i)
    const { line } = envelope(steps, values, smooth(values, 0.9), 10)
    expect([...line].map(Number.isFinite)).toEqual([true, true, true, true, true, false, true, true, true, true])
  })

  it('copes with nothing and with what is not finite', () => {
    expect(envelope([], [], [], 10).steps).toHaveLength(0)
    const result = envelope([0, 1, 2, 3], [Number.NaN, 4, 2, Number.NaN], [Number.NaN, 4, 3, 3], 1)
    expect([...result.low]).toEqual([2])
    expect([...result.high]).toEqual([4])
  })
})

describe('a stretch of a curve', () => {
  it('is what lies within, and one point more on either side', () => {
    const steps = [1, 3, 5, 7, 9]
    expect(within(steps, null)).toEqual([0, 5])
    expect(within(steps, [4, 6])).toEqual([1, 4])
    expect(within(steps, [0, 20])).toEqual([0, 5])
    expect(within(steps, [5.5, 5.6])).toEqual([2, 4])
    expect(within([], [1, 2])).toEqual([0, 0])
  })

  it('shows each of its points once few enough are left, which the whole curve cannot', () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => i)
    const values = steps.map((i) => (i === 5003 ? 100 : Math.sin(i)))
    const [from, to] = within(steps, [5000, 5050])
    const zoomed = envelope(steps.slice(from, to), values.slice(from, to), smooth(values, 0).subarray(from, to), 100)
    expect([...zoomed.line]).toEqual(values.slice(from, to))
    expect([...envelope(steps, values, smooth(values, 0), 100).line]).not.toContain(100)
  })

  it('tells the last point at or before a step', () => {
    expect([0, 1, 2, 3, 4, 9].map((step) => lastAt([1, 3, 4], step))).toEqual([-1, 0, 0, 1, 2, 2])
    expect(lastAt([], 5)).toBe(-1)
  })
})

describe('aligning curves', () => {
  it('joins the steps; a curve goes on over steps it does not have, and has a gap where it was not a number', () => {
    expect(align([{ steps: [1, 3], values: [[10, 30]] }, { steps: [2, 3], values: [[7, 8], [1, Number.NaN]] }])).toEqual([
      [1, 2, 3], [10, undefined, 30], [undefined, 7, 8], [undefined, 1, null],
    ])
  })
})
