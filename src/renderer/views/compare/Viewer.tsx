import { t } from '../../../shared/messages/messages.ts'
import { ArrowDownRight, ArrowUpRight, ChevronLeft, ChevronRight, History, Maximize, Pause, Play } from 'lucide-react'
import { useCommands } from '../../app/commands.ts'
import { count, fixed, measured, signed } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { ExplainerChoice } from '../../ui/ExplainerChoice.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Ramp } from '../../ui/Ramp.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { rich } from '../../ui/rich.tsx'
import { Select } from '../../ui/Select.tsx'
import table from '../../ui/table.module.css'
import { Tag } from '../../ui/Tag.tsx'
import type { CompareState } from './address.ts'
import type { ProjectChoice, Side } from './choice.ts'
import { type Mode, pairScale } from './draw-pair.ts'
import { Letter } from './Letter.tsx'
import { PairStage } from './PairStage.tsx'
import { type Cell, cellOf, type Row } from './pick.ts'
import { openInCurate } from './to-curate.ts'
import type { ChangeState } from './use-compare.ts'
import { usePair } from './use-pair.ts'
import styles from './compare.module.css'

const MODE_OPTIONS: readonly { value: Mode; label: string }[] = [
  { value: 'side', label: t('Side') }, { value: 'wipe', label: t('Wipe') }, { value: 'blink', label: t('Blink') }, { value: 'difference', label: t('Difference') },
]

const MODE_TITLES: Readonly<Record<Mode, string>> = { side: t('Side view'), wipe: t('Wipe view'), blink: t('Blink view'), difference: t('Difference view') }
const CELL_WORDS: Readonly<Record<Cell, string>> = { both: t('both hit'), neither: t('neither hits'), fixed: t('fixed'), broken: t('broken') }

interface ViewerProps {
  readonly row: Row | null
  readonly sides: readonly [Side, Side]
  readonly pair: readonly [number, number]
  readonly index: number
  readonly total: number
  readonly onStep: (step: number) => void
  /** Null for result files, whose images are not in the project. */
  readonly project: ProjectChoice | null
  readonly state: CompareState
  readonly change: ChangeState
}

/** One pair, large: four ways to see what changed, and its numbers. */
export function Viewer({ row, project, ...props }: ViewerProps) {
  return <Pane label={t('Pair')}>{!row ? <p className={cx('t12 c2', styles.noPair)}>{t('No pair is chosen.')}</p> : project ? <Shown {...props} row={row} project={project} /> : <Told {...props} row={row} />}</Pane>
}

function Steps({ index, total, onStep }: Pick<ViewerProps, 'index' | 'total' | 'onStep'>) {
  return (
    <>
      <IconButton icon={ChevronLeft} label={t('Previous pair')} keys="ArrowLeft" size="s" disabled={index === 0} onClick={() => onStep(-1)} />
      <span className={cx('t12 c2', styles.wide)}>{t('{n} of {total}', { n: count(index + 1), total: count(total) })}</span>
      <IconButton icon={ChevronRight} label={t('Next pair')} keys="ArrowRight" size="s" disabled={index + 1 >= total} onClick={() => onStep(1)} />
    </>
  )
}

function Shown({ row, sides: [a, b], pair: places, index, total, onStep, project, state, change }: Omit<ViewerProps, 'row' | 'project'> & { row: Row; project: ProjectChoice }) {
  const { mode, shared, held, explainer } = state
  const pair = usePair(row, a.id, b.id, true, explainer)
  const fit = () => change({ camera: null })
  useCommands([
    ...MODE_OPTIONS.map((option) => ({ id: `viewer.${option.value}`, title: MODE_TITLES[option.value], group: t('Compare'), keys: option.value[0]!, run: () => change({ mode: option.value }) })),
    { id: 'viewer.fit', title: t('Fit the image'), group: t('Compare'), keys: '0', run: fit },
  ])
  const scale = pairScale(pair.heatA?.grid ?? null, pair.heatB?.grid ?? null, shared)
  return (
    <>
      <PaneHead>
        <Segmented label={t('View')} value={mode} onChange={(next) => change({ mode: next })} options={MODE_OPTIONS} />
        {mode === 'blink' ? <IconButton icon={held ? Play : Pause} label={held ? t('Blink') : t('Hold', undefined, 'blinking')} size="s" onClick={() => change({ held: !held })} /> : null}
        <span className="grow" />
        <span className={styles.wide}><IconButton icon={Maximize} label={t('Fit the image')} keys="0" size="s" onClick={fit} /></span>
        <Steps index={index} total={total} onStep={onStep} />
      </PaneHead>
      {pair.error ? <div className={styles.stage}><div className={styles.alone}><ErrorNote error={pair.error} title={t('This pair could not be drawn')} /></div></div> : (
        <PairStage key={row.imageId} imageId={row.imageId} pair={pair} mode={mode} shared={shared} paused={held} names={[a.name, b.name]} places={places}
          start={{ camera: state.camera, cut: state.cut }} onLook={({ camera, cut }) => change({ camera, cut })} />
      )}
      <Figures row={row} places={places} onTimeline={b.checkpoint?.runId == null ? null : () => change({ panel: 'timeline' })} />
      <div className={styles.heatBar}>
        {mode === 'difference' ? <Ramp map="difference" low="−1" high="1" /> : scale === 'own' ? <Ramp /> : <Ramp low={measured(scale.low)} high={measured(scale.high)} />}
        <Select look="soft" size="s" label={t('Scale of the heat')} value={shared ? 'shared' : 'own'} onChange={(value) => change({ shared: value === 'shared' })} options={[{ value: 'shared', label: t('Shared scale') }, { value: 'own', label: t('Own scale') }]} />
        <span className="grow" />
        <Button size="s" keys="e" onClick={() => openInCurate(project.dataset.id, row, b.id)}>{rich('<wide>Open in </wide>Curate', { wide: (inside) => <span className={styles.wide}>{inside}</span> })}</Button>
      </div>
      <ExplainerChoice value={explainer} onChange={(next) => change({ explainer: next })} aside={t('Figures stay those of Grad-CAM (AMC).')} />
    </>
  )
}

/** A phrase of result files. */
function Told({ row, pair: places, index, total, onStep }: Omit<ViewerProps, 'row' | 'project'> & { row: Row }) {
  return (
    <>
      <PaneHead title={t('Phrase')}><span className="grow" /><Steps index={index} total={total} onStep={onStep} /></PaneHead>
      <p className={cx('t12 c2', styles.noPair)}>{t('Image {image}, sample {sample}. Result files hold hits and scores, not pictures: import the benchmark as a dataset to see where each checkpoint looks.', { image: row.imageId, sample: row.regionId })}</p>
      <Figures row={row} places={places} onTimeline={null} />
    </>
  )
}

function Figures({ row, places, onTimeline }: { row: Row; places: readonly [number, number]; onTimeline: (() => void) | null }) {
  const cell = cellOf(row)
  return (
    <div className={styles.figures}>
      <div className={styles.phraseLine}><span className={styles.phrase} data-selectable>{row.phrase}</span>{onTimeline ? <IconButton icon={History} label={t('Across the run')} keys="t" size="s" onClick={onTimeline} /> : null}<Tag tone={cell === 'fixed' ? 'positive' : cell === 'broken' ? 'negative' : 'neutral'} {...(cell === 'fixed' ? { icon: ArrowUpRight } : cell === 'broken' ? { icon: ArrowDownRight } : {})}>{CELL_WORDS[cell]}</Tag></div>
      <table className={cx(table.table, table.dense, table.flush)}>
        <thead><tr><th><span className="visually-hidden">{t('Score')}</span></th><th className={table.num}><Letter of={places[0]} /></th><th className={table.num}><Letter of={places[1]} /></th><th className={table.num}>{t('Change')}</th></tr></thead>
        <tbody>
          <tr><td className="c2">{t('Pointing')}</td><td className={cx(table.num, row.a.pointingHit ? 'pos' : 'neg')}>{row.a.pointingHit ? t('hit') : t('miss')}</td><td className={cx(table.num, row.b.pointingHit ? 'pos' : 'neg')}>{row.b.pointingHit ? t('hit') : t('miss')}</td><td /></tr>
          <Line name={t('Consistency')} a={row.a.insideEnergy} b={row.b.insideEnergy} />
          <Line name={t('Max margin')} a={row.a.maxMargin} b={row.b.maxMargin} />
          <Line name={t('Match probability')} a={row.a.matchProbability} b={row.b.matchProbability} />
        </tbody>
      </table>
    </div>
  )
}

function Line({ name, a, b }: { name: string; a: number | null; b: number | null }) {
  const change = a === null || b === null ? null : b - a
  return <tr><td className="c2">{name}</td><td className={table.num}>{fixed(a ?? NaN)}</td><td className={table.num}>{fixed(b ?? NaN)}</td><td className={cx(table.num, change === null ? 'c3' : change > 0.005 ? 'pos' : change < -0.005 ? 'neg' : 'c2')}>{signed(change ?? NaN)}</td></tr>
}
