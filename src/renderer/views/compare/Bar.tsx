import { ArrowLeftRight, FileDown, GitCompareArrows, Plus, X } from 'lucide-react'
import type { Comparison, ResultFile } from '../../../shared/contract/compare.ts'
import { MOST_COMPARED } from '../../../shared/contract/compare.ts'
import type { Checkpoint, Dataset, View } from '../../../shared/domain.ts'
import { letter } from '../../../shared/charts/captions.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { type Option, Select } from '../../ui/Select.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { ALL, type Choice } from './choice.ts'
import { Letter } from './Letter.tsx'
import type { ChangeState } from './use-compare.ts'
import styles from './compare.module.css'

const SIDE_NAMES = [t('Checkpoint A, the reference'), t('Checkpoint B, the one in question'), t('Checkpoint C'), t('Checkpoint D')]
/** Checkpoints of a run differ in their steps. */
const TAIL = 8
const EVALUATION = 'evaluation:'

export interface BarProps {
  readonly choice: Choice
  readonly checkpoints: readonly Checkpoint[]
  readonly datasets: readonly Dataset[]
  readonly views: readonly View[]
  readonly files: readonly ResultFile[]
  readonly comparison: Comparison | undefined
  readonly change: ChangeState
}

/** What is compared with what, on what. */
export function Bar({ choice, checkpoints, datasets, views, files, comparison, change }: BarProps) {
  const { sides } = choice
  const candidates = choice.kind === 'project' ? checkpoints.map(({ id, name }) => ({ value: id, label: name, tail: TAIL })) : files.filter((file) => file.group === choice.group).map((file) => ({ value: file.name, label: file.checkpoint, tail: TAIL, detail: file.name }))
  const ids = sides.map((side) => side.id)
  const compared = (next: readonly string[]) => change({ ...(choice.kind === 'project' ? { checkpoints: next } : { results: next }), pair: [0, 1], region: null, camera: null })
  /** One that is elsewhere in the row changes places. */
  const put = (at: number, id: string) => {
    const before = ids.indexOf(id)
    compared(ids.map((old, i) => (i === at ? id : i === before ? ids[at]! : old)))
  }
  const free = candidates.find((candidate) => !ids.includes(candidate.value))
  return (
    <div className={styles.bar} data-testid="compare-bar">
      {sides.map((side, i) => (
        <span key={i} className={styles.side}>
          {i === 1 ? <IconButton icon={ArrowLeftRight} label={t('Swap A and B')} size="s" onClick={() => compared([ids[1]!, ids[0]!, ...ids.slice(2)])} /> : null}
          <Select look="soft" label={SIDE_NAMES[i]!} prefix={<Letter of={i} />} value={side.id} options={candidates} onChange={(id) => put(i, id)} />
          {i > 1 ? <IconButton icon={X} label={t('Take {letter} out', { letter: letter(i) })} size="s" onClick={() => compared(ids.filter((_, k) => k !== i))} /> : null}
        </span>
      ))}
      {sides.length < MOST_COMPARED && free ? <Button size="s" kind="ghost" icon={Plus} className={styles.kept} aria-label={t('Add')} onClick={() => compared([...ids, free.value])}>{sides.length > 2 ? <span className={styles.wide}>{t('Add')}</span> : t('Add')}</Button> : null}
      <span className={styles.line} />
      <span className={cx('c2 t12', sides.length > 2 && styles.wide)}>{t('on', undefined, 'compared on')}</span>
      <Where choice={choice} datasets={datasets} views={views} files={files} comparison={comparison} change={change} />
      {comparison ? <Tag tone="line">{comparison.protocol}</Tag> : null}
      <span className="grow" />
      {comparison ? <span className={cx('t12 c3', styles.widest)}>{t('{phrases, plural, one {# phrase} other {# phrases}} · {images, plural, one {# image} other {# images}}', { phrases: comparison.regions, images: comparison.images })}</span> : null}
      {comparison && comparison.pairs.length > 0 ? <Button size="s" icon={FileDown} onClick={() => change({ panel: 'report' })} aria-label={t('Report')} className={styles.kept}>{sides.length > 2 ? null : <span className={styles.widest}>{t('Report')}</span>}</Button> : null}
      {choice.kind === 'project' ? <Button size="s" icon={GitCompareArrows} onClick={() => change({ panel: 'changes' })} aria-label={t('What changed')} className={styles.kept}>{sides.length > 2 ? null : <span className={styles.widest}>{t('What changed')}</span>}</Button> : null}
    </div>
  )
}

function Where({ choice, datasets, views, files, comparison, change }: Omit<BarProps, 'checkpoints'>) {
  const groups = [...new Map(files.map((file) => [file.group, file])).values()].map((file) => ({ ...file, of: files.filter((other) => other.group === file.group) })).filter(({ of }) => of.length > 1)
  const places: Option[] = [
    ...datasets.map((entry) => ({ value: entry.id, label: entry.name, ...(groups.length > 0 ? { group: t('Datasets') } : {}) })),
    ...groups.map(({ group, title, of }) => ({ value: `${EVALUATION}${group}`, label: title, detail: t('{n, plural, one {# result} other {# results}}', { n: of.length }), group: t('Evaluations') })),
  ]
  const goTo = (value: string) => {
    const group = groups.find((entry) => `${EVALUATION}${entry.group}` === value)
    const fresh = { view: null, split: null, region: null, camera: null, slice: null, brush: null, pair: [0, 1] as const }
    change(group ? { ...fresh, results: group.of.slice(0, 2).map((file) => file.name).reverse(), cell: null } : { ...fresh, results: [], dataset: value })
  }
  const splits = choice.kind === 'project' ? Object.entries(choice.dataset.splits) : [...new Set(comparison?.rows.map((row) => row.split) ?? [])].map((name) => [name, null] as const)
  const named = choice.split !== null && !splits.some(([name]) => name === choice.split) ? [...splits, [choice.split, null] as const] : splits
  return (
    <>
      <Select look="soft" label={t('Dataset')} value={choice.kind === 'project' ? choice.dataset.id : `${EVALUATION}${choice.group}`} options={places} onChange={goTo} />
      {choice.kind === 'project' && views.length > 0 ? (
        <Select look="soft" label={t('View')} value={choice.view?.id ?? ALL} options={[{ value: ALL, label: t('All regions') }, ...views.map((view) => ({ value: view.id, label: view.name, detail: count(view.count) }))]}
          onChange={(value) => change({ view: value === ALL ? null : value, split: value === ALL ? null : ALL, region: null, slice: null })} />
      ) : null}
      <Select look="soft" className={styles.kept!} label={t('Split')} value={choice.split ?? ALL} options={[{ value: ALL, label: t('All splits') }, ...named.map(([name, size]) => ({ value: name, label: name, ...(size === null ? {} : { detail: count(size) }) }))]} onChange={(value) => change({ split: value, region: null, slice: null })} />
    </>
  )
}
