import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHash, parseHash } from '../../app/routes.ts'
import { CHARTS, type CompareState, EXPLAINER_VIEWS, FIRST_STATE, fromParams, PANELS, toParams } from './address.ts'
import { MODES } from './draw-pair.ts'
import { CELLS, ORDERS } from './pick.ts'

const grid = (min: number, max: number) => fc.integer({ min: min * 10_000, max: max * 10_000 }).map((n) => n / 10_000)
const range = (min: number) => fc.tuple(grid(min, 1), grid(min, 1)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const word = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' })
const name = fc.option(word, { nil: null })
const state: fc.Arbitrary<CompareState> = fc.record({
  checkpoints: fc.array(name, { maxLength: 4 }).filter((list) => list.at(-1) !== null), results: fc.array(word, { maxLength: 4 }), dataset: name, view: name, split: name,
  pair: fc.constantFrom([0, 1], [1, 0], [0, 3], [2, 1], [3, 2]), cell: fc.constantFrom(...CELLS, null), slice: name,
  brush: fc.option(fc.record({ a: range(0), b: range(0), change: range(-1) }, { requiredKeys: [] }).filter((brush) => Object.keys(brush).length > 0), { nil: null }),
  chart: fc.constantFrom(...CHARTS), order: fc.constantFrom(...ORDERS), region: name, mode: fc.constantFrom(...MODES), shared: fc.boolean(), interval: fc.constantFrom('BCa', 'percentile'),
  cut: grid(0, 1), held: fc.boolean(), camera: fc.option(fc.record({ centerX: grid(-9, 5000), centerY: grid(-9, 5000), scale: grid(0.0001, 64) }), { nil: null }), explainer: fc.constantFrom(...EXPLAINER_VIEWS), panel: fc.constantFrom(...PANELS, null),
}) as fc.Arbitrary<CompareState>

describe('the address of a comparison', () => {
  it('gives back every state it was made of', () => {
    fc.assert(fc.property(state, (given) => {
      const back = fromParams(parseHash(formatHash('compare', toParams(given))).params)
      expect(back).toEqual({ ...given, cut: back.cut })
      expect(back.cut).toBeCloseTo(given.cut, 9)
    }), { numRuns: 500 })
  })

  it('reads anything, and what it cannot read is as at first', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'pair', 'cell', 'ba', 'bb', 'bc', 'camera', 'cut', 'mode', 'order', 'panel', 'chart', 'scale', 'explainer'), fc.string()), (params) => {
      const read = fromParams(params)
      expect(fromParams(toParams(read) as Record<string, string>)).toEqual(read)
    }))
    expect(fromParams({ pair: '22', cell: 'x', ba: '1~0', bc: '-2~0', camera: '1~2~0', cut: '7', mode: 'x', explainer: 'attention~itc' })).toEqual(FIRST_STATE)
  })

  it('is empty where nothing was changed', () => expect(Object.values(toParams(FIRST_STATE)).filter(Boolean)).toEqual([]))
})
