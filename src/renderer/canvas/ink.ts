/**
 * Lines, plates and marks drawn on photographs. Sizes are screen px at any zoom; colours are the same in both themes,
 * because photographs do not change. The values are those of ui/tokens.css.
 */
import type { Rect } from './labels.ts'

export const INK = {
  halo: 'rgba(0, 0, 0, 0.62)',
  plate: 'rgba(14, 14, 14, 0.86)',
  plateText: '#f5f5f5',
  truth: '#4fc3ff',
  proposal: '#ffffff',
  handle: '#ffffff',
  handleEdge: 'rgba(0, 0, 0, 0.7)',
} as const

/** Colours of the image's other phrases, in order of appearance: --box-2 to --box-8. */
export const OTHER_COLOURS = ['#ff9200', '#16e070', '#ffe9a8', '#e0402f', '#ff5fae', '#6a72f4', '#ffffff'] as const

export function otherColour(order: number): string {
  return OTHER_COLOURS[order % OTHER_COLOURS.length]!
}

export interface BoxInk {
  readonly color: string
  /** Screen px. */
  readonly width: number
  readonly dash: readonly number[] | null
}

export const TRUTH_INK: BoxInk = { color: INK.truth, width: 2, dash: null }
export const PROPOSAL_INK: BoxInk = { color: INK.proposal, width: 2, dash: [6, 4] }
/** Below this many screen px of image, lines are 1.5 and 1 px instead of 2 and 1. */
export const THIN_BELOW_PX = 120

/** One box: a dark casing 1 px wider on each side, then the line. All in screen px. */
export function drawBoxLine(context: CanvasRenderingContext2D, { x, y, width, height }: Rect, ink: BoxInk, cased = true): void {
  if (cased) {
    context.setLineDash([])
    context.strokeStyle = INK.halo
    context.lineWidth = ink.width + 2
    context.strokeRect(x, y, width, height)
  }
  if (ink.dash) context.setLineDash(ink.dash as number[])
  context.strokeStyle = ink.color
  context.lineWidth = ink.width
  context.strokeRect(x, y, width, height)
  if (ink.dash) context.setLineDash([])
}

/** A polygon with the same casing; points in screen px, flat. */
export function drawOutlineLine(context: CanvasRenderingContext2D, points: readonly number[], closed: boolean, ink: BoxInk, cased = true): void {
  if (points.length < 2) return
  context.beginPath()
  context.moveTo(points[0]!, points[1]!)
  for (let i = 2; i + 1 < points.length; i += 2) context.lineTo(points[i]!, points[i + 1]!)
  if (closed) context.closePath()
  context.lineJoin = 'round'
  context.setLineDash([])
  if (cased) {
    context.strokeStyle = INK.halo
    context.lineWidth = ink.width + 2
    context.stroke()
  }
  context.strokeStyle = ink.color
  context.lineWidth = ink.width
  context.stroke()
  context.lineJoin = 'miter'
}

/** A point of an outline: round, so that it is not taken for a handle of a box; smaller where a point may be put. */
export function drawVertex(context: CanvasRenderingContext2D, x: number, y: number, look: 'point' | 'hot' | 'between'): void {
  context.setLineDash([])
  context.beginPath()
  context.arc(x, y, look === 'between' ? 3 : look === 'hot' ? 6 : 4.5, 0, Math.PI * 2)
  context.fillStyle = look === 'between' ? 'rgba(255, 255, 255, 0.55)' : INK.handle
  context.fill()
  context.strokeStyle = INK.handleEdge
  context.lineWidth = 1
  context.stroke()
}

const LABEL_HEIGHT_PX = 20
/** Boxes narrower than this on screen have no label. */
export const LABEL_FROM_PX = 48
const LABEL_FONT = '530 11px "Inter Variable", Inter, system-ui, sans-serif'

export interface LabelText {
  readonly text: string
  /** Screen px of the whole plate. */
  readonly width: number
  readonly height: number
}

const texts = new Map<string, LabelText>()
const TEXTS_KEPT = 4000

/** The name as it fits on a plate. Measuring is slow, so what was measured is kept. */
export function labelText(context: CanvasRenderingContext2D, name: string, most = 200): LabelText {
  const key = `${most} ${name}`
  const known = texts.get(key)
  if (known) return known
  context.font = LABEL_FONT
  const text = ellipsis(context, name, most)
  const made = { text, width: Math.ceil(context.measureText(text).width) + 24, height: LABEL_HEIGHT_PX }
  if (texts.size >= TEXTS_KEPT) texts.clear()
  texts.set(key, made)
  return made
}

/** A dark plate with a swatch and a name; x, y its top left corner. */
export function drawLabel(context: CanvasRenderingContext2D, x: number, y: number, label: LabelText, ink: BoxInk): void {
  context.font = LABEL_FONT
  context.fillStyle = INK.plate
  roundedRect(context, x, y, label.width, LABEL_HEIGHT_PX, 3)
  context.fill()
  if (ink.dash) {
    context.strokeStyle = ink.color
    context.lineWidth = 1.5
    context.strokeRect(x + 5, y + 6.75, 6.5, 6.5)
  } else {
    context.fillStyle = ink.color
    roundedRect(context, x + 4, y + 6, 8, 8, 2)
    context.fill()
  }
  context.fillStyle = INK.plateText
  context.textBaseline = 'middle'
  context.fillText(label.text, x + 16, y + LABEL_HEIGHT_PX / 2 + 0.5)
}

/** roundRect came with Chromium 99; this runs everywhere. */
function roundedRect(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  context.beginPath()
  context.moveTo(x + radius, y)
  context.arcTo(x + width, y, x + width, y + height, radius)
  context.arcTo(x + width, y + height, x, y + height, radius)
  context.arcTo(x, y + height, x, y, radius)
  context.arcTo(x, y, x + width, y, radius)
  context.closePath()
}

function ellipsis(context: CanvasRenderingContext2D, text: string, maxWidth: number): string {
  if (context.measureText(text).width <= maxWidth) return text
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (context.measureText(`${text.slice(0, middle)}…`).width <= maxWidth) low = middle
    else high = middle - 1
  }
  return `${text.slice(0, low).trimEnd()}…`
}

/** The heat's peak: a ring with a dot is a hit, a bare cross a miss. size: 14 on canvases, 8 on thumbnails. */
export function drawPeak(context: CanvasRenderingContext2D, x: number, y: number, size: number, hit: boolean): void {
  const radius = size / 2
  const thin = size < 12
  context.setLineDash([])
  context.lineCap = 'round'
  if (hit) {
    context.beginPath()
    context.arc(x, y, radius, 0, Math.PI * 2)
    context.strokeStyle = 'rgba(0, 0, 0, 0.75)'
    context.lineWidth = thin ? 3 : 4
    context.stroke()
    context.fillStyle = 'rgba(0, 0, 0, 0.28)'
    context.fill()
    context.strokeStyle = '#ffffff'
    context.lineWidth = thin ? 1.25 : 2
    context.stroke()
    context.beginPath()
    context.arc(x, y, radius * 0.28, 0, Math.PI * 2)
    context.fillStyle = '#ffffff'
    context.fill()
  } else {
    const reach = radius * 0.72
    for (const [width, colour] of thin ? [[4, 'rgba(0, 0, 0, 0.8)'], [1.75, '#ffffff']] as const : [[5, 'rgba(0, 0, 0, 0.8)'], [2.25, '#ffffff']] as const) {
      context.beginPath()
      context.moveTo(x - reach, y - reach)
      context.lineTo(x + reach, y + reach)
      context.moveTo(x + reach, y - reach)
      context.lineTo(x - reach, y + reach)
      context.strokeStyle = colour
      context.lineWidth = width
      context.stroke()
    }
  }
  context.lineCap = 'butt'
}

/** A handle: white 8 px square with a dark edge, centred. */
export function drawHandle(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.setLineDash([])
  roundedRect(context, x - 4, y - 4, 8, 8, 1.5)
  context.fillStyle = INK.handle
  context.fill()
  context.strokeStyle = INK.handleEdge
  context.lineWidth = 1
  context.stroke()
}
