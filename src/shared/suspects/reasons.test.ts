import { describe, expect, test } from 'vitest'
import type { HeatGrid } from '../consistency.ts'
import type { Box } from '../geometry.ts'
import { takeBaseline } from './baseline.ts'
import { alike, coverOf, heatRaster, shareIn } from './heat-raster.ts'
import { judgeRegions, SUSPECT_FROM, suspicionOf, WEIGHTS } from './judge.ts'
import { type JudgedRegion, type ReasonName } from './reasons.ts'
import { REASON_NAMES, reasonWords } from './words.ts'

const IMAGE = { width: 100, height: 100 }
const LEFT: Box = [5, 5, 45, 95]
const RIGHT: Box = [55, 5, 95, 95]

/** Heat over one column of a grid of 10 x 10 cells. */
function column(at: number): HeatGrid {
  return { width: 10, height: 10, values: Float32Array.from({ length: 100 }, (_, i) => (i % 10 === at ? 1 : 0)) }
}
/** Right regions of both sizes, so that something is usual. */
const USUAL = takeBaseline(Array.from({ length: 400 }, (_, i) => ({ phrase: `thing ${i % 40}`, area: i % 2 ? 0.36 : 0.04, insideEnergy: (i % 2 ? 0.8 : 0.4) + 0.05 * ((i % 7) / 7 - 0.5) })))

function region(id: string, box: Box, heatAt: number | null, change: Partial<JudgedRegion> = {}): JudgedRegion {
  const heat = heatAt === null ? null : heatRaster(column(heatAt))
  const insideEnergy = heat ? shareIn(heat, coverOf([box], IMAGE)) : 0.8
  const hit = insideEnergy > 0.5
  return { id, phrase: `the ${id}`, boxes: [box], scores: { insideEnergy, maxMargin: hit ? 0.5 : -0.9, pointingHit: hit }, heat, peers: [], history: [], ...change }
}
const judge = (...regions: JudgedRegion[]) => judgeRegions(regions, IMAGE, USUAL)
const named = (judgement: ReturnType<typeof judge>[number], name: ReasonName) => judgement.reasons.find((reason) => reason.name === name)

describe('a heat raster', () => {
  test('shares sum to one, and a part of a cell counts in part', () => {
    const heat = heatRaster(column(2))
    expect(shareIn(heat, coverOf([[0, 0, 100, 100]], IMAGE))).toBeCloseTo(1, 5)
    expect(shareIn(heat, coverOf([[0, 0, 100, 50]], IMAGE))).toBeCloseTo(0.5, 3)
    expect(shareIn(heat, coverOf([[0, 0, 100, 33]], IMAGE))).toBeCloseTo(0.33, 2)
    // Boxes that overlap do not count twice, and a box beyond the image holds nothing there.
    expect(shareIn(heat, coverOf([[0, 0, 100, 50], [0, 0, 100, 50]], IMAGE))).toBeCloseTo(0.5, 3)
    expect(shareIn(heat, coverOf([[-50, 120, 300, 200]], IMAGE))).toBe(0)
  })
  test('what two maps have in common', () => {
    expect(alike(heatRaster(column(2)), heatRaster(column(2)))).toBeCloseTo(1, 5)
    expect(alike(heatRaster(column(1)), heatRaster(column(8)))).toBe(0)
  })
})

describe('each reason', () => {
  test('a region whose heat lies inside is no suspect and has nothing to say', () => {
    const [left, right] = judge(region('cup', LEFT, 2), region('hat', RIGHT, 7))
    for (const one of [left!, right!]) {
      expect(one.suspicion).toBeLessThan(0.1)
      expect(one.reasons).toEqual([])
    }
  })
  test('outside is measured by what is usual for the size: a small box may hold less', () => {
    const share = 0.38
    const scores = { insideEnergy: share, maxMargin: 0.2, pointingHit: true }
    const small = judge(region('cup', [40, 40, 60, 60], null, { scores }))[0]!
    const large = judge(region('cup', [20, 20, 80, 80], null, { scores }))[0]!
    expect(small.strengths.outside).toBeLessThan(0.1)
    expect(large.strengths.outside).toBeGreaterThan(0.5)
    expect(named(large, 'outside')!.numbers[1]).toBeCloseTo(0.8, 1)
  })
  test('a phrase that the checkpoint does not know anywhere is excused in part', () => {
    const samples = Array.from({ length: 400 }, (_, i) => ({ phrase: i % 4 ? `thing ${i % 40}` : 'the gizmo', area: 0.36, insideEnergy: (i % 4 ? 0.8 : 0.35) + 0.02 * (i % 5) }))
    const baseline = takeBaseline(samples)
    const scores = { insideEnergy: 0.36, maxMargin: 0.2, pointingHit: true }
    const [known] = judgeRegions([region('cup', LEFT, null, { scores })], IMAGE, baseline)
    const [unknown] = judgeRegions([region('gizmo', LEFT, null, { scores, phrase: 'A gizmo' })], IMAGE, baseline)
    expect(unknown!.suspicion).toBeLessThan(known!.suspicion)
  })
  test('neighbour: the heat lies in the box of another phrase, which it names', () => {
    const [cup, hat] = judge(region('cup', LEFT, 7), region('hat', RIGHT, 7))
    expect(named(cup!, 'neighbour')).toMatchObject({ otherId: 'hat', strength: expect.closeTo(1) })
    expect(named(hat!, 'neighbour')).toBeUndefined()
    expect(cup!.suspicion).toBeGreaterThan(SUSPECT_FROM)
    expect(named(cup!, 'swap'), 'the other one is right where it is').toBeUndefined()
  })
  test('swap: each of two lies in the other', () => {
    const [cup, hat] = judge(region('cup', LEFT, 7), region('hat', RIGHT, 2))
    for (const [one, other] of [[cup!, 'hat'], [hat!, 'cup']] as const) {
      expect(named(one, 'swap')).toMatchObject({ otherId: other, strength: 1 })
      expect(one.reasons[0]!.name).toBe('outside')
      expect(one.reasons[1]!.name, 'a swap says more than its neighbour').toBe('swap')
    }
  })
  test('twin: one box for two phrases that look at different places; the one that looks elsewhere is in the wrong', () => {
    const [cup, hat] = judge(region('cup', LEFT, 2), region('hat', LEFT, 7))
    expect(named(hat!, 'twin')).toMatchObject({ otherId: 'cup', strength: 1 })
    expect(named(cup!, 'twin')).toBeUndefined()
    // Two phrases for one thing.
    for (const one of judge(region('cup', LEFT, 2), region('mug', LEFT, 2))) expect(named(one, 'twin')).toBeUndefined()
  })
  test('agree and disagree: other checkpoints find the same, or not', () => {
    const low = region('cup', LEFT, 7)
    const agreed = judge({ ...low, peers: [{ z: -4, insideEnergy: 0.02 }, { z: -3, insideEnergy: 0.04 }] })[0]!
    expect(named(agreed, 'agree')!.numbers).toEqual([2, 2, expect.closeTo(0.03)])
    const contested = judge({ ...low, peers: [{ z: 1, insideEnergy: 0.9 }] })[0]!
    expect(named(contested, 'agree')).toBeUndefined()
    expect(named(contested, 'disagree')!.numbers[1]).toBe(0.9)
    expect(agreed.suspicion).toBeGreaterThan(contested.suspicion)
    expect(judge({ ...region('cup', LEFT, 2), peers: [{ z: -4, insideEnergy: 0.02 }] })[0]!.reasons.map((one) => one.name), 'another checkpoint alone').toEqual(['disagree'])
  })
  test('unlearned: low from the first checkpoint of a run to its last; what was learned late is learned', () => {
    const history = (...shares: number[]) => shares.map((insideEnergy) => ({ insideEnergy, hit: insideEnergy > 0.5 }))
    const never = judge({ ...region('cup', LEFT, 7), history: history(0.05, 0.04, 0.02, 0.02) })[0]!
    const late = judge({ ...region('cup', LEFT, 2), history: history(0.05, 0.2, 0.7, 0.9) })[0]!
    expect(named(never, 'unlearned')!.numbers.slice(0, 2)).toEqual([0, 4])
    expect(named(late, 'unlearned')).toBeUndefined()
    expect(named(judge({ ...region('cup', LEFT, 7), history: history(0.05, 0.04) })[0]!, 'unlearned'), 'two checkpoints tell nothing').toBeUndefined()
  })
  test('geometry: odd boxes, the oddest named', () => {
    const oddity = (box: Box) => named(judge(region('cup', box, null))[0]!, 'geometry')?.oddity
    expect(oddity([10, 10, 30, 30])).toBeUndefined()
    expect(oddity([120, 10, 130, 30])).toBe('outside-image')
    expect(oddity([-10, 10, 30, 30])).toBe('crosses-edge')
    expect(oddity([10, 10, 10.5, 30])).toBe('tiny')
    expect(oddity([0, 0, 100, 100])).toBe('whole-image')
    expect(oddity([0, 10, 90, 14])).toBe('thin')
    expect(oddity([30, 10, 10, 30])).toBe('inverted')
  })
})

test('more reasons, more suspicion; without any, one in forty', () => {
  expect(suspicionOf({})).toBeCloseTo(1 / 40)
  let before = suspicionOf({})
  const strengths: Partial<Record<ReasonName, number>> = {}
  for (const name of Object.keys(WEIGHTS) as ReasonName[]) {
    strengths[name] = 0.7
    const now = suspicionOf(strengths)
    expect(now).toBeGreaterThan(before)
    before = now
  }
})

test('judging the same twice gives the same, whatever the order of the regions', () => {
  const regions = [region('cup', LEFT, 7), region('hat', RIGHT, 2), region('pen', LEFT, 2)]
  const one = judge(...regions)
  const other = judge(...regions.toReversed()).toReversed()
  expect(one.map(({ regionId, suspicion }) => [regionId, suspicion])).toEqual(other.map(({ regionId, suspicion }) => [regionId, suspicion]))
})

test('every reason has its words, with its numbers in them', () => {
  const words = (name: ReasonName, numbers: number[], more = {}) => reasonWords({ name, strength: 1, numbers, ...more }, (id) => (id === 'hat' ? 'the hat' : undefined))
  expect(words('outside', [0.09, 0.74])).toBe('91 % of the heat lies outside the boxes; for boxes of this size and this phrase 26 % is usual.')
  expect(words('neighbour', [0.8, 0.1], { otherId: 'hat' })).toContain('80 % of the heat lies in the box of “the hat”')
  expect(words('twin', [1, 0.2], { otherId: 'gone' })).toContain('another phrase')
  expect(words('agree', [2, 3, 0.1])).toContain('2 of 3 other checkpoints find')
  expect(words('geometry', [1, 30], { oddity: 'tiny' })).toContain('(1 × 30 px)')
  for (const name of Object.keys(REASON_NAMES) as ReasonName[]) expect(words(name, [0.1, 0.2, 0.3])).toMatch(/^[A-Z0-9].*\.$/)
})
