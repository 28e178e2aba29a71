import { describe, expect, it } from 'vitest'
import { flagText, reasonCounts } from './reasons.ts'

describe('reasons of skipped entries', () => {
  it('counts like with like, most frequent first', () => {
    expect(reasonCounts([{ reason: 'image file not found: a.jpg' }, { reason: 'box has no area' }, { reason: 'image file not found: b.jpg' }])).toEqual([
      { reason: 'image file not found', count: 2 }, { reason: 'box has no area', count: 1 },
    ])
    expect(reasonCounts([{ reason: 'image "a.jpg" is listed twice.' }, { reason: 'image "b.jpg" is listed twice.' }])).toEqual([{ reason: 'image … is listed twice', count: 2 }])
    expect(reasonCounts([])).toEqual([])
  })

  it('puts flags into words', () => {
    expect(flagText('crosses-edge')).toBe('box crosses the image edge')
    expect(flagText('new-flag')).toBe('new flag')
  })
})
