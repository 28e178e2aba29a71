import { expect, test } from 'vitest'
import { bicubicPeak, type HeatGrid, prepareHeat } from '../../../shared/consistency.ts'
import type { Region } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import type { Reason } from '../../../shared/suspects/reasons.ts'
import { likelyMends, mendLabel, mendWords } from './mends.ts'
import { showSuspect, suspectOf } from './shown-suspects.ts'

const IMAGE = { width: 100, height: 100 }
const LEFT: Box = [5, 5, 45, 95]
const RIGHT: Box = [55, 5, 95, 95]

function region(id: string, boxes: readonly Box[]): Region {
  return { id, imageId: 'i', datasetId: 'd', revision: 1, split: 'val', flags: [], assignee: null, review: null, second: null, phrase: `the ${id}`, boxes, outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false } as Region
}
/** A hill of heat in the middle of the right half, with a weak slope. */
const grid: HeatGrid = { width: 10, height: 10, values: Float32Array.from({ length: 100 }, (_, i) => Math.exp(-(((i % 10) - 7) ** 2 + (Math.floor(i / 10) - 5) ** 2) / 4)) }
const prepared = prepareHeat(grid, bicubicPeak(grid, IMAGE), 100)
const cup = region('cup', [LEFT])
const hat = region('hat', [RIGHT])
const SWAP: Reason = { name: 'swap', strength: 0.8, numbers: [0.1, 0.9], otherId: 'hat' }
const mends = (regions: readonly Region[], reasons: readonly Reason[] = [], threshold = 0.15) => likelyMends({ region: cup, regions, image: IMAGE, grid, prepared, threshold, reasons })

test('round the heat at the chosen threshold first, then the other box, then other thresholds, each once and with what it reaches', () => {
  const found = mends([cup, hat])
  expect(found[0]).toMatchObject({ kind: 'heat', threshold: 0.15 })
  expect(found[1]).toMatchObject({ kind: 'other', other: { id: 'hat' }, shape: { boxes: [RIGHT] } })
  const heat = found.filter((mend) => mend.kind === 'heat')
  expect(heat.length).toBeGreaterThan(2)
  const areas = heat.map(({ threshold, shape: { boxes: [box] } }) => ({ threshold: threshold!, area: (box![2] - box![0]) * (box![3] - box![1]) })).sort((a, b) => a.threshold - b.threshold)
  for (let i = 1; i < areas.length; i++) expect(areas[i]!.area).toBeLessThan(areas[i - 1]!.area)
  for (const mend of found) expect(mend.reached).toBeGreaterThan(0.1)
})

test('a plain swap comes before everything; a weak one after the heat; without a partner there is none', () => {
  expect(mends([cup, hat], [SWAP])[0]).toMatchObject({ kind: 'swap', other: { id: 'hat' }, shape: { boxes: [RIGHT] } })
  expect(mends([cup, hat], [{ ...SWAP, strength: 0.3 }]).map((mend) => mend.kind).slice(0, 2)).toEqual(['heat', 'swap'])
  expect(mends([cup], [SWAP]).map((mend) => mend.kind)).not.toContain('swap')
})

test('a box that holds no more of the heat is no mend, nor are the same boxes', () => {
  expect(mends([cup, region('pen', [[5, 5, 30, 30]]), region('mug', [LEFT])]).map((mend) => mend.kind)).not.toContain('other')
})

test('words and labels say what happens', () => {
  const [swap] = mends([cup, hat], [SWAP])
  expect(mendWords(swap!, 0.08)).toMatch(/^Swap boxes with “the hat”: consistency 0\.08 → 0\.\d\d$/)
  expect(mendLabel(swap!)).toBe('Boxes swapped with “the hat”')
  const [heat, other] = mends([cup, hat])
  expect(mendWords(heat!, null)).toMatch(/^Box round the heat at 15 %: holds \d+ % of the heat$/)
  expect(mendWords(other!, 0.08)).toContain('Box of “the hat”')
  expect(mendLabel(heat!)).toBe('Proposal used')
})

test('an edit answers the suspect that was shown, until it is shown without reasons', () => {
  showSuspect('cup', 'c1')
  showSuspect('hat', null)
  expect(suspectOf([{ regionId: 'hat' }, { regionId: 'cup' }])).toEqual({ regionId: 'cup', checkpointId: 'c1' })
  showSuspect('cup', null)
  expect(suspectOf([{ regionId: 'cup' }])).toBeUndefined()
})
