import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Box, Point } from '../../shared/geometry.ts'
import { type Camera, toScreen } from './camera.ts'
import { createHitIndex } from './hit.ts'
import type { ToolBox, ToolContext, ToolEffect, ToolName, ToolState } from './tool-types.ts'
import { IDLE, draftOf, hoverOf, stepTool } from './tools.ts'

const VIEW = { width: 400, height: 300 }
const CAMERA: Camera = { centerX: 100, centerY: 75, scale: 2 }
const MINE: ToolBox = { key: 'mine', box: [50, 50, 100, 90], editable: true }
const SECOND: ToolBox = { key: 'second', box: [60, 60, 80, 80], editable: true }
const OTHER: ToolBox = { key: 'other', box: [120, 20, 180, 140], editable: false }

/** A hand on the canvas: points are given in image px, as a person means them. */
function hand(options: { boxes?: readonly ToolBox[]; tool?: ToolName; selected?: string | null; snap?: boolean; camera?: Camera } = {}) {
  const boxes = options.boxes ?? [MINE, OTHER]
  let context: ToolContext = {
    tool: options.tool ?? 'select', image: { width: 200, height: 150 }, camera: options.camera ?? CAMERA, viewport: VIEW, snap: options.snap ?? false,
    selected: options.selected ?? null, box: (key) => boxes.find((box) => box.key === key), hits: createHitIndex(boxes),
  }
  let state: ToolState = IDLE
  const effects: ToolEffect[] = []
  const say = (type: 'down' | 'move' | 'up', at: Point, more: object = {}) => {
    const step = stepTool(state, { type, screen: toScreen(context.camera, VIEW, at), button: 0, ...more }, context)
    state = step.state
    for (const effect of step.effects) {
      effects.push(effect)
      if (effect.type === 'select') context = { ...context, selected: effect.key }
    }
  }
  const self = {
    press: (x: number, y: number, more?: object) => (say('down', { x, y }, more), self),
    drag: (x: number, y: number, more?: object) => (say('move', { x, y }, more), self),
    release: (x: number, y: number, more?: object) => (say('up', { x, y }, more), self),
    click: (x: number, y: number) => self.press(x, y).release(x, y),
    escape: () => {
      const step = stepTool(state, { type: 'cancel' }, context)
      state = step.state
      effects.push(...step.effects)
      return self
    },
    effects,
    get state() { return state },
    get draft() { return draftOf(state)?.box ?? null },
    commits: () => effects.filter((effect) => effect.type === 'commit'),
    hover: (x: number, y: number) => hoverOf(context, toScreen(context.camera, VIEW, { x, y })),
  }
  return self
}

describe('moving', () => {
  it('moves the box of the phrase in hand and commits once, on release', () => {
    const h = hand().press(75, 70).drag(80, 72).drag(85, 75)
    expect(h.draft).toEqual([60, 55, 110, 95])
    expect(h.commits()).toEqual([])
    h.release(85, 75)
    expect(h.effects).toEqual([
      { type: 'select', key: 'mine' },
      { type: 'commit', gesture: 'move', key: 'mine', before: MINE.box, after: [60, 55, 110, 95] },
    ])
    expect(h.state).toBe(IDLE)
  })

  it('takes a trembling click as a click', () => {
    expect(hand({ selected: 'mine' }).press(75, 70).drag(75.9, 70.5).release(75.9, 70.5).commits()).toEqual([])
  })

  it('commits nothing when the box is brought back', () => {
    expect(hand({ selected: 'mine' }).press(75, 70).drag(90, 90).drag(75, 70).release(75, 70).commits()).toEqual([])
  })

  it('gives everything back on Escape', () => {
    const h = hand({ selected: 'mine' }).press(75, 70).drag(90, 90).escape()
    expect(h.draft).toBeNull()
    expect(h.release(90, 90).commits()).toEqual([])
  })

  it('keeps to one axis with Shift', () => {
    expect(hand({ selected: 'mine' }).press(75, 70).drag(95, 73, { shift: true }).draft).toEqual([70, 50, 120, 90])
  })

  it('drags the picture, not the box, of another phrase', () => {
    const h = hand({ selected: 'mine' }).press(150, 80).drag(140, 70)
    expect(h.commits()).toEqual([])
    expect(h.effects.at(-1)).toEqual({ type: 'camera', camera: { centerX: 110, centerY: 85, scale: 2 } })
  })

  it('moves the selected box even where a smaller one lies over it', () => {
    const h = hand({ boxes: [MINE, SECOND], selected: 'mine' }).press(70, 70).drag(80, 70).release(80, 70)
    expect(h.commits()).toMatchObject([{ key: 'mine' }])
  })

  it('returns to exactly the same numbers when moved away and back, at any zoom', () => {
    const coordinate = fc.integer({ min: 0, max: 1600 }).map((value) => value / 8)
    fc.assert(
      fc.property(coordinate, coordinate, fc.integer({ min: -300, max: 300 }), fc.integer({ min: -300, max: 300 }), fc.double({ min: 0.05, max: 60, noNaN: true }), (x, y, dx, dy, scale) => {
        const box: Box = [x, y, x + 40, y + 30]
        const camera = { centerX: 60, centerY: 60, scale }
        const boxes: ToolBox[] = [{ key: 'b', box, editable: true }]
        const context = (current: Box): ToolContext => ({
          tool: 'select', image: { width: 200, height: 150 }, camera, viewport: VIEW, snap: false, selected: 'b',
          box: () => ({ key: 'b', box: current, editable: true }), hits: createHitIndex(boxes),
        })
        const moving = (before: Box, from: Point, to: Point): Box => {
          const state: ToolState = { kind: 'moving', key: 'b', start: from, before, after: before }
          const step = stepTool(state, { type: 'move', screen: to }, context(before))
          return draftOf(step.state)!.box
        }
        const away = moving(box, { x: 0, y: 0 }, { x: dx, y: dy })
        expect(moving(away, { x: dx, y: dy }, { x: 0, y: 0 })).toEqual(box)
      }),
    )
  })
})

describe('selecting', () => {
  it('takes the smallest box, and the next one below on another click', () => {
    const h = hand({ boxes: [MINE, SECOND] })
    h.click(70, 70).click(70, 70).click(70, 70)
    expect(h.effects).toEqual([{ type: 'select', key: 'second' }, { type: 'select', key: 'mine' }, { type: 'select', key: 'second' }])
  })

  it('selects the box of another phrase by a click', () => {
    expect(hand({ selected: 'mine' }).click(150, 80).effects).toEqual([{ type: 'select', key: 'other' }])
  })

  it('lets go on a click beside every box', () => {
    expect(hand({ selected: 'mine' }).click(10, 10).effects).toEqual([{ type: 'select', key: null }])
    expect(hand().click(10, 10).effects).toEqual([])
  })

  it('shows what the pointer would do', () => {
    const h = hand({ selected: 'mine' })
    expect(h.hover(75, 70)).toEqual({ key: 'mine', cursor: 'move' })
    expect(h.hover(100, 90)).toEqual({ key: 'mine', cursor: 'nwse-resize' })
    expect(h.hover(150, 80)).toEqual({ key: 'other', cursor: 'pointer' })
    expect(h.hover(5, 5)).toEqual({ key: null, cursor: 'default' })
  })
})

describe('resizing', () => {
  it('moves the edges of the handle from where it was grabbed', () => {
    const h = hand({ selected: 'mine' }).press(101, 91).drag(121, 101).release(121, 101)
    expect(h.commits()).toEqual([{ type: 'commit', gesture: 'resize', key: 'mine', before: MINE.box, after: [50, 50, 120, 100] }])
  })

  it('moves one edge only by a side', () => {
    expect(hand({ selected: 'mine' }).press(50, 62).drag(45, 62).draft).toEqual([45, 50, 100, 90])
  })

  it('turns the box over when an edge passes the opposite one', () => {
    expect(hand({ selected: 'mine' }).press(50, 62).drag(130, 62).draft).toEqual([100, 50, 130, 90])
  })

  it('does not commit a box dragged flat', () => {
    expect(hand({ selected: 'mine' }).press(50, 62).drag(100, 62).release(100, 62).commits()).toEqual([])
  })

  it('resizes nothing that is not selected', () => {
    expect(hand({ selected: null }).press(50, 62).drag(45, 62).draft).toEqual([45, 50, 95, 90])
  })
})

describe('drawing', () => {
  it('spans a box by dragging, in any direction', () => {
    expect(hand({ tool: 'draw' }).press(90, 80).drag(50, 40).release(20, 30).effects).toEqual([{ type: 'commit', gesture: 'draw', after: [20, 30, 90, 80] }])
  })

  it('spans a box by two clicks, and follows the pointer between them', () => {
    const h = hand({ tool: 'draw' }).click(20, 30)
    expect(h.commits()).toEqual([])
    expect(h.drag(60, 70).draft).toEqual([20, 30, 60, 70])
    h.click(90, 80)
    expect(h.effects).toEqual([{ type: 'commit', gesture: 'draw', after: [20, 30, 90, 80] }])
  })

  it('gives up between two clicks on Escape', () => {
    const h = hand({ tool: 'draw' }).click(20, 30).drag(60, 70).escape()
    expect(h.draft).toBeNull()
    expect(h.commits()).toEqual([])
  })

  it('draws a square with Shift', () => {
    expect(hand({ tool: 'draw' }).press(20, 30).drag(60, 40, { shift: true }).draft).toEqual([20, 30, 60, 70])
  })
})

describe('snapping to the image', () => {
  it('catches a moved box on an edge and holds it inside', () => {
    const h = hand({ selected: 'mine', snap: true }).press(75, 70)
    expect(h.drag(27, 70).draft).toEqual([0, 50, 50, 90])
    expect(h.drag(-40, 70).draft).toEqual([0, 50, 50, 90])
    expect(h.drag(-40, 70, { alt: true }).draft).toEqual([-65, 50, -15, 90])
  })

  it('ends resized and drawn boxes exactly on the edge', () => {
    expect(hand({ selected: 'mine', snap: true }).press(100, 90).drag(260, 149).draft).toEqual([50, 50, 200, 150])
    expect(hand({ tool: 'draw', snap: true }).press(10, 10).drag(500, 500).draft).toEqual([10, 10, 200, 150])
  })

  it('does not pull a box in that lay outside before', () => {
    const outside: ToolBox = { key: 'mine', box: [-30, 50, 40, 90], editable: true }
    expect(hand({ boxes: [outside], selected: 'mine', snap: true }).press(10, 70).drag(5, 75).draft).toEqual([-35, 55, 35, 95])
  })
})

describe('panning', () => {
  it('moves the camera with the pan tool and with the middle button, and back on Escape', () => {
    for (const h of [hand({ tool: 'pan' }).press(75, 70), hand().press(75, 70, { button: 1 })]) {
      h.drag(80, 70)
      expect(h.effects.at(-1)).toEqual({ type: 'camera', camera: { centerX: 95, centerY: 75, scale: 2 } })
      h.escape()
      expect(h.effects.at(-1)).toEqual({ type: 'camera', camera: CAMERA })
      expect(h.commits()).toEqual([])
    }
  })

  it('ignores the right button', () => {
    expect(hand({ selected: 'mine' }).press(75, 70, { button: 2 }).drag(90, 90).release(90, 90).effects).toEqual([])
  })
})
