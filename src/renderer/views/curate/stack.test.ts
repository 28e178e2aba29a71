import { describe, expect, it } from 'vitest'
import { boxesOnly, shapeOf } from '../../../shared/shape.ts'
import { region } from '../../../../test/support/edit-log-host.ts'
import { createHitIndex } from '../../canvas/hit.ts'
import { sceneBoxes } from './scene-boxes.ts'
import { arranged, stackPlace } from './stack.ts'

const [A, B, C] = [[0, 0, 10, 10], [5, 5, 15, 15], [8, 8, 18, 18]] as const

describe('boxes of a phrase', () => {
  it('come to the end or the beginning of their list, with their outlines', () => {
    const outline = [5, 5, 15, 5, 15, 15]
    const shape = shapeOf([A, B, C], [[], outline, []])
    expect(arranged(shape, 1, 'front')).toEqual({ shape: { boxes: [A, C, B], outlines: [[], [], outline] }, index: 2 })
    expect(arranged(shape, 1, 'back')).toEqual({ shape: { boxes: [B, A, C], outlines: [outline, [], []] }, index: 0 })
    expect(arranged(boxesOnly([A, B]), 0, 'front')).toEqual({ shape: boxesOnly([B, A]), index: 1 })
  })

  it('that lie there already are no edit', () => {
    expect([arranged(boxesOnly([A, B]), 1, 'front'), arranged(boxesOnly([A, B]), 0, 'back'), arranged(boxesOnly([A]), -1, 'front')]).toEqual([null, null, null])
  })
})

describe('phrases of an image', () => {
  const same = [region('a', boxesOnly([A])), region('b', boxesOnly([A])), region('c', boxesOnly([C]))]
  const shownOrder = (regions: typeof same) => sceneBoxes(regions, null, { showOthers: true, hidden: new Set(), locked: new Set() })

  it('take a place over or under all others, once', () => {
    expect(stackPlace(same, 'a', 'front')).toBe(1)
    expect(stackPlace(same, 'a', 'back')).toBe(-1)
    expect(stackPlace([{ ...same[0]!, z: 1 }, same[1]!, same[2]!], 'a', 'front')).toBeNull()
    expect(stackPlace([{ ...same[0]!, z: 1 }, { ...same[1]!, z: 4 }], 'a', 'front')).toBe(5)
    expect(stackPlace([same[0]!], 'a', 'front')).toBeNull()
  })

  it('are drawn in that order, and found so where they are of one size; a smaller one is still found first', () => {
    const raised = [{ ...same[0]!, z: 1 }, same[1]!, same[2]!]
    expect(shownOrder(same).map((box) => box.regionId)).toEqual(['a', 'b', 'c'])
    expect(shownOrder(raised).map((box) => box.regionId)).toEqual(['b', 'c', 'a'])
    expect(createHitIndex(shownOrder(same)).at({ x: 2, y: 2 }, 0)).toEqual(['b/0', 'a/0'])
    expect(createHitIndex(shownOrder(raised)).at({ x: 2, y: 2 }, 0)).toEqual(['a/0', 'b/0'])
    const small = [...raised, region('d', boxesOnly([[1, 1, 3, 3]]))]
    expect(createHitIndex(shownOrder(small)).at({ x: 2, y: 2 }, 0)).toEqual(['d/0', 'a/0', 'b/0'])
  })
})
