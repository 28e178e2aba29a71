import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listTop, moveTo, placeFor, placeToShow, rowsInView, scrollMap } from './scroll-map.ts'

const ROW = 56
const sizes = fc.record({ rows: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 600_000, max: 12_000_000 })), view: fc.integer({ min: 60, max: 2000 }) })

test('no element is higher than a browser can hold', () => {
  expect(scrollMap(12_000_000, ROW).height).toBeLessThan(16_000_000)
  expect(scrollMap(10, ROW)).toEqual({ height: 560, listHeight: 560 })
})

test('every row can be reached: asked for, it is in view, and the bar stands within its element', () => {
  fc.assert(fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), ({ rows, view }, share) => {
    const map = scrollMap(rows, ROW)
    const row = Math.min(rows - 1, Math.floor(share * rows))
    const place = placeFor(map, row * ROW, view)
    expect(place.scrollTop).toBeGreaterThanOrEqual(0)
    expect(place.scrollTop).toBeLessThanOrEqual(Math.max(0, map.height - view) + 1)
    const { first, last } = rowsInView(listTop(place), view, ROW, rows, 0)
    expect(first).toBeLessThanOrEqual(row)
    expect(last).toBeGreaterThanOrEqual(row)
  }))
})

test('a small movement moves the list by exactly as much, and the ends of the bar are the ends of the list', () => {
  fc.assert(fc.property(sizes, fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.integer({ min: -50, max: 50 }), ({ rows, view }, share, by) => {
    const map = scrollMap(rows, ROW)
    fc.pre(map.height - view > 400)
    const before = placeFor(map, share * (map.listHeight - view), view)
    fc.pre(before.scrollTop + by > 0 && before.scrollTop + by < map.height - view)
    const after = moveTo(map, before, before.scrollTop + by, view)
    expect(listTop(after) - listTop(before)).toBeCloseTo(by, 6)
    expect(listTop(moveTo(map, before, 0, view))).toBe(0)
    expect(listTop(moveTo(map, before, map.height - view, view))).toBe(map.listHeight - view)
  }))
})

test('a long pull of the bar goes to its share of the list', () => {
  const map = scrollMap(1_000_000, ROW)
  const far = moveTo(map, { scrollTop: 0, offset: 0 }, (map.height - 600) / 2, 600)
  expect(Math.abs(listTop(far) / (map.listHeight - 600) - 0.5)).toBeLessThan(1e-6)
})

test('a row that is asked for is wholly in view, and a list not yet measured is not moved', () => {
  fc.assert(fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), ({ rows, view }, share, from) => {
    const map = scrollMap(rows, ROW)
    const row = Math.min(rows - 1, Math.floor(share * rows))
    const before = placeFor(map, from * map.listHeight, view)
    const top = listTop(placeToShow(map, before, row, ROW, view))
    expect(top).toBeLessThanOrEqual(row * ROW)
    expect(top + view).toBeGreaterThanOrEqual((row + 1) * ROW)
    expect(placeToShow(map, before, row, ROW, 0)).toBe(before)
  }))
})
