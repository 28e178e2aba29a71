import { describe, expect, it } from 'vitest'
import { draftFromConfig, parseSetting, resolveDraft, type Setting, settingText, resolveSweep, shownValue } from './form.ts'

const setting = (key: string, kind: Setting['kind'], value: unknown, choices?: string[]): Setting => ({ key, kind, value, label: key, help: '', advanced: false, ...(choices ? { choices } : {}) })
const settings = [setting('steps', 'integer', 1000), setting('rate', 'number', 1e-5), setting('loss.itm', 'boolean', true), setting('data.boxes', 'choice', 'all', ['one', 'all'])]

describe('the form of a run', () => {
  it('reads numbers as people write them', () => {
    expect(parseSetting(settings[0]!, '1,500')).toEqual({ value: 1500, error: null })
    expect(parseSetting(settings[1]!, '3e-4')).toEqual({ value: 0.0003, error: null })
    expect(parseSetting(settings[1]!, '−2')).toEqual({ value: -2, error: null })
    expect(parseSetting(settings[0]!, '1.5').error).toBe('A whole number')
    expect(parseSetting(settings[1]!, '').error).not.toBeNull()
    expect(parseSetting(settings[1]!, 'many').error).not.toBeNull()
  })

  it('sends only what differs from the preset', () => {
    expect(resolveDraft(settings, { steps: '1000', rate: '2e-5', 'loss.itm': false, unknown: '1' })).toEqual({ overrides: { rate: 2e-5, 'loss.itm': false }, errors: {} })
  })

  it('names the field of a wrong value and sends the rest', () => {
    expect(resolveDraft(settings, { steps: 'x', 'data.boxes': 'none', rate: '1' })).toEqual({ overrides: { rate: 1 }, errors: { steps: 'A whole number', 'data.boxes': 'One of one, all' } })
  })

  it('writes small rates with an exponent that reads back the same', () => {
    expect(settingText(0.00001)).toBe('1e-5')
    expect(settingText(0.02)).toBe('0.02')
    expect(settingText(0)).toBe('0')
    for (const value of [1e-5, 5e-6, 2.5e-4, 0.001, 12, 1e-8]) expect(Number(settingText(value))).toBe(value)
  })

  it('takes over the settings of an earlier run', () => {
    const config = { steps: 300, rate: 1e-5, 'loss.itm': false, 'data.boxes': 'one', model: 'demo' }
    const draft = draftFromConfig(settings, config)
    expect(draft).toEqual({ steps: '300', 'loss.itm': false, 'data.boxes': 'one' })
    expect(resolveDraft(settings, draft).overrides).toEqual({ steps: 300, 'loss.itm': false, 'data.boxes': 'one' })
  })
})

describe('a sweep', () => {
  const settings = [
    { key: 'optimizer.learningRate', label: 'Learning rate', help: '', kind: 'number', value: 1e-5, advanced: false },
    { key: 'loss.mlm', label: 'Masked words', help: '', kind: 'boolean', value: true, advanced: true },
    { key: 'data.boxes', label: 'Boxes', help: '', kind: 'choice', choices: ['one', 'all'], value: 'all', advanced: true },
  ] as const
  const sweep = (...axes: { key: string; text: string }[]) => resolveSweep(settings as never, axes)
  it('reads values by the kind of their setting, and counts the runs', () => {
    expect(sweep({ key: 'optimizer.learningRate', text: '1e-5, 3e-5,1e-4' }, { key: 'loss.mlm', text: 'on, off' })).toEqual({
      axes: [{ key: 'optimizer.learningRate', values: [1e-5, 3e-5, 1e-4] }, { key: 'loss.mlm', values: [true, false] }], errors: [null, null], runs: 6,
    })
  })
  it('says what is wrong', () => {
    expect(sweep({ key: 'optimizer.learningRate', text: '1e-5' }).errors).toEqual(['At least two values'])
    expect(sweep({ key: 'optimizer.learningRate', text: '1e-5, fast' }).errors[0]).toMatch(/number/)
    expect(sweep({ key: 'optimizer.learningRate', text: '1e-5, 0.00001' }).errors).toEqual(['A value is given twice'])
    expect(sweep({ key: 'loss.mlm', text: 'on, maybe' }).errors).toEqual(['on or off'])
    expect(sweep({ key: 'data.boxes', text: 'one, some' }).errors[0]).toMatch(/One of/)
    expect(sweep({ key: 'loss.mlm', text: 'on, off' }, { key: 'loss.mlm', text: 'on, off' }).errors[1]).toMatch(/another setting/)
  })
  it('shows values in words', () => {
    expect([true, false, 1e-5, '', 'all'].map(shownValue)).toEqual(['on', 'off', '1e-5', 'empty', 'all'])
  })
})
