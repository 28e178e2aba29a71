import { describe, expect, it } from 'vitest'
import { isMac, keyCaps } from './keys.ts'

describe('key caps', () => {
  it('names the platform key', () => {
    expect(keyCaps('$mod+k', false)).toEqual(['Ctrl', 'K'])
    expect(keyCaps('$mod+k', true)).toEqual(['⌘', 'K'])
    expect(keyCaps('$mod+Shift+z', false)).toEqual(['Ctrl', 'Shift', 'Z'])
  })

  it('draws arrows and short names', () => {
    expect(keyCaps('ArrowLeft', false)).toEqual(['←'])
    expect(keyCaps('Delete', false)).toEqual(['Del'])
    expect(keyCaps('$mod+Enter', false)).toEqual(['Ctrl', '↵'])
    expect(keyCaps('[Shift]+?', false)).toEqual(['?'])
    expect(keyCaps('Shift+BracketLeft', false)).toEqual(['Shift', '['])
  })

  it('lists the caps of a sequence', () => {
    expect(keyCaps('g l', false)).toEqual(['G', 'L'])
  })

  it('knows an Apple platform', () => {
    expect(isMac('MacIntel')).toBe(true)
    expect(isMac('Linux x86_64')).toBe(false)
  })
})
