import type { Comparison } from '../../../shared/contract/contract.ts'
import { counted, signed } from '../../app/format.ts'
import { Section } from '../../ui/Pane.tsx'
import { axisFor, place, verdict } from './intervals.ts'
import styles from './compare.module.css'

/** Change in pointing for parts of the dataset, all on one axis. */
export function Slices({ slices }: { slices: Comparison['slices'] }) {
  if (slices.length === 0) return null
  const axis = axisFor(slices.flatMap((slice) => [slice.low * 100, slice.high * 100]))
  const zero = place(axis, 0)
  return (
    <Section title="Slices" aside="change in pointing, 95 %">
      <ul>
        {slices.map((slice) => {
          const [change, low, high] = [slice.change * 100, slice.low * 100, slice.high * 100]
          const unclear = verdict({ low, high }) === 'unclear'
          const at = place(axis, change)
          return (
            <li key={slice.name} className={styles.slice} title={`${slice.name}: ${counted(slice.regions, 'region')}, ${signed(change, 1)}, 95 % interval ${signed(low, 1)} to ${signed(high, 1)}`}>
              <span className="trunc">{slice.name}</span>
              <span className={styles.forest} aria-hidden="true">
                <i className={styles.origin} style={{ left: `${zero}%` }} />
                <i className={styles.amount} style={{ left: `${Math.min(zero, at)}%`, width: `${Math.abs(at - zero)}%`, ...(unclear ? { background: 'var(--text-3)' } : {}) }} />
                <i className={styles.tick} style={{ left: `${place(axis, low)}%` }} />
                <i className={styles.tick} style={{ left: `${place(axis, high)}%` }} />
              </span>
              <span className={unclear ? 'c2 num' : 'num'}>{signed(change, 1)}</span>
            </li>
          )
        })}
      </ul>
      {slices.length > 4 ? <p className={`hint ${styles.caution}`}>{slices.length} slices tested: one may differ by chance.</p> : null}
    </Section>
  )
}
