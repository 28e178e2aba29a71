/**
 * Frames of the Curate canvas while a box is dragged, the pointer wanders and the picture is panned, among more and more boxes. Beside
 * the rate stands what the page itself computes in a frame, by Chromium's profiler: unlike the rate that hardly depends on what else
 * the machine is doing.
 */
import type { BenchPage } from './chromium.ts'
import { AppError } from '../../shared/errors.ts'

export interface FrameCase {
  /** Boxes on the image. */
  readonly boxes: number
  /** The page's address of the sample. */
  readonly hash: string
}

export interface FrameRow {
  readonly boxes: number
  readonly gesture: 'drag box' | 'hover' | 'pan'
  readonly frames: number
  /** Moves of the pointer that the page was told of: as many as frames, or fewer, where the page is what takes the time. */
  readonly moves: number
  readonly framesPerSecond: number
  readonly p95FrameMs: number
  /** Script alone, a frame: without painting, idling and collecting garbage. */
  readonly scriptMsPerFrame: number
  readonly garbageMsPerFrame: number
  /** Functions that took most, with their ms a frame. */
  readonly hot: readonly { readonly name: string; readonly ms: number }[]
}

interface Pane {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly scale: number
  readonly x: number
  readonly y: number
  readonly imageWidth: number
}

const READ_PANE = `(() => {
  const host = document.querySelector('[data-canvas="image"]')
  if (!host) return null
  const { left, top, width, height } = host.getBoundingClientRect()
  const d = host.dataset
  return { left, top, width, height, scale: +d.scale, x: +d.offsetX, y: +d.offsetY, imageWidth: +d.imageWidth }
})()`
/** The page counts its own frames: asking for each from outside would cost one, since a move is answered with the frame after it. */
export const COUNT_FRAMES = `(() => {
  const counted = (window.amcFrames = { times: [], moves: 0 })
  const move = () => void counted.moves++
  window.addEventListener('pointermove', move, true)
  requestAnimationFrame(function count(time) {
    if (window.amcFrames !== counted) return window.removeEventListener('pointermove', move, true)
    counted.times.push(time)
    requestAnimationFrame(count)
  })
})()`
export const COUNTED_FRAMES = '(() => { const counted = window.amcFrames; window.amcFrames = null; return counted })()'
/** A few frames and some idle time, so that what loads late does not count. */
const SETTLE = 'new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestIdleCallback(() => resolve(true), { timeout: 2000 })), 600))'
const LOAD_WITHIN_MS = 60_000

/** @param middle image px of the box that is dragged: the one in hand, the same in every case */
export async function benchFrames(page: BenchPage, url: string, cases: readonly FrameCase[], middle: { readonly x: number; readonly y: number }, frames: number, onRow: (row: FrameRow) => void): Promise<FrameRow[]> {
  await page.send('Profiler.enable')
  await page.send('Profiler.setSamplingInterval', { interval: 200 })
  const rows: FrameRow[] = []
  for (const one of cases) {
    const pane = await showCase(page, url, one)
    const at = { x: pane.left + pane.x + middle.x * pane.scale, y: pane.top + pane.y + middle.y * pane.scale }
    for (const gesture of ['drag box', 'hover', 'pan'] as const) {
      const row = { boxes: one.boxes, gesture, ...(await measure(page, gesture, gesture === 'drag box' ? at : { x: pane.left + pane.width / 2, y: pane.top + pane.height / 2 }, frames)) }
      rows.push(row)
      onRow(row)
    }
  }
  return rows
}

async function showCase(page: BenchPage, url: string, one: FrameCase): Promise<Pane> {
  // By way of an empty page: with the hash alone changed nothing would be loaded anew, and each case is to begin alike.
  await page.send('Page.navigate', { url: 'about:blank' })
  await page.send('Page.navigate', { url: `${url}/#${one.hash}` })
  const until = Date.now() + LOAD_WITHIN_MS
  for (;;) {
    await page.evaluate(SETTLE)
    const pane = await page.evaluate<Pane | null>(READ_PANE)
    if (pane && pane.imageWidth > 0) {
      await page.evaluate(SETTLE)
      return (await page.evaluate<Pane | null>(READ_PANE)) ?? pane
    }
    if (Date.now() > until) {
      const seen = await page.evaluate<string>("location.href.split('?token')[0] + ': ' + (document.body?.innerText ?? '').replace(/\\s+/g, ' ').slice(0, 300)")
      throw new AppError('internal', `The canvas with ${one.boxes} boxes was not shown within ${LOAD_WITHIN_MS / 1000} s. The page shows ${seen}`)
    }
  }
}

async function measure(page: BenchPage, gesture: FrameRow['gesture'], at: { readonly x: number; readonly y: number }, frames: number): Promise<Omit<FrameRow, 'boxes' | 'gesture'>> {
  const button = gesture === 'pan' ? 'middle' : 'left'
  const mouse = (type: 'mouseMoved' | 'mousePressed' | 'mouseReleased', x: number, y: number, down: boolean) =>
    page.send('Input.dispatchMouseEvent', { type, x, y, button: type === 'mouseMoved' && !down ? 'none' : button, buttons: down ? (gesture === 'pan' ? 4 : 1) : 0, clickCount: type === 'mouseMoved' ? 0 : 1 })
  const held = gesture !== 'hover'
  await mouse('mouseMoved', at.x, at.y, false)
  if (held) await mouse('mousePressed', at.x, at.y, true)
  await page.send('Profiler.start')
  await page.evaluate(COUNT_FRAMES)
  for (let i = 1; i <= frames; i++) {
    // A small circle: every frame shows something new, and the last one is where it began. Answered with the frame that shows it.
    const angle = (i / frames) * Math.PI * 4
    await mouse('mouseMoved', at.x + 40 * Math.sin(angle), at.y + 24 * (1 - Math.cos(angle)), held)
  }
  const { times, moves } = await page.evaluate<{ times: number[]; moves: number }>(COUNTED_FRAMES)
  const { profile } = (await page.send('Profiler.stop')) as { profile: Profile }
  // Given up rather than released: nothing is edited, and the next gesture finds the same boxes.
  await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 27 })
  await page.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 27 })
  if (held) await mouse('mouseReleased', at.x, at.y, false)
  const steps = times.slice(1).map((time, i) => time - times[i]!).sort((a, b) => a - b)
  const elapsed = times.at(-1)! - times[0]!
  return { frames: steps.length, moves, framesPerSecond: (steps.length / elapsed) * 1000, p95FrameMs: steps[Math.min(steps.length - 1, Math.floor(steps.length * 0.95))]!, ...scriptOf(profile, steps.length) }
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[]
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

const NOT_SCRIPT = new Set(['(idle)', '(program)', '(root)', '(garbage collector)'])

/** Own time of each function, from the samples of the profiler. */
export function scriptOf({ nodes, samples, timeDeltas }: Profile, frames: number): Pick<FrameRow, 'scriptMsPerFrame' | 'garbageMsPerFrame' | 'hot'> {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName || `(anonymous ${callFrame.url.split('/').at(-1)}:${callFrame.lineNumber + 1})`]))
  const own = new Map<string, number>()
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '(unknown)'
    own.set(name, (own.get(name) ?? 0) + Math.max(0, timeDeltas[i] ?? 0) / 1000)
  })
  const script = [...own].filter(([name]) => !NOT_SCRIPT.has(name)).sort((a, b) => b[1] - a[1])
  const perFrame = (ms: number) => ms / frames
  return {
    scriptMsPerFrame: perFrame(script.reduce((sum, [, ms]) => sum + ms, 0)), garbageMsPerFrame: perFrame(own.get('(garbage collector)') ?? 0),
    hot: script.slice(0, 5).map(([name, ms]) => ({ name, ms: perFrame(ms) })),
  }
}
