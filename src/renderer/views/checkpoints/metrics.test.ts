import { describe, expect, it } from 'vitest'
import { metricColumns, metricText, protocolOf } from './metrics.ts'

describe('metrics of checkpoints', () => {
  it('separates the metric from its protocol', () => {
    expect(protocolOf('pointing game, AMC strict, demo val')).toEqual({ metric: 'pointing game', protocol: 'AMC strict, demo val' })
    expect(protocolOf('loss')).toEqual({ metric: 'loss', protocol: '' })
  })

  it('writes shares of the pointing game as percent', () => {
    expect(metricText('pointing game, AMC strict', 0.8034)).toBe('80.3 %')
    expect(metricText('consistency', 0.65)).toBe('0.65')
    expect(metricText('consistency', undefined)).toBe('–')
  })

  it('chooses the most common first, pointing before others', () => {
    const list: { metrics: Record<string, number> }[] = [{ metrics: { 'consistency': 1, 'pointing game, x': 1, rare: 1 } }, { metrics: { 'consistency': 1, 'pointing game, x': 1 } }]
    expect(metricColumns(list, 2)).toEqual(['pointing game, x', 'consistency'])
    expect(metricColumns(list, 9)).toHaveLength(3)
    expect(metricColumns([], 3)).toEqual([])
  })
})
