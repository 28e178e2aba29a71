import { ArrowDownRight, ArrowUpRight } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Checkpoint, Dataset } from '../../../shared/domain.ts'
import type { Comparison } from '../../../shared/contract/contract.ts'
import { useCommands } from '../../app/commands.ts'
import { count, counted } from '../../app/format.ts'
import { navigate, setParams, useRoute } from '../../app/routes.ts'
import { EmptyState } from '../../ui/Notes.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { Select } from '../../ui/Select.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { Changes } from './Changes.tsx'
import { Gallery } from './Gallery.tsx'
import { Headlines } from './Headlines.tsx'
import { Histogram } from './Histogram.tsx'
import { Matrix } from './Matrix.tsx'
import { SomeMissing } from './MissingScores.tsx'
import { type Brush, type Cell, CELLS, cellOf, type Order, pickRows } from './pick.ts'
import { Scatter } from './Scatter.tsx'
import { Slices } from './Slices.tsx'
import { Trust } from './Trust.tsx'
import { usePrefetchPair } from './use-pair.ts'
import { Viewer } from './Viewer.tsx'
import styles from './compare.module.css'

const TITLES: Readonly<Record<Cell, string>> = { both: 'Both hit', broken: 'Broken', fixed: 'Fixed', neither: 'Neither hit' }
const ORDER_OPTIONS: readonly { value: Order; label: string }[] = [
  { value: 'gain', label: 'Largest gain' }, { value: 'loss', label: 'Largest loss' }, { value: 'lowest', label: 'Lowest in B' }, { value: 'phrase', label: 'Phrase' },
]

/** A comparison with all its scores: numbers, where they come from, and the pairs behind them. */
export function Results({ comparison, a, b, dataset, split }: { comparison: Comparison; a: Checkpoint; b: Checkpoint; dataset: Dataset; split: string | null }) {
  const { params } = useRoute()
  const [brush, setBrush] = useState<Brush | null>(null)
  const [chart, setChart] = useState<'scatter' | 'histogram'>('scatter')
  const [shared, setShared] = useState(true)
  const [order, setOrder] = useState<Order>('gain')
  const cell: Cell | null = (CELLS as readonly string[]).includes(params.cell ?? '') ? (params.cell as Cell) : params.cell === 'all' ? null : 'fixed'
  const rows = useMemo(() => pickRows(comparison.rows, cell, brush, order), [comparison.rows, cell, brush, order])
  const inCell = useMemo(() => comparison.rows.filter((row) => cell === null || cellOf(row) === cell).length, [comparison.rows, cell])
  const found = rows.findIndex((row) => row.regionId === params.region)
  const index = found < 0 ? 0 : found
  const row = rows[index] ?? null
  usePrefetchPair(rows[index + 1] ?? null, a.id, b.id)
  const show = (at: number) => {
    const next = rows[at]
    if (next) setParams({ region: next.regionId })
  }
  const pick = (next: Cell | null) => {
    setBrush(null)
    setParams({ cell: next ?? 'all', region: null })
  }
  useCommands([
    { id: 'pair.next', title: 'Next pair', group: 'Compare', keys: 'ArrowRight', enabled: index + 1 < rows.length, repeats: true, run: () => show(index + 1) },
    { id: 'pair.previous', title: 'Previous pair', group: 'Compare', keys: 'ArrowLeft', enabled: index > 0, repeats: true, run: () => show(index - 1) },
    { id: 'pair.curate', title: 'Open in Curate', group: 'Compare', keys: 'e', enabled: row !== null, run: () => row && navigate('curate', { dataset: dataset.id, region: row.regionId, image: row.imageId, checkpoint: b.id }) },
    { id: 'brush.clear', title: 'Clear the brush', group: 'Compare', keys: 'Escape', hidden: true, enabled: brush !== null, run: () => setBrush(null) },
    ...CELLS.map((name, i) => ({ id: `cell.${name}`, title: `Show ${TITLES[name].toLowerCase()}`, group: 'Compare', keys: String(i + 1), run: () => pick(name) })),
  ])
  return (
    <>
      <SomeMissing comparison={comparison} a={a} b={b} dataset={dataset} split={split} />
      <Headlines headline={comparison.headline!} />
      <div className={styles.body}>
        <Pane label="Hits, misses and slices">
          <h2 className="visually-hidden">Hits, misses and slices</h2>
          <div className="scroll grow">
            <Matrix matrix={comparison.matrix!} p={comparison.mcnemarP} cell={cell} onPick={pick} />
            <Slices slices={comparison.slices} />
            <Trust a={a} b={b} dataset={dataset} split={split} />
            <Changes a={a} b={b} />
          </div>
        </Pane>
        <Pane label="Pairs">
          <PaneHead low title="Consistency of each phrase">
            <span className="grow" />
            {brush ? <span className={styles.wide}><Tag tone="accent">brushed: {count(rows.length)}</Tag></span> : <span className={`hint ${styles.wide}`}>drag to brush</span>}
            <Segmented small label="Chart" value={chart} onChange={(next) => { setChart(next); setBrush(null) }} options={[{ value: 'scatter', label: 'Scatter' }, { value: 'histogram', label: 'Histogram' }]} />
          </PaneHead>
          <div className={styles.plot}>
            {chart === 'scatter' ? (
              <Scatter rows={comparison.rows} cell={cell} brush={brush} onBrush={setBrush} selectedId={row?.regionId ?? null} onPick={(id) => { const hit = comparison.rows.find((entry) => entry.regionId === id); if (hit) { setBrush(null); setParams({ cell: cell === null ? 'all' : cellOf(hit), region: id }) } }} names={[a.name, b.name]} />
            ) : (
              <Histogram rows={comparison.rows} brush={brush} onBrush={setBrush} />
            )}
          </div>
          <PaneHead low title={cell === null ? 'All pairs' : TITLES[cell]}>
            <span className={`hint ${styles.wide}`}>{shared ? 'one scale a pair' : 'own scales'}</span>
            <span className="c3 t12">{brush ? `${count(rows.length)} of ${count(inCell)} in brush` : counted(rows.length, 'pair')}</span>
            <span className="grow" />
            <Select look="quiet" size="s" label="Order of pairs" value={order} onChange={setOrder} options={ORDER_OPTIONS} />
          </PaneHead>
          {rows.length === 0 ? (
            <EmptyState icon={cell === 'broken' ? ArrowDownRight : ArrowUpRight} title={brush ? 'No pair in the brush' : `No pair is ${cell === null ? 'here' : TITLES[cell].toLowerCase()}`}>{brush ? 'Draw the brush elsewhere, or press Esc to clear it.' : cell === 'broken' ? 'B hits everything that A hits.' : 'Pick another cell of the matrix.'}</EmptyState>
          ) : (
            <Gallery rows={rows} a={a} b={b} index={index} shared={shared} onPick={show} />
          )}
        </Pane>
        <Viewer row={row} a={a} b={b} index={index} total={rows.length} onStep={(step) => show(index + step)} datasetId={dataset.id} shared={shared} onShared={setShared} />
      </div>
    </>
  )
}
