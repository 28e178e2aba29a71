import { CircleStop, Play, SlidersHorizontal } from 'lucide-react'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { useCommands } from '../../app/commands.ts'
import { count, duration, fixed, percent } from '../../app/format.ts'
import { CurveChart } from '../../charts/CurveChart.tsx'
import { api } from '../../state/engine.ts'
import { type Series, useRunMetrics } from '../../state/metrics.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Pane } from '../../ui/Pane.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { Select } from '../../ui/Select.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { curvesOf } from './curves.ts'
import { Probes } from './Probes.tsx'
import { isActive, isResumable, ownName, type RunState, stateWord } from './states.ts'
import styles from './train.module.css'

const NO_OVERLAY = 'none'
const TONES: Readonly<Record<RunState, 'neutral' | 'accent' | 'positive' | 'negative' | 'warning'>> = {
  waiting: 'neutral', starting: 'accent', training: 'accent', stopping: 'accent', stopped: 'neutral', finished: 'positive', failed: 'negative',
}

export function RunPane({ run, runs, onSetup }: { run: Run; runs: readonly Run[]; onSetup: () => void }) {
  return (
    <Pane label={`Run ${run.number}`}>
      <RunHead run={run} onSetup={onSetup} />
      <Curves run={run} runs={runs} />
      <Probes run={run} />
    </Pane>
  )
}

function RunHead({ run, onSetup }: { run: Run; onSetup: () => void }) {
  const [asking, setAsking] = useState(false)
  const stop = useMutation({ mutationFn: () => api.runs.stop({ id: run.id }), onSuccess: () => setAsking(false) })
  const resume = useMutation({ mutationFn: () => api.runs.resume({ id: run.id }) })
  const stoppable = run.state === 'training' || run.state === 'waiting' || run.state === 'starting'
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : 0
  useCommands([
    { id: 'run.stop', title: `Stop run ${run.number}`, group: 'Train', icon: CircleStop, enabled: stoppable, run: () => setAsking(true) },
    { id: 'run.resume', title: `Resume run ${run.number}`, group: 'Train', icon: Play, enabled: isResumable(run), run: () => resume.mutate() },
  ])
  const epochs = typeof run.config.epochs === 'number' && run.config.steps === 0 ? ` of ${run.config.epochs}` : ''
  return (
    <div className={styles.runHead}>
      <div className="row">
        <h2 className="t15 nowrap">Run {run.number}</h2>
        <span className="c2 trunc">{ownName(run)}</span>
        <Tag tone={TONES[run.state]}>{stateWord(run.state)}</Tag>
        <span className="grow" />
        <span className={styles.narrowOnly}><Button size="s" icon={SlidersHorizontal} onClick={onSetup}>Next run</Button></span>
        {isResumable(run) ? <Button size="s" icon={Play} busy={resume.isPending} onClick={() => resume.mutate()}>Resume</Button> : null}
        {stoppable ? <Button size="s" kind="danger" icon={CircleStop} onClick={() => setAsking(true)}>{run.state === 'waiting' ? 'Take out of queue' : 'Stop'}</Button> : null}
      </div>
      <Progress value={run.state === 'starting' ? null : share} label={`Progress of run ${run.number}`} tone={run.state === 'failed' ? 'negative' : run.state === 'stopped' ? 'neutral' : 'accent'} tall />
      <dl className={styles.facts}>
        <div><dt>Step</dt><dd>{count(run.step)} <small>of {count(run.totalSteps)}</small></dd></div>
        <div><dt>Epoch</dt><dd>{fixed(run.epoch)}<small>{epochs}</small></dd></div>
        <div><dt>Elapsed</dt><dd>{duration(run.elapsedSeconds)}</dd></div>
        <div><dt>Remaining</dt><dd>{isActive(run.state) ? duration(run.secondsLeft) : '–'}</dd></div>
        <div><dt>Throughput</dt><dd>{run.samplesPerSecond === null ? '–' : <>{fixed(run.samplesPerSecond, 1)} <small>samples/s</small></>}</dd></div>
        <div className={styles.wideOnly}><dt>Waiting for data</dt><dd>{run.dataWaitShare === null ? '–' : <>{fixed(run.dataWaitShare * 100, 1)} <small>% of time</small></>}</dd></div>
      </dl>
      {run.error ? <ErrorNote error={new Error(run.error.message)} title={run.error.message} compact><span className="t12 c2">{run.error.cure}</span></ErrorNote> : null}
      {resume.error ? <ErrorNote error={resume.error} title="The run was not resumed" compact /> : null}
      <Dialog open={asking} onClose={() => setAsking(false)} title={run.state === 'waiting' ? `Take run ${run.number} out of the queue?` : `Stop run ${run.number}?`}
        description={run.state === 'waiting' ? 'It has not begun, so nothing is lost. It can be resumed from the queue later.' : `It is at ${percent(share)}. The state at step ${count(run.step)} is kept, so you can resume it later from here.`}
        actions={<><Button size="l" onClick={() => setAsking(false)}>{run.state === 'waiting' ? 'Keep it' : 'Keep training'}</Button><Button size="l" busy={stop.isPending} onClick={() => stop.mutate()}>{run.state === 'waiting' ? 'Take out' : 'Stop and keep state'}</Button></>}>
        {stop.error ? <ErrorNote error={stop.error} compact /> : null}
      </Dialog>
    </div>
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
