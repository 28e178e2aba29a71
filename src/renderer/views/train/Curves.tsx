import { ChevronDown, ZoomOut } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { duration, fixed, short } from '../../app/format.ts'
import { CurveChart, type CurveChartProps } from '../../charts/CurveChart.tsx'
import { type RunMetrics, type Series, useRunMetrics } from '../../state/metrics.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { cx } from '../../ui/cx.ts'
import { Menu } from '../../ui/Menu.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { type Axis, axisEnd, axisText, type Curve, curvesOf, imagesAStep, positions } from './curves.ts'
import { NO_VAL, NO_VAL_SHORT, useLacksVal } from './no-val.ts'
import { ownName } from './states.ts'
import styles from './train.module.css'

/** The first is grey, as a reference is; more than these nobody can tell apart. */
const COLOURS = ['--series-0', '--series-2', '--series-3', '--series-4'] as const
type Overlay = { readonly run: Run; readonly colour: string; readonly metrics: RunMetrics; readonly version: number }
type Stretch = readonly [number, number] | null

const seconds = (position: number): string => duration(position)

/** Everything measured along a run, over other runs, aligned by step, by time or by images seen. */
export function Curves({ run, runs }: { run: Run; runs: readonly Run[] }) {
  const [smoothing, setSmoothing] = useState(0.6)
  const [showEnvelope, setEnvelope] = useState(true)
  const [logarithmic, setLogarithmic] = useState(false)
  const [axis, setAxis] = useState<Axis>('step')
  const [zoom, setZoom] = useState<Stretch>(null)
  const [asked, setAsked] = useState<readonly string[] | null>(null)
  const others = runs.filter((other) => other.id !== run.id && other.step > 0).sort((a, b) => b.number - a.number)
  // The run before this one on the same dataset is the natural reference.
  const natural = others.find((other) => other.number < run.number && other.datasetId === run.datasetId)?.id
  const chosen = (asked ?? (natural === undefined ? [] : [natural])).filter((id) => others.some((other) => other.id === id)).slice(0, COLOURS.length)
  const { metrics, version, retry } = useRunMetrics(run.id)
  const overlays = useOverlays(others, chosen)
  const names = useMemo(() => [...metrics.series.keys()].join('\n'), [metrics, version])
  const curves = useMemo(() => curvesOf(new Set(names ? names.split('\n') : [])), [names])
  const perStep = imagesAStep(run.config)
  const lacksVal = useLacksVal(run)
  const end = Math.max(axisEnd(axis, run.totalSteps, perStep), ...overlays.map(({ run: other }) => axisEnd(axis, other.step, imagesAStep(other.config))))
  const toggle = (id: string) => setAsked(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id])
  return (
    <>
      <div className={styles.curveBar}>
        <span className={cx(styles.legends, 'trunc')}>
          <span className={styles.legend}><i style={{ background: 'var(--series-1)' }} />{t('Run {number}', { number: run.number })}</span>
          {overlays.map(({ run: other, colour }) => <span key={other.id} className={cx(styles.legend, 'c2')}><i style={{ background: `var(${colour})` }} />{t('Run {number}', { number: other.number })}</span>)}
        </span>
        {others.length > 0 ? (
          <Menu trigger={<Button size="s" kind="ghost" icon={ChevronDown}>{t('Overlay')}</Button>} entries={others.slice(0, 30).map((other) => ({
            label: t('Run {number}', { number: other.number }), checked: chosen.includes(other.id), disabled: !chosen.includes(other.id) && chosen.length >= COLOURS.length, ...(ownName(other) ? { detail: ownName(other) } : {}), onSelect: () => toggle(other.id),
          }))} />
        ) : null}
        {zoom ? <Button size="s" kind="ghost" icon={ZoomOut} onClick={() => setZoom(null)}>{t('Show all')}</Button> : null}
        <span className="grow" />
        <Segmented small label={t('Align by')} value={axis} onChange={(next) => { setAxis(next); setZoom(null) }} options={[{ value: 'step', label: t('Step') }, { value: 'time', label: t('Time') }, { value: 'samples', label: t('Images') }]} />
        <span className={cx(styles.smoothing, styles.wideOnly)}>
          <span className="c2">{t('Smoothing')}</span>
          <Slider label={t('Smoothing')} value={smoothing} min={0} max={0.99} step={0.01} onChange={setSmoothing} />
          <span>{fixed(smoothing)}</span>
        </span>
        <Checkbox small checked={showEnvelope} onChange={setEnvelope}>{t('Envelope')}</Checkbox>
        <Checkbox small checked={logarithmic} onChange={setLogarithmic}>{t('Log', undefined, 'scale')}</Checkbox>
      </div>
      {metrics.error ? <div className={styles.pad}><ErrorNote error={metrics.error} title={t('The curves could not be loaded')} onRetry={retry} compact /></div> : null}
      <div className={cx('scroll', styles.charts)} tabIndex={0} role="region" aria-label={t('Curves')}>
        {curves.map((curve) => (
          <OneCurve key={curve.metric} curve={curve} series={metrics.series.get(curve.metric)} version={version} overlays={overlays} axis={axis} perStep={perStep} end={end}
            {...(lacksVal && curve.metric.startsWith('val.') ? { note: { short: NO_VAL_SHORT, full: NO_VAL } } : {})}
            zoom={zoom} onZoom={setZoom} smoothing={smoothing} showEnvelope={showEnvelope} logarithmic={logarithmic} />
        ))}
      </div>
    </>
  )
}

/** The chosen runs with their measurements; as many hooks each time, whatever is chosen. */
function useOverlays(others: readonly Run[], chosen: readonly string[]): readonly Overlay[] {
  const found = [useRunMetrics(chosen[0] ?? null), useRunMetrics(chosen[1] ?? null), useRunMetrics(chosen[2] ?? null), useRunMetrics(chosen[3] ?? null)]
  return chosen.flatMap((id, i) => {
    const run = others.find((other) => other.id === id)
    return run ? [{ run, colour: COLOURS[i]!, metrics: found[i]!.metrics, version: found[i]!.version }] : []
  })
}

function OneCurve({ curve, series, version, overlays, axis, perStep, ...rest }: {
  curve: Curve; series: Series | undefined; version: number; overlays: readonly Overlay[]; axis: Axis; perStep: number
  note?: CurveChartProps['note']; end: number; zoom: Stretch; onZoom: (stretch: Stretch) => void; smoothing: number; showEnvelope: boolean; logarithmic: boolean
}) {
  // The series objects stay the same while they grow; their versions tell.
  const at = useMemo(() => (series ? [...positions(axis, series, perStep)] : []), [series, version, axis, perStep])
  const state = overlays.map((overlay) => `${overlay.run.id} ${overlay.version} ${overlay.metrics.series.has(curve.metric)}`).join('\n')
  const references = useMemo(() => overlays.flatMap(({ run, colour, metrics }) => {
    const other = metrics.series.get(curve.metric)
    return other ? [{ name: t('Run {number}', { number: run.number }), colour, values: other.values, at: [...positions(axis, other, imagesAStep(run.config))] }] : []
  }), [state, axis, curve.metric])
  const words = useMemo(() => (position: number) => axisText(axis, position), [axis])
  return <CurveChart title={curve.title} metric={curve.metric} series={series} at={at} version={version} references={references} dots={curve.dots} format={curve.format} positionText={words} tickText={axis === 'time' ? seconds : short} {...rest} />
}
