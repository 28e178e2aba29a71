import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Turn, fitCamera, zoomAt } from './camera.ts'
import { fromOverview, overviewOf } from './overview.ts'

const IMAGE = { width: 4000, height: 3000 }
const VIEW = { width: 800, height: 600 }

it('is there only while a part of the image is seen', () => {
  const whole = fitCamera(IMAGE, VIEW)
  expect(overviewOf(IMAGE, whole, VIEW, 160)).toBeNull()
  const near = { centerX: 1000, centerY: 1500, scale: 0.4 }
  expect(overviewOf(IMAGE, near, VIEW, 160)).toEqual({ size: { width: 160, height: 120 }, seen: { x: 0, y: 30, width: 80, height: 60 } })
  expect(overviewOf({ width: 0, height: 0 }, near, VIEW, 160)).toBeNull()
})

it('marks no more than the image, and leads back to the point that is looked at, turned or not', () => {
  fc.assert(
    fc.property(fc.constantFrom<Turn>(0, 1, 2, 3), fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 600 }), (turn, x, y) => {
      const camera = zoomAt(fitCamera(IMAGE, VIEW, turn), VIEW, { x, y }, 6)
      const overview = overviewOf(IMAGE, camera, VIEW, 160)
      if (!overview) return
      const { seen, size } = overview
      expect(seen.x >= 0 && seen.y >= 0 && seen.x + seen.width <= size.width + 1e-9 && seen.y + seen.height <= size.height + 1e-9).toBe(true)
      const there = fromOverview(IMAGE, overview, { x: (camera.centerX / IMAGE.width) * size.width, y: (camera.centerY / IMAGE.height) * size.height })
      expect([there.x, there.y]).toEqual([expect.closeTo(camera.centerX, 6), expect.closeTo(camera.centerY, 6)])
    }),
  )
})
