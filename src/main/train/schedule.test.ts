import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRunConfig } from '../../shared/config/run-config.ts'
import { cosineRateAt, distillationShare, learningRate, referenceRate, stepRate } from './schedule.ts'

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

describe('step for step as recorded from the published training code', () => {
  interface Recorded {
    readonly iters: number
    readonly epochs: number
    readonly base_lr: number
    readonly n: number
    readonly sched: { readonly lr: number; readonly epochs: number; readonly min_lr: number; readonly warmup_lr: number; readonly warmup_epochs: number }
    readonly lr_run_length: readonly (readonly [number, number])[]
  }
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, '../../../test/golden/tiny-a/lr_schedule.json'), 'utf8')) as Record<string, Recorded | number[]>
  const cases = Object.entries(recorded).filter((entry): entry is [string, Recorded] => !Array.isArray(entry[1]))

  test('there are the four recorded runs', () => {
    expect(cases.map(([name]) => name).sort()).toEqual(['epochs30_x1iter', 'long_2500x2', 'paper_like_250x3', 'past_end_1x34'])
  })

  test.each(cases)('%s', (_name, { iters, epochs, n, base_lr: learningRateBase, sched, lr_run_length: runs }) => {
    const config = parseRunConfig({
      optimizer: { learningRate: learningRateBase },
      schedule: { kind: 'reference', minLearningRate: sched.min_lr, warmupLearningRate: sched.warmup_lr, warmupHundreds: sched.warmup_epochs, periodEpochs: sched.epochs },
    })
    const wanted = runs.flatMap(([rate, count]) => Array<number>(count).fill(rate))
    expect(wanted).toHaveLength(n)
    expect(n).toBe(iters * epochs)
    wanted.forEach((rate, i) => expect(learningRate(config, i + 1, n, iters) / rate, `step ${i + 1}`).toBeCloseTo(1, 13))
  })

  test('the raw values of the scheduler', () => {
    const raw = recorded['scheduler_step_t_0_to_59'] as number[]
    expect(raw).toHaveLength(60)
    raw.forEach((rate, t) => expect(cosineRateAt(published, t) / rate).toBeCloseTo(1, 13))
  })
})

test('soft targets come in over the first epoch, from nothing, and then stay', () => {
  const config = parseRunConfig({ loss: { distillation: 0.4 } })
  const at = (step: number) => distillationShare(config, step, 8)
  expect([1, 2, 5, 8, 9, 100].map(at)).toEqual([0, 0.05, 0.2, 0.35000000000000003, 0.4, 0.4].map((value) => expect.closeTo(value, 12)))
})
