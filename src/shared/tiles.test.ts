import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTile, levelCount, levelSize, TILE_PX, tileGrid } from './tiles.ts'

const image = fc.record({ width: fc.integer({ min: 1, max: 70_000 }), height: fc.integer({ min: 1, max: 70_000 }) })

describe('the pyramid of a large image', () => {
  it('ends in one tile, and begins with the image itself', () => {
    fc.assert(
      fc.property(image, (size) => {
        const levels = levelCount(size)
        expect(levelSize(size, levels - 1)).toEqual(size)
        expect(tileGrid(size, 0)).toEqual({ columns: 1, rows: 1 })
        if (levels > 1) expect(Math.max(levelSize(size, 1).width, levelSize(size, 1).height)).toBeGreaterThan(TILE_PX)
        for (let level = 0; level + 1 < levels; level++) {
          const [small, large] = [levelSize(size, level), levelSize(size, level + 1)]
          expect(small).toEqual({ width: Math.ceil(large.width / 2), height: Math.ceil(large.height / 2) })
        }
      }),
    )
  })

  it('has the tiles of its grid and no other', () => {
    const size = { width: 20_000, height: 15_000 }
    expect(levelCount(size)).toBe(7)
    expect(tileGrid(size, 6)).toEqual({ columns: 40, rows: 30 })
    expect(isTile(size, { level: 6, x: 39, y: 29 })).toBe(true)
    for (const [level, x, y] of [[6, 40, 0], [6, 0, 30], [7, 0, 0], [-1, 0, 0], [0, 1, 0], [6, 0.5, 0], [6, -1, 0], [NaN, 0, 0]] as const) expect(isTile(size, { level, x, y })).toBe(false)
  })
})
