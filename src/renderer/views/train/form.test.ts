import { describe, expect, it } from 'vitest'
import { draftFromConfig, parseSetting, resolveDraft, type Setting, settingText } from './form.ts'

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
