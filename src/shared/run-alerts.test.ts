import { describe, expect, test } from 'vitest'
import type { MetricRow } from './domain.ts'
import { amcFlat, dataBound, gradientExploding, itmAtChance, lossNotFinite, rateZero, runAlerts } from './run-alerts.ts'

const TOTAL = 1000
const SETTINGS = { 'loss.amc': 1, 'loss.amcMax': 0.8, 'loss.maxMargin': 0.5, 'loss.meanMargin': 0.1, 'optimizer.clipNorm': 0 }
/** Rows of a run that goes well, changed by `with`. */
const rows = (count: number, change: (i: number) => Partial<Record<string, number>> & { wait?: number } = () => ({})): MetricRow[] =>
  Array.from({ length: count }, (_, i) => {
    const { wait = 0.02, ...values } = change(i)
    const well = { 'loss.total': 5 - i / count, 'loss.itm': 0.6 - i / (3 * count), 'loss.amcMax': 0.45 - i / (4 * count), 'loss.amcMean': 0.05, lr: 1e-4, gradNorm: 2 + (i % 3) }
    return { step: i + 1, seconds: i, wait, values: Object.fromEntries(Object.entries({ ...well, ...values }).filter(([, value]) => value !== undefined)) as Record<string, number> }
  })
const kinds = (all: readonly MetricRow[], settings: object = SETTINGS) => runAlerts(all, settings as never, TOTAL).map((alert) => alert.kind)

test('a run that goes well has none, at its beginning, in its middle and at its end', () => {
  const all = rows(TOTAL)
  for (const until of [0, 1, 10, 60, 500, TOTAL]) expect(kinds(all.slice(0, until))).toEqual([])
})

test('every alert says what happened and what to do', () => {
  const bad = rows(300, (i) => ({ 'loss.amcMax': 0.5, 'loss.itm': 0.637, lr: 0, gradNorm: i < 295 ? 1 : 90, wait: 0.8, ...(i === 299 ? { 'loss.notFinite': 1 } : {}) }))
  const alerts = runAlerts(bad, SETTINGS, TOTAL)
  expect(alerts.map((alert) => alert.kind).sort()).toEqual(['amc-flat', 'data-bound', 'gradient-exploding', 'itm-chance', 'loss-not-finite', 'rate-zero'])
  for (const { title, message, cure, step } of alerts) expect([/\w{3}/.test(title), /\d/.test(message), cure.length > 40, step]).toEqual([true, true, true, 300])
})

describe('the loss is not a number', () => {
  test('fires at the row that says so, and for a loss that is NaN or infinite itself', () => {
    expect(lossNotFinite(rows(5, (i) => (i === 4 ? { 'loss.notFinite': 1, 'loss.total': undefined } : {})), SETTINGS, TOTAL)).toMatchObject({ step: 5, severe: true })
    for (const value of [Number.NaN, Infinity]) expect(lossNotFinite(rows(5, (i) => (i === 4 ? { 'loss.mlm': value } : {})), SETTINGS, TOTAL)).toMatchObject({ step: 5 })
  })
  test('is gone once the run has been resumed past it; other values may be what they like', () => {
    expect(lossNotFinite(rows(5, (i) => (i === 3 ? { 'loss.total': Number.NaN } : {})), SETTINGS, TOTAL)).toBeNull()
    expect(lossNotFinite(rows(5, () => ({ 'val.consistency': Number.NaN })), SETTINGS, TOTAL)).toBeNull()
    expect(lossNotFinite([], SETTINGS, TOTAL)).toBeNull()
  })
})

describe('the AMC term is flat at its margin', () => {
  const flat = rows(120, (i) => ({ 'loss.amcMax': 0.5 + (i % 2 ? 0.01 : -0.01) }))
  test('fires when it has stayed there for a tenth of the run', () => {
    expect(amcFlat(flat, SETTINGS, TOTAL)).toMatchObject({ kind: 'amc-flat', step: 120, message: expect.stringContaining('100 steps') })
  })
  test('looks at the part that counts: with no weight on maxima, at the means', () => {
    expect(amcFlat(rows(120, () => ({ 'loss.amcMean': 0.1 })), { ...SETTINGS, 'loss.amcMax': 0 }, TOTAL)).not.toBeNull()
    expect(amcFlat(flat, { ...SETTINGS, 'loss.amcMax': 0 }, TOTAL)).toBeNull()
  })
  test('does not for one that falls, one that rises above it, a short stretch, a run without AMC', () => {
    expect(amcFlat(rows(120, (i) => ({ 'loss.amcMax': 0.5 - i / 1000 })), SETTINGS, TOTAL)).toBeNull()
    expect(amcFlat(rows(120, () => ({ 'loss.amcMax': 0.6 })), SETTINGS, TOTAL)).toBeNull()
    expect(amcFlat(flat.slice(0, 99), SETTINGS, TOTAL)).toBeNull()
    expect(amcFlat(flat, { ...SETTINGS, 'loss.amc': 0 }, TOTAL)).toBeNull()
    expect(amcFlat(rows(120, () => ({ 'loss.amcMax': undefined })), SETTINGS, TOTAL)).toBeNull()
  })
})

describe('ITM at chance', () => {
  const guessing = rows(150, (i) => ({ 'loss.itm': 0.636 + (i % 2 ? 0.03 : -0.03) }))
  test('fires when the loss is what guessing gives', () => {
    expect(itmAtChance(guessing, SETTINGS, TOTAL)).toMatchObject({ step: 150, message: expect.stringContaining('0.637') })
    expect(itmAtChance(rows(150, () => ({ 'loss.itm': 0.7, 'val.itmAccuracy': 0.5 })), SETTINGS, TOTAL)!.message).toContain('50 %')
  })
  test('does not when validation tells pairs apart, when the loss falls, or early', () => {
    expect(itmAtChance([...guessing, ...rows(1, () => ({ 'loss.itm': 0.64, 'val.itmAccuracy': 0.7 }))], SETTINGS, TOTAL)).toBeNull()
    expect(itmAtChance(rows(150), SETTINGS, TOTAL)).toBeNull()
    expect(itmAtChance(guessing.slice(0, 90), SETTINGS, TOTAL)).toBeNull()
  })
})

describe('data-bound', () => {
  test('fires when a third of the time is waiting', () => {
    expect(dataBound(rows(40, () => ({ wait: 0.35 })), SETTINGS, TOTAL)!.message).toContain('35 %')
  })
  test('does not for the slow start alone, a little waiting, or rows that do not tell', () => {
    expect(dataBound(rows(60, (i) => ({ wait: i < 25 ? 0.9 : 0.05 })), SETTINGS, TOTAL)).toBeNull()
    expect(dataBound(rows(60, () => ({ wait: 0.2 })), SETTINGS, TOTAL)).toBeNull()
    expect(dataBound(rows(60).map(({ wait: _, ...row }) => row), SETTINGS, TOTAL)).toBeNull()
  })
})

describe('the learning rate is zero', () => {
  test('fires after ten steps of it', () => {
    expect(rateZero(rows(40, (i) => ({ lr: i < 30 ? 1e-4 : 0 })), SETTINGS, TOTAL)).toMatchObject({ step: 40, severe: true })
  })
  test('does not for small rates, the first step of a warm-up, or the end of a schedule that runs out', () => {
    expect(rateZero(rows(40, () => ({ lr: 1e-9 })), SETTINGS, TOTAL)).toBeNull()
    expect(rateZero(rows(12, (i) => ({ lr: i / 1e6 })), SETTINGS, TOTAL)).toBeNull()
    expect(rateZero(rows(TOTAL, (i) => ({ lr: i < 990 ? 1e-4 : 0 })), SETTINGS, TOTAL)).toBeNull()
  })
})

describe('the gradient is exploding', () => {
  test('fires when the newest norms are twenty times those before', () => {
    expect(gradientExploding(rows(100, (i) => ({ gradNorm: i < 95 ? 2 : 80 })), SETTINGS, TOTAL)!.message).toMatch(/40 times/)
    expect(gradientExploding(rows(100, (i) => ({ gradNorm: i < 95 ? 2 : 80 })), { ...SETTINGS, 'optimizer.clipNorm': 1 }, TOTAL)!.message).toContain('limit of 1')
  })
  test('does not for one spike, for a slow rise, or with too little before', () => {
    expect(gradientExploding(rows(100, (i) => ({ gradNorm: i === 98 ? 500 : 2 })), SETTINGS, TOTAL)).toBeNull()
    expect(gradientExploding(rows(100, (i) => ({ gradNorm: 1 + i / 4 })), SETTINGS, TOTAL)).toBeNull()
    expect(gradientExploding(rows(40, (i) => ({ gradNorm: i < 35 ? 2 : 80 })), SETTINGS, TOTAL)).toBeNull()
  })
})
