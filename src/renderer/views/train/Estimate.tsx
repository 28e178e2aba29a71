import { bytes, count, counted, duration } from '../../app/format.ts'
import type { Api } from '../../state/engine.ts'
import { cx } from '../../ui/cx.ts'
import { Note } from '../../ui/Notes.tsx'
import { Bar } from '../../ui/Progress.tsx'
import styles from './train.module.css'

type EstimateData = Awaited<ReturnType<Api['runs']['estimate']>>

/** What the run will need against what is there, and what is wrong with its settings. */
export function Estimate({ estimate, labels, stale }: { estimate: EstimateData; labels: ReadonlyMap<string, string>; stale: boolean }) {
  const memory = estimate.memoryBytes
  const share = memory === null ? 0 : memory / Math.max(1, estimate.memoryAvailableBytes)
  return (
    <div className={cx(styles.need, stale && styles.stale)} aria-busy={stale}>
      {memory === null ? null : (
        <>
          <div className="row t12"><span className="c2">Memory</span><span className="push"><b className="med">{bytes(memory)}</b> <span className="c3">of {bytes(estimate.memoryAvailableBytes)} free</span></span></div>
          <Bar share={share} tone={share > 1 ? 'negative' : share > 0.85 ? 'warning' : 'accent'} tall />
        </>
      )}
      <dl className={styles.kv}>
        <dt>Regions</dt><dd>{count(estimate.trainRegions)} <span className="c3">train, {count(estimate.valRegions)} val</span></dd>
        <dt>Length</dt><dd>{counted(estimate.totalSteps, 'step')}</dd>
        <dt>Time, about</dt><dd>{estimate.secondsEstimate === null ? <span className="c3">measured below, or known after a run</span> : duration(estimate.secondsEstimate)}</dd>
        {estimate.diskBytes === null ? null : <><dt>Disk</dt><dd>{bytes(estimate.diskBytes)} <span className="c3">of {bytes(estimate.diskAvailableBytes)} free</span></dd></>}
      </dl>
      {estimate.problems.map((problem, i) => (
        <Note key={i} tone={problem.blocking ? 'negative' : 'warning'}>{labels.has(problem.key) ? <b className="med">{labels.get(problem.key)}: </b> : null}{problem.message}</Note>
      ))}
    </div>
  )
}
