import { ArrowDownRight, ArrowUpRight } from 'lucide-react'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { letter } from '../../../shared/charts/captions.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, pValue } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Section } from '../../ui/Pane.tsx'
import type { Cell } from './pick.ts'
import { BH, HOLM } from './words.ts'
import styles from './compare.module.css'

const equals = (p: number) => (p < 0.001 ? pValue(p) : `= ${pValue(p)}`)
const NAMES: Readonly<Record<Cell, string>> = { both: t('both'), broken: t('broken'), fixed: t('fixed'), neither: t('neither') }

/** Hits and misses of both, two by two. Each cell opens its gallery; the exact test speaks of the two that differ. */
export function Matrix({ matrix, test, pair, method, cell, onPick }: {
  matrix: ComparePair['matrix']; test: ComparePair['test']; pair: readonly [number, number]; method: Comparison['method']; cell: Cell | null; onPick: (cell: Cell | null) => void
}) {
  const [a, b] = [letter(pair[0]), letter(pair[1])]
  const button = (name: Cell, className: string | undefined) => (
    <button type="button" className={cx(styles.cell, cell === name && styles.picked)} aria-pressed={cell === name} onClick={() => onPick(cell === name ? null : name)} data-testid={`compare-cell-${name}`}>
      <span className={cx(styles.cellName, className)}>{name === 'broken' ? <Icon of={ArrowDownRight} size="s" /> : name === 'fixed' ? <Icon of={ArrowUpRight} size="s" /> : null}{NAMES[name]}</span>
      <span className="t20">{count(matrix[name])}</span>
    </button>
  )
  return (
    <Section title={t('Hits and misses')} action={cell === null ? <span className="c3 t12">{t('pick a cell')}</span> : <Button kind="ghost" size="s" onClick={() => onPick(null)}>{t('Show all')}</Button>}>
      <div className={styles.matrix}>
        <span /><span className={styles.axis}>{t('{letter} hits', { letter: b })}</span><span className={styles.axis}>{t('{letter} misses', { letter: b })}</span>
        <span className={cx(styles.axis, styles.upright)}>{t('{letter} hits', { letter: a })}</span>{button('both', 'c2')}{button('broken', 'neg')}
        <span className={cx(styles.axis, styles.upright)}>{t('{letter} misses', { letter: a })}</span>{button('fixed', 'pos')}{button('neither', 'c2')}
      </div>
      <div className={cx('row t12', styles.test)} title={t('Two-sided; phrases of one image are taken as independent, the intervals are not')}><span className="c2 trunc">{t('Exact McNemar, {n} differ', { n: count(matrix.fixed + matrix.broken) })}</span><b className="med push nowrap">p {equals(test.p)}</b></div>
      {method.pairTests > 1 ? <div className="row t12"><span className="c2 trunc">{t('for {n} pairs', { n: method.pairTests })}</span><span className="push nowrap c2">{`${HOLM} ${equals(test.holm)} · ${BH} ${equals(test.bh)}`}</span></div> : null}
    </Section>
  )
}
