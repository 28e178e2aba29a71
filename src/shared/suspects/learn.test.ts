import fc from 'fast-check'
import { expect, test } from 'vitest'
import { suspicionOf, WEIGHTS } from './judge.ts'
import { type Decision, learnWeights, tally } from './learn.ts'
import { REASONS, type ReasonName } from './reasons.ts'

const decision = (agreed: boolean, ...names: ReasonName[]): Decision => ({ agreed, strengths: Object.fromEntries(names.map((name) => [name, 0.9])) })
const times = (count: number, one: Decision): Decision[] => Array.from({ length: count }, () => one)

test('without decisions the reasons weigh what they usually do', () => {
  expect(learnWeights([])).toEqual(WEIGHTS)
  expect(tally([])).toEqual([])
})

test('a reason that is refused again and again falls behind one that is accepted: the order of two suspects turns', () => {
  const [twin, outside] = [{ twin: 0.8 }, { outside: 0.45 }]
  expect(suspicionOf(twin)).toBeGreaterThan(suspicionOf(outside))
  const weights = learnWeights([...times(12, decision(false, 'twin')), ...times(12, decision(true, 'outside'))])
  expect(weights.twin).toBeLessThan(WEIGHTS.twin - 1)
  expect(weights.outside).toBeGreaterThan(WEIGHTS.outside)
  expect(suspicionOf(twin, weights)).toBeLessThan(suspicionOf(outside, weights))
})

test('of two reasons that came together, the one that was also wrong alone takes the blame', () => {
  const weights = learnWeights([...times(8, decision(false, 'margin', 'twin')), ...times(8, decision(true, 'twin'))])
  expect(WEIGHTS.margin - weights.margin).toBeGreaterThan(0.3)
  expect(weights.twin).toBeGreaterThan(weights.margin)
})

test('one decision moves little, and reasons that were not said do not move', () => {
  const weights = learnWeights([decision(false, 'outside')])
  expect(weights.outside).toBeLessThan(WEIGHTS.outside)
  expect(weights.outside).toBeGreaterThan(WEIGHTS.outside - 1)
  for (const name of REASONS) if (name !== 'outside') expect(weights[name]).toBe(WEIGHTS[name])
})

test('the same decisions give the same weights; none is below nothing, and taking one back takes its effect back', () => {
  const one = fc.record({ agreed: fc.boolean(), strengths: fc.dictionary(fc.constantFrom(...REASONS), fc.double({ min: 0, max: 1, noNaN: true })) })
  fc.assert(fc.property(fc.array(one, { maxLength: 60 }), (decisions) => {
    const weights = learnWeights(decisions)
    expect(learnWeights(decisions)).toEqual(weights)
    for (const name of REASONS) {
      expect(Number.isFinite(weights[name])).toBe(true)
      expect(weights[name]).toBeGreaterThanOrEqual(0)
    }
    expect(learnWeights([...decisions, decision(true, 'swap')].slice(0, -1))).toEqual(weights)
  }), { numRuns: 40 })
})

test('agreeing never lowers a reason, refusing never raises it', () => {
  const start = [...times(3, decision(true, 'outside', 'swap')), ...times(2, decision(false, 'margin'))]
  const before = learnWeights(start)
  expect(learnWeights([...start, decision(true, 'swap')]).swap).toBeGreaterThanOrEqual(before.swap)
  expect(learnWeights([...start, decision(false, 'swap')]).swap).toBeLessThan(before.swap)
})

test('the tally counts only reasons that were worth saying', () => {
  const said = [decision(true, 'outside'), decision(false, 'outside'), { agreed: true, strengths: { outside: 0.05, twin: 1 } }]
  expect(tally(said)).toEqual([{ name: 'outside', agreed: 1, asked: 2 }, { name: 'twin', agreed: 1, asked: 1 }])
})
