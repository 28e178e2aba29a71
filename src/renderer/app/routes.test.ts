import { describe, expect, it } from 'vitest'
import { formatHash, parseHash } from './routes.ts'

describe('hash routes', () => {
  it('reads a screen and its parameters', () => {
    expect(parseHash('#/curate?dataset=d1&region=r%209')).toEqual({ screen: 'curate', params: { dataset: 'd1', region: 'r 9' } })
  })

  it('leads an empty or unknown hash to the library', () => {
    expect(parseHash('').screen).toBe('library')
    expect(parseHash('#/nowhere?x=1')).toEqual({ screen: 'library', params: { x: '1' } })
  })

  it('leaves out what is not set', () => {
    expect(formatHash('compare', { a: 'c1', b: undefined, split: null, cell: '' })).toBe('#/compare?a=c1')
    expect(formatHash('train')).toBe('#/train')
  })

  it('gives back any value it was given', () => {
    for (const value of ['a b', 'ä&=?#/', '%', '+', '"quoted"']) {
      expect(parseHash(formatHash('curate', { phrase: value })).params.phrase).toBe(value)
    }
  })
})
