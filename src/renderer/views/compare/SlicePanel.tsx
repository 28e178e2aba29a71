import { ends, type IntervalKind, pairRows, pairsWords, sliceRows, sliceWords } from '../../../shared/charts/captions.ts'
import { forestChart } from '../../../shared/charts/forest.ts'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, pValue, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import table from '../../ui/table.module.css'
import { Figure, InEnglish } from './Figure.tsx'
import { BENJAMINI_HOCHBERG, BH, HOLM, methodName, sliceName } from './words.ts'
import styles from './compare.module.css'

const KINDS = [{ value: 'BCa', label: methodName('BCa') }, { value: 'percentile', label: t('Percentile') }] as const

/** The slices as a forest plot, with every number in the table behind it. */
export function SlicePanel({ comparison, pair, kind, onKind, onClose }: { comparison: Comparison; pair: ComparePair; kind: IntervalKind; onKind: (kind: IntervalKind) => void; onClose: () => void }) {
  const [a, b] = [comparison.checkpoints[pair.a]!.name, comparison.checkpoints[pair.b]!.name]
  return (
    <Dialog open onClose={onClose} title={t('Where {b} differs from {a}', { a, b })} width="wide" closable>
      <InEnglish />
      <div className="row"><span className="t12 c2">{t('Interval')}</span><Segmented small label={t('Interval')} value={kind} onChange={onKind} options={KINDS} /></div>
      {comparison.pairs.length > 1 ? (
        <Figure name={`pairs ${comparison.title}`} caption={pairsWords(comparison, kind).description}
          draw={(ink) => forestChart('forest-pairs', pairRows(comparison, kind), pairsWords(comparison, kind), ink, 680)} />
      ) : null}
      {pair.slices.length === 0 ? null : (
        <Figure name={`slices ${a} ${b}`} caption={sliceWords(comparison, pair, kind).description}
          draw={(ink) => forestChart('forest-slices', sliceRows(pair, kind), sliceWords(comparison, pair, kind), ink, 680)}>
          <SliceTable pair={pair} kind={kind} />
        </Figure>
      )}
    </Dialog>
  )
}

function SliceTable({ pair, kind }: { pair: ComparePair; kind: IntervalKind }) {
  return (
    <div className={styles.changedRegions} tabIndex={0} role="group" aria-label={t('Numbers of the forest plot')}>
      <table className={cx(table.table, table.dense, table.flush)} data-testid="slice-table">
        <thead><tr><th>{t('Slice')}</th><th className={table.num}>{t('Phrases')}</th><th className={table.num}>{t('Images')}</th><th className={table.num}>{t('Fixed')}</th><th className={table.num}>{t('Broken')}</th><th className={table.num}>{t('Change')}</th><th className={table.num}>{'95 %'}</th><th className={table.num}>p</th><th className={table.num}>{HOLM}</th><th className={table.num} title={BENJAMINI_HOCHBERG}>{BH}</th></tr></thead>
        <tbody>
          {pair.slices.map((slice) => {
            const interval = ends(slice.interval, kind)
            return (
              <tr key={slice.name}>
                <td>{sliceName(slice.name)}</td><td className={table.num}>{count(slice.regions)}</td><td className={table.num}>{count(slice.images)}</td><td className={table.num}>{count(slice.matrix.fixed)}</td><td className={table.num}>{count(slice.matrix.broken)}</td>
                <td className={table.num}>{signed(slice.change * 100, 1)}</td><td className={table.num} title={interval ? methodName(interval.method) : undefined}>{interval ? t('{low} to {high}', { low: signed(interval.low * 100, 1), high: signed(interval.high * 100, 1) }) : t('too few images')}</td>
                <td className={table.num}>{pValue(slice.test.p)}</td><td className={table.num}>{pValue(slice.test.holm)}</td><td className={table.num}>{pValue(slice.test.bh)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
