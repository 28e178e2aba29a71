import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Brush, brushByKey, cellOf, changeOf, histogram, inBrush, pickRows, type Row, rowsOfPair } from './pick.ts'

const scores = (pointingHit: boolean, insideEnergy: number | null): Row['a'] => ({ pointingHit, insideEnergy, maxMargin: 0, uncertain: false, matchProbability: 0.5 })
const row = (id: string, a: [boolean, number], b: [boolean, number], phrase = id): Row => ({ regionId: id, imageId: 'i', phrase, split: 'val', boxAreaShare: 0.1, boxes: 1, tags: [], concepts: [], a: scores(...a), b: scores(...b) })
const rows = [row('1', [true, 0.5], [true, 0.6]), row('2', [true, 0.5], [false, 0.1]), row('3', [false, 0.1], [true, 0.9]), row('4', [false, 0.2], [false, 0.3]), row('5', [false, 0.1], [true, 0.4])]

describe('picking pairs', () => {
  it('puts each row into one cell', () => {
    expect(rows.map(cellOf)).toEqual(['both', 'broken', 'fixed', 'neither', 'fixed'])
  })

  it('orders by gain and loss', () => {
    expect(pickRows(rows, 'fixed', null, 'gain').map((r) => r.regionId)).toEqual(['3', '5'])
    expect(pickRows(rows, null, null, 'loss')[0]!.regionId).toBe('2')
    expect(pickRows(rows, null, null, 'phrase').map((r) => r.phrase)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('keeps what is inside the brush', () => {
    const brush = { a: [0, 0.15] as const, b: [0.5, 1] as const }
    expect(pickRows(rows, null, brush, 'gain').map((r) => r.regionId)).toEqual(['3'])
    expect(inBrush(rows[1]!, { change: [-1, -0.3] })).toBe(true)
    expect(inBrush(rows[0]!, { change: [-1, -0.3] })).toBe(false)
  })

  it('is brushed by keys: arrows move it, Shift changes its size, and it stays within the chart', () => {
    let brush: Brush | null = brushByKey(null, 'ArrowUp', false, 'scatter')
    expect(brush).toEqual({ a: [0.25, 0.75], b: [0.25, 0.75] })
    for (let i = 0; i < 20; i++) brush = brushByKey(brush, 'ArrowLeft', false, 'scatter')
    expect(brush!.a![0]).toBeCloseTo(0, 9)
    expect(brush!.a![1]).toBeCloseTo(0.5, 9)
    for (let i = 0; i < 40; i++) brush = brushByKey(brush, 'ArrowRight', true, 'scatter')
    expect(brush!.a![1]).toBe(1)
    for (let i = 0; i < 40; i++) brush = brushByKey(brush, 'ArrowDown', true, 'scatter')
    expect(brush!.b).toEqual([0.25, 0.3])
    expect(brushByKey(null, 'ArrowUp', false, 'histogram')).toBeNull()
    expect(brushByKey({ change: [-0.25, 0.25] }, 'ArrowRight', false, 'histogram')!.change![1]).toBeCloseTo(0.3, 9)
    expect(brushByKey(null, 'Escape', false, 'scatter')).toBeNull()
  })

  it('never changes the rows it was given', () => {
    const before = rows.map((r) => r.regionId)
    pickRows(rows, null, null, 'gain')
    expect(rows.map((r) => r.regionId)).toEqual(before)
  })

  it('counts every row once in the histogram', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))), (pairs) => {
      const list = pairs.map(([a, b], i) => row(String(i), [true, a], [true, b]))
      const bins = histogram(list, { change: [-1, 1] })
      expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(list.length)
      expect(bins.reduce((sum, bin) => sum + bin.inBrush, 0)).toBe(list.length)
    }))
  })

  it('sees any two of four checkpoints', () => {
    const four = { ...rows[0]!, scores: [scores(true, 0.1), scores(false, 0.2), scores(true, 0.3), scores(false, null)] }
    expect(rowsOfPair([four], [2, 1])[0]).toMatchObject({ regionId: '1', a: { insideEnergy: 0.3 }, b: { insideEnergy: 0.2 } })
    expect(changeOf(rowsOfPair([four], [0, 3])[0]!)).toBeNull()
  })

  it('keeps what one chart brushed while the other is brushed', () => {
    const brush = brushByKey({ change: [0, 0.5] }, 'ArrowUp', false, 'scatter')
    expect(brush).toEqual({ change: [0, 0.5], a: [0.25, 0.75], b: [0.25, 0.75] })
    expect(brushByKey(brush, 'ArrowRight', false, 'histogram')).toMatchObject({ a: [0.25, 0.75], change: [0.05, 0.55] })
  })

  it('never brushes what has no heat, and puts it last', () => {
    const list = [row('x', [true, 0.5], [true, 0.6]), { ...row('y', [true, 0.5], [false, 0.6]), b: scores(false, null) }, row('z', [true, 0.9], [true, 0.1])]
    expect(pickRows(list, null, { change: [-1, 1] }, 'gain').map((r) => r.regionId)).toEqual(['x', 'z'])
    expect(pickRows(list, null, null, 'gain').at(-1)!.regionId).toBe('y')
    expect(pickRows(list, null, null, 'loss').at(-1)!.regionId).toBe('y')
    expect(histogram(list, null).reduce((sum, bin) => sum + bin.count, 0)).toBe(2)
  })
})
