import { t } from '../../../shared/messages/messages.ts'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { fixed, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { changeOf, type Row } from './pick.ts'
import styles from './compare.module.css'

const ROW_PX = 24

/** Phrases of result files: they have hits and scores, and neither image nor heat in the project. */
export function RowList({ rows, index, letters, onPick }: { rows: readonly Row[]; index: number; letters: readonly [string, string]; onPick: (index: number) => void }) {
  const host = useRef<HTMLDivElement>(null)
  const lines = useVirtualizer({ count: rows.length, getScrollElement: () => host.current, estimateSize: () => ROW_PX, overscan: 8 })
  useEffect(() => lines.scrollToIndex(index, { align: 'auto' }), [lines, index])
  const onKeyDown = (event: React.KeyboardEvent) => {
    const next = index + (event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0)
    if (next === index || next < 0 || next >= rows.length) return
    event.preventDefault()
    onPick(next)
  }
  return (
    <div ref={host} className={cx('scroll grow', styles.gallery)} tabIndex={0} role="listbox" data-commands aria-label={t('Pairs')} aria-activedescendant={rows[index] ? `pair-${index}` : undefined} onKeyDown={onKeyDown}>
      <div style={{ height: lines.getTotalSize(), position: 'relative' }}>
        {lines.getVirtualItems().map((item) => {
          const row = rows[item.index]!
          const change = changeOf(row)
          return (
            <div key={item.index} id={`pair-${item.index}`} role="option" aria-selected={item.index === index} className={cx(styles.textRow, item.index === index && styles.textPicked)} style={{ top: item.start, height: ROW_PX }} onClick={() => onPick(item.index)} data-testid="pair">
              <span className="trunc">{row.phrase}</span>
              <span className="trunc c3">{row.imageId}</span>
              <span className={row.a.pointingHit ? 'pos' : 'neg'}>{row.a.pointingHit ? t('{letter} hit', { letter: letters[0] }) : t('{letter} miss', { letter: letters[0] })}</span>
              <span className={row.b.pointingHit ? 'pos' : 'neg'}>{row.b.pointingHit ? t('{letter} hit', { letter: letters[1] }) : t('{letter} miss', { letter: letters[1] })}</span>
              <span className="num c2" title={t('Consistency {a} to {b}', { a: fixed(row.a.insideEnergy ?? NaN), b: fixed(row.b.insideEnergy ?? NaN) })}>{change === null ? '–' : signed(change)}</span>
            </div>
          )
        })}
      </div>
    </div>
  )
}
