import { describe, expect, it } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import { describes, phraseText, tellsApart, type SeenObject } from './phrases.ts'

const left: Box = [5, 40, 35, 70]
const right: Box = [60, 40, 90, 70]
const big: Box = [50, 50, 94, 94]

describe('phrase text', () => {
  it.each([
    [{ article: 'a', category: 'dog' }, 'a dog'],
    [{ article: 'a', category: 'owl', position: 'top' }, 'an owl at the top'],
    [{ article: 'a', category: 'umbrella' }, 'an umbrella'],
    [{ article: 'a', category: 'unicorn' }, 'a unicorn'],
    [{ article: 'a', category: 'umbrella', colour: 'red' }, 'a red umbrella'],
    [{ article: 'a', category: 'scissors' }, 'the scissors'],
    [{ article: 'a', category: 'cheese', size: 'small' }, 'the small cheese'],
    [{ article: 'the', category: 'book', colour: 'green', position: 'left' }, 'the green book on the left'],
    [{ article: 'the', category: 'shirt', colour: 'blue', size: 'large' }, 'the large blue shirt'],
  ] as const)('%o reads "%s"', (parts, text) => {
    expect(phraseText(parts)).toBe(text)
  })
})

describe('truth of a phrase', () => {
  const scene: readonly SeenObject[] = [
    { category: 'dog', box: left },
    { category: 'dog', box: right },
    { category: 'car', colour: 'red', box: big },
  ]
  const trueOf = (parts: Parameters<typeof describes>[0]): readonly number[] => scene.flatMap((object, i) => (describes(parts, object, scene) ? [i] : []))

  it('is ambiguous without a word that tells twins apart', () => {
    expect(trueOf({ article: 'the', category: 'dog' })).toEqual([0, 1])
  })
  it('names one of two by place', () => {
    expect(trueOf({ article: 'the', category: 'dog', position: 'left' })).toEqual([0])
    expect(trueOf({ article: 'the', category: 'dog', position: 'right' })).toEqual([1])
    expect(trueOf({ article: 'the', category: 'dog', position: 'top' })).toEqual([])
  })
  it('fails for another colour or a size that does not hold', () => {
    expect(trueOf({ article: 'a', category: 'car', colour: 'red', size: 'large' })).toEqual([2])
    expect(trueOf({ article: 'a', category: 'car', colour: 'blue' })).toEqual([])
    expect(trueOf({ article: 'a', category: 'car', size: 'small' })).toEqual([])
  })
  it('asks for a clear difference between twins', () => {
    expect(tellsApart('size', left, right)).toBe(false)
    expect(tellsApart('size', left, big)).toBe(true)
    expect(tellsApart('position', left, right)).toBe(true)
    expect(tellsApart('position', left, [10, 40, 40, 70])).toBe(false)
  })
})
