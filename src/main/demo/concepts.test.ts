import { describe, expect, it } from 'vitest'
import { imageConceptsOf, phraseConceptsOf, textTrueOfImage } from './concepts.ts'

describe('true negatives', () => {
  const image = imageConceptsOf([{ category: 'dog' }, { category: 'car', colour: 'red' }, { category: 'car', colour: 'blue' }])

  it('lists categories and colours in an order that says nothing', () => {
    expect(image).toEqual(['blue car', 'car', 'dog', 'red car'])
  })
  it.each([
    [{ category: 'dog' }, true],
    [{ category: 'car' }, true],
    [{ category: 'car', colour: 'red' }, true],
    [{ category: 'car', colour: 'green' }, false],
    [{ category: 'cat' }, false],
  ] as const)('%o is true of it: %s', (named, expected) => {
    expect(textTrueOfImage(phraseConceptsOf(named), image)).toBe(expected)
  })
  it('knows nothing of a phrase without concepts', () => {
    expect(textTrueOfImage([], image)).toBe(false)
  })
})
