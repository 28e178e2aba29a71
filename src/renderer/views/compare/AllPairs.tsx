import { ends, type IntervalKind, nameOf } from '../../../shared/charts/captions.ts'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { pValue, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { Section } from '../../ui/Pane.tsx'
import { Letter } from './Letter.tsx'
import { methodName } from './words.ts'
import styles from './compare.module.css'

/** All pairs of three or four checkpoints; the one picked is what the rest of the screen is about. */
export function AllPairs({ comparison, pair, kind, onPick }: { comparison: Comparison; pair: readonly [number, number]; kind: IntervalKind; onPick: (pair: readonly [number, number]) => void }) {
  if (comparison.pairs.length < 2) return null
  return (
    <Section title={t('All pairs')} aside={t('change in pointing, p by Holm')}>
      <ul className={styles.pairs}>
        {comparison.pairs.map((one) => {
          const picked = one.a === Math.min(...pair) && one.b === Math.max(...pair)
          const { change, interval } = one.headline.pointingGame
          const of = ends(interval, kind)
          const clear = of !== null && (of.low > 0 || of.high < 0)
          return (
            <li key={`${one.a}${one.b}`}>
              <button type="button" className={cx(styles.pairRow, picked && styles.picked)} aria-pressed={picked} onClick={() => onPick([one.a, one.b])} data-testid={`pair-${one.a}${one.b}`}
                title={said(comparison, one, of)}>
                <span className={styles.letters}><Letter of={one.a} /><span className="c3" aria-hidden="true">→</span><Letter of={one.b} /></span>
                <span className={cx('num', clear ? '' : 'c2')}>{signed(change * 100, 1)}</span>
                <span className="num c3">{of ? t('{low} to {high}', { low: signed(of.low * 100, 1), high: signed(of.high * 100, 1) }) : ''}</span>
                <span className="num c2">{pValue(one.test.holm)}</span>
              </button>
            </li>
          )
        })}
      </ul>
    </Section>
  )
}

function said(comparison: Comparison, { a, b, headline, test }: ComparePair, of: ReturnType<typeof ends>): string {
  const values = { a: nameOf(comparison, a), b: nameOf(comparison, b), change: signed(headline.pointingGame.change * 100, 2), p: pValue(test.p), holm: pValue(test.holm), bh: pValue(test.bh) }
  if (!of) return t('{a} to {b}: {change}; p {p}, Holm {holm}, Benjamini-Hochberg {bh}', values)
  return t('{a} to {b}: {change}, 95 % {method} {low} to {high}; p {p}, Holm {holm}, Benjamini-Hochberg {bh}', { ...values, method: methodName(of.method), low: signed(of.low * 100, 2), high: signed(of.high * 100, 2) })
}

/** The pair as it is looked at: B before A turns every change round. */
export function pairSeen({ pairs }: Comparison, [a, b]: readonly [number, number]): ComparePair {
  const found = pairs.find((one) => one.a === Math.min(a, b) && one.b === Math.max(a, b))!
  return a < b ? found : turned(found)
}

function turned(pair: ComparePair): ComparePair {
  const matrix = (of: ComparePair['matrix']) => ({ both: of.both, neither: of.neither, fixed: of.broken, broken: of.fixed })
  const interval = (of: ComparePair['headline']['pointingGame']['interval']) => of && { low: -of.high, high: -of.low, percentileLow: -of.percentileHigh, percentileHigh: -of.percentileLow, method: of.method }
  const change = <T extends ComparePair['headline']['consistency']>(of: T): T => (of ? { ...of, a: of.b, b: of.a, change: -of.change, interval: interval(of.interval) } : of)
  const { headline } = pair
  return {
    a: pair.b, b: pair.a, test: pair.test, matrix: matrix(pair.matrix),
    headline: { pointingGame: change(headline.pointingGame), consistency: change(headline.consistency), uncertain: change(headline.uncertain), matchProbability: change(headline.matchProbability) },
    slices: pair.slices.map((slice) => ({ ...slice, change: -slice.change, matrix: matrix(slice.matrix), interval: interval(slice.interval) })),
  }
}
