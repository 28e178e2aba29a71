import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RegionFields } from './domain.ts'
import { applyRegionDiff, diffRegion, isEmptyDiff, regionDiffSchema, reverseRegionDiff } from './region-diff.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const fields: fc.Arbitrary<RegionFields> = fc.record({
  phrase: fc.string(),
  boxes: fc.array(fc.tuple(finite, finite, finite, finite), { maxLength: 4 }),
  outlines: fc.array(fc.array(finite, { maxLength: 8 }), { maxLength: 3 }),
  status: fc.constantFrom('unreviewed' as const, 'accepted' as const, 'rejected' as const, 'skipped' as const),
  tags: fc.array(fc.string(), { maxLength: 3 }),
  note: fc.string(),
  deleted: fc.boolean(),
})

describe('region diffs', () => {
  test('lead from one state exactly to the other, and back', () => {
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        const diff = diffRegion(before, after)
        expect(applyRegionDiff(before, diff)).toEqual(after)
        expect(applyRegionDiff(after, reverseRegionDiff(diff))).toEqual(before)
      }),
    )
  })

  test('survive being written as JSON', () => {
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        // JSON has no negative zero; a coordinate of -0 and 0 is the same place.
        const plain = (value: RegionFields) => JSON.parse(JSON.stringify(value)) as RegionFields
        const diff = diffRegion(plain(before), plain(after))
        expect(applyRegionDiff(plain(before), regionDiffSchema.parse(JSON.parse(JSON.stringify(diff))))).toEqual(plain(after))
      }),
    )
  })

  test('are empty between equal states', () => {
    fc.assert(fc.property(fields, (state) => void expect(isEmptyDiff(diffRegion(state, structuredClone(state)))).toBe(true)))
  })

  test('refuse a state they did not start from, naming the field', () => {
    const before: RegionFields = { phrase: 'the dog', boxes: [[0, 0, 1, 1]], outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false }
    const diff = diffRegion(before, { ...before, phrase: 'the cat' })
    expect(() => applyRegionDiff({ ...before, phrase: 'the bird' }, diff)).toThrow(/phrase of this region was changed/)
    expect(applyRegionDiff({ ...before, note: 'other field' }, diff)).toMatchObject({ phrase: 'the cat', note: 'other field' })
  })
})
