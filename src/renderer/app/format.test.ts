import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { useMessages } from '../../shared/messages/messages.ts'
import { bytes, count, duration, fixed, listed, measured, parameters, percent, progressText, pValue, short, signed, when } from './format.ts'

describe('numbers', () => {
  it('groups thousands and writes a true minus', () => {
    expect(count(1284006)).toBe('1,284,006')
    expect(count(-1200)).toBe('−1,200')
    expect(fixed(-0.19)).toBe('−0.19')
  })

  it('never writes a negative zero', () => {
    expect(fixed(-0.001)).toBe('0.00')
    expect(signed(-0.001)).toBe('0.00')
    expect(signed(0.001)).toBe('0.00')
    expect(fixed(-0)).toBe('0.00')
  })

  it('shows the sign of a change', () => {
    expect(signed(10.99)).toBe('+10.99')
    expect(signed(-5.7, 1)).toBe('−5.7')
    expect(percent(0.864, 1)).toBe('86.4 %')
  })

  it('holds no ASCII minus and gives the value back, for any number', () => {
    fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
      const text = signed(value, 3)
      expect(text).not.toContain('-')
      expect(Number(text.replace('−', '-'))).toBeCloseTo(value, 2)
    }))
  })

  it('keeps figures for any size', () => {
    expect(measured(3.4213)).toBe('3.42')
    expect(measured(0.0213)).toBe('0.021')
    expect(measured(0.00001)).toBe('1.0e-5')
    expect(measured(-0.00001)).toBe('−1.0e-5')
    expect(measured(12400)).toBe('12,400')
    expect(measured(0)).toBe('0')
    expect(measured(Number.NaN)).toBe('–')
  })

  it('shortens for axes', () => {
    expect(short(0)).toBe('0')
    expect(short(15966)).toBe('16k')
    expect(short(2575)).toBe('2.6k')
    expect(short(-1500)).toBe('−1.5k')
  })
})

describe('times and sizes', () => {
  it('reads durations', () => {
    expect(duration(8)).toBe('8 s')
    expect(duration(250)).toBe('4 min 10 s')
    expect(duration(240)).toBe('4 min')
    expect(duration(599.6)).toBe('10 min')
    expect(duration(4860)).toBe('1 h 21 min')
    expect(duration(7200)).toBe('2 h')
    expect(duration(3600 * 76)).toBe('3 d 4 h')
    expect(duration(null)).toBe('–')
  })

  it('reads bytes in decimal units', () => {
    expect(bytes(0)).toBe('0 B')
    expect(bytes(999)).toBe('999 B')
    expect(bytes(1_900_000_000)).toBe('1.9 GB')
    expect(bytes(999_999)).toBe('1.0 MB')
    expect(bytes(212_000_000_000)).toBe('212 GB')
  })

  it('reads parameters', () => {
    expect(parameters(209_900_000)).toBe('209.9 M')
    expect(parameters(3_212_034)).toBe('3.2 M')
  })

  it('says the time today and the day otherwise', () => {
    const now = new Date(2026, 10, 12, 18, 0)
    expect(when(new Date(2026, 10, 12, 13, 52).toISOString(), now)).toBe('13:52')
    expect(when(new Date(2026, 10, 3, 13, 52).toISOString(), now)).toBe('3 Nov')
    expect(when(new Date(2025, 0, 3).toISOString(), now)).toBe('3 Jan 2025')
    expect(when('nothing', now)).toBe('–')
  })

  it('reads probabilities', () => {
    expect(pValue(0.00002)).toBe('< 0.001')
    expect(pValue(0.0321)).toBe('0.032')
    expect(pValue(0.5)).toBe('0.50')
  })

  it('says how far work is in its own unit', () => {
    expect(progressText({ done: 1200, total: 3000, unit: 'images' })).toBe('1,200 of 3,000 images')
    expect(progressText({ done: 1, total: 2, unit: '' })).toBe('1 of 2')
    expect(progressText({ done: 1, total: 2, unit: 'scenes' })).toBe('1 of 2 scenes')
  })

  it('writes days and lists as the language does', () => {
    const now = new Date(2026, 10, 12, 18, 0)
    expect(listed(['a', 'b'])).toBe('a, b')
    useMessages('zh-CN', {})
    try {
      expect(when(new Date(2026, 10, 3, 13, 52).toISOString(), now)).toBe('11月3日')
      expect(when(new Date(2025, 0, 3).toISOString(), now)).toBe('2025年1月3日')
      expect(listed(['a', 'b'])).toBe('a、b')
    } finally {
      useMessages('en', null)
    }
  })
})
