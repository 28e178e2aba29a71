import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { measured, short } from '../app/format.ts'
import { useIsDark } from '../app/theme.ts'
import type { Series } from '../state/metrics.ts'
import { cssColour, faded } from './colours.ts'
import { align, envelope, lastAt, smooth, within } from './smoothing.ts'
import styles from './chart.module.css'

export interface CurveChartProps {
  readonly title: string
  readonly metric: string
  readonly series: Series | undefined
  /** Where each point of the series lies along the axis; rising. */
  readonly at: readonly number[]
  /** Grows when the series did. */
  readonly version: number
  /** Curves of other runs; colour is the name of a CSS variable. */
  readonly references: readonly { readonly name: string; readonly colour: string; readonly values: readonly number[]; readonly at: readonly number[] }[]
  /** The end of the axis; 0 lets the data decide. */
  readonly end: number
  /** A position in words, and short for ticks. */
  readonly positionText: (position: number) => string
  readonly tickText: (position: number) => string
  /** The stretch shown; null for all. */
  readonly zoom: readonly [number, number] | null
  readonly onZoom: (stretch: readonly [number, number] | null) => void
  readonly smoothing: number
  readonly showEnvelope: boolean
  readonly logarithmic: boolean
  /** Few points, each worth a dot: what is measured at validations. */
  readonly dots: boolean
  readonly format?: (value: number) => string
  /** Why nothing can be measured here. */
  readonly note?: { readonly short: string; readonly full: string } | undefined
}

/** One measured quantity along a run. All charts of a page share the cursor; dragging zooms, a double click shows all. */
export const CurveChart = memo(function CurveChart(props: CurveChartProps) {
  const { title, series, at: positions, references, smoothing, dots, zoom, positionText, note, format = measured } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  // The curve is drawn anew for a stretch, with as many points as there is room.
  const zoomed = useRef(zoom)
  zoomed.current = zoom
  const onZoom = useRef(props.onZoom)
  onZoom.current = props.onZoom
  const [hovered, setHovered] = useState<number | null>(null)
  const [width, setWidth] = useState(0)
  const dark = useIsDark()

  const data = useMemo(() => {
    const weight = dots ? 0 : smoothing
    const buckets = Math.max(50, Math.round(width))
    // Smoothed over the whole run, so that zooming changes no value.
    const curve = (along: readonly number[], values: readonly number[], band: boolean) => {
      const [from, to] = within(along, zoom)
      return envelope(along.slice(from, to), values.slice(from, to), smooth(values, weight).subarray(from, to), buckets, band ? bandRadius(to - from, buckets) : 0)
    }
    const own = series ? curve(positions, series.values, true) : envelope([], [], [], 1)
    // The own curve comes last, so that it lies over those it is held against.
    return align([...references.map((reference) => {
      const { steps, line } = curve(reference.at, reference.values, false)
      return { steps, values: [line] }
    }), { steps: own.steps, values: [own.line, own.low, own.high] }])
    // The series object is the same while it grows; its version tells.
  }, [series, positions, props.version, references, smoothing, dots, width, zoom])
  const newest = useRef(data)
  newest.current = data

  const { end, tickText, showEnvelope, logarithmic } = props
  const colours = references.map((reference) => reference.colour).join(' ')
  useEffect(() => {
    const element = host.current
    if (!element) return
    const options = chartOptions({
      element, end, tickText, showEnvelope: showEnvelope && !dots, logarithmic, dots, format, colours: colours === '' ? [] : colours.split(' '), zoomed, onZoom: (stretch) => onZoom.current(stretch), onHover: setHovered,
    })
    const chart = new uPlot(options, shown(newest.current, logarithmic), element)
    plot.current = chart
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientHeight > 0) {
        chart.setSize({ width: element.clientWidth, height: element.clientHeight })
        setWidth(element.clientWidth)
      }
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [dark, end, tickText, showEnvelope, logarithmic, dots, format, colours])

  useEffect(() => {
    const chart = plot.current
    if (!chart) return
    chart.setData(shown(data, logarithmic))
  }, [data, logarithmic])

  const figure = useMemo(() => {
    const at = !series ? -1 : hovered === null ? series.values.length - 1 : lastAt(positions, hovered)
    return series && at >= 0 ? { position: positions[at]!, value: series.values[at]!, smoothed: dots || smoothing === 0 ? null : smooth(series.values.slice(0, at + 1), smoothing).at(-1)! } : null
  }, [series, positions, props.version, hovered, smoothing, dots])
  return (
    <figure className={styles.chart} data-testid={`chart-${props.metric}`} data-points={series?.values.length ?? 0}>
      <figcaption className={styles.head}>
        <span className="c2 trunc">{title}</span>
        {hovered !== null && figure ? <span className={styles.step}>{positionText(figure.position)}</span> : null}
        {figure?.smoothed != null && Number.isFinite(figure.smoothed) ? <span className={styles.step} title={t('Smoothed, as the line is drawn')}>{t('smoothed {value}', { value: format(figure.smoothed) })}</span> : null}
        {note && !figure ? <span className={styles.note} title={note.full}>{note.short}</span> : null}
        <b title={t('As measured')}>{figure ? (Number.isFinite(figure.value) ? format(figure.value) : t('not a number')) : ''}</b>
      </figcaption>
      <div ref={host} className={styles.plot} role="img" aria-label={figure ? t('{title}: {value} at {position}', { title, value: format(figure.value), position: positionText(figure.position) }) : note ? t('{title}: {why}', { title, why: note.full }) : t('{title}: nothing measured yet', { title })} />
    </figure>
  )
})

/** Neighbours that a band reaches over: about a fiftieth of the points, less where a bucket holds several already. */
const bandRadius = (points: number, buckets: number): number => Math.max(1, Math.round(Math.min(points, buckets) / (points > buckets ? 120 : 50)))

const shown = (data: (number | null | undefined)[][], logarithmic: boolean): uPlot.AlignedData =>
  (logarithmic ? data.map((column, i) => (i === 0 ? column : column.map((value) => (value === undefined || (value !== null && value > 0) ? value : null)))) : data) as unknown as uPlot.AlignedData

function chartOptions({ element, end, tickText, showEnvelope, logarithmic, dots, format, colours, zoomed, onZoom, onHover }: {
  element: HTMLElement; end: number; tickText: (position: number) => string; showEnvelope: boolean; logarithmic: boolean; dots: boolean; format: (value: number) => string; colours: readonly string[]
  zoomed: { readonly current: readonly [number, number] | null }
  onZoom: (stretch: readonly [number, number] | null) => void
  /** The position under the cursor. */
  onHover: (position: number | null) => void
}): uPlot.Options {
  const own = cssColour('--series-1')
  const font = `10px ${cssColour('--font-ui')}`
  const axis = { stroke: cssColour('--text-3'), font, ticks: { show: false }, grid: { stroke: cssColour('--grid-line'), width: 1 } }
  // A single point makes no line: it is shown as one.
  const points: uPlot.Series.Points = dots ? { show: true, size: 5, width: 0 } : { show: (chart, index) => Array.from<number | null | undefined>(chart.data[index]!).filter((value) => value != null).length === 1, size: 5, width: 0 }
  return {
    width: Math.max(50, element.clientWidth), height: Math.max(40, element.clientHeight), padding: [8, 10, 0, 6], legend: { show: false },
    cursor: { sync: { key: 'run', setSeries: false }, y: false, points: { size: 5 }, drag: { x: true, y: false, setScale: false } },
    scales: {
      // New points must not undo a zoom: the stretch shown is ours to keep.
      x: { time: false, range: (_, low, high): uPlot.Range.MinMax => (zoomed.current ? [...zoomed.current] : end > 0 ? [0, end] : [low, low === high ? high + 1 : high]) },
      y: { distr: logarithmic ? 3 : 1 },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, gap: 4, space: 48, values: (_, ticks) => ticks.map((tick) => tickText(tick)) },
      { ...axis, size: 40, gap: 6, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : axisText(tick, format))) },
    ],
    series: [
      {},
      ...colours.map((name): uPlot.Series => {
        const stroke = cssColour(name)
        return { stroke, width: 1.25, points: { ...points, fill: stroke }, spanGaps: false }
      }),
      { stroke: own, width: 1.75, points: { ...points, fill: own }, spanGaps: false },
      { show: showEnvelope, stroke: 'transparent', width: 0, points: { show: false }, spanGaps: false },
      { show: showEnvelope, stroke: 'transparent', width: 0, points: { show: false }, spanGaps: false },
    ],
    bands: showEnvelope ? [{ series: [colours.length + 3, colours.length + 2], fill: faded(own, 0.16) }] : [],
    hooks: {
      setSelect: [(chart) => {
        if (chart.select.width < 4) return
        onZoom([chart.posToVal(chart.select.left, 'x'), chart.posToVal(chart.select.left + chart.select.width, 'x')])
        chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
      }],
      ready: [(chart) => {
        chart.over.addEventListener('dblclick', () => onZoom(null))
      }],
      setCursor: [(chart) => {
        const at = chart.cursor.idx
        onHover(at === null || at === undefined || (chart.cursor.left ?? -1) < 0 ? null : (chart.data[0][at] ?? null))
      }],
    },
  }
}

/** Axis ticks carry no more figures than they need. */
function axisText(tick: number, format: (value: number) => string): string {
  const text = format(tick)
  return text.includes('%') ? String(Number(text.replace(' %', '').replace('−', '-'))).replace('-', '−') : Math.abs(tick) >= 1000 ? short(tick) : String(Number(tick.toPrecision(4))).replace('-', '−')
}
