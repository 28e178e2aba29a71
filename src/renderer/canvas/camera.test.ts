import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Camera, MAX_SCALE, MIN_SCALE, cameraOffset, fitCamera, keepVisible, panBy, toImage, toScreen, wheelFactor, zoomAt, zoomToBoxes } from './camera.ts'

const coordinate = fc.double({ min: -5000, max: 5000, noNaN: true })
const camera: fc.Arbitrary<Camera> = fc.record({ centerX: coordinate, centerY: coordinate, scale: fc.double({ min: MIN_SCALE, max: MAX_SCALE, noNaN: true }) })
const viewport = fc.record({ width: fc.integer({ min: 50, max: 4000 }), height: fc.integer({ min: 50, max: 4000 }) })
const point = fc.record({ x: coordinate, y: coordinate })

describe('camera', () => {
  it('turns image px into screen px and back', () => {
    fc.assert(
      fc.property(camera, viewport, point, (cam, view, p) => {
        const back = toImage(cam, view, toScreen(cam, view, p))
        // The screen position may be large and the scale small: what is lost is bounded by the float's own step there.
        const tolerance = (Math.abs(p.x) + Math.abs(p.y) + Math.abs(cam.centerX) + Math.abs(cam.centerY) + 4000 / cam.scale) * 1e-14
        expect(Math.abs(back.x - p.x)).toBeLessThanOrEqual(tolerance)
        expect(Math.abs(back.y - p.y)).toBeLessThanOrEqual(tolerance)
      }),
    )
  })

  it('keeps the image point under the cursor while zooming', () => {
    fc.assert(
      fc.property(camera, viewport, fc.record({ x: fc.integer({ min: 0, max: 4000 }), y: fc.integer({ min: 0, max: 4000 }) }), fc.double({ min: 0.1, max: 10, noNaN: true }), (cam, view, cursor, factor) => {
        const before = toImage(cam, view, cursor)
        const after = toImage(zoomAt(cam, view, cursor, factor), view, cursor)
        expect(after.x).toBeCloseTo(before.x, 6)
        expect(after.y).toBeCloseTo(before.y, 6)
      }),
    )
  })

  it('does not drift over a thousand small zooms in and out', () => {
    const view = { width: 613, height: 447 }
    const start = fitCamera({ width: 640, height: 427 }, view)
    let cam = start
    for (let i = 0; i < 1000; i++) {
      cam = zoomAt(cam, view, { x: 17 + (i % 300), y: 401 - (i % 211) }, 1.013)
      cam = zoomAt(cam, view, { x: 17 + (i % 300), y: 401 - (i % 211) }, 1 / 1.013)
    }
    expect(cam.centerX).toBeCloseTo(start.centerX, 8)
    expect(cam.centerY).toBeCloseTo(start.centerY, 8)
    expect(cam.scale).toBeCloseTo(start.scale, 10)
  })

  it('stops at the ends of the zoom range without moving', () => {
    const view = { width: 400, height: 300 }
    const most: Camera = { centerX: 5, centerY: 7, scale: MAX_SCALE }
    expect(zoomAt(most, view, { x: 1, y: 1 }, 2)).toBe(most)
  })

  it('fits the whole image with room for handles', () => {
    const view = { width: 424, height: 324 }
    const cam = fitCamera({ width: 200, height: 100 }, view)
    expect(cam.scale).toBe(2)
    expect(cameraOffset(cam, view)).toEqual({ x: 12, y: 62 })
  })

  it('shows the same middle in canvases of different sizes', () => {
    const cam: Camera = { centerX: 33, centerY: 44, scale: 3 }
    for (const view of [{ width: 100, height: 700 }, { width: 901, height: 33 }]) {
      expect(toScreen(cam, view, { x: 33, y: 44 })).toEqual({ x: view.width / 2, y: view.height / 2 })
    }
  })

  it('moves with the pointer, exactly, and back', () => {
    const cam: Camera = { centerX: 10, centerY: 20, scale: 4 }
    expect(panBy(cam, 8, -4)).toEqual({ centerX: 8, centerY: 21, scale: 4 })
    expect(panBy(panBy(cam, 8, -4), -8, 4)).toEqual(cam)
  })

  it('never lets the image leave the screen', () => {
    fc.assert(
      fc.property(camera, viewport, (cam, view) => {
        const image = { width: 640, height: 480 }
        const kept = keepVisible(cam, view, image)
        const offset = cameraOffset(kept, view)
        const strip = Math.min(48, image.width * kept.scale, view.width) * 0.99
        expect(offset.x).toBeLessThanOrEqual(view.width - strip + 1)
        expect(offset.x + image.width * kept.scale).toBeGreaterThanOrEqual(strip - 1)
      }),
    )
  })

  it('brings a region to the middle at the share asked', () => {
    const view = { width: 600, height: 400 }
    const cam = zoomToBoxes(fitCamera({ width: 1000, height: 1000 }, view), view, [[100, 100, 200, 150], [250, 120, 300, 180]], 0.5)
    expect(cam).toEqual({ centerX: 200, centerY: 140, scale: 1.5 })
    expect(zoomToBoxes(cam, view, [])).toBe(cam)
  })

  it('reads wheels of lines and of pixels', () => {
    expect(wheelFactor(-120, 0)).toBeCloseTo(1.2)
    expect(wheelFactor(3, 1)).toBeCloseTo(1 / 1.2)
    expect(wheelFactor(0, 0)).toBe(1)
  })
})
