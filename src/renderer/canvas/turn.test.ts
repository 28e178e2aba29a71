import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import { type Turn, fitCamera, panBy, toImage, toScreen, turned, unturned, withTurn, zoomAt } from './camera.ts'
import { gripCursor } from './hit.ts'
import type { SceneBox } from './scene-state.ts'
import { type SceneEffect, createScene } from './scene.ts'

const IMAGE = { width: 640, height: 480 }
const VIEW = { width: 613, height: 447 }
const turns = fc.constantFrom<Turn>(0, 1, 2, 3)
const odd = fc.integer({ min: -4000, max: 4000 }).map((n) => n / 7)

function open(box: Box) {
  let stored = box
  const commits: SceneEffect[] = []
  const content = () => [{ key: 'mine', regionId: 'r', index: 0, box: stored, editable: true, color: '#fff', label: 'mine' } satisfies SceneBox]
  const scene = createScene((effect) => {
    if (effect.type !== 'commit') return
    commits.push(effect)
    if (!('before' in effect)) return
    stored = effect.after
    scene.setContent({ imageKey: 'i', image: IMAGE, boxes: content(), proposals: [] })
  })
  scene.setViewport('image', VIEW)
  scene.setContent({ imageKey: 'i', image: IMAGE, boxes: content(), proposals: [] })
  scene.select('mine')
  return { scene, commits, stored: () => stored, put: (value: Box) => { stored = value; scene.setContent({ imageKey: 'i', image: IMAGE, boxes: content(), proposals: [] }) } }
}

describe('a turned view', () => {
  it('puts the image where a quarter turn puts it', () => {
    const at = (turn: Turn) => toScreen(withTurn({ centerX: 0, centerY: 0, scale: 2 }, turn), { width: 0, height: 0 }, { x: 10, y: 3 })
    expect([at(0), at(1), at(2), at(3)]).toEqual([{ x: 20, y: 6 }, { x: -6, y: 20 }, { x: -20, y: -6 }, { x: 6, y: -20 }])
  })

  it('turns distances back to exactly the same numbers', () => {
    fc.assert(fc.property(odd, odd, turns, (x, y, turn) => {
      expect(unturned(turned({ x, y }, turn), turn)).toEqual({ x, y })
    }))
  })

  it('keeps the point under the cursor while zooming, moves with the pointer, and fits the turned image', () => {
    fc.assert(
      fc.property(turns, fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 440 }), (turn, x, y) => {
        const camera = fitCamera(IMAGE, VIEW, turn)
        const under = toImage(camera, VIEW, { x, y })
        const zoomed = toScreen(zoomAt(camera, VIEW, { x, y }, 3), VIEW, under)
        expect([zoomed.x, zoomed.y]).toEqual([expect.closeTo(x, 6), expect.closeTo(y, 6)])
        const panned = toScreen(panBy(camera, 30, -20), VIEW, under)
        expect([panned.x, panned.y]).toEqual([expect.closeTo(x + 30, 6), expect.closeTo(y - 20, 6)])
      }),
    )
    const corners = [0, 1, 2, 3].map((turn) => toScreen(fitCamera(IMAGE, VIEW, turn as Turn), VIEW, { x: 0, y: 0 }))
    for (const corner of corners) expect(corner.x > 0 && corner.y > 0 && corner.x < VIEW.width && corner.y < VIEW.height).toBe(true)
  })

  it('points cursors as the edges move on the screen', () => {
    expect([0, 1, 2, 3].map((turn) => gripCursor({ x: 1, y: 0 }, turn))).toEqual(['ew-resize', 'ns-resize', 'ew-resize', 'ns-resize'])
    expect([0, 1].map((turn) => gripCursor({ x: 1, y: 1 }, turn))).toEqual(['nwse-resize', 'nesw-resize'])
  })

  it('nudges and grows as the person sees it', () => {
    const { scene, stored } = open([100, 100, 200, 150])
    scene.rotate(1)
    scene.nudge(1, 0, false)
    scene.endNudge()
    expect(stored()).toEqual([100, 99, 200, 149])
    scene.nudge(10, 0, true)
    scene.endNudge()
    expect(stored(), 'the edge that is right on the screen is the top one').toEqual([100, 89, 200, 149])
    scene.nudge(0, 10, true)
    scene.endNudge()
    expect(stored()).toEqual([100, 89, 210, 149])
  })
})

describe('what is stored', () => {
  const view = fc.oneof(
    fc.record({ kind: fc.constant('wheel' as const), x: fc.integer({ min: 0, max: 612 }), y: fc.integer({ min: 0, max: 446 }), by: fc.double({ min: 0.2, max: 5, noNaN: true }) }),
    fc.record({ kind: fc.constant('rotate' as const), by: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ kind: fc.constant('pan' as const), x: odd, y: odd }),
    fc.record({ kind: fc.constantFrom('fit' as const, 'region' as const, 'in' as const, 'resize' as const) }),
    fc.record({ kind: fc.constant('drag' as const), x: fc.integer({ min: -200, max: 200 }), y: fc.integer({ min: -200, max: 200 }) }),
  )

  it('never changes by zooming, panning, turning, fitting or resizing the window', () => {
    fc.assert(
      fc.property(fc.tuple(odd, odd), fc.array(view, { maxLength: 30 }), ([x, y], steps) => {
        const box: Box = [x, y, x + 40 / 3, y + 10 / 7]
        const { scene, commits } = open(box)
        const kept = scene.store.getState().boxes[0]!.box
        scene.setTool('pan')
        for (const step of steps) {
          if (step.kind === 'wheel') scene.wheel('image', step, step.by)
          else if (step.kind === 'rotate') scene.rotate(step.by)
          else if (step.kind === 'pan') scene.pan(step.x, step.y)
          else if (step.kind === 'fit') scene.fit()
          else if (step.kind === 'region') scene.zoomToRegion()
          else if (step.kind === 'in') scene.zoomBy(1.25)
          else if (step.kind === 'resize') scene.setViewport('image', { width: 500, height: 300 })
          else if (step.kind === 'drag') {
            scene.pointer('image', { type: 'down', screen: { x: 300, y: 200 } })
            scene.pointer('image', { type: 'move', screen: { x: 300 + step.x, y: 200 + step.y } })
            scene.pointer('image', { type: 'up', screen: { x: 300 + step.x, y: 200 + step.y } })
          }
        }
        expect(scene.store.getState().boxes[0]!.box).toBe(kept)
        expect(kept).toEqual(box)
        expect(commits).toEqual([])
      }),
    )
  })

  it('is the same number again after a move and its undo, whatever the view was turned and zoomed to in between', () => {
    fc.assert(
      fc.property(fc.tuple(odd, odd), turns, turns, fc.integer({ min: -150, max: 150 }), fc.integer({ min: -150, max: 150 }), ([x, y], turn, later, dx, dy) => {
        const box: Box = [x, y, x + 500 / 3, y + 900 / 7]
        const { scene, commits, stored, put } = open(box)
        scene.store.setState({ snap: false })
        scene.rotate(turn)
        scene.lookAt({ x: x + 80, y: y + 60 })
        scene.zoomToRegion()
        const { camera } = scene.store.getState()
        const at = toScreen(camera, VIEW, { x: x + 250 / 3, y: y + 450 / 7 })
        scene.pointer('image', { type: 'down', screen: at })
        scene.pointer('image', { type: 'move', screen: { x: at.x + dx, y: at.y + dy } })
        scene.pointer('image', { type: 'up', screen: { x: at.x + dx, y: at.y + dy } })
        for (const effect of commits) {
          if (!('before' in effect)) continue
          expect(effect.before).toEqual(box)
          expect(effect.after).toEqual(stored())
          scene.rotate(later)
          scene.wheel('image', { x: 11, y: 7 }, 1.7)
          put(effect.before)
        }
        expect(scene.store.getState().boxes[0]!.box).toEqual(box)
        if (Math.hypot(dx, dy) >= 4) expect(commits.length).toBe(1)
      }),
    )
  })
})

describe('a locked box', () => {
  it('is selected but neither moved, resized nor nudged; a hidden one is not even found', () => {
    const effects: SceneEffect[] = []
    const scene = createScene((effect) => effects.push(effect))
    const box = { key: 'mine', regionId: 'r', index: 0, box: [100, 100, 300, 300] as Box, editable: true, color: '#fff', label: '' }
    const put = (more: object) => scene.setContent({ imageKey: 'i', image: IMAGE, boxes: [{ ...box, ...more }], proposals: [] })
    scene.setViewport('image', VIEW)
    put({ locked: true })
    const at = (x: number, y: number) => toScreen(scene.store.getState().camera, VIEW, { x, y })
    const drag = (from: readonly [number, number]) => {
      scene.pointer('image', { type: 'down', screen: at(...from) })
      scene.pointer('image', { type: 'move', screen: { x: at(...from).x + 20, y: at(...from).y } })
      scene.pointer('image', { type: 'up', screen: { x: at(...from).x + 20, y: at(...from).y } })
    }
    drag([200, 200])
    expect(effects).toEqual([{ type: 'select', key: 'mine' }])
    drag([300, 300])
    expect(scene.nudge(1, 0, false)).toBe(false)
    expect(effects.some((effect) => effect.type === 'commit')).toBe(false)
    put({})
    expect(scene.nudge(1, 0, false)).toBe(true)
    scene.cancel()
    put({ hidden: true })
    scene.select(null)
    effects.length = 0
    scene.pointer('image', { type: 'down', screen: at(200, 200) })
    scene.pointer('image', { type: 'up', screen: at(200, 200) })
    expect(effects).toEqual([])
  })
})
