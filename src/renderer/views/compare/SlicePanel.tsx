import { ends, type IntervalKind, pairRows, pairsCaption, sliceCaption, sliceRows } from '../../../shared/charts/captions.ts'
import { forestChart } from '../../../shared/charts/forest.ts'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { count, pValue, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import table from '../../ui/table.module.css'
import { Figure } from './Figure.tsx'
import styles from './compare.module.css'

const KINDS = [{ value: 'BCa', label: 'BCa' }, { value: 'percentile', label: 'Percentile' }] as const

/** The slices as a forest plot, with every number in the table behind it. */
export function SlicePanel({ comparison, pair, kind, onKind, onClose }: { comparison: Comparison; pair: ComparePair; kind: IntervalKind; onKind: (kind: IntervalKind) => void; onClose: () => void }) {
  const [a, b] = [comparison.checkpoints[pair.a]!.name, comparison.checkpoints[pair.b]!.name]
  return (
    <Dialog open onClose={onClose} title={`Where ${b} differs from ${a}`} width="wide" closable>
      <div className="row"><span className="t12 c2">Interval</span><Segmented small label="Interval" value={kind} onChange={onKind} options={KINDS} /></div>
      {comparison.pairs.length > 1 ? (
        <Figure name={`pairs ${comparison.title}`} caption={pairsCaption(comparison, kind)}
          draw={(ink) => forestChart('forest-pairs', pairRows(comparison, kind), { title: 'Change in pointing accuracy, all pairs', description: pairsCaption(comparison, kind), axis: 'change in pointing accuracy, percentage points', pHead: 'p (Holm)' }, ink, 680)} />
      ) : null}
      {pair.slices.length === 0 ? null : (
        <Figure name={`slices ${a} ${b}`} caption={sliceCaption(comparison, pair, kind)}
          draw={(ink) => forestChart('forest-slices', sliceRows(pair, kind), { title: `Change in pointing accuracy from ${a} to ${b}, by slice`, description: sliceCaption(comparison, pair, kind), axis: 'change in pointing accuracy, percentage points', pHead: 'p (Holm)' }, ink, 680)}>
          <SliceTable pair={pair} kind={kind} />
        </Figure>
      )}
    </Dialog>
  )
}

function SliceTable({ pair, kind }: { pair: ComparePair; kind: IntervalKind }) {
  return (
    <div className={styles.changedRegions} tabIndex={0} role="group" aria-label="Numbers of the forest plot">
      <table className={cx(table.table, table.dense, table.flush)} data-testid="slice-table">
        <thead><tr><th>Slice</th><th className={table.num}>Phrases</th><th className={table.num}>Images</th><th className={table.num}>Fixed</th><th className={table.num}>Broken</th><th className={table.num}>Change</th><th className={table.num}>95 %</th><th className={table.num}>p</th><th className={table.num}>Holm</th><th className={table.num} title="Benjamini-Hochberg">BH</th></tr></thead>
        <tbody>
          {pair.slices.map((slice) => {
            const interval = ends(slice.interval, kind)
            return (
              <tr key={slice.name}>
                <td>{slice.name}</td><td className={table.num}>{count(slice.regions)}</td><td className={table.num}>{count(slice.images)}</td><td className={table.num}>{count(slice.matrix.fixed)}</td><td className={table.num}>{count(slice.matrix.broken)}</td>
                <td className={table.num}>{signed(slice.change * 100, 1)}</td><td className={table.num} title={interval?.method}>{interval ? `${signed(interval.low * 100, 1)} to ${signed(interval.high * 100, 1)}` : 'too few images'}</td>
                <td className={table.num}>{pValue(slice.test.p)}</td><td className={table.num}>{pValue(slice.test.holm)}</td><td className={table.num}>{pValue(slice.test.bh)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
