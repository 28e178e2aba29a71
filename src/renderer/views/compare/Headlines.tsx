import { ends, type IntervalKind } from '../../../shared/charts/captions.ts'
import type { ComparePair } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { axisFor, place, verdict } from './intervals.ts'
import { methodName } from './words.ts'
import styles from './compare.module.css'

type Headline = ComparePair['headline']

const SHOWN: readonly { readonly key: keyof Headline; readonly title: string; readonly unit?: string; readonly factor: number; readonly digits: number; readonly suffix: string; readonly lessIsBetter: boolean }[] = [
  { key: 'pointingGame', title: t('Pointing game'), unit: t('% of phrases'), factor: 100, digits: 2, suffix: '', lessIsBetter: false },
  { key: 'consistency', title: t('Consistency, mean'), factor: 1, digits: 2, suffix: '', lessIsBetter: false },
  { key: 'uncertain', title: t('Uncertain peaks'), factor: 100, digits: 1, suffix: ' %', lessIsBetter: true },
  { key: 'matchProbability', title: t('Match probability'), factor: 1, digits: 2, suffix: '', lessIsBetter: false },
]

const VERDICTS = { better: t('better'), worse: t('worse'), unclear: t('no clear change') } as const

/** Four measures: before, after, the change with its interval. Colour only where the interval leaves no doubt. */
export function Headlines({ headline, kind, colour, fewestImages }: { headline: Headline; kind: IntervalKind; colour: string; fewestImages: number }) {
  return (
    <dl className={styles.heads}>
      {SHOWN.map((measure, i) => {
        const of = headline[measure.key]
        return (
          <div key={measure.key} className={styles.head} data-testid={`headline-${measure.key}`}>
            <dt className="row t12"><span className="c2 trunc">{measure.title}</span>{measure.unit ? <span className={cx('c3 push', styles.wide)}>{measure.unit}</span> : null}</dt>
            <dd>{of ? <Measured of={of} measure={measure} large={i === 0} kind={kind} colour={colour} fewestImages={fewestImages} /> : <span className="t12 c3">{t('No such value in these results')}</span>}</dd>
          </div>
        )
      })}
    </dl>
  )
}

function Measured({ of, measure, large, kind, colour, fewestImages }: { of: Headline['pointingGame']; measure: (typeof SHOWN)[number]; large: boolean; kind: IntervalKind; colour: string; fewestImages: number }) {
  const { digits, factor, suffix, lessIsBetter } = measure
  const interval = ends(of.interval, kind)
  const [change, low, high] = [of.change, interval?.low ?? NaN, interval?.high ?? NaN].map((value) => value * factor) as [number, number, number]
  const said = interval ? verdict({ low, high }, lessIsBetter) : 'unclear'
  const axis = axisFor([low, high, change])
  return (
    <>
      <div className={styles.nums}>
        <span className={styles.before}>{fixed(of.a * factor, digits)}{suffix}</span>
        <span className="c3" role="img" aria-label={t('to')}>→</span>
        <span className={large ? 't28' : 't20'}>{fixed(of.b * factor, digits)}{suffix}</span>
        <span className={cx(styles.change, said === 'better' ? 'pos' : said === 'worse' ? 'neg' : 'c2')}>{signed(change, digits)}</span>
      </div>
      {interval ? (
        <div className={styles.interval} aria-hidden="true">
          <i className={styles.zero} style={{ left: `${place(axis, 0)}%` }} />
          <i className={styles.range} style={{ left: `${place(axis, low)}%`, width: `${Math.max(1.5, place(axis, high) - place(axis, low))}%`, background: said === 'unclear' ? 'var(--text-3)' : colour }} />
          <i className={styles.middle} style={{ left: `${place(axis, change)}%` }} />
        </div>
      ) : <div className={styles.interval} />}
      <div className="t11 c3 trunc" title={interval ? t('{n, plural, one {# phrase} other {# phrases}}, 95 % {method} interval {low} to {high}', { n: of.regions, method: methodName(interval.method), low: signed(low, digits + 1), high: signed(high, digits + 1) }) : t('{n, plural, one {# phrase} other {# phrases}}', { n: of.regions })}>
        {interval ? t('95 % {method} {low} to {high} · {verdict}', { method: methodName(interval.method), low: signed(low, digits), high: signed(high, digits), verdict: VERDICTS[said] }) : t('no interval below {n} images', { n: fewestImages })}
      </div>
    </>
  )
}
