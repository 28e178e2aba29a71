import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Box, Point } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { toScreen } from './camera.ts'
import { createHitIndex } from './hit.ts'
import { distanceToOutline, isInsideOutline, movedVertex, vertexAt, withVertex, withoutVertex } from './outline.ts'
import { type SceneBox, liveBox, liveOutline, liveRegionShape } from './scene-state.ts'
import { type SceneEffect, createScene } from './scene.ts'

const IMAGE = { width: 200, height: 150 }
const VIEW = { width: 424, height: 324 }
const HOUSE: Outline = [60, 40, 100, 60, 100, 110, 20, 110, 20, 60]

function open(outline: Outline | null = null) {
  const effects: SceneEffect[] = []
  let stored = outline
  const scene = createScene((effect) => {
    effects.push(effect)
    if (effect.type === 'commit' && effect.gesture === 'shape') {
      stored = effect.outline
      put()
    }
  })
  const put = () => {
    const box: SceneBox = { key: 'mine', regionId: 'r', index: 0, box: stored ? outlineBounds(stored) : [20, 40, 100, 110], editable: true, color: '#fff', label: 'mine', ...(stored ? { outline: stored } : {}) }
    scene.setContent({ imageKey: 'i', image: IMAGE, boxes: outline ? [box] : [], proposals: [] })
  }
  scene.setViewport('image', VIEW)
  put()
  scene.store.setState({ snap: false })
  if (outline) scene.select('mine')
  const word = (type: 'down' | 'move' | 'up', x: number, y: number, more: object = {}) => scene.pointer('image', { type, screen: toScreen(scene.store.getState().camera, VIEW, { x, y }), button: 0, ...more })
  const click = (x: number, y: number, more: object = {}) => (word('down', x, y, more), word('up', x, y, more))
  return { scene, effects, word, click, commits: () => effects.filter((effect) => effect.type === 'commit') }
}

describe('drawing an outline', () => {
  const draw = (h: ReturnType<typeof open>, points: readonly (readonly [number, number])[]) => {
    h.scene.setTool('polygon')
    for (const point of points) h.click(...point)
  }

  it('takes a point a click, follows the pointer, and closes with Enter', () => {
    const h = open()
    draw(h, [[10, 10], [50, 10], [50, 40]])
    h.word('move', 20, 60)
    expect(liveRegionShape(h.scene.store.getState())).toEqual({ boxes: [[10, 10, 50, 60]], outlines: [[10, 10, 50, 10, 50, 40, 20, 60]] })
    expect(h.commits()).toEqual([])
    expect(h.scene.confirm()).toBe(true)
    expect(h.commits()).toEqual([{ type: 'commit', gesture: 'outline', outline: [10, 10, 50, 10, 50, 40] }])
    expect(h.scene.store.getState()).toMatchObject({ tool: 'select', gesture: { kind: 'idle' } })
  })

  it('closes by a click on the first point, and by a double click', () => {
    const first = open()
    draw(first, [[10, 10], [50, 10], [50, 40], [10.5, 10]])
    const double = open()
    draw(double, [[10, 10], [50, 10], [50, 40], [50, 40]])
    for (const h of [first, double]) expect(h.commits()).toEqual([{ type: 'commit', gesture: 'outline', outline: [10, 10, 50, 10, 50, 40] }])
  })

  it('takes the last point back, and gives everything up on Escape', () => {
    const h = open()
    draw(h, [[10, 10], [50, 10], [99, 99]])
    expect(h.scene.deletePoint()).toBe(true)
    h.click(50, 40)
    h.scene.confirm()
    expect(h.commits()).toMatchObject([{ outline: [10, 10, 50, 10, 50, 40] }])
    draw(h, [[10, 10], [50, 10], [99, 99]])
    expect(h.scene.cancel()).toBe(true)
    expect(h.scene.confirm()).toBe(false)
    for (let i = 0; i < 3; i++) h.scene.deletePoint()
    expect(h.commits()).toHaveLength(1)
  })

  it('makes nothing of two points or of points in a line', () => {
    for (const points of [[[10, 10], [50, 10]], [[10, 10], [50, 10], [90, 10]]] as const) {
      const h = open()
      draw(h, points)
      h.scene.confirm()
      expect(h.commits()).toEqual([])
    }
  })

  it('catches on the image’s edges where snapping is on', () => {
    const h = open()
    h.scene.store.setState({ snap: true })
    draw(h, [[-30, 10], [50, 2], [50, 40]])
    h.scene.confirm()
    expect(h.commits()).toMatchObject([{ outline: [0, 10, 50, 0, 50, 40] }])
  })
})

describe('shaping an outline', () => {
  it('drags a point, and the box becomes exactly its bounds', () => {
    const h = open(HOUSE)
    h.word('down', 60, 40)
    h.word('move', 70, 20)
    const state = h.scene.store.getState()
    expect(liveBox(state, 'mine')!.box).toEqual([20, 20, 100, 110])
    expect(liveRegionShape(state).outlines).toEqual([[70, 20, 100, 60, 100, 110, 20, 110, 20, 60]])
    h.word('up', 70, 20)
    expect(h.commits()).toEqual([{ type: 'commit', gesture: 'shape', key: 'mine', outline: [70, 20, 100, 60, 100, 110, 20, 110, 20, 60] }])
  })

  it('puts a point into the middle of an edge, takes one away with Alt or the key, and leaves three', () => {
    const h = open(HOUSE)
    h.word('down', 60, 110)
    h.word('move', 60, 130)
    h.word('up', 60, 130)
    expect(h.commits()).toMatchObject([{ outline: [60, 40, 100, 60, 100, 110, 60, 130, 20, 110, 20, 60] }])
    h.click(60, 130, { alt: true })
    expect(h.commits()[1]).toMatchObject({ outline: HOUSE })
    h.word('move', 60, 40)
    expect(h.scene.deletePoint()).toBe(true)
    expect(h.commits()[2]).toMatchObject({ outline: [100, 60, 100, 110, 20, 110, 20, 60] })
    const three = open([10, 10, 90, 10, 90, 90])
    three.word('move', 10, 10)
    expect(three.scene.deletePoint()).toBe(false)
    three.click(10, 10, { alt: true })
    expect(three.commits()).toEqual([])
  })

  it('commits nothing for a click on a point, a point brought back, or a shape pulled flat', () => {
    const h = open(HOUSE)
    h.click(60, 40)
    h.word('down', 60, 40)
    h.word('move', 90, 20)
    h.word('move', 60, 40)
    h.word('up', 60, 40)
    const flat = open([10, 10, 90, 10, 90, 90])
    flat.word('down', 90, 90)
    flat.word('move', 50, 10)
    flat.word('up', 50, 10)
    expect([...h.commits(), ...flat.commits()]).toEqual([])
  })

  it('goes with its box, the middle of which is free for moving', () => {
    const h = open(HOUSE)
    h.word('down', 60, 80)
    h.word('move', 70, 85)
    const state = h.scene.store.getState()
    expect(liveOutline(state, liveBox(state, 'mine')!)).toEqual([70, 45, 110, 65, 110, 115, 30, 115, 30, 65])
    h.word('up', 70, 85)
    expect(h.commits()).toMatchObject([{ gesture: 'move', after: [30, 45, 110, 115] }])
  })
})

describe('points of an outline', () => {
  const coordinate = fc.integer({ min: 0, max: 800 }).map((n) => n / 4)
  const outline: fc.Arbitrary<Outline> = fc.array(fc.tuple(coordinate, coordinate), { minLength: 4, maxLength: 12 }).map((points) => points.flat())
  const point: fc.Arbitrary<Point> = fc.record({ x: coordinate, y: coordinate })

  it('are put in and taken out again without a change of the others', () => {
    fc.assert(fc.property(outline, fc.nat(3), point, (points, index, at) => {
      expect(withoutVertex(withVertex(points, index, at), index)).toEqual(points)
      const moved = movedVertex(points, index, at)
      expect(movedVertex(moved, index, { x: points[2 * index]!, y: points[2 * index + 1]! })).toEqual(points)
    }))
  })

  it('are found within 8 px of the screen at any zoom, before the middles of edges', () => {
    for (const scale of [0.5, 1, 4, 16]) {
      expect(vertexAt(HOUSE, { x: 60 + 7 / scale, y: 40 }, scale)).toEqual({ index: 0, between: false })
      expect(vertexAt(HOUSE, { x: 60, y: 40 - 9 / scale }, scale)).toBeNull()
    }
    expect(vertexAt(HOUSE, { x: 60, y: 110 }, 1)).toEqual({ index: 3, between: true })
    expect(vertexAt(HOUSE, { x: 60, y: 110 }, 0.3), 'an edge that is short on screen offers none').toBeNull()
  })

  it('enclose what their mask would, and a click beside them in the box finds what lies below', () => {
    expect(isInsideOutline(HOUSE, { x: 60, y: 80 })).toBe(true)
    expect(isInsideOutline(HOUSE, { x: 22, y: 42 })).toBe(false)
    expect(distanceToOutline(HOUSE, { x: 60, y: 113 })).toBe(3)
    const hits = createHitIndex([{ key: 'all', box: [0, 0, 200, 150] as Box }, { key: 'house', box: outlineBounds(HOUSE), outline: HOUSE }])
    expect(hits.at({ x: 60, y: 80 }, 2)).toEqual(['house', 'all'])
    expect(hits.at({ x: 22, y: 42 }, 2)).toEqual(['all'])
    expect(hits.at({ x: 60, y: 111 }, 2)).toEqual(['all', 'house'])
  })

  it('never move when the view does', () => {
    fc.assert(fc.property(outline, fc.integer({ min: 0, max: 3 }), fc.double({ min: 0.2, max: 5, noNaN: true }), (points, turns, zoom) => {
      const h = open(points)
      const kept = h.scene.store.getState().boxes[0]!.outline
      h.scene.rotate(turns)
      h.scene.wheel('image', { x: 31, y: 77 }, zoom)
      h.scene.fit()
      expect(h.scene.store.getState().boxes[0]!.outline).toBe(kept)
      expect(kept).toEqual(points)
      expect(h.commits()).toEqual([])
    }))
  })
})
