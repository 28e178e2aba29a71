import { describe, expect, it } from 'vitest'
import { curveChart, stagesChart } from './lines.ts'
import { fitted, PAPER_INK, type SvgNode, toMarkup } from './svg.ts'

const WORDS = { title: 'a title', description: 'what it shows', across: 'across', up: 'up' }
const all = (root: SvgNode, tag: SvgNode['tag']): SvgNode[] => [...(root.tag === tag ? [root] : []), ...root.children.flatMap((child) => (typeof child === 'string' ? [] : all(child, tag)))]
const linesOf = (root: SvgNode) => all(root, 'path').filter((one) => one.attributes['fill'] === 'none').map((one) => [...String(one.attributes['d']).matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const))

describe('curves', () => {
  const chart = curveChart('c', [{ place: 0, name: 'A, one', values: [1, 0.5, 0] }, { place: 2, name: 'C, three', values: [0, 0, 1] }], WORDS, PAPER_INK)

  it('go through every value at equal steps, the first at the left end and the last at the right', () => {
    // The lines of the two, then those of the key.
    const [a, c] = linesOf(chart) as [(readonly [number, number])[], (readonly [number, number])[]]
    expect(a).toHaveLength(3)
    expect(a[1]![0] - a[0]![0]).toBeCloseTo(a[2]![0] - a[1]![0], 1)
    expect(a[1]![1] - a[0]![1]).toBeCloseTo(a[2]![1] - a[1]![1], 1)
    expect(a[0]![1]).toBeLessThan(a[2]![1]) // higher is higher up
    expect([c[0]![1], c[2]![1]]).toEqual([a[2]![1], a[0]![1]])
    expect(c[2]![0]).toBe(a[2]![0])
  })

  it('differ by more than colour, and are named', () => {
    const markup = toMarkup(chart)
    expect(markup).toContain('stroke-dasharray="2 3"')
    expect(markup).toMatch(/<title id="c-title">a title<.*<desc id="c-desc">what it shows</)
    expect(markup).toContain('>A, one<')
    expect(markup).toContain('>C, three<')
    expect(markup).not.toMatch(/NaN|undefined/)
  })
})

describe('stages', () => {
  it('stand one below the other, also those that one model lacks; the axis reaches below zero only where a value does', () => {
    const values = { head: 0.9, 'layer 1': 0.5, all: 0.1 }
    const upright = stagesChart('s', [{ place: 0, name: 'A', values }, { place: 1, name: 'B', values: { head: 0.8, all: 0 } }], WORDS, PAPER_INK)
    const [a, b] = linesOf(upright) as [(readonly [number, number])[], (readonly [number, number])[]]
    expect([a.length, b.length]).toEqual([3, 2])
    expect(b.map(([, y]) => y)).toEqual([a[0]![1], a[2]![1]])
    expect(toMarkup(upright)).not.toContain('−')
    const below = toMarkup(stagesChart('s', [{ place: 0, name: 'A', values: { ...values, all: -0.3 } }], WORDS, PAPER_INK))
    expect(below).toContain('>−0.50<')
    expect(below).not.toContain('>−0.75<')
  })
})

it('a name is cut in the middle, to its room', () => {
  expect(fitted('Run 1 · step 300', 200)).toBe('Run 1 · step 300')
  const cut = fitted('A very long name of a run · step 300', 120)
  expect(cut).toMatch(/^A very.*….*step 300$/)
  expect(cut.length).toBeLessThanOrEqual(18)
  expect(fitted('😀😀😀😀😀😀😀😀', 26)).toBe('😀😀…😀')
})
