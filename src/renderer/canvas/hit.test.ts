import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import { createHitIndex, cycleHit, gripAt, gripCursor, visibleGrips } from './hit.ts'

const small = { key: 'small', box: [40, 40, 60, 60] as Box }
const large = { key: 'large', box: [0, 0, 100, 100] as Box }
const apart = { key: 'apart', box: [200, 0, 240, 20] as Box }

describe('hit testing', () => {
  it('puts the smallest box under the pointer first', () => {
    expect(createHitIndex([small, large, apart]).at({ x: 50, y: 50 }, 2)).toEqual(['small', 'large'])
    expect(createHitIndex([large, small, apart]).at({ x: 50, y: 50 }, 2)).toEqual(['small', 'large'])
    expect(createHitIndex([small, large, apart]).at({ x: 10, y: 50 }, 2)).toEqual(['large'])
  })

  it('prefers a box that holds the point to one that is only near', () => {
    expect(createHitIndex([small, large]).at({ x: 38, y: 50 }, 3)).toEqual(['large', 'small'])
    expect(createHitIndex([apart]).at({ x: 198, y: 10 }, 3)).toEqual(['apart'])
    expect(createHitIndex([apart]).at({ x: 196, y: 10 }, 3)).toEqual([])
  })

  it('goes through overlapping boxes click by click and round again', () => {
    const keys = ['a', 'b', 'c']
    expect(cycleHit(keys, null)).toBe('a')
    expect(cycleHit(keys, 'a')).toBe('b')
    expect(cycleHit(keys, 'c')).toBe('a')
    expect(cycleHit(keys, 'elsewhere')).toBe('a')
    expect(cycleHit([], 'a')).toBeNull()
  })

  it('finds the same with and without an index', () => {
    const box = fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }))
    fc.assert(
      fc.property(fc.array(box, { minLength: 130, maxLength: 200 }), fc.integer({ min: 0, max: 390 }), fc.integer({ min: 0, max: 390 }), (spans, x, y) => {
        const targets = spans.map(([bx, by, w, h], i) => ({ key: `${i}`, box: [bx, by, bx + w, by + h] as Box }))
        const indexed = createHitIndex(targets).at({ x, y }, 2.5)
        // Fewer than the limit at a time: the linear path gives the reference.
        const linear = [targets.slice(0, 100), targets.slice(100)].flatMap((part) => createHitIndex(part).at({ x, y }, 2.5))
        expect([...indexed].sort()).toEqual([...linear].sort())
      }),
      { numRuns: 50 },
    )
  })
})

describe('grips', () => {
  const box: Box = [10, 10, 110, 60]

  it('grabs handles within 8 px and edges within 6 px of the screen at any zoom', () => {
    for (const scale of [0.5, 1, 3, 16]) {
      const px = 1 / scale
      if (scale >= 1) expect(gripAt(box, { x: 10 - 7 * px, y: 10 + 7 * px }, scale)).toEqual({ x: -1, y: -1 })
      expect(gripAt(box, { x: 110 + 5 * px, y: 35 }, scale)).toEqual({ x: 1, y: 0 })
      expect(gripAt(box, { x: 110 + 9 * px, y: 35 }, scale)).toBeNull()
    }
    expect(gripAt(box, { x: 60, y: 35 }, 1)).toBeNull()
  })

  it('leaves the middle of a tiny box free for moving', () => {
    expect(gripAt([50, 50, 58, 58], { x: 54, y: 54 }, 1)).toBeNull()
    expect(gripAt([50, 50, 58, 58], { x: 59, y: 59 }, 1)).toEqual({ x: 1, y: 1 })
  })

  it('hides the middle handles of short sides only', () => {
    expect(visibleGrips([0, 0, 100, 20], 1)).toHaveLength(6)
    expect(visibleGrips([0, 0, 100, 20], 3)).toHaveLength(8)
    expect(visibleGrips([0, 0, 10, 10], 1)).toHaveLength(4)
  })

  it('names the cursor of each direction', () => {
    expect([{ x: -1, y: -1 }, { x: 1, y: -1 }, { x: 0, y: 1 }, { x: 1, y: 0 }].map((grip) => gripCursor(grip as never))).toEqual(['nwse-resize', 'nesw-resize', 'ns-resize', 'ew-resize'])
  })
})
