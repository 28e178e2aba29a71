import type { Comparison } from '../../../shared/contract/contract.ts'
import { fixed, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { axisFor, place, verdict } from './intervals.ts'
import styles from './compare.module.css'

type Headline = NonNullable<Comparison['headline']>

const MEASURES: readonly { readonly key: keyof Headline; readonly title: string; readonly unit?: string; readonly factor: number; readonly digits: number; readonly suffix: string; readonly lessIsBetter: boolean }[] = [
  { key: 'pointingGame', title: 'Pointing game', unit: '% of phrases', factor: 100, digits: 2, suffix: '', lessIsBetter: false },
  { key: 'consistency', title: 'Consistency, mean', factor: 1, digits: 2, suffix: '', lessIsBetter: false },
  { key: 'uncertain', title: 'Uncertain peaks', factor: 100, digits: 1, suffix: ' %', lessIsBetter: true },
  { key: 'matchProbability', title: 'Match probability', factor: 1, digits: 2, suffix: '', lessIsBetter: false },
]

/** Four measures: before, after, the change with its interval. Colour only where the interval leaves no doubt. */
export function Headlines({ headline }: { headline: Headline }) {
  return (
    <dl className={styles.heads}>
      {MEASURES.map((measure, i) => {
        const interval = headline[measure.key]
        const [change, low, high] = [interval.change, interval.low, interval.high].map((value) => value * measure.factor) as [number, number, number]
        const axis = axisFor([low, high, change])
        const said = verdict({ low, high }, measure.lessIsBetter)
        const digits = measure.digits
        return (
          <div key={measure.key} className={styles.head} data-testid={`headline-${measure.key}`}>
            <dt className="row t12"><span className="c2 trunc">{measure.title}</span>{measure.unit ? <span className={cx('c3 push', styles.wide)}>{measure.unit}</span> : null}</dt>
            <dd>
              <div className={styles.nums}>
                <span className={styles.before}>{fixed(interval.a * measure.factor, digits)}{measure.suffix}</span>
                <span className="c3" aria-label="to">→</span>
                <span className={i === 0 ? 't28' : 't20'}>{fixed(interval.b * measure.factor, digits)}{measure.suffix}</span>
                <span className={cx(styles.change, said === 'better' ? 'pos' : said === 'worse' ? 'neg' : 'c2')}>{signed(change, digits)}</span>
              </div>
              <div className={styles.interval} aria-hidden="true">
                <i className={styles.zero} style={{ left: `${place(axis, 0)}%` }} />
                <i className={styles.range} style={{ left: `${place(axis, low)}%`, width: `${Math.max(1.5, place(axis, high) - place(axis, low))}%`, ...(said === 'unclear' ? { background: 'var(--text-3)' } : {}) }} />
                <i className={styles.middle} style={{ left: `${place(axis, change)}%` }} />
              </div>
              <div className="t11 c3 trunc">95 % interval {signed(low, digits)} to {signed(high, digits)} · {said === 'unclear' ? 'no clear change' : said}</div>
            </dd>
          </div>
        )
      })}
    </dl>
  )
}
