/**
 * What is going wrong in a run, in words and with what to do. Each rule is a pure function over rows of metrics, the newest last;
 * the page and the command line show what they say. Rules look at the newest rows only, so an alert goes when its cause has gone.
 */
import type { MetricRow } from './domain.ts'
import { t } from './messages/messages.ts'

export interface Alert {
  readonly kind: 'loss-not-finite' | 'amc-flat' | 'itm-chance' | 'data-bound' | 'rate-zero' | 'gradient-exploding'
  /** Of the newest row it was seen in. */
  readonly step: number
  readonly title: string
  readonly message: string
  readonly cure: string
  readonly severe: boolean
}

/** Of the run's resolved settings, flat, what the rules ask for. */
export type AlertSettings = Readonly<Record<string, unknown>>
type Rule = (rows: readonly MetricRow[], settings: AlertSettings, totalSteps: number) => Alert | null

/** Rows that the rules look at, at most. */
export const ALERT_ROWS = 600

export function runAlerts(rows: readonly MetricRow[], settings: AlertSettings, totalSteps: number): readonly Alert[] {
  const recent = rows.slice(-ALERT_ROWS)
  return RULES.flatMap((rule) => rule(recent, settings, totalSteps) ?? [])
}

/** How long something must last before it is told: a tenth of the run, but neither a moment nor for ever. */
const patience = (totalSteps: number): number => Math.min(400, Math.max(40, Math.round(totalSteps / 10)))
const number = (settings: AlertSettings, key: string, otherwise: number): number => (typeof settings[key] === 'number' ? settings[key] : otherwise)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** The newest `count` values of a metric; null while there are fewer. */
function newest(rows: readonly MetricRow[], metric: string, count: number): readonly number[] | null {
  const values = rows.flatMap((row) => row.values[metric] ?? []).slice(-count)
  return values.length < count ? null : values
}

export const lossNotFinite: Rule = (rows) => {
  const row = rows.findLast(({ values }) => values['loss.notFinite'] !== undefined || Object.entries(values).some(([name, value]) => name.startsWith('loss.') && !Number.isFinite(value)))
  if (!row || row !== rows.at(-1)) return null
  return {
    kind: 'loss-not-finite', step: row.step, severe: true, title: t('The loss is not a number'),
    message: t('At step {step} a loss was NaN or infinite, so no weight was changed and the run ended.', { step: row.step }),
    cure: t('Duplicate the run with a lower learning rate, a longer warm-up or a gradient limit (optimizer.clipNorm). Retrying it unchanged comes to the same step.'),
  }
}

/** Without any effect of the losses, heat inside equals heat outside, and the term stays at its margin. */
export const amcFlat: Rule = (rows, settings, totalSteps) => {
  if (number(settings, 'loss.amc', 0) === 0) return null
  const byMaxima = number(settings, 'loss.amcMax', 1) > 0
  const [metric, margin] = byMaxima ? (['loss.amcMax', number(settings, 'loss.maxMargin', 0.5)] as const) : (['loss.amcMean', number(settings, 'loss.meanMargin', 0.1)] as const)
  const values = newest(rows, metric, patience(totalSteps))
  if (!values || margin === 0 || values.some((value) => Math.abs(value - margin) > 0.04 * margin)) return null
  return {
    kind: 'amc-flat', step: rows.at(-1)!.step, severe: false, title: t('The AMC term is flat at its margin'),
    message: t('For {n} steps {metric} has stayed within 4 % of its margin of {margin}: the heat inside the regions is no higher than outside.', { n: values.length, metric, margin }),
    cure: t('Heatmaps follow the matching answer, so look whether the ITM loss falls. If it does, raise the weight of AMC (loss.amc); if not, lower or raise the learning rate first. Boxes that cover most of each image do this too.'),
  }
}

/** One true pair against two false ones: who only knows that share has this cross-entropy. */
const ITM_CHANCE = -(Math.log(1 / 3) / 3 + (2 * Math.log(2 / 3)) / 3)

export const itmAtChance: Rule = (rows, _settings, totalSteps) => {
  const values = newest(rows, 'loss.itm', patience(totalSteps))
  if (!values || mean(values) < 0.97 * ITM_CHANCE) return null
  const accuracy = rows.findLast((row) => row.values['val.itmAccuracy'] !== undefined)?.values['val.itmAccuracy']
  if (accuracy !== undefined && accuracy > 0.55) return null
  const at = { n: values.length, loss: mean(values).toFixed(3), guess: ITM_CHANCE.toFixed(3) }
  return {
    kind: 'itm-chance', step: rows.at(-1)!.step, severe: false, title: t('Image-text matching is at chance'),
    message: accuracy === undefined
      ? t('Over {n} steps the ITM loss was {loss} on average; guessing gives {guess}.', at)
      : t('Over {n} steps the ITM loss was {loss} on average; guessing gives {guess}, and on the val split {share} % of pairs are told apart.', { ...at, share: (100 * accuracy).toFixed(0) }),
    cure: t('From random weights this can take a few hundred steps. If it stays, raise the learning rate, start from a trained checkpoint, or begin with uniform negatives (curriculum.uniformNegatives), which are easier.'),
  }
}

const WAIT_ROWS = 30
const WAIT_SHARE = 0.3

export const dataBound: Rule = (rows) => {
  const waits = rows.slice(-WAIT_ROWS).flatMap((row) => row.wait ?? [])
  if (waits.length < WAIT_ROWS || mean(waits) < WAIT_SHARE) return null
  return {
    kind: 'data-bound', step: rows.at(-1)!.step, severe: false, title: t('Training waits for its images'),
    message: t('In the last {n} steps {share} % of the time went by waiting for images to be read and decoded.', { n: WAIT_ROWS, share: (100 * mean(waits)).toFixed(0) }),
    cure: t('Put the images on a faster disk, make them smaller (they are scaled down anyway), or end other programs that read from this disk. The first pass over the images is the slowest.'),
  }
}

const ZERO_ROWS = 10

export const rateZero: Rule = (rows, _settings, totalSteps) => {
  const rates = newest(rows, 'lr', ZERO_ROWS)
  const step = rows.at(-1)?.step ?? 0
  if (!rates || step > totalSteps - ZERO_ROWS || rates.some((rate) => rate > 1e-12)) return null
  return {
    kind: 'rate-zero', step, severe: true, title: t('The learning rate is zero'),
    message: t('In the last {n} steps the learning rate was 0, so nothing is learnt.', { n: ZERO_ROWS }),
    cure: t('Look at optimizer.learningRate and at the schedule (warm-up, final share), then duplicate the run with changes.'),
  }
}

const BEFORE_ROWS = 50
const NOW_ROWS = 5
const EXPLODING = 20

export const gradientExploding: Rule = (rows, settings) => {
  const norms = newest(rows, 'gradNorm', BEFORE_ROWS + NOW_ROWS)
  if (!norms) return null
  const [before, now] = [median(norms.slice(0, BEFORE_ROWS)), median(norms.slice(BEFORE_ROWS))]
  if (!(before > 0) || now < EXPLODING * before) return null
  const limit = number(settings, 'optimizer.clipNorm', 0)
  const at = { norm: now.toPrecision(3), factor: Math.round(now / before), n: BEFORE_ROWS }
  return {
    kind: 'gradient-exploding', step: rows.at(-1)!.step, severe: true, title: t('The gradient is exploding'),
    message: limit > 0 ? t('Its norm is {norm}, {factor} times what it was over the {n} steps before; the limit of {limit} scales it down.', { ...at, limit }) : t('Its norm is {norm}, {factor} times what it was over the {n} steps before.', at),
    cure: t('Stop the run and duplicate it with a lower learning rate or a gradient limit (optimizer.clipNorm, 1 is common), from its last good checkpoint.'),
  }
}

const RULES: readonly Rule[] = [lossNotFinite, gradientExploding, rateZero, amcFlat, itmAtChance, dataBound]
