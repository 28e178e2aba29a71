/** Outlines and boxes drawn and shaped by keys alone, each step said to those who listen to the page. */
import type { Point } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { pointsOf } from '../../canvas/outline.ts'
import { pointInHand } from '../../canvas/scene-state.ts'
import type { Scene } from '../../canvas/scene.ts'
import { px } from './words.ts'

const place = ({ x, y }: Point) => ({ x: px(x), y: px(y) })

export interface OutlineKeys {
  /** Enter: sets a point at the cursor, begins one, closes an outline drawn by the pointer, or takes the points of the selected outline in hand. */
  enter(): void
  /** Closes the outline that is drawn. */
  close(): void
  /** The next or the previous point of the selected outline; false when none is in hand, and the key is free. */
  walk(step: 1 | -1): boolean
  insert(): void
  /** Takes back the last point, or takes away the one in hand; false when there is none. */
  remove(): boolean
  /** Says where the cursor or the point in hand stands now. */
  say(): void
  /** Says how the drawing tool that was taken is used by keys. */
  explain(): void
}

export function outlineKeys(scene: Scene, announce: (text: string) => void): OutlineKeys {
  const get = scene.store.getState
  /** Points of the selected outline as they stand at this moment, and the one in hand. */
  const held = () => {
    const state = get()
    const index = pointInHand(state)
    const outline = state.gesture.kind === 'shaping' ? state.gesture.after : state.byKey.get(state.selected ?? '')?.outline
    return index === null || !outline ? null : { index, points: pointsOf(outline) }
  }
  const sayPoint = () => {
    const now = held()
    if (now) announce(t('Point {n} of {total} at {x}, {y}', { n: now.index + 1, total: now.points.length, ...place(now.points[now.index]!) }))
  }
  const count = () => {
    const { gesture } = get()
    return gesture.kind === 'outlining' ? gesture.points.length : 0
  }

  return {
    enter() {
      const { tool, caret, gesture } = get()
      if (tool === 'select') {
        if (held() === null && scene.takePoint(0) === null) return
        const now = held()
        if (now) announce(t('Point {n} of {total} at {x}, {y}. Tab goes on, arrows move it, Insert adds one, Delete takes it away, Escape ends.', { n: now.index + 1, total: now.points.length, ...place(now.points[now.index]!) }))
        return
      }
      if (!caret) {
        if (scene.confirm()) return
        const start = scene.startCaret()
        if (start) announce(t('Cursor at {x}, {y}. Arrows move it, with Shift by 10 px; Enter sets a point.', place(start)))
        return
      }
      const set = count()
      const done = scene.putAtCaret()
      if (done === 'done') announce(gesture.kind === 'outlining' ? t('Outline closed with {n, plural, one {# point} other {# points}}', { n: set }) : t('Box drawn'))
      else if (done === 'put' && tool === 'draw') announce(t('Corner at {x}, {y}', place(caret)))
      else if (done === 'put') announce(count() > set ? t('Point {n} set at {x}, {y}', { n: count(), ...place(caret) }) : t('There is a point already; three are needed to close'))
    },
    close() {
      const set = count()
      if (!scene.confirm()) return
      announce(set >= 3 ? t('Outline closed with {n, plural, one {# point} other {# points}}', { n: set }) : t('Outline given up: it needs three points'))
    },
    walk(step) {
      if (pointInHand(get()) === null || scene.takePoint(step) === null) return false
      sayPoint()
      return true
    },
    insert() {
      if (scene.insertPoint()) sayPoint()
    },
    remove() {
      const [before, set] = [held(), count()]
      if (!scene.deletePoint()) return false
      if (before && held()?.points.length === before.points.length) announce(t('Three points have to stay'))
      else if (before) sayPoint()
      else if (set > 0) announce(t('{n, plural, =0 {No point is left} one {# point is left} other {# points are left}}', { n: count() }))
      return true
    },
    say() {
      const { caret } = get()
      if (caret) announce(t('{x}, {y}', place(caret)))
      else sayPoint()
    },
    explain: () => announce(get().tool === 'draw' ? t('Draw box. By keys: arrows move a cursor, Enter sets a corner.') : t('Draw outline. By keys: arrows move a cursor, Enter sets a point, C closes.')),
  }
}
