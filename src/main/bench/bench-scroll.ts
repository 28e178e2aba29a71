/** The queue of a large dataset under the hand: how soon its first rows are drawn, and the frames while it is scrolled by wheel and thrown to far places. */
import type { BenchPage } from './chromium.ts'
import { COUNT_FRAMES, COUNTED_FRAMES } from './bench-frames.ts'
import { AppError } from '../../shared/errors.ts'

export interface ScrollBench {
  /** From the address to the first rows on screen, the page's own loading included. */
  readonly openedMs: number
  readonly gestures: readonly { readonly gesture: 'wheel' | 'thumb'; readonly frames: number; readonly framesPerSecond: number; readonly p95FrameMs: number; readonly emptyRowFrames: number }[]
}

const ROWS = `document.querySelectorAll('[data-testid="queue"] [role="option"][data-region]').length`
const PLACE = `(() => { const { left, top, width, height } = document.querySelector('[data-testid="queue"]').getBoundingClientRect(); return { x: left + width / 2, y: top + height / 2 } })()`
const SETTLE = 'new Promise((resolve) => setTimeout(() => requestIdleCallback(() => resolve(true), { timeout: 2000 }), 600))'
/** Frames in which a row stood there without its content, counted beside the others. */
const WATCH_EMPTY = `(() => {
  const seen = (window.amcEmpty = { frames: 0 })
  requestAnimationFrame(function look() {
    if (window.amcEmpty !== seen) return
    if (document.querySelector('[data-testid="queue"] [role="option"]:not([data-region])')) seen.frames++
    requestAnimationFrame(look)
  })
})()`
const WATCHED_EMPTY = '(() => { const { frames } = window.amcEmpty; window.amcEmpty = null; return frames })()'

export async function benchScroll(page: BenchPage, address: string, frames: number): Promise<ScrollBench> {
  await page.send('Page.navigate', { url: 'about:blank' })
  const from = performance.now()
  await page.send('Page.navigate', { url: address })
  while ((await page.evaluate<number>(`document.readyState === 'loading' ? 0 : ${ROWS}`)) === 0) {
    if (performance.now() - from > 60_000) throw new AppError('internal', 'The queue showed no row within a minute.')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const openedMs = performance.now() - from
  await page.evaluate(SETTLE)
  const { x, y } = await page.evaluate<{ x: number; y: number }>(PLACE)
  const gestures: ScrollBench['gestures'][number][] = []
  for (const gesture of ['wheel', 'thumb'] as const) {
    await page.evaluate(COUNT_FRAMES)
    await page.evaluate(WATCH_EMPTY)
    for (let i = 1; i <= frames; i++) {
      if (gesture === 'wheel') await page.send('Input.dispatchMouseEvent', { type: 'mouseWheel', x, y, deltaX: 0, deltaY: i <= frames / 2 ? 240 : -240 })
      // As if the thumb of the scroll bar were drawn from end to end and back.
      else await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => { const queue = document.querySelector('[data-testid="queue"]'); queue.scrollTop = (queue.scrollHeight - queue.clientHeight) * ${(1 - Math.cos((2 * Math.PI * i) / frames)) / 2}; resolve(true) }))`)
    }
    const emptyRowFrames = await page.evaluate<number>(WATCHED_EMPTY)
    const { times } = await page.evaluate<{ times: number[] }>(COUNTED_FRAMES)
    const steps = times.slice(1).map((time, k) => time - times[k]!).sort((a, b) => a - b)
    gestures.push({ gesture, frames: steps.length, framesPerSecond: (steps.length / (times.at(-1)! - times[0]!)) * 1000, p95FrameMs: steps[Math.min(steps.length - 1, Math.floor(steps.length * 0.95))]!, emptyRowFrames })
    await page.evaluate(SETTLE)
  }
  return { openedMs, gestures }
}
