import { describe, expect, it } from 'vitest'
import { matchScore } from './match.ts'

const command = ['Propose boxes', 'Region', '']

describe('finding a command', () => {
  it('takes the beginning of a word before its middle, and the title before the group', () => {
    const scores = ['prop', 'box', 'oxes', 'reg'].map((search) => matchScore(search, command))
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(scores.every((score) => score > 0)).toBe(true)
  })

  it('needs every word, in any order', () => {
    expect(matchScore('boxes prop', command)).toBeGreaterThan(0)
    expect(matchScore('boxes train', command)).toBe(0)
  })

  it('does not match scattered letters', () => {
    expect(matchScore('pbx', command)).toBe(0)
  })

  it('shows everything when nothing is typed', () => {
    expect(matchScore('  ', command)).toBe(1)
  })
})
