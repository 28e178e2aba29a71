import { useMemo, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { fixed } from '../../app/format.ts'
import { CurveChart } from '../../charts/CurveChart.tsx'
import { type Series, useRunMetrics } from '../../state/metrics.ts'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { cx } from '../../ui/cx.ts'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Pane } from '../../ui/Pane.tsx'
import { Select } from '../../ui/Select.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { curvesOf } from './curves.ts'
import { Probes } from './Probes.tsx'
import { RunHead } from './RunHead.tsx'
import { ownName } from './states.ts'
import styles from './train.module.css'

const NO_OVERLAY = 'none'
export function RunPane({ run, runs, onSetup, onDuplicate }: { run: Run; runs: readonly Run[]; onSetup: () => void; onDuplicate: () => void }) {
  return (
    <Pane label={`Run ${run.number}`}>
      <RunHead run={run} onSetup={onSetup} onDuplicate={onDuplicate} />
      <Curves run={run} runs={runs} />
      <Probes run={run} />
    </Pane>
  )
}

function Curves({ run, runs }: { run: Run; runs: readonly Run[] }) {
  const [smoothing, setSmoothing] = useState(0.6)
  const [showEnvelope, setEnvelope] = useState(true)
  const [logarithmic, setLogarithmic] = useState(false)
  const others = runs.filter((other) => other.id !== run.id && other.step > 0).sort((a, b) => b.number - a.number)
  const [overlayId, setOverlayId] = useState<string | null>(null)
  // The run before this one on the same dataset is the natural reference.
  const natural = others.find((other) => other.number < run.number && other.datasetId === run.datasetId)?.id ?? null
  const chosen = overlayId ?? natural
  const reference = others.find((other) => other.id === chosen) ?? null
  const { metrics, version, retry } = useRunMetrics(run.id)
  const overlay = useRunMetrics(reference?.id ?? null)
  const names = useMemo(() => [...metrics.series.keys()].join('\n'), [metrics, version])
  const curves = useMemo(() => curvesOf(new Set(names ? names.split('\n') : [])), [names])
  return (
    <>
      <div className={styles.curveBar}>
        <span className={styles.legend}><i style={{ background: 'var(--series-1)' }} />Run {run.number}</span>
        {reference ? <span className={cx(styles.legend, 'c2')}><i style={{ background: 'var(--series-0)' }} />Run {reference.number}, reference</span> : null}
        {others.length > 0 ? (
          <Select look="quiet" size="s" label="Overlay another run" value={chosen ?? NO_OVERLAY} onChange={setOverlayId} options={[{ value: NO_OVERLAY, label: 'No overlay' }, ...others.map((other) => ({ value: other.id, label: `Overlay run ${other.number}`, ...(ownName(other) ? { detail: ownName(other) } : {}) }))]} />
        ) : null}
        <span className="grow" />
        <span className={cx(styles.smoothing, styles.wideOnly)}>
          <span className="c2">Smoothing</span>
          <Slider label="Smoothing" value={smoothing} min={0} max={0.99} step={0.01} onChange={setSmoothing} />
          <span>{fixed(smoothing)}</span>
        </span>
        <Checkbox small checked={showEnvelope} onChange={setEnvelope}>Envelope</Checkbox>
        <Checkbox small checked={logarithmic} onChange={setLogarithmic}>Log</Checkbox>
      </div>
      {metrics.error ? <div className={styles.pad}><ErrorNote error={metrics.error} title="The curves could not be loaded" onRetry={retry} compact /></div> : null}
      <div className={cx('scroll', styles.charts)} tabIndex={0} role="region" aria-label="Curves">
        {curves.map((curve) => (
          <CurveWithReference key={curve.metric} curve={curve} series={metrics.series.get(curve.metric)} version={version} reference={reference ? { name: `Run ${reference.number}`, series: overlay.metrics.series.get(curve.metric), version: overlay.version } : null}
            totalSteps={Math.max(run.totalSteps, reference?.step ?? 0)} smoothing={smoothing} showEnvelope={showEnvelope} logarithmic={logarithmic} />
        ))}
      </div>
    </>
  )
}

function CurveWithReference({ curve, series, version, reference, ...rest }: {
  curve: ReturnType<typeof curvesOf>[number]; series: Series | undefined; version: number; reference: { name: string; series: Series | undefined; version: number } | null
  totalSteps: number; smoothing: number; showEnvelope: boolean; logarithmic: boolean
}) {
  const references = useMemo(() => (reference?.series ? [{ name: reference.name, series: reference.series }] : []), [reference?.series, reference?.name, reference?.version])
  return <CurveChart title={curve.title} metric={curve.metric} series={series} version={version} references={references} dots={curve.dots} format={curve.format} {...rest} />
}
