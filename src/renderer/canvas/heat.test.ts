import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bicubicPeak } from '../../shared/consistency.ts'
import { COLOUR_MAPS, colourTable, differenceColour } from './colour-maps.ts'
import { differencePixels, differenceRaster, heatAlpha, heatPixels, rasterSize, scaleHeat, sharedRange, upsampleBicubic } from './heat.ts'

const grid = { width: 3, height: 2, values: [0.2, 0.4, -1, 0.1, 0.6, 0] }

describe('scales', () => {
  it('stretches a map to its own range after dropping negative values', () => {
    const own = [...(scaleHeat(grid, 'own').values as Float32Array)]
    const expected = [0.2, 0.4, 0, 0.1, 0.6, 0].map((value) => value / 0.6)
    own.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
  })

  it('puts maps on one range, so that a weak one looks weak', () => {
    const weak = { width: 3, height: 2, values: [0.1, 0.1, 0.1, 0.1, 0.2, 0.1] }
    const range = sharedRange([grid, weak])
    expect(range).toEqual({ low: 0, high: 0.6 })
    expect(Math.max(...(scaleHeat(weak, range).values as Float32Array))).toBeCloseTo(1 / 3, 5)
  })

  it('gives zeros, not NaN, for a flat map', () => {
    expect([...(scaleHeat({ width: 2, height: 1, values: [0, 0] }, { low: 0, high: 0 }).values as Float32Array)]).toEqual([0, 0])
    expect(sharedRange([])).toEqual({ low: 0, high: 0 })
  })
})

describe('bicubic upsampling', () => {
  it('keeps a constant map constant', () => {
    fc.assert(
      fc.property(fc.float({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (value, width, height) => {
        const raster = upsampleBicubic({ width: 4, height: 4, values: Array.from({ length: 16 }, () => value) }, { width, height })
        expect(raster.values).toHaveLength(width * height)
        for (const out of raster.values) expect(out).toBeCloseTo(value, 5)
      }),
    )
  })

  it('has its maximum where the pointing game finds the peak', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 30, maxLength: 30 }), (values) => {
        const map = { width: 6, height: 5, values }
        const raster = upsampleBicubic(map, { width: 90, height: 70 })
        const peak = bicubicPeak(map, { width: 90, height: 70 })
        let best = -Infinity
        for (const value of raster.values) best = Math.max(best, value)
        // Equal maxima may differ in the last bit of the sum.
        expect(raster.values[peak.y * 90 + peak.x]!).toBeGreaterThanOrEqual(best - 1e-3)
      }),
      { numRuns: 50 },
    )
  })

  it('has the proportions of the image', () => {
    expect(rasterSize({ width: 640, height: 320 })).toEqual({ width: 320, height: 160 })
    expect(rasterSize({ width: 10, height: 4000 })).toEqual({ width: 1, height: 320 })
  })
})

describe('pixels', () => {
  it('lets alpha rise from 10 % at 0 to full at 0.5', () => {
    expect([0, 0.25, 0.5, 1].map(heatAlpha)).toEqual([0.1, 0.55, 1, 1])
  })

  it('takes each colour from the table', () => {
    const raster = { width: 2, height: 1, values: Float32Array.of(0, 1) }
    for (const map of COLOUR_MAPS) {
      const table = colourTable(map)
      expect(table).toHaveLength(768)
      const pixels = heatPixels(raster, map, true)
      expect([...pixels]).toEqual([table[0], table[1], table[2], 255, table[765], table[766], table[767], 255])
    }
    expect([...heatPixels(raster, 'inferno')].slice(4)).toEqual([0xfc, 0xff, 0xa4, 255])
  })

  it('rises in lightness in every map but turbo', () => {
    for (const map of COLOUR_MAPS.filter((name) => name !== 'turbo')) {
      const table = colourTable(map)
      const lightness = Array.from({ length: 256 }, (_, i) => 0.2126 * table[i * 3]! + 0.7152 * table[i * 3 + 1]! + 0.0722 * table[i * 3 + 2]!)
      for (let i = 16; i < 256; i++) expect(lightness[i]!).toBeGreaterThan(lightness[i - 16]!)
    }
  })
})

describe('difference', () => {
  it('is B minus A: red where B looks more, blue where less, clear where they agree', () => {
    const a = { width: 2, height: 1, values: [1, 0] }
    const b = { width: 2, height: 1, values: [0, 1] }
    const raster = differenceRaster(a, b, { width: 40, height: 20 }, 'own', 40)
    expect(raster.values[0]!).toBeLessThan(-0.9)
    expect(raster.values[39]!).toBeGreaterThan(0.9)
    expect([...differencePixels({ width: 1, height: 1, values: Float32Array.of(0) })]).toEqual([247, 247, 247, 31])
    expect(differenceColour(-1)).toEqual([33, 102, 172])
    expect(differenceColour(1)).toEqual([178, 24, 43])
    expect(differenceColour(7)).toEqual(differenceColour(1))
  })
})
