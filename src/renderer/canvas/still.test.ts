import { describe, expect, test } from 'vitest'
import type { Size } from '../../shared/geometry.ts'
import { CASED_UP_TO } from './paint.ts'
import type { SceneState } from './scene-state.ts'
import { createBoxPainter, type StillCanvas } from './still.ts'

const VIEW: Size = { width: 800, height: 400 }
const boxes = Array.from({ length: CASED_UP_TO + 1 }, (_, i) => ({ key: String(i) }))
const nothing: readonly never[] = []
const image = { width: 1000, height: 500 }
const scene = (changes: object = {}): SceneState => ({ boxes, mine: nothing, proposals: nothing, selected: null, image, camera: { centerX: 500, centerY: 250, scale: 2 }, gesture: { kind: 'panning' }, ...changes }) as never
const at = (centerX: number, centerY: number, scale = 2) => ({ camera: { centerX, centerY, scale } })

function desk(ratio = 1) {
  const painted: { where: 'view' | 'still'; size: Size }[] = []
  const moved: number[][] = []
  const view = { getTransform: () => ({ a: ratio }), drawImage: (_canvas: unknown, ...place: number[]) => moved.push(place) } as never
  const still = { scale: () => undefined } as never
  const canvas: StillCanvas = { width: 0, height: 0, getContext: () => still }
  const paint = createBoxPainter(() => canvas, (context, _state, size) => painted.push({ where: context === view ? 'view' : 'still', size }))
  return { painted, moved, canvas, show: (state: SceneState, size = VIEW) => paint(view, state, size) }
}

describe('thousands of boxes, panned', () => {
  test('are painted once, with room around, and moved by as much as the picture', () => {
    const { painted, moved, canvas, show } = desk()
    show(scene())
    show(scene(at(490, 250)))
    show(scene(at(500, 275)))
    expect(painted).toEqual([{ where: 'still', size: { width: 1200, height: 600 } }])
    expect([canvas.width, canvas.height]).toEqual([1200, 600])
    // 10 px of the image to the left are 20 px of the screen to the right.
    expect(moved).toEqual([[-200, -100, 1200, 600], [-180, -100, 1200, 600], [-200, -150, 1200, 600]])
  })

  test('are painted anew when the room is used up, and when anything else than the place changed', () => {
    for (const change of [at(399, 250), at(500, 301), at(500, 250, 2.1), { boxes: [...boxes] }, { selected: '3' }, { camera: { centerX: 500, centerY: 250, scale: 2, turn: 1 } }]) {
      const { painted, show } = desk()
      show(scene())
      show(scene(change))
      expect(painted, JSON.stringify(change).slice(0, 60)).toHaveLength(2)
    }
    const { painted, show } = desk()
    show(scene())
    show(scene(), { width: 801, height: 400 })
    expect(painted.map(({ size }) => size.width)).toEqual([1200, 1201])
  })

  test('move on a turned view as the picture does, on whole pixels of a fine screen', () => {
    const { moved, show } = desk(2)
    const turned = (centerX: number, centerY: number) => scene({ camera: { centerX, centerY, scale: 2, turn: 1 } })
    show(turned(500, 250))
    show(turned(490, 250))
    show(turned(500, 250.1))
    expect(moved.map(([x, y]) => [x, y])).toEqual([[-200, -100], [-200, -80], [-200 + 0, -100]])
  })

  test('are painted as ever once the hand lets go, and few boxes always', () => {
    const { painted, moved, show } = desk()
    show(scene())
    show(scene({ gesture: { kind: 'idle' } }))
    show(scene({ boxes: boxes.slice(1) }))
    expect(painted.map(({ where }) => where)).toEqual(['still', 'view', 'view'])
    expect(moved).toHaveLength(1)
  })
})
