import { describe, expect, it } from 'vitest'
import { axisFor, place, verdict } from './intervals.ts'

describe('intervals', () => {
  it('always shows zero', () => {
    for (const values of [[0.1, 0.2], [-3, -1], [0, 0], []]) {
      const axis = axisFor(values)
      expect(place(axis, 0)).toBeGreaterThanOrEqual(0)
      expect(place(axis, 0)).toBeLessThanOrEqual(100)
    }
  })

  it('keeps order and bounds', () => {
    const axis = axisFor([0.05, 0.19, 0.3])
    expect(place(axis, 0.05)).toBeLessThan(place(axis, 0.19))
    expect(place(axis, 0.3)).toBeLessThan(100)
  })

  it('speaks of a change only when zero is outside', () => {
    expect(verdict({ low: 0.1, high: 0.2 })).toBe('better')
    expect(verdict({ low: -0.2, high: -0.1 })).toBe('worse')
    expect(verdict({ low: -6.6, high: -4.8 }, true)).toBe('better')
    expect(verdict({ low: -0.02, high: 0 })).toBe('unclear')
  })
})
