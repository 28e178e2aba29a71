import { fitted } from '../../../shared/charts/svg.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useEffect, useMemo, useRef } from 'react'
import { fixed } from '../../app/format.ts'
import { useIsDark } from '../../app/theme.ts'
import { cssColour, faded } from '../../charts/colours.ts'
import { type Brush, brushByKey, type Cell, cellOf, changeOf, inBrush, type Row } from './pick.ts'
import { useBrush } from './use-brush.ts'
import { useSize } from './use-size.ts'
import styles from './compare.module.css'

const PAD = { left: 52, right: 8, top: 6, bottom: 38 }
const TICKS = [0, 0.25, 0.5, 0.75, 1]

/** Consistency of each phrase under A (across) and B (up). Above the diagonal B is better. Drawn on a canvas: there may be ten thousands. */
export function Scatter({ rows: given, cell, brush, onBrush, selectedId, onPick, names, letters, colour }: {
  rows: readonly Row[]; cell: Cell | null; brush: Brush | null; onBrush: (brush: Brush | null) => void; selectedId: string | null; onPick: (regionId: string) => void; names: readonly [string, string]; letters: readonly [string, string]
  /** The token of the second side's colour. */
  colour: string
}) {
  const rows = useMemo(() => given.filter((row) => changeOf(row) !== null), [given])
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height } = useSize(host)
  const dark = useIsDark()
  const plot = useMemo(() => ({ w: Math.max(1, width - PAD.left - PAD.right), h: Math.max(1, height - PAD.top - PAD.bottom) }), [width, height])
  const clamp = (value: number) => Math.min(1, Math.max(0, value))
  const { drawing, handlers } = useBrush({
    onBrush: (rect) => onBrush({
      a: [clamp((rect.x1 - PAD.left) / plot.w), clamp((rect.x2 - PAD.left) / plot.w)],
      b: [clamp(1 - (rect.y2 - PAD.top) / plot.h), clamp(1 - (rect.y1 - PAD.top) / plot.h)],
    }),
    onClick: (x, y) => {
      let best: Row | null = null
      let bestDistance = 10 ** 2
      for (const row of rows) {
        const distance = (PAD.left + row.a.insideEnergy! * plot.w - x) ** 2 + (PAD.top + (1 - row.b.insideEnergy!) * plot.h - y) ** 2
        if (distance < bestDistance) {
          bestDistance = distance
          best = row
        }
      }
      if (best) onPick(best.regionId)
      else onBrush(null)
    },
  })

  const onKeyDown = (event: React.KeyboardEvent) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : brushByKey(brush, event.key, event.shiftKey, 'scatter')
    if (!next) return
    event.preventDefault()
    event.stopPropagation()
    onBrush(next)
  }
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context || width === 0 || height === 0) return
    const ratio = window.devicePixelRatio || 1
    element.width = Math.round(width * ratio)
    element.height = Math.round(height * ratio)
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    const x = (value: number) => PAD.left + value * plot.w
    const y = (value: number) => PAD.top + (1 - value) * plot.h
    drawAxes(context, x, y, height, names, letters)
    const quiet = faded(cssColour('--text-3'), 0.42)
    const loud = cssColour(colour)
    const dot = (row: Row, radius: number) => {
      context.beginPath()
      context.arc(x(row.a.insideEnergy!), y(row.b.insideEnergy!), radius, 0, Math.PI * 2)
      context.fill()
    }
    const isPicked = (row: Row) => (cell === null || cellOf(row) === cell) && inBrush(row, brush)
    const anyPicked = brush !== null || cell !== null
    context.fillStyle = quiet
    for (const row of rows) if (!anyPicked || !isPicked(row)) dot(row, 1.75)
    if (anyPicked) {
      context.fillStyle = loud
      for (const row of rows) if (isPicked(row)) dot(row, 2.25)
    }
    const selected = rows.find((row) => row.regionId === selectedId)
    if (selected) {
      context.strokeStyle = cssColour('--text-1')
      context.lineWidth = 1.5
      context.beginPath()
      context.arc(x(selected.a.insideEnergy!), y(selected.b.insideEnergy!), 5, 0, Math.PI * 2)
      context.stroke()
    }
  }, [rows, cell, brush, selectedId, width, height, plot, names, letters, colour, dark])

  const shown = drawing ?? (brush?.a && brush.b ? { x1: PAD.left + brush.a[0] * plot.w, x2: PAD.left + brush.a[1] * plot.w, y1: PAD.top + (1 - brush.b[1]) * plot.h, y2: PAD.top + (1 - brush.b[0]) * plot.h } : null)
  return (
    <div ref={host} className={styles.canvasHost} role="group" tabIndex={0} aria-roledescription={t('chart')} onKeyDown={onKeyDown} aria-label={`${t('Scatter of consistency, {a} across, {b} up, {n, plural, one {# phrase} other {# phrases}}.', { a: names[0], b: names[1], n: rows.length })} ${brush?.a && brush.b ? t('Brushed: {a} {aLow} to {aHigh}, {b} {bLow} to {bHigh}.', { a: letters[0], aLow: fixed(brush.a[0]), aHigh: fixed(brush.a[1]), b: letters[1], bLow: fixed(brush.b[0]), bHigh: fixed(brush.b[1]) }) : t('Drag, or press the arrow keys, to brush; with Shift they change its size.')}`} {...handlers}>
      <canvas ref={canvas} />
      {shown ? <span className={styles.brush} style={{ left: shown.x1, top: shown.y1, width: shown.x2 - shown.x1, height: shown.y2 - shown.y1 }} /> : null}
    </div>
  )
}

function drawAxes(context: CanvasRenderingContext2D, x: (value: number) => number, y: (value: number) => number, height: number, names: readonly [string, string], letters: readonly [string, string]): void {
  const text = cssColour('--text-3')
  context.font = `10px ${cssColour('--font-ui')}`
  context.lineWidth = 1
  context.strokeStyle = cssColour('--grid-line')
  context.fillStyle = text
  for (const tick of TICKS) {
    context.beginPath()
    context.moveTo(x(0), Math.round(y(tick)) + 0.5)
    context.lineTo(x(1), Math.round(y(tick)) + 0.5)
    context.stroke()
    context.textAlign = 'right'
    context.textBaseline = 'middle'
    context.fillText(fixed(tick), x(0) - 8, y(tick))
    context.textAlign = tick === 0 ? 'left' : tick === 1 ? 'right' : 'center'
    context.textBaseline = 'top'
    context.fillText(fixed(tick), x(tick), y(0) + 6)
  }
  context.strokeStyle = text
  context.setLineDash([2, 3])
  context.beginPath()
  context.moveTo(x(0), y(0))
  context.lineTo(x(1), y(1))
  context.stroke()
  context.setLineDash([])
  context.textAlign = 'center'
  context.textBaseline = 'bottom'
  context.fillText(fitted(`${letters[0]}, ${names[0]}`, x(1) - x(0)), x(0.5), height - 4)
  context.save()
  context.translate(14, y(0.5))
  context.rotate(-Math.PI / 2)
  context.fillText(fitted(`${letters[1]}, ${names[1]}`, y(0) - y(1)), 0, 0)
  context.restore()
}
