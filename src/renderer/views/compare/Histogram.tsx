import { evenAtLeast } from '../../../shared/charts/spread.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useMemo, useRef } from 'react'
import { count, signed } from '../../app/format.ts'
import { type Brush, brushByKey, changeOf, histogram, type Row } from './pick.ts'
import { useBrush } from './use-brush.ts'
import { useSize } from './use-size.ts'
import styles from './compare.module.css'

const PAD = { left: 52, right: 8, top: 10, bottom: 38 }

/** How the change of consistency, the second minus the first, is spread. Dragging brushes a range of it. */
export function Histogram({ rows, brush, onBrush, letters, colour }: { rows: readonly Row[]; brush: Brush | null; onBrush: (brush: Brush | null) => void; letters: readonly [string, string]; colour: string }) {
  const host = useRef<HTMLDivElement>(null)
  const { width, height } = useSize(host)
  const bins = useMemo(() => histogram(rows, brush), [rows, brush])
  const plotWidth = Math.max(1, width - PAD.left - PAD.right)
  const plotHeight = Math.max(1, height - PAD.top - PAD.bottom)
  const most = evenAtLeast(Math.max(...bins.map((bin) => bin.count)))
  const x = (change: number) => PAD.left + ((change + 1) / 2) * plotWidth
  const y = (n: number) => PAD.top + (1 - n / most) * plotHeight
  const value = (px: number) => Math.min(1, Math.max(-1, ((px - PAD.left) / plotWidth) * 2 - 1))
  const { drawing, handlers } = useBrush({ onBrush: (rect) => onBrush({ change: [value(rect.x1), value(rect.x2)] }), onClick: () => onBrush(null) })
  const onKeyDown = (event: React.KeyboardEvent) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : brushByKey(brush, event.key, event.shiftKey, 'histogram')
    if (!next) return
    event.preventDefault()
    event.stopPropagation()
    onBrush(next)
  }
  const shown = drawing ? [drawing.x1, drawing.x2] : brush?.change ? [x(brush.change[0]), x(brush.change[1])] : null
  const drawn = bins.reduce((sum, bin) => sum + bin.count, 0)
  const mean = drawn > 0 ? rows.reduce((sum, row) => sum + (changeOf(row) ?? 0), 0) / drawn : 0
  // At the sides the figures of -1 and +1 would meet those of the halves.
  const ticks = width < 280 ? [-1, 0, 1] : [-1, -0.5, 0, 0.5, 1]
  return (
    <div ref={host} className={styles.canvasHost} role="group" tabIndex={0} aria-roledescription={t('chart')} onKeyDown={onKeyDown} aria-label={`${t('Histogram of the change of consistency of {n, plural, one {# phrase} other {# phrases}}, mean {mean}. Drag, or press the left and right keys, to brush; with Shift they change its size.', { n: drawn, mean: signed(mean) })} ${brush?.change ? t('Brushed: {low} to {high}.', { low: signed(brush.change[0]), high: signed(brush.change[1]) }) : ''}`} {...handlers}>
      {width > 0 ? (
        <svg width={width} height={height} className={styles.svg}>
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={PAD.left} x2={width - PAD.right} y1={Math.round(y(most * share)) + 0.5} y2={Math.round(y(most * share)) + 0.5} stroke="var(--grid-line)" />
              <text x={PAD.left - 8} y={y(most * share) + 3.5} textAnchor="end">{count(most * share)}</text>
            </g>
          ))}
          {bins.map((bin) => {
            const left = x(bin.low) + 0.5
            const barWidth = Math.max(1, x(bin.high) - x(bin.low) - 1)
            return (
              <g key={bin.low}>
                <rect x={left} width={barWidth} y={y(bin.count)} height={PAD.top + plotHeight - y(bin.count)} fill="var(--text-3)" opacity={brush ? 0.42 : 0.8} />
                {bin.inBrush > 0 ? <rect x={left} width={barWidth} y={y(bin.inBrush)} height={PAD.top + plotHeight - y(bin.inBrush)} fill={colour} /> : null}
              </g>
            )
          })}
          <line x1={x(0)} x2={x(0)} y1={PAD.top} y2={PAD.top + plotHeight} stroke="var(--text-3)" strokeDasharray="2 3" />
          {ticks.map((tick) => <text key={tick} x={x(tick)} y={height - 22} textAnchor={tick === -1 ? 'start' : tick === 1 ? 'end' : 'middle'}>{signed(tick)}</text>)}
          <text x={x(0)} y={height - 5} textAnchor="middle">{t('change of consistency, {b} − {a}', { a: letters[0], b: letters[1] })}</text>
        </svg>
      ) : null}
      {shown ? <span className={styles.brush} style={{ left: shown[0], width: shown[1]! - shown[0]!, top: PAD.top, height: plotHeight }} /> : null}
    </div>
  )
}
