import type { ReactNode } from 'react'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import { bytes, count, duration } from '../../app/format.ts'
import type { Api } from '../../state/engine.ts'
import { cx } from '../../ui/cx.ts'
import { Note } from '../../ui/Notes.tsx'
import { Bar } from '../../ui/Progress.tsx'
import { rich } from '../../ui/rich.tsx'
import styles from './train.module.css'

type EstimateData = Awaited<ReturnType<Api['runs']['estimate']>>

const quiet = (inside: ReactNode) => <span className="c3">{inside}</span>

/** What the run will need against what is there, and what is wrong with its settings. */
export function Estimate({ estimate, measuredSeconds, labels, stale }: { estimate: EstimateData; measuredSeconds: number | null; labels: ReadonlyMap<string, string>; stale: boolean }) {
  // What was measured with these very settings knows more than earlier runs do.
  const seconds = measuredSeconds ?? estimate.secondsEstimate
  const memory = estimate.memoryBytes
  const share = memory === null ? 0 : memory / Math.max(1, estimate.memoryAvailableBytes)
  return (
    <div className={cx(styles.need, stale && styles.stale)} aria-busy={stale}>
      {memory === null ? null : (
        <>
          <div className="row t12"><span className="c2">{t('Memory')}</span><span className="push">{rich('<b>{size}</b> <s>of {free} free</s>', { size: bytes(memory), free: bytes(estimate.memoryAvailableBytes), b: (inside) => <b className="med">{inside}</b>, s: quiet })}</span></div>
          <Bar share={share} tone={share > 1 ? 'negative' : share > 0.85 ? 'warning' : 'accent'} tall />
        </>
      )}
      <dl className={styles.kv}>
        <dt>{t('Regions')}</dt><dd>{rich('{train} <s>train, {val} val</s>', { train: count(estimate.trainRegions), val: count(estimate.valRegions), s: quiet })}</dd>
        <dt>{t('Length')}</dt><dd>{t('{n, plural, one {# step} other {# steps}}', { n: estimate.totalSteps })}</dd>
        <dt>{t('Time, about')}</dt><dd>{seconds === null ? <span className="c3">{t('measured below, or known after a run')}</span> : duration(seconds)}</dd>
        {estimate.diskBytes === null ? null : <><dt>{t('Disk')}</dt><dd>{rich('{size} <s>of {free} free</s>', { size: bytes(estimate.diskBytes), free: bytes(estimate.diskAvailableBytes), s: quiet })}</dd></>}
      </dl>
      {estimate.problems.map((problem, i) => (
        <Note key={i} tone={problem.blocking ? 'negative' : 'warning'}>{labels.has(problem.key) ? <b className="med">{t('{name}: ', { name: labels.get(problem.key) ?? '' })}</b> : null}{engineText(problem.message)}</Note>
      ))}
    </div>
  )
}
