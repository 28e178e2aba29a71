import { t } from '../../../shared/messages/messages.ts'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef } from 'react'
import { fixed, signed } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { HeatThumb } from '../../ui/HeatThumb.tsx'
import { pairScale } from './draw-pair.ts'
import { changeOf, type Row } from './pick.ts'
import { usePair } from './use-pair.ts'
import { useSize } from './use-size.ts'
import styles from './compare.module.css'

const PAD_PX = 12
const GAP_PX = 8
const CAPTION_PX = 36
/** A pair is never narrower than this. */
const PAIR_PX = 148

/** Pairs of heat, A left and B right, on the scale that the pair in the viewer has; only those on screen exist and fetch their heat. */
export function Gallery({ rows, a, b, letters, index, shared, onPick }: { rows: readonly Row[]; a: string; b: string; letters: readonly [string, string]; index: number; shared: boolean; onPick: (index: number) => void }) {
  const host = useRef<HTMLDivElement>(null)
  const { width } = useSize(host)
  const columns = Math.max(1, Math.floor((width - 2 * PAD_PX + GAP_PX) / (PAIR_PX + GAP_PX)))
  const pairWidth = (Math.max(PAIR_PX, width - 2 * PAD_PX) - (columns - 1) * GAP_PX) / columns
  const rowHeight = Math.round(pairWidth / 2 + CAPTION_PX)
  const lines = useVirtualizer({ count: Math.ceil(rows.length / columns), getScrollElement: () => host.current, estimateSize: () => rowHeight, overscan: 1, paddingStart: PAD_PX, paddingEnd: PAD_PX })
  useEffect(() => lines.measure(), [lines, rowHeight])
  const line = Math.floor(index / columns)
  useEffect(() => {
    if (width > 0) lines.scrollToIndex(line, { align: 'auto' })
  }, [lines, line, width])
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? columns : event.key === 'ArrowUp' ? -columns : 0
    if (!step || index + step < 0 || index + step >= rows.length) return
    event.preventDefault()
    onPick(index + step)
  }
  return (
    <div ref={host} className={cx('scroll grow', styles.gallery)} tabIndex={0} role="listbox" data-commands aria-label={t('Pairs')} aria-activedescendant={rows[index] ? `pair-${rows[index].regionId}` : undefined} onKeyDown={onKeyDown}>
      <div style={{ height: lines.getTotalSize(), position: 'relative' }}>
        {width > 0 ? lines.getVirtualItems().flatMap((item) => rows.slice(item.index * columns, (item.index + 1) * columns).map((row, k) => {
          const at = item.index * columns + k
          return (
            <div key={row.regionId} id={`pair-${row.regionId}`} role="option" aria-selected={at === index} className={cx(styles.pairCard, at === index && styles.selected)} onClick={() => onPick(at)} data-testid="pair"
              style={{ top: item.start, left: PAD_PX + k * (pairWidth + GAP_PX), width: pairWidth, height: rowHeight }}>
              <PairThumb row={row} aId={a} bId={b} letters={letters} height={pairWidth / 2} shared={shared} />
              <div className={styles.caption}><span className="trunc">{row.phrase}</span><span className={(changeOf(row) ?? 0) >= 0.005 ? 'pos' : (changeOf(row) ?? 0) <= -0.005 ? 'neg' : 'c2'}>{signed(changeOf(row) ?? NaN)}</span></div>
            </div>
          )
        })) : null}
      </div>
    </div>
  )
}

function PairThumb({ row, aId, bId, letters, height, shared }: { row: Row; aId: string; bId: string; letters: readonly [string, string]; height: number; shared: boolean }) {
  const pair = usePair(row, aId, bId, false)
  const [gridA, gridB] = [pair.heatA?.grid ?? null, pair.heatB?.grid ?? null]
  const scale = useMemo(() => pairScale(gridA, gridB, shared), [gridA, gridB, shared])
  const { boxes, outlines } = pair.shape
  const said = (side: string, scores: Row['a']) => scores.pointingHit ? t('{side}: hit, consistency {consistency}', { side, consistency: fixed(scores.insideEnergy ?? NaN) }) : t('{side}: miss, consistency {consistency}', { side, consistency: fixed(scores.insideEnergy ?? NaN) })
  return (
    <div className={styles.two} style={{ height }}>
      <span className={styles.half}>{pair.image ? <HeatThumb imageId={row.imageId} image={pair.image} grid={gridA} scale={scale} peak={pair.heatA?.peak ?? null} boxes={boxes} outlines={outlines} label={said(letters[0], row.a)} /> : null}</span>
      <span className={styles.half}>{pair.image ? <HeatThumb imageId={row.imageId} image={pair.image} grid={gridB} scale={scale} peak={pair.heatB?.peak ?? null} boxes={boxes} outlines={outlines} label={said(letters[1], row.b)} /> : null}</span>
      {pair.error ? <span className={styles.pairError}>{t('not drawn')}</span> : null}
    </div>
  )
}
