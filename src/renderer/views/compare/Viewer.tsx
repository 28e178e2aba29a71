import { ArrowDownRight, ArrowUpRight, ChevronLeft, ChevronRight, Maximize, Pause, Play } from 'lucide-react'
import { useState } from 'react'
import type { Checkpoint } from '../../../shared/domain.ts'
import { useCommands } from '../../app/commands.ts'
import { count, fixed, measured, signed } from '../../app/format.ts'
import { navigate } from '../../app/routes.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { DEFAULT_VIEW, ExplainerChoice } from '../../ui/ExplainerChoice.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Ramp } from '../../ui/Ramp.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { Select } from '../../ui/Select.tsx'
import table from '../../ui/table.module.css'
import { Tag } from '../../ui/Tag.tsx'
import { type Mode, pairScale } from './draw-pair.ts'
import { Letter } from './Letter.tsx'
import { PairStage } from './PairStage.tsx'
import { cellOf, type Row } from './pick.ts'
import { usePair } from './use-pair.ts'
import styles from './compare.module.css'

const MODE_OPTIONS: readonly { value: Mode; label: string }[] = [
  { value: 'side', label: 'Side' }, { value: 'wipe', label: 'Wipe' }, { value: 'blink', label: 'Blink' }, { value: 'difference', label: 'Difference' },
]

interface ViewerProps {
  readonly row: Row | null
  readonly a: Checkpoint
  readonly b: Checkpoint
  readonly index: number
  readonly total: number
  readonly onStep: (step: number) => void
  readonly datasetId: string
  /** Whether A and B are drawn on one scale; the gallery follows. */
  readonly shared: boolean
  readonly onShared: (shared: boolean) => void
}

/** One pair, large: four ways to see what changed, and its numbers. */
export function Viewer(props: ViewerProps) {
  return <Pane label="Pair">{props.row ? <Shown {...props} row={props.row} /> : <p className={cx('t12 c2', styles.noPair)}>No pair is chosen.</p>}</Pane>
}

function Shown({ row, a, b, index, total, onStep, datasetId, shared, onShared }: ViewerProps & { row: Row }) {
  const [mode, setMode] = useState<Mode>('wipe')
  const [paused, setPaused] = useState(false)
  const [fitCount, setFitCount] = useState(0)
  const [view, setView] = useState(DEFAULT_VIEW)
  const pair = usePair(row, a.id, b.id, true, view)
  useCommands([
    ...MODE_OPTIONS.map((option) => ({ id: `viewer.${option.value}`, title: `${option.label} view`, group: 'Compare', keys: option.value[0]!, run: () => setMode(option.value) })),
    { id: 'viewer.fit', title: 'Fit the image', group: 'Compare', keys: '0', run: () => setFitCount((n) => n + 1) },
  ])
  const cell = cellOf(row)
  const scale = pairScale(pair.heatA?.grid ?? null, pair.heatB?.grid ?? null, shared)
  return (
    <>
      <PaneHead>
        <Segmented label="View" value={mode} onChange={setMode} options={MODE_OPTIONS} />
        {mode === 'blink' ? <IconButton icon={paused ? Play : Pause} label={paused ? 'Blink' : 'Hold'} size="s" onClick={() => setPaused(!paused)} /> : null}
        <span className="grow" />
        <span className={styles.wide}><IconButton icon={Maximize} label="Fit the image" keys="0" size="s" onClick={() => setFitCount((n) => n + 1)} /></span>
        <IconButton icon={ChevronLeft} label="Previous pair" keys="ArrowLeft" size="s" disabled={index === 0} onClick={() => onStep(-1)} />
        <span className={cx('t12 c2', styles.wide)}>{count(index + 1)} of {count(total)}</span>
        <IconButton icon={ChevronRight} label="Next pair" keys="ArrowRight" size="s" disabled={index + 1 >= total} onClick={() => onStep(1)} />
      </PaneHead>
      {pair.error ? <div className={styles.stage}><div className={styles.alone}><ErrorNote error={pair.error} title="This pair could not be drawn" /></div></div> : (
        <PairStage key={row.imageId} imageId={row.imageId} pair={pair} mode={mode} shared={shared} paused={paused} fitCount={fitCount} names={[a.name, b.name]} />
      )}
      <div className={styles.figures}>
        <div className={styles.phraseLine}><span className={styles.phrase} data-selectable>{row.phrase}</span><Tag tone={cell === 'fixed' ? 'positive' : cell === 'broken' ? 'negative' : 'neutral'} {...(cell === 'fixed' ? { icon: ArrowUpRight } : cell === 'broken' ? { icon: ArrowDownRight } : {})}>{cell === 'both' ? 'both hit' : cell === 'neither' ? 'neither hits' : cell}</Tag></div>
        <table className={cx(table.table, table.dense, table.flush)}>
          <thead><tr><th><span className="visually-hidden">Score</span></th><th className={table.num}><Letter of="A" /></th><th className={table.num}><Letter of="B" /></th><th className={table.num}>Change</th></tr></thead>
          <tbody>
            <tr><td className="c2">Pointing</td><td className={cx(table.num, row.a.pointingHit ? 'pos' : 'neg')}>{row.a.pointingHit ? 'hit' : 'miss'}</td><td className={cx(table.num, row.b.pointingHit ? 'pos' : 'neg')}>{row.b.pointingHit ? 'hit' : 'miss'}</td><td /></tr>
            <Line name="Consistency" a={row.a.insideEnergy} b={row.b.insideEnergy} />
            <Line name="Max margin" a={row.a.maxMargin} b={row.b.maxMargin} />
            <Line name="Match probability" a={row.a.matchProbability} b={row.b.matchProbability} />
          </tbody>
        </table>
      </div>
      <div className={styles.heatBar}>
        {mode === 'difference' ? <Ramp map="difference" low="−1" high="1" /> : scale === 'own' ? <Ramp /> : <Ramp low={measured(scale.low)} high={measured(scale.high)} />}
        <Select look="soft" size="s" label="Scale of the heat" value={shared ? 'shared' : 'own'} onChange={(value) => onShared(value === 'shared')} options={[{ value: 'shared', label: 'Shared scale' }, { value: 'own', label: 'Own scale' }]} />
        <span className="grow" />
        <Button size="s" keys="e" onClick={() => navigate('curate', { dataset: datasetId, region: row.regionId, image: row.imageId, checkpoint: b.id })}><span className={styles.wide}>Open in </span>Curate</Button>
      </div>
      <ExplainerChoice value={view} onChange={setView} aside="Figures stay those of Grad-CAM (AMC)." />
    </>
  )
}

function Line({ name, a, b }: { name: string; a: number; b: number }) {
  const change = b - a
  return <tr><td className="c2">{name}</td><td className={table.num}>{fixed(a)}</td><td className={table.num}>{fixed(b)}</td><td className={cx(table.num, change > 0.005 ? 'pos' : change < -0.005 ? 'neg' : 'c2')}>{signed(change)}</td></tr>
}
