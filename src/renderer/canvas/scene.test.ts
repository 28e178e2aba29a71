import { describe, expect, it } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import { toScreen } from './camera.ts'
import { type SceneBox, liveBox, liveRegionBoxes } from './scene-state.ts'
import { type SceneEffect, createScene } from './scene.ts'

const IMAGE = { width: 200, height: 100 }
const box = (key: string, value: Box, editable: boolean): SceneBox => ({ key, regionId: key, index: 0, box: value, editable, color: '#fff', label: key })

function open() {
  const effects: SceneEffect[] = []
  const scene = createScene((effect) => effects.push(effect))
  scene.setViewport('image', { width: 424, height: 224 })
  const boxes = [box('mine', [20, 20, 60, 60], true), box('other', [100, 10, 180, 90], false)]
  scene.setContent({ imageKey: 'i1', image: IMAGE, boxes, proposals: [] })
  const word = (type: 'down' | 'move' | 'up', x: number, y: number) =>
    scene.pointer('image', { type, screen: toScreen(scene.store.getState().camera, { width: 424, height: 224 }, { x, y }), button: 0 })
  return { scene, effects, word, boxes }
}

describe('the scene', () => {
  it('fits a new image and leaves the camera alone for the same one', () => {
    const { scene, boxes } = open()
    expect(scene.store.getState().camera).toEqual({ centerX: 100, centerY: 50, scale: 2 })
    scene.wheel('image', { x: 10, y: 10 }, 2)
    const zoomed = scene.store.getState().camera
    scene.setContent({ imageKey: 'i1', image: IMAGE, boxes, proposals: [] })
    expect(scene.store.getState().camera).toBe(zoomed)
    scene.setContent({ imageKey: 'i2', image: IMAGE, boxes: [], proposals: [] })
    expect(scene.store.getState()).toMatchObject({ cameraMode: 'fit', camera: { scale: 2 } })
  })

  it('fits what all panes can show', () => {
    const { scene } = open()
    scene.setViewport('heat', { width: 224, height: 224 })
    expect(scene.store.getState().camera.scale).toBe(1)
    scene.setViewport('heat', null)
    expect(scene.store.getState().camera.scale).toBe(2)
  })

  it('shows the draft to everyone while a box is dragged, and one commit at the end', () => {
    const { scene, effects, word } = open()
    word('down', 40, 40)
    word('move', 50, 45)
    expect(liveBox(scene.store.getState(), 'mine')!.box).toEqual([30, 25, 70, 65])
    expect(liveRegionBoxes(scene.store.getState())).toEqual([[30, 25, 70, 65]])
    word('up', 50, 45)
    expect(effects.filter((effect) => effect.type === 'commit')).toEqual([{ type: 'commit', gesture: 'move', key: 'mine', before: [20, 20, 60, 60], after: [30, 25, 70, 65] }])
  })

  it('never shows the old box between the release and the new content', () => {
    const seen: (readonly Box[])[] = []
    const scene = createScene((effect) => {
      if (effect.type === 'commit' && effect.gesture === 'move') scene.setContent({ imageKey: 'i1', image: IMAGE, boxes: [box('mine', effect.after, true)], proposals: [] })
    })
    scene.setViewport('image', { width: 200, height: 100 })
    scene.setContent({ imageKey: 'i1', image: IMAGE, boxes: [box('mine', [20, 20, 60, 60], true)], proposals: [] })
    scene.zoomTo(1)
    scene.pointer('image', { type: 'down', screen: { x: 40, y: 40 } })
    scene.pointer('image', { type: 'move', screen: { x: 50, y: 40 } })
    scene.subscribe(() => seen.push(liveRegionBoxes(scene.store.getState())))
    scene.pointer('image', { type: 'up', screen: { x: 50, y: 40 } })
    expect(seen.length).toBeGreaterThan(0)
    for (const boxes of seen) expect(boxes).toEqual([[30, 20, 70, 60]])
  })

  it('takes a run of arrow keys as one gesture', () => {
    const { scene, effects } = open()
    scene.select('mine')
    for (let i = 0; i < 5; i++) scene.nudge(1, 0, false)
    scene.nudge(0, -10, false)
    expect(effects).toEqual([])
    scene.endNudge()
    expect(effects).toEqual([{ type: 'commit', gesture: 'nudge', key: 'mine', before: [20, 20, 60, 60], after: [25, 10, 65, 50] }])
    scene.nudge(1, 0, false)
    scene.nudge(-1, 0, false)
    scene.endNudge()
    expect(effects).toHaveLength(1)
  })

  it('does not nudge the boxes of other phrases or none', () => {
    const { scene } = open()
    expect(scene.nudge(1, 0, false)).toBe(false)
    scene.select('other')
    expect(scene.nudge(1, 0, false)).toBe(false)
  })

  it('gives up a gesture once, then says there is none', () => {
    const { scene, effects, word } = open()
    word('down', 40, 40)
    word('move', 60, 40)
    expect(scene.cancel()).toBe(true)
    expect(scene.cancel()).toBe(false)
    expect(liveBox(scene.store.getState(), 'mine')!.box).toEqual([20, 20, 60, 60])
    expect(effects.some((effect) => effect.type === 'commit')).toBe(false)
  })

  it('drops a gesture on boxes that are gone', () => {
    const { scene, word } = open()
    word('down', 40, 40)
    word('move', 60, 40)
    scene.setContent({ imageKey: 'i2', image: IMAGE, boxes: [], proposals: [] })
    expect(scene.store.getState()).toMatchObject({ gesture: { kind: 'idle' }, selected: null })
  })

  it('brings the phrase in hand to the middle', () => {
    const { scene } = open()
    scene.zoomToRegion()
    expect(scene.store.getState()).toMatchObject({ cameraMode: 'free', camera: { centerX: 40, centerY: 40 } })
    scene.fit()
    expect(scene.store.getState().camera).toEqual({ centerX: 100, centerY: 50, scale: 2 })
  })
})
