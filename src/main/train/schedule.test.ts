import { describe, expect, test } from 'vitest'
import { parseRunConfig } from '../../shared/config/run-config.ts'
import { cosineRateAt, learningRate, referenceRate, stepRate } from './schedule.ts'

// The published settings; expected values recorded from the published control flow over timm's scheduler.
const published = { baseRate: 1e-5, minRate: 1e-6, warmupRate: 1e-6, warmupUnits: 20, periodEpochs: 30 }

/** [rate, how many iterations in a row use it] */
function runLengths(iterations: number, epochs: number): [number, number][] {
  const runs: [number, number][] = []
  for (let i = 0; i < iterations * epochs; i++) {
    const rate = referenceRate(published, Math.floor(i / iterations), i % iterations)
    const last = runs.at(-1)
    if (last && last[0] === rate) last[1]++
    else runs.push([rate, 1])
  }
  return runs
}

describe('the published schedule', () => {
  test('a short first epoch cuts the warm-up, and the rate jumps', () => {
    const runs = runLengths(250, 3)
    expect(runs.map(([, count]) => count)).toEqual([101, 100, 49, 250, 250])
    const rates = [1e-6, 1.45e-6, 1.9e-6, 9.97534852915723e-6, 9.901664203302126e-6]
    runs.forEach(([rate], i) => expect(rate / rates[i]!).toBeCloseTo(1, 14))
  })

  test('a long first epoch ends the warm-up and stays at the base rate', () => {
    const runs = runLengths(2500, 2)
    expect(runs[0]).toEqual([1e-6, 101])
    expect(runs.at(-2)).toEqual([1e-5, 499])
    expect(runs.at(-1)![1]).toBe(2500)
  })

  test('after its period the rate is the lowest', () => {
    expect(referenceRate(published, 30, 0)).toBe(1e-6)
    expect(referenceRate(published, 33, 0)).toBe(1e-6)
    expect(cosineRateAt(published, 50)).toBe(1e-6)
  })

  test('without warm-up it starts at the base rate', () => {
    expect(referenceRate({ ...published, warmupUnits: 0 }, 0, 0)).toBe(1e-5)
    expect(referenceRate({ ...published, warmupUnits: 0 }, 0, 300)).toBe(1e-5)
  })
})

test('by steps: up in a line, down in a half cosine to the final share', () => {
  expect(stepRate(1, 50, 0.05, 1, 1000)).toBeCloseTo(0.02)
  expect(stepRate(1, 50, 0.05, 50, 1000)).toBe(1)
  expect(stepRate(1, 50, 0.05, 525, 1000)).toBeCloseTo(0.525)
  expect(stepRate(1, 50, 0.05, 1000, 1000)).toBeCloseTo(0.05)
  expect(stepRate(1, 0, 0.05, 1, 1)).toBeCloseTo(0.05)
})

test('a run follows the schedule its settings name', () => {
  const byEpochs = parseRunConfig({ schedule: { kind: 'reference' } })
  expect(learningRate(byEpochs, 251, 750, 250)).toBeCloseTo(9.97534852915723e-6, 18)
  const bySteps = parseRunConfig({ optimizer: { learningRate: 0.001 }, schedule: { kind: 'steps', warmupSteps: 10 } })
  expect(learningRate(bySteps, 5, 100, 250)).toBeCloseTo(0.0005)
})
