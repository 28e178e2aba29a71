import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTile, levelCount, levelSize, TILE_PX } from '../../shared/tiles.ts'
import { type Turn, fitCamera, toScreen } from './camera.ts'
import { levelFor, partOf, visibleTiles } from './tiles.ts'

const IMAGE = { width: 20_000, height: 15_000 }
const VIEW = { width: 900, height: 640 }

describe('tiles that are seen', () => {
  it('come at the coarsest level that is still sharp', () => {
    expect(levelFor(IMAGE, 1, 1)).toBe(6)
    expect(levelFor(IMAGE, 8, 1)).toBe(6)
    expect(levelFor(IMAGE, 0.5, 1)).toBe(5)
    expect(levelFor(IMAGE, 0.5, 2)).toBe(6)
    expect(levelFor(IMAGE, 0.4, 1)).toBe(5)
    expect(levelFor(IMAGE, 0.001, 1)).toBe(0)
  })

  it('are few at any zoom, exist, and cover every point of the image on screen', () => {
    const place = fc.record({ x: fc.integer({ min: 0, max: 19_999 }), y: fc.integer({ min: 0, max: 14_999 }) })
    fc.assert(
      fc.property(place, fc.double({ min: 0.02, max: 4, noNaN: true }), fc.constantFrom<Turn>(0, 1, 2, 3), place, (center, scale, turn, point) => {
        const camera = { centerX: center.x, centerY: center.y, scale, turn }
        const level = levelFor(IMAGE, scale, 1)
        const tiles = visibleTiles(IMAGE, camera, VIEW, level)
        expect(tiles.length).toBeLessThanOrEqual(24)
        expect(tiles.every((tile) => isTile(IMAGE, tile))).toBe(true)
        const at = toScreen(camera, VIEW, point)
        if (at.x <= 0 || at.y <= 0 || at.x >= VIEW.width || at.y >= VIEW.height) return
        const span = TILE_PX * 2 ** (levelCount(IMAGE) - 1 - level)
        expect(tiles.some((tile) => tile.x === Math.floor(point.x / span) && tile.y === Math.floor(point.y / span))).toBe(true)
      }),
    )
  })

  it('begin in the middle', () => {
    const tiles = visibleTiles(IMAGE, { centerX: 10_000, centerY: 7_500, scale: 1 }, VIEW, 6)
    expect(tiles[0]).toEqual({ level: 6, x: 19, y: 14 })
    expect(visibleTiles(IMAGE, fitCamera(IMAGE, VIEW), VIEW, 0)).toEqual([{ level: 0, x: 0, y: 0 }])
    expect(visibleTiles(IMAGE, { centerX: -90_000, centerY: 0, scale: 1 }, VIEW, 6)).toEqual([])
  })

  it('are replaced by the same piece of a coarser one', () => {
    expect(partOf(IMAGE, { level: 6, x: 5, y: 6 }, 4)).toEqual({ from: { level: 4, x: 1, y: 1 }, x: 128, y: 256, width: 128, height: 128 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 39 }), fc.integer({ min: 0, max: 29 }), fc.integer({ min: 0, max: 6 }), (x, y, level) => {
        const part = partOf(IMAGE, { level: 6, x, y }, level)
        expect(isTile(IMAGE, part.from)).toBe(true)
        const size = levelSize(IMAGE, level)
        const px = 2 ** (6 - level)
        expect((part.from.x * TILE_PX + part.x) * px).toBe(x * TILE_PX)
        expect((part.from.y * TILE_PX + part.y) * px).toBe(y * TILE_PX)
        expect(part.from.x * TILE_PX + part.x + part.width).toBeLessThanOrEqual(size.width)
        expect(part.from.y * TILE_PX + part.y + part.height).toBeLessThanOrEqual(size.height)
      }),
    )
  })
})
