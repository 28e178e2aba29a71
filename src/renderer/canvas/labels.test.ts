import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { labelInside, overlaps, placeLabel, type Rect } from './labels.ts'

const VIEW = { width: 600, height: 400 }
const LABEL = { width: 90, height: 20 }
const box: fc.Arbitrary<Rect> = fc.record({
  x: fc.integer({ min: -300, max: 700 }), y: fc.integer({ min: -300, max: 500 }), width: fc.integer({ min: 1, max: 900 }), height: fc.integer({ min: 1, max: 700 }),
})

describe('the label of a box', () => {
  it('stands 4 px above it, and where there is no room below, then right, then left', () => {
    expect(placeLabel({ x: 100, y: 100, width: 80, height: 60 }, LABEL, VIEW)).toEqual({ x: 99, y: 76, ...LABEL })
    expect(placeLabel({ x: 100, y: 10, width: 80, height: 60 }, LABEL, VIEW)).toEqual({ x: 99, y: 74, ...LABEL })
    expect(placeLabel({ x: 100, y: -5, width: 80, height: 420 }, LABEL, VIEW)).toEqual({ x: 184, y: 2, ...LABEL })
    expect(placeLabel({ x: 200, y: -5, width: 500, height: 420 }, LABEL, VIEW)).toEqual({ x: 106, y: 2, ...LABEL })
  })

  it('never covers its object, another label, or leaves the canvas', () => {
    fc.assert(
      fc.property(box, fc.array(box, { maxLength: 6 }), (object, taken) => {
        const place = placeLabel(object, LABEL, VIEW, taken)
        if (!place) return
        expect(overlaps(place, object)).toBe(false)
        expect(taken.some((other) => overlaps(other, place))).toBe(false)
        expect(place.x >= 0 && place.y >= 0 && place.x + place.width <= VIEW.width && place.y + place.height <= VIEW.height).toBe(true)
      }),
    )
  })

  it('says when nothing is free only when nothing is', () => {
    expect(placeLabel({ x: -10, y: -10, width: 620, height: 420 }, LABEL, VIEW)).toBeNull()
    const small = { x: 300, y: 200, width: 20, height: 20 }
    const above = placeLabel(small, LABEL, VIEW)!
    const below = placeLabel(small, LABEL, VIEW, [above])!
    expect(below.y).toBe(224)
    expect(placeLabel(small, LABEL, VIEW, [{ x: 0, y: 0, ...VIEW }])).toBeNull()
  })

  it('goes into the visible corner as a last resort', () => {
    expect(labelInside({ x: -40, y: -40, width: 700, height: 500 }, LABEL, VIEW)).toEqual({ x: 5, y: 5, ...LABEL })
  })
})
