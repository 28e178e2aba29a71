import { describe, expect, it } from 'vitest'
import { splitShares } from './splits.ts'

describe('split bar', () => {
  it('puts train, val and test first, in their colours', () => {
    const parts = splitShares({ test: 10, extra: 5, train: 80, val: 5 })
    expect(parts.map((part) => part.name)).toEqual(['train', 'val', 'test', 'extra'])
    expect(parts[0]!.share).toBeCloseTo(0.8)
    expect(new Set(parts.map((part) => part.colour)).size).toBe(4)
  })

  it('adds up to the whole and leaves out empty splits', () => {
    const parts = splitShares({ a: 1, b: 2, c: 0 })
    expect(parts.map((part) => part.name)).toEqual(['a', 'b'])
    expect(parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1)
    expect(splitShares({})).toEqual([])
  })
})
