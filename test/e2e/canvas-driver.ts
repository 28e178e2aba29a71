/**
 * Speaks to the canvas in the annotator's words and in pixels of the image. The canvas tells its camera as data attributes, so
 * that no test needs to know about zoom, pan or the pixel ratio.
 */
import type { Locator, Page } from 'playwright-core'
import type { Box, Point } from '../../src/shared/geometry.ts'

export type Handle = 'nw' | 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w'

export interface CanvasDriver {
  readonly pane: Locator
  /** Waits until an image is shown. */
  readonly ready: () => Promise<void>
  /** Image pixels -> pixels of the window. */
  readonly toScreen: (point: Point) => Promise<Point>
  readonly imageSize: () => Promise<{ width: number; height: number }>
  readonly select: (box: Box) => Promise<void>
  readonly drawBox: (box: Box) => Promise<void>
  /** Drags the box by its middle, in steps; `during` runs after each step with the button still down. */
  readonly dragBox: (box: Box, dx: number, dy: number, during?: (step: number) => Promise<void>) => Promise<void>
  readonly dragHandle: (box: Box, handle: Handle, dx: number, dy: number) => Promise<void>
  readonly press: (key: string) => Promise<void>
}

const STEPS = 8

/** What is used of the page's element; tests are compiled without the browser's own types. */
interface CanvasElement {
  readonly dataset: Readonly<Record<string, string | undefined>>
  getBoundingClientRect(): { readonly left: number; readonly top: number }
}

export function canvasDriver(page: Page, paneName: string): CanvasDriver {
  const pane = page.locator(`[data-canvas="${paneName}"]`)
  const camera = () =>
    pane.evaluate((element: CanvasElement) => {
      const bounds = element.getBoundingClientRect()
      const number = (name: string) => Number(element.dataset[name])
      return { left: bounds.left, top: bounds.top, scale: number('scale'), turn: number('turn'), x: number('offsetX'), y: number('offsetY'), width: number('imageWidth'), height: number('imageHeight') }
    })
  const toScreen = async (point: Point): Promise<Point> => {
    const view = await camera()
    const [x, y] = [point.x * view.scale, point.y * view.scale]
    const [right, down] = ([[x, y], [-y, x], [-x, -y], [y, -x]] as const)[view.turn]!
    return { x: view.left + view.x + right, y: view.top + view.y + down }
  }
  const drag = async (from: Point, to: Point, during?: (step: number) => Promise<void>) => {
    const [start, end] = [await toScreen(from), await toScreen(to)]
    await page.mouse.move(start.x, start.y)
    await page.mouse.down()
    for (let step = 1; step <= STEPS; step++) {
      await page.mouse.move(start.x + ((end.x - start.x) * step) / STEPS, start.y + ((end.y - start.y) * step) / STEPS)
      await during?.(step)
    }
    await page.mouse.up()
  }
  return {
    pane,
    toScreen,
    ready: async () => {
      await pane.waitFor()
      // By hand: the page's own rules forbid evaluating text in it, which waiting for a function would do.
      const until = Date.now() + 20_000
      while (!((await camera()).width > 0)) {
        if (Date.now() > until) throw new Error(`The canvas ${paneName} shows no image.`)
        await page.waitForTimeout(50)
      }
    },
    imageSize: async () => {
      const { width, height } = await camera()
      return { width, height }
    },
    select: async (box) => {
      const at = await toScreen(middle(box))
      await page.mouse.click(at.x, at.y)
    },
    drawBox: (box) => drag({ x: box[0], y: box[1] }, { x: box[2], y: box[3] }),
    dragBox: (box, dx, dy, during) => drag(middle(box), { x: middle(box).x + dx, y: middle(box).y + dy }, during),
    dragHandle: (box, handle, dx, dy) => {
      const at = handleOf(box, handle)
      return drag(at, { x: at.x + dx, y: at.y + dy })
    },
    press: async (key) => {
      await pane.focus()
      await page.keyboard.press(key)
    },
  }
}

function middle(box: Box): Point {
  return { x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2 }
}

function handleOf(box: Box, handle: Handle): Point {
  const x = handle.includes('w') ? box[0] : handle.includes('e') ? box[2] : middle(box).x
  const y = handle.includes('n') ? box[1] : handle.includes('s') ? box[3] : middle(box).y
  return { x, y }
}
