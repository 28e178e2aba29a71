/** What a run is judged by: its best checkpoint, and whether it still gets better. One measure for both, of the validations. */
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed, percent } from '../../app/format.ts'
import type { Series } from '../../state/metrics.ts'

const MEASURES = ['pointingGame', 'consistency', 'itmAccuracy'] as const
type Measure = (typeof MEASURES)[number]

const WORDS: Readonly<Record<Measure, string>> = { pointingGame: t('the pointing game'), consistency: t('the consistency'), itmAccuracy: t('the ITM accuracy') }

export interface Judge {
  readonly measure: Measure
  readonly name: string
  /** Validations without a rise by more than leastGain after which the run ends; null: it makes all its steps. */
  readonly patience: number | null
  readonly leastGain: number
}

export function judgeOf(config: Run['config']): Judge {
  const metric = MEASURES.find((name) => name === config['earlyStop.metric'])
  const measure = metric ?? 'pointingGame'
  return { measure, name: WORDS[measure], patience: metric ? Number(config['earlyStop.patience']) : null, leastGain: Number(config['earlyStop.minDelta'] ?? 0) }
}

export const measureText = (measure: Measure, value: number): string => (measure === 'consistency' ? fixed(value, 3) : percent(value, 1))

/** Validations since the last that was higher than all before by more than the least gain. */
export function waited({ values }: Pick<Series, 'values'>, leastGain: number): number {
  let [best, since] = [-Infinity, 0]
  for (const value of values) {
    if (Number.isFinite(value) && (best === -Infinity || value > best + leastGain)) [best, since] = [value, 0]
    else since++
  }
  return since
}
