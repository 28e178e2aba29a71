import { beforeEach, describe, expect, it } from 'vitest'
import { outlineBounds } from '../../shared/shape.ts'
import { toScreen } from './camera.ts'
import { pointInHand, type SceneBox } from './scene-state.ts'
import { type Scene, type SceneEffect, createScene } from './scene.ts'

const IMAGE = { width: 200, height: 100 }
const VIEW = { width: 424, height: 224 }
const TRIANGLE = [20, 20, 60, 20, 60, 60]
const outlined = (outline: readonly number[], more: Partial<SceneBox> = {}): SceneBox => ({ key: 'mine/0', regionId: 'mine', index: 0, box: outlineBounds(outline), outline, editable: true, color: '#fff', label: '', ...more })

let scene: Scene
let effects: SceneEffect[]
const show = (...boxes: SceneBox[]) => scene.setContent({ imageKey: 'i', image: IMAGE, boxes, proposals: [] })
/** As the owner of the scene does: what is committed is there at once. */
beforeEach(() => {
  effects = []
  scene = createScene((effect) => {
    effects.push(effect)
    if (effect.type === 'commit' && effect.gesture === 'shape') show(outlined(effect.outline))
  })
  scene.setViewport('image', VIEW)
  show(outlined(TRIANGLE))
})
const state = () => scene.store.getState()
const go = (...steps: readonly (readonly [number, number])[]) => steps.forEach(([dx, dy]) => expect(scene.nudge(dx, dy, false)).toBe(true))
const put = () => scene.putAtCaret()

describe('a cursor that draws', () => {
  it('begins in the middle of what is seen, sets exact points, and closes on the first one', () => {
    scene.setTool('polygon')
    expect(scene.startCaret()).toEqual({ x: 100, y: 50 })
    expect(put()).toBe('put')
    go([10, 0], [1, 0])
    put()
    go([0, 10])
    expect(state().gesture).toMatchObject({ kind: 'outlining', at: { x: 111, y: 60 } })
    put()
    go([-11, 0], [0, -10])
    expect(put()).toBe('done')
    expect(effects).toEqual([{ type: 'commit', gesture: 'outline', outline: [100, 50, 111, 50, 111, 60] }])
    expect(state()).toMatchObject({ gesture: { kind: 'idle' }, caret: null, tool: 'select' })
  })

  it('closes where it set the last point, not before there are three, and by confirm', () => {
    scene.setTool('polygon')
    go([0, 0])
    put()
    expect(put()).toBe('put')
    go([10, 0])
    put()
    expect(put()).toBe('put')
    expect(state().gesture).toMatchObject({ points: [{ x: 100, y: 50 }, { x: 110, y: 50 }] })
    go([0, 10])
    put()
    scene.deletePoint()
    put()
    expect(put()).toBe('done')
    expect(effects).toEqual([{ type: 'commit', gesture: 'outline', outline: [100, 50, 110, 50, 110, 60] }])
  })

  it('stays in the image while it snaps, goes as it is seen on a turned view, and gives way to the pointer', () => {
    scene.setTool('polygon')
    for (let i = 0; i < 9; i++) go([-10, -10], [-10, 0])
    expect(state().caret).toEqual({ x: 0, y: 0 })
    scene.rotate(1)
    go([-10, 0])
    expect(state().caret).toEqual({ x: 0, y: 10 })
    const word = (x: number) => scene.pointer('image', { type: 'move', screen: toScreen(state().camera, VIEW, { x, y: 20 }), button: 0 })
    word(20)
    expect(state().caret).toBeNull()
    go([0, 0])
    // A canvas that moves under a pointer at rest is no hand.
    word(20)
    expect(state().caret).not.toBeNull()
  })

  it('draws a box from corner to corner', () => {
    scene.setTool('draw')
    scene.startCaret()
    put()
    expect(put()).toBe('put')
    go([-10, -1])
    expect(put()).toBe('done')
    expect(effects).toEqual([{ type: 'commit', gesture: 'draw', after: [90, 49, 100, 50] }])
  })

  it('keeps itself in sight', () => {
    scene.setTool('polygon')
    scene.zoomTo(16)
    go([30, 0])
    const at = toScreen(state().camera, VIEW, state().caret!)
    expect(at.x).toBeGreaterThan(0)
    expect(at.x).toBeLessThan(VIEW.width)
  })
})

describe('points of an outline', () => {
  beforeEach(() => scene.select('mine/0'))

  it('are taken one after the other, round and round', () => {
    expect([scene.takePoint(0), scene.takePoint(1), scene.takePoint(1), scene.takePoint(1), scene.takePoint(-1)]).toEqual([0, 1, 2, 0, 2])
    expect(scene.cancel()).toBe(true)
    expect(pointInHand(state())).toBeNull()
  })

  it('are moved by a run of arrow keys as one edit', () => {
    scene.takePoint(0)
    scene.takePoint(1)
    go([1, 0], [10, 0], [0, -1])
    expect(effects).toEqual([])
    scene.endNudge()
    expect(effects).toEqual([{ type: 'commit', gesture: 'shape', key: 'mine/0', outline: [20, 20, 71, 19, 60, 60] }])
    expect([state().gesture.kind, pointInHand(state())]).toEqual(['idle', 1])
    // There and back is no edit; given up it is none either.
    go([1, 0], [-1, 0])
    scene.endNudge()
    go([5, 5])
    scene.cancel()
    scene.endNudge()
    expect(effects).toHaveLength(1)
  })

  it('are taken in hand only once the box that moves has been put down', () => {
    show(outlined(TRIANGLE))
    scene.select('mine/0')
    go([3, 0])
    scene.takePoint(0)
    expect(effects).toEqual([expect.objectContaining({ type: 'commit', gesture: 'nudge' })])
    expect(state().nudge).toBeNull()
    go([1, 0])
    scene.endNudge()
    expect([effects.length, state().nudge]).toEqual([2, null])
  })

  it('are added in the middle of an edge and taken away, but three stay', () => {
    scene.takePoint(0)
    expect(scene.insertPoint()).toBe(true)
    expect(effects.at(-1)).toMatchObject({ outline: [20, 20, 40, 20, 60, 20, 60, 60] })
    expect(pointInHand(state())).toBe(1)
    scene.deletePoint()
    expect(effects.at(-1)).toMatchObject({ outline: TRIANGLE })
    expect(scene.deletePoint(), 'nor is the box deleted').toBe(true)
    expect(effects).toHaveLength(2)
  })

  it('of a locked box, of a box without an outline, and with another tool are not taken', () => {
    show(outlined(TRIANGLE, { locked: true }))
    expect(scene.takePoint(0)).toBeNull()
    show(outlined(TRIANGLE))
    scene.setTool('pan')
    expect(scene.takePoint(0)).toBeNull()
    scene.setTool('select')
    scene.takePoint(0)
    scene.select(null)
    expect([pointInHand(state()), scene.insertPoint(), scene.nudge(1, 0, false)]).toEqual([null, false, false])
  })
})
