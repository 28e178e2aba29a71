import { describe, expect, it } from 'vitest'
import { judgeOf, measureText, waited } from './judged.ts'

describe('what a run is judged by', () => {
  it('is the pointing game unless it ends early by another measure', () => {
    expect(judgeOf({ 'earlyStop.metric': 'off', 'earlyStop.patience': 5 })).toMatchObject({ measure: 'pointingGame', patience: null })
    expect(judgeOf({ 'earlyStop.metric': 'consistency', 'earlyStop.patience': 3, 'earlyStop.minDelta': 0.01 })).toMatchObject({ measure: 'consistency', name: 'the consistency', patience: 3, leastGain: 0.01 })
    // A run from before there was such a setting.
    expect(judgeOf({})).toMatchObject({ measure: 'pointingGame', patience: null, leastGain: 0 })
  })

  it('waits from the last rise by more than the least gain', () => {
    const after = (values: number[], leastGain = 0) => waited({ values }, leastGain)
    expect([after([]), after([0.5]), after([0.5, 0.6]), after([0.5, 0.6, 0.6, 0.55])]).toEqual([0, 0, 0, 2])
    // 0.65 is no rise by more than 0.1, and 0.75 is one over 0.6, not over 0.65.
    expect([after([0.6, 0.65], 0.1), after([0.6, 0.65, 0.75], 0.1)]).toEqual([1, 0])
    expect([after([NaN, 0.5]), after([0.5, NaN])]).toEqual([0, 1])
  })

  it('is written as its measure is', () => {
    expect([measureText('pointingGame', 0.4567), measureText('consistency', 0.4567), measureText('itmAccuracy', 1)]).toEqual(['45.7 %', '0.457', '100.0 %'])
  })
})
