import fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, holds, type Ranges, sizeOf, take, toggle } from './row-ranges.ts'

test('ranges hold exactly what a plain set would, in order and apart', () => {
  const step = fc.oneof(
    fc.tuple(fc.constant('add' as const), fc.nat(30), fc.nat(30)), fc.tuple(fc.constant('take' as const), fc.nat(30), fc.constant(0)), fc.tuple(fc.constant('toggle' as const), fc.nat(30), fc.constant(0)),
  )
  fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    let ranges: Ranges = []
    const set = new Set<number>()
    for (const [kind, a, b] of steps) {
      if (kind === 'add') {
        ranges = add(ranges, [a, b])
        for (let i = Math.min(a, b); i <= Math.max(a, b); i++) set.add(i)
      } else if (kind === 'take') {
        ranges = take(ranges, a)
        set.delete(a)
      } else {
        ranges = toggle(ranges, a)
        if (!set.delete(a)) set.add(a)
      }
    }
    expect(Array.from({ length: 32 }, (_, i) => i).filter((i) => holds(ranges, i))).toEqual([...set].sort((x, y) => x - y))
    expect(sizeOf(ranges)).toBe(set.size)
    for (const [i, [from]] of ranges.entries()) if (i > 0) expect(from).toBeGreaterThan(ranges[i - 1]![1] + 1)
  }))
})
