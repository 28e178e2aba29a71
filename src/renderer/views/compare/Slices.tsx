import { ChartGantt } from 'lucide-react'
import { ends, type IntervalKind } from '../../../shared/charts/captions.ts'
import type { ComparePair } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { pValue, signed } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Section } from '../../ui/Pane.tsx'
import { axisFor, place, verdict } from './intervals.ts'
import { methodName, sliceName } from './words.ts'
import styles from './compare.module.css'

/** Change in pointing for parts of what is compared, all on one axis. One that is picked narrows the gallery. */
export function Slices({ pair, kind, tests, picked, colour, onPick, onOpen }: {
  pair: ComparePair; kind: IntervalKind; tests: number; picked: string | null; colour: string; onPick: (name: string | null) => void; onOpen: () => void
}) {
  const { slices } = pair
  if (slices.length === 0) return null
  const axis = axisFor(slices.flatMap((slice) => [slice.change, ends(slice.interval, kind)?.low ?? 0, ends(slice.interval, kind)?.high ?? 0].map((value) => value * 100)))
  const zero = place(axis, 0)
  return (
    <Section title={t('Slices')} aside={t('change, 95 %')} action={<Button kind="ghost" size="s" icon={ChartGantt} onClick={onOpen}>{t('Forest plot')}</Button>}>
      <ul>
        {slices.map((slice) => {
          const interval = ends(slice.interval, kind)
          const [change, low, high] = [slice.change * 100, (interval?.low ?? 0) * 100, (interval?.high ?? 0) * 100]
          const unclear = !interval || verdict({ low, high }) === 'unclear'
          const at = place(axis, change)
          const values = { slice: sliceName(slice.name), regions: slice.regions, images: slice.images, change: signed(change, 1), p: pValue(slice.test.p), holm: pValue(slice.test.holm), bh: pValue(slice.test.bh) }
          const said = interval
            ? t('{slice}: {regions, plural, one {# region} other {# regions}} of {images, plural, one {# image} other {# images}}, {change}, 95 % {method} interval {low} to {high}; exact McNemar p {p}, Holm {holm}, Benjamini-Hochberg {bh}', { ...values, method: methodName(interval.method), low: signed(low, 1), high: signed(high, 1) })
            : t('{slice}: {regions, plural, one {# region} other {# regions}} of {images, plural, one {# image} other {# images}}, {change}, too few images for an interval; exact McNemar p {p}, Holm {holm}, Benjamini-Hochberg {bh}', values)
          return (
            <li key={slice.name}>
              <button type="button" className={cx(styles.slice, picked === slice.name && styles.pickedSlice)} aria-pressed={picked === slice.name} title={said} onClick={() => onPick(picked === slice.name ? null : slice.name)} data-testid="slice">
                <span className="trunc">{sliceName(slice.name)}</span>
                <span className={styles.forest} aria-hidden="true">
                  <i className={styles.origin} style={{ left: `${zero}%` }} />
                  <i className={styles.amount} style={{ left: `${Math.min(zero, at)}%`, width: `${Math.abs(at - zero)}%`, background: unclear ? 'var(--text-3)' : colour }} />
                  {interval ? <><i className={styles.tick} style={{ left: `${place(axis, low)}%` }} /><i className={styles.tick} style={{ left: `${place(axis, high)}%` }} /></> : null}
                </span>
                <span className={unclear ? 'c2 num' : 'num'}>{signed(change, 1)}</span>
              </button>
            </li>
          )
        })}
      </ul>
      <p className={`hint ${styles.caution}`}>{t('{n} of {total} with p < 0.05 by Holm, {tests} tests.', { n: slices.filter((slice) => slice.test.holm < 0.05).length, total: slices.length, tests })}</p>
    </Section>
  )
}
