import { expect, test } from 'vitest'
import { parseRunConfig, withOverrides } from '../../shared/config/run-config.ts'
import { bestAfter } from './keep-run.ts'
import type { Best } from './run-state.ts'
import { afterValidation, isStalled, NO_STALL, type Stall, stallSentence } from './early-stop.ts'

const settings = (overrides: Record<string, unknown>) => withOverrides(parseRunConfig({}), overrides).earlyStop
const follow = (values: readonly (number | undefined)[], config: ReturnType<typeof settings>): Stall[] => {
  let stall = NO_STALL
  return values.map((value) => (stall = afterValidation(stall, value === undefined ? {} : { 'val.pointingGame': value }, config)))
}

test('counts validations without a new best, and ends at the patience', () => {
  const config = settings({ 'earlyStop.metric': 'pointingGame', 'earlyStop.patience': 2 })
  const stalls = follow([0.2, 0.3, 0.3, 0.25, 0.4], config)
  expect(stalls.map(({ waited }) => waited)).toEqual([0, 0, 1, 2, 0])
  expect(stalls.map((stall) => isStalled(stall, config))).toEqual([false, false, false, true, false])
  expect(stallSentence(stalls[3]!, config, 40)).toBe('Ended early after step 40: val.pointingGame has not risen above 0.3000 for 2 validations.')
})

test('asks for as much more as is set', () => {
  const config = settings({ 'earlyStop.metric': 'pointingGame', 'earlyStop.patience': 1, 'earlyStop.minDelta': 0.05 })
  expect(follow([0.2, 0.24, 0.26], config).map(({ best, waited }) => [best, waited])).toEqual([[0.2, 0], [0.2, 1], [0.26, 0]])
})

test('never ends a run when it is off, nor one that is not validated; a value that is no number is no better', () => {
  expect(follow([0.5, 0.1, 0.1], settings({})).at(-1)).toEqual(NO_STALL)
  const config = settings({ 'earlyStop.metric': 'pointingGame', 'earlyStop.patience': 1 })
  expect(follow([undefined, undefined], config).some((stall) => isStalled(stall, config))).toBe(false)
  expect(follow([0.5, undefined, undefined, 0.4], config).map(({ waited }) => waited)).toEqual([0, 0, 0, 1])
  expect(follow([0.5, Number.NaN], config).at(-1)).toEqual({ best: 0.5, waited: 1 })
})

test('the best checkpoint is judged by what ends the run; a validation without a value, or without a number, decides nothing', () => {
  const judged = (overrides: Record<string, unknown>, rows: readonly Record<string, number>[], isValidated = true): (number | undefined)[] => {
    let best: Best | null = null
    return rows.map((values, i) => (best = bestAfter(best, i + 1, values, isValidated, withOverrides(parseRunConfig({}), overrides)))?.step)
  }
  const rows: Record<string, number>[] = [{}, { 'val.pointingGame': Number.NaN, 'val.consistency': 0.1 }, { 'val.pointingGame': 0.5, 'val.consistency': 0.4 }, {}, { 'val.pointingGame': 0.5, 'val.consistency': 0.3 }, { 'val.pointingGame': 0.4, 'val.consistency': 0.6 }]
  expect(judged({}, rows)).toEqual([undefined, undefined, 3, 3, 5, 5])
  expect(judged({ 'earlyStop.metric': 'consistency' }, rows)).toEqual([undefined, 2, 3, 3, 3, 6])
  expect(judged({}, [{}, {}], false)).toEqual([1, 2])
  // One from before this was noted is of the pointing game, and the run goes on by it.
  expect(bestAfter({ step: 1, value: 0.45 }, 2, { 'val.pointingGame': 0.4, 'val.consistency': 0.9 }, true, withOverrides(parseRunConfig({}), { 'earlyStop.metric': 'consistency' }))).toEqual({ step: 1, value: 0.45 })
})
