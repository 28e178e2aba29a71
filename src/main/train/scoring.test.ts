import { expect, test } from 'vitest'
import { areaUnderCurve } from './scoring.ts'

test.each([
  { name: 'all positives above', positives: [3, 4], negatives: [1, 2], area: 1 },
  { name: 'all positives below', positives: [1, 2], negatives: [3, 4], area: 0 },
  { name: 'ties count half', positives: [1, 1], negatives: [1, 1], area: 0.5 },
  { name: 'one of four pairs wrong', positives: [2, 4], negatives: [1, 3], area: 0.75 },
])('area under the curve: $name', ({ positives, negatives, area }) => {
  expect(areaUnderCurve(positives, negatives)).toBe(area)
})

test('area under the curve without a side is not a number', () => {
  expect(areaUnderCurve([], [1])).toBeNaN()
  expect(areaUnderCurve([1], [])).toBeNaN()
})
