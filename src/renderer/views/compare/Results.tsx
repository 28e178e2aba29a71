import { ArrowDownRight, ArrowUpRight, SquarePen } from 'lucide-react'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { letter } from '../../../shared/charts/captions.ts'
import { slicesOf } from '../../../shared/compare-slices.ts'
import type { Comparison } from '../../../shared/contract/compare.ts'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useCommands } from '../../app/commands.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { EmptyState } from '../../ui/Notes.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { Select } from '../../ui/Select.tsx'
import { Tag } from '../../ui/Tag.tsx'
import type { Chart, CompareState } from './address.ts'
import { AllPairs, pairSeen } from './AllPairs.tsx'
import type { Choice } from './choice.ts'
import { Gallery } from './Gallery.tsx'
import { Headlines } from './Headlines.tsx'
import { Histogram } from './Histogram.tsx'
import { Matrix } from './Matrix.tsx'
import { SomeMissing } from './MissingScores.tsx'
import { type Brush, type Cell, CELLS, cellOf, type Order, pickRows, rowsOfPair } from './pick.ts'
import { ReportPanel } from './ReportPanel.tsx'
import { RowList } from './RowList.tsx'
import { Scatter } from './Scatter.tsx'
import { SlicePanel } from './SlicePanel.tsx'
import { Slices } from './Slices.tsx'
import { Timeline } from './Timeline.tsx'
import { Trust } from './Trust.tsx'
import { TrustPanel } from './TrustPanel.tsx'
import { openInCurate, openListInCurate } from './to-curate.ts'
import type { ChangeState } from './use-compare.ts'
import { usePrefetchPair } from './use-pair.ts'
import { Viewer } from './Viewer.tsx'
import { sliceName } from './words.ts'
import styles from './compare.module.css'

const TITLES: Readonly<Record<Cell, string>> = { both: t('Both hit'), broken: t('Broken'), fixed: t('Fixed'), neither: t('Neither hit') }
const SHOW: Readonly<Record<Cell, string>> = { both: t('Show both hit'), broken: t('Show broken'), fixed: t('Show fixed'), neither: t('Show neither hit') }
const NONE: Readonly<Record<Cell, string>> = { both: t('No pair is both hit'), broken: t('No pair is broken'), fixed: t('No pair is fixed'), neither: t('No pair is neither hit') }
const ORDER_OPTIONS: readonly { value: Order; label: string }[] = [
  { value: 'gain', label: t('Largest gain') }, { value: 'loss', label: t('Largest loss') }, { value: 'lowest', label: t('Lowest in the second') }, { value: 'phrase', label: t('Phrase') },
]
const CHART_OPTIONS: readonly { value: Chart; label: string }[] = [{ value: 'scatter', label: t('Scatter') }, { value: 'histogram', label: t('Histogram') }, { value: 'both', label: t('Both') }]

interface ResultsProps {
  readonly comparison: Comparison
  readonly choice: Choice
  readonly pair: readonly [number, number]
  readonly state: CompareState
  readonly change: ChangeState
}

/** A comparison with its scores: numbers, where they come from, and the pairs behind them. */
export function Results({ comparison, choice, pair, state, change }: ResultsProps) {
  const client = useQueryClient()
  const { cell, brush, order, chart, shared, interval: kind, slice } = state
  const [a, b] = [choice.sides[pair[0]]!, choice.sides[pair[1]]!]
  const project = choice.kind === 'project' ? choice : null
  const seen = useMemo(() => pairSeen(comparison, pair), [comparison, pair[0], pair[1]])
  const all = useMemo(() => rowsOfPair(comparison.rows, pair), [comparison, pair[0], pair[1]])
  const sliced = useMemo(() => {
    const inside = slice === null ? undefined : slicesOf(comparison.rows).find((one) => one.name === slice)
    return inside ? inside.rows.map((i) => all[i]!) : all
  }, [comparison, all, slice])
  const rows = useMemo(() => pickRows(sliced, cell, brush, order), [sliced, cell, brush, order])
  const inCell = useMemo(() => sliced.filter((row) => cell === null || cellOf(row) === cell).length, [sliced, cell])
  const found = rows.findIndex((row) => row.regionId === state.region)
  const index = found < 0 ? 0 : found
  const row = rows[index] ?? null
  usePrefetchPair(project ? (rows[index + 1] ?? null) : null, a.id, b.id)
  const show = (at: number) => {
    const next = rows[at]
    if (next) change({ region: next.regionId, ...(next.imageId === row?.imageId ? {} : { camera: null }) })
  }
  const pick = (next: Cell | null) => change({ cell: next, brush: null, region: null, camera: null })
  const setBrush = (next: Brush | null) => change({ brush: next && Object.keys(next).length > 0 ? next : null, region: null, camera: null })
  const pickDot = (id: string) => {
    const hit = all.find((entry) => entry.regionId === id)
    if (hit) change({ brush: null, cell: cell === null ? null : cellOf(hit), slice: sliced.includes(hit) ? slice : null, region: id, camera: null })
  }
  const title = cell === null ? t('All pairs') : TITLES[cell]
  const listName = [t('{title}, {a} to {b}', { title, a: a.name, b: b.name }), ...(slice === null ? [] : [sliceName(slice)]), ...(brush ? [t('brushed')] : []), t('{n, plural, one {# region} other {# regions}}', { n: rows.length })].join(' · ')
  useCommands([
    { id: 'pair.next', title: t('Next pair'), group: t('Compare'), keys: 'ArrowRight', enabled: index + 1 < rows.length, repeats: true, run: () => show(index + 1) },
    { id: 'pair.previous', title: t('Previous pair'), group: t('Compare'), keys: 'ArrowLeft', enabled: index > 0, repeats: true, run: () => show(index - 1) },
    { id: 'pair.curate', title: t('Open in Curate'), group: t('Compare'), keys: 'e', enabled: row !== null && project !== null, run: () => row && project && openInCurate(project.dataset.id, row, b.id) },
    { id: 'pair.list', title: t('Open this list in Curate'), group: t('Compare'), keys: 'Shift+e', enabled: row !== null && project !== null, run: () => project && void openListInCurate(client, project.dataset.id, listName, rows, b.id) },
    { id: 'pair.timeline', title: t('Show this phrase across the run'), group: t('Compare'), keys: 't', enabled: row !== null && b.checkpoint?.runId != null, run: () => change({ panel: 'timeline' }) },
    { id: 'pair.report', title: t('Report of this comparison'), group: t('Compare'), run: () => change({ panel: 'report' }) },
    { id: 'pair.trust', title: t('Test the explanation'), group: t('Compare'), enabled: project !== null, run: () => change({ panel: 'trust' }) },
    { id: 'brush.clear', title: t('Clear the brush'), group: t('Compare'), keys: 'Escape', hidden: true, enabled: brush !== null && state.panel === null, run: () => setBrush(null) },
    ...CELLS.map((name, i) => ({ id: `cell.${name}`, title: SHOW[name], group: t('Compare'), keys: String(i + 1), run: () => pick(name) })),
  ])
  const colour = `var(--series-${pair[1] === 0 ? 0 : pair[1] + 1})`
  const names: readonly [string, string] = [a.name, b.name]
  const letters: readonly [string, string] = [letter(pair[0]), letter(pair[1])]
  const onScatter = (next: Brush | null) => setBrush(next === null ? null : { ...(brush?.change ? { change: brush.change } : {}), ...next })
  const onHistogram = (next: Brush | null) => setBrush(next === null ? null : { ...(brush?.a && brush.b ? { a: brush.a, b: brush.b } : {}), ...next })
  return (
    <>
      {project ? <SomeMissing comparison={comparison} choice={project} /> : comparison.missing > 0 ? <div className={styles.some} role="status">{t('{n, plural, one {# phrase} other {# phrases}} of {total} left out: not in every result file.', { n: comparison.missing, total: count(comparison.total) })}</div> : null}
      {comparison.notes.map((note) => <div key={note} className={styles.some} role="note">{engineText(note)}</div>)}
      <Headlines headline={seen.headline} kind={kind} colour={colour} fewestImages={comparison.method.fewestImages} />
      <div className={styles.body}>
        <Pane label={t('Hits, misses and slices')}>
          <h2 className="visually-hidden">{t('Hits, misses and slices')}</h2>
          <div className="scroll grow">
            <AllPairs comparison={comparison} pair={pair} kind={kind} onPick={(next) => change({ pair: next, region: null, camera: null })} />
            <Matrix matrix={seen.matrix} test={seen.test} pair={pair} method={comparison.method} cell={cell} onPick={pick} />
            <Slices pair={seen} kind={kind} tests={comparison.method.sliceTests} picked={slice} colour={colour} onPick={(name) => change({ slice: name, region: null, camera: null })} onOpen={() => change({ panel: 'slices' })} />
            {project ? <Trust comparison={comparison} choice={project} pair={pair} explainer={state.explainer} onOpen={() => change({ panel: 'trust' })} /> : null}
          </div>
        </Pane>
        <Pane label={t('Pairs')}>
          <PaneHead low title={t('Consistency of each phrase')}>
            <span className="grow" />
            {brush ? <span className={styles.wide}><Tag tone="accent">{t('brushed: {n}', { n: count(rows.length) })}</Tag></span> : <span className={`hint ${styles.wide}`}>{t('drag to brush')}</span>}
            <Segmented small label={t('Chart')} value={chart} onChange={(next) => change({ chart: next })} options={CHART_OPTIONS} />
          </PaneHead>
          <div className={chart === 'both' ? `${styles.plot} ${styles.plots}` : styles.plot}>
            {chart !== 'histogram' ? <Scatter rows={sliced} cell={cell} brush={brush} onBrush={onScatter} selectedId={row?.regionId ?? null} onPick={pickDot} names={names} letters={letters} colour={`--series-${pair[1] === 0 ? 0 : pair[1] + 1}`} /> : null}
            {chart !== 'scatter' ? <Histogram rows={sliced} brush={brush} onBrush={onHistogram} letters={letters} colour={colour} /> : null}
          </div>
          <PaneHead low title={title}>
            {project ? <span className={`hint ${styles.widest}`}>{shared ? t('one scale a pair') : t('own scales')}</span> : null}
            <span className="c3 t12 trunc">{brush ? t('{n} of {total} in brush', { n: count(rows.length), total: count(inCell) }) : t('{n, plural, one {# pair} other {# pairs}}', { n: rows.length })}{slice === null ? '' : ` · ${sliceName(slice)}`}</span>
            <span className="grow" />
            {slice === null ? null : <Button size="s" kind="ghost" onClick={() => change({ slice: null, region: null, camera: null })}>{t('All slices')}</Button>}
            {project ? <IconButton icon={SquarePen} label={t('Open this list in Curate')} keys="Shift+e" size="s" disabled={rows.length === 0} onClick={() => void openListInCurate(client, project.dataset.id, listName, rows, b.id)} /> : null}
            <Select look="quiet" size="s" label={t('Order of pairs')} value={order} onChange={(next) => change({ order: next })} options={ORDER_OPTIONS} />
          </PaneHead>
          {rows.length === 0 ? (
            <EmptyState icon={cell === 'broken' ? ArrowDownRight : ArrowUpRight} title={brush ? t('No pair in the brush') : cell === null ? t('No pair is here') : NONE[cell]}>{brush ? t('Draw the brush elsewhere, or press Esc to clear it.') : cell === 'broken' ? t('{b} hits everything that {a} hits.', { a: letters[0], b: letters[1] }) : t('Pick another cell of the matrix.')}</EmptyState>
          ) : project ? (
            <Gallery rows={rows} a={a.id} b={b.id} letters={letters} index={index} shared={shared} onPick={show} />
          ) : <RowList rows={rows} index={index} letters={letters} onPick={show} />}
        </Pane>
        <Viewer row={row} sides={[a, b]} pair={pair} index={index} total={rows.length} onStep={(step) => show(index + step)} project={project} state={state} change={change} />
      </div>
      {state.panel === 'slices' ? <SlicePanel comparison={comparison} pair={seen} kind={kind} onKind={(next) => change({ interval: next })} onClose={() => change({ panel: null })} /> : null}
      {state.panel === 'report' ? <ReportPanel comparison={comparison} choice={choice} pair={seen} rows={all} kind={kind} onClose={() => change({ panel: null })} /> : null}
      {state.panel === 'trust' && project ? <TrustPanel comparison={comparison} choice={project} explainer={state.explainer} onExplainer={(next) => change({ explainer: next })} onClose={() => change({ panel: null })} /> : null}
      {state.panel === 'timeline' && row && b.checkpoint?.runId != null ? <Timeline row={row} checkpoint={b.checkpoint} place={pair[1]} onClose={() => change({ panel: null })} /> : null}
    </>
  )
}
