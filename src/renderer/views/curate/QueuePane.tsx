import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowUpDown, ChartScatter, Circle, CircleCheck, CircleX, ListFilter, PanelLeft, Search, SearchX, SkipForward, X } from 'lucide-react'
import { type KeyboardEvent, memo, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { QueueRow, RegionStatus } from '../../../shared/domain.ts'
import { count, fixed } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { sentence, thumbUrl } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Keys } from '../../ui/Keys.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Bar } from '../../ui/Progress.tsx'
import { toast } from '../../ui/toast.tsx'
import { QueueFilters } from './QueueFilters.tsx'
import { QueueMenu } from './QueueMenu.tsx'
import { SORTS, STATUS_WORDS, chips, needsScores, sortWords } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

const ROW_PX = 56

export function QueuePane({ work, open, onToggle }: { work: Workbench; open: boolean; onToggle: () => void }) {
  const { control } = work
  const { view } = control
  const [filtering, setFiltering] = useState(false)
  return (
    <section className={styles.queue} aria-label="Queue" data-open={open ? "" : undefined}>
      <div className={styles.narrowHead}>
        <IconButton icon={PanelLeft} label={open ? 'Hide queue details' : 'Show queue'} pressed={open} onClick={onToggle} />
      </div>
      <div className={styles.head}>
        <QueueMenu work={work} />
        <span className="grow" />
        <Menu
          align="end"
          trigger={<IconButton icon={ArrowUpDown} label="Sort" hint={`Sort: ${sortWords(view.sort, view.descending)}`} />}
          entries={[
            ...SORTS.map((sort) => ({
              label: sort.label, detail: view.sort === sort.value ? 'chosen' : '', disabled: needsScores(sort.value) && work.chosen.length === 0,
              onSelect: () => (sort.value === 'random' ? control.shuffle() : undefined, control.change({ sort: sort.value, descending: sort.value === 'suspect' })),
            })),
            null,
            { label: view.descending ? 'First things first' : 'Turn the order round', disabled: view.sort === 'random', onSelect: () => control.change({ descending: !view.descending }) },
          ]}
        />
        <IconButton icon={ListFilter} label="Filter" pressed={filtering} onClick={() => setFiltering((on) => !on)} aria-expanded={filtering} />
      </div>
      <div className={styles.filters}>
        <SearchField work={work} />
        {chips(view.filter).map((chip) => (
          <span key={chip.key} className={styles.chip}>
            <span>{chip.name} <b>{chip.value}</b></span>
            <button type="button" aria-label={`Remove filter ${chip.name} ${chip.value}`} onClick={() => control.change({ filter: chip.without })}><Icon of={X} size="xs" /></button>
          </span>
        ))}
      </div>
      {filtering ? <QueueFilters work={work} onClose={() => setFiltering(false)} /> : null}
      <div className={styles.order}>
        <span className="trunc">{sortWords(view.sort, view.descending)}{needsScores(view.sort) && work.chosen[0] ? ` · ${work.chosen[0].name}` : ''}</span>
      </div>
      <Rows work={work} />
    </section>
  )
}

function SearchField({ work }: { work: Workbench }) {
  const { control } = work
  const [text, setText] = useState(control.view.filter.text ?? '')
  const applied = control.view.filter.text ?? ''
  useEffect(() => setText(applied), [applied])
  useEffect(() => {
    if (text.trim() === applied) return
    const timer = window.setTimeout(() => {
      const { text: _old, ...rest } = control.view.filter
      control.change({ filter: text.trim() ? { ...rest, text: text.trim() } : rest })
    }, 200)
    return () => window.clearTimeout(timer)
  })
  return (
    <Input
      compact className={styles.search} before={<Icon of={Search} size="s" />} after={<Keys of="/" />} type="search" placeholder="Phrase text or filter" aria-label="Phrase text or filter" data-testid="queue-search"
      value={text} onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        setText('')
        event.currentTarget.blur()
      }}
    />
  )
}

function Rows({ work }: { work: Workbench }) {
  const { queue, verbs, current } = work
  const { total, rows, loaded, error } = useStore(queue.store)
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: total, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 6 })
  const items = virtual.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => queue.want(first, last), [queue, first, last, loaded, total])
  useEffect(() => {
    if (current.index >= 0 && current.index < total) virtual.scrollToIndex(current.index, { align: 'auto' })
  }, [current.index, total])

  const failed = error !== null && error !== undefined
  if (failed && !loaded) return <div className={styles.note}><ErrorNote error={error} title="The queue could not be read" compact onRetry={queue.retry} /></div>
  if (!loaded) return <Loading>Loading the queue</Loading>
  if (total === 0) return <NoRows work={work} />

  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / ROW_PX) - 1)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[event.key]
    if (step !== undefined) verbs.goTo(Math.min(total - 1, Math.max(0, current.index + step)))
    else if (event.key === 'Home') verbs.goTo(0)
    else if (event.key === 'End') verbs.goTo(total - 1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const missing = needsScores(work.control.view.sort) ? [...rows.values()].filter((row) => row.consistency === null).length / rows.size : 0
  return (
    <>
      {failed ? <div className={styles.note}><ErrorNote error={error} title="Some rows could not be read" compact onRetry={queue.retry} /></div> : null}
      {missing > 0.5 ? <NotScored work={work} none={missing === 1} /> : null}
      <div ref={scroller} className={cx('scroll', styles.scroller)} role="listbox" data-commands aria-label="Samples" tabIndex={0} aria-activedescendant={items.some((item) => item.index === current.index) ? `queue-row-${current.index}` : undefined} onKeyDown={onKeyDown} data-testid="queue">
        <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item) => (
            <Row key={item.key} index={item.index} total={total} top={item.start} row={rows.get(item.index)} selected={rows.has(item.index) ? rows.get(item.index)!.id === current.regionId : item.index === current.index} onOpen={verbs.goTo} />
          ))}
        </div>
      </div>
    </>
  )
}

const STATUS_ICONS = { unreviewed: Circle, accepted: CircleCheck, rejected: CircleX, skipped: SkipForward } as const

const Row = memo(
  function Row({ index, total, top, row, selected, onOpen }: { index: number; total: number; top: number; row: QueueRow | undefined; selected: boolean; onOpen: (index: number) => void }) {
    const status: RegionStatus = row?.status ?? 'unreviewed'
    const consistency = row?.consistency ?? null
    return (
      <div
        id={`queue-row-${index}`} role="option" aria-selected={selected} aria-setsize={total} aria-posinset={index + 1} data-region={row?.id} data-status={row?.status} title={row?.phrase || undefined}
        className={cx(styles.row, selected && styles.selected, row && status !== 'unreviewed' && styles.done)} style={{ transform: `translateY(${top}px)` }} onClick={() => onOpen(index)}
      >
        <span className={styles.thumb}>
          {row ? <img src={thumbUrl(row.imageId)} alt="" draggable={false} /> : null}
          {consistency !== null ? <span className={cx(styles.under, styles[consistency < 0.4 ? 'low' : 'high'])} style={{ width: `${Math.max(6, consistency * 100)}%` }} /> : null}
        </span>
        <span className={styles.words}>
          <span className={cx('trunc', styles.phrase)}>{row ? row.phrase || <span className="c3">No phrase yet</span> : <span className="visually-hidden">Loading</span>}</span>
          <span className={styles.measure}>
            {row ? <span className="visually-hidden">, {consistency === null ? 'not scored' : 'consistency '}</span> : null}
            {consistency === null ? <span /> : <Bar share={Math.max(0.02, consistency)} />}
            <span className={styles.score} aria-hidden={consistency === null || undefined}>{row ? (consistency === null ? '–' : fixed(consistency)) : ''}</span>
          </span>
        </span>
        <span className={cx(styles.status, styles[status])} title={STATUS_WORDS[status]}>{row ? <span className="visually-hidden">, {STATUS_WORDS[status]}</span> : null}<Icon of={STATUS_ICONS[status]} /></span>
      </div>
    )
  },
  (a, b) => a.row === b.row && a.selected === b.selected && a.top === b.top && a.total === b.total && a.index === b.index,
)

function NoRows({ work }: { work: Workbench }) {
  const filtered = Object.keys(work.control.view.filter).length > 0
  return filtered ? (
    <EmptyState icon={SearchX} title="No region matches" actions={<Button size="s" onClick={() => work.control.change({ filter: {} })}>Clear filters</Button>}>
      Widen the filter, or choose another view.
    </EmptyState>
  ) : (
    <EmptyState icon={SearchX} title="No regions in this dataset">Draw a box on an image to make the first one, or import annotations in the library.</EmptyState>
  )
}

function NotScored({ work, none }: { work: Workbench; none: boolean }) {
  const [asked, setAsked] = useState(false)
  const checkpoint = work.chosen[0]
  const compute = () => {
    if (!checkpoint) return
    setAsked(true)
    api.scores.compute({ datasetId: work.dataset.id, checkpointId: checkpoint.id }).catch((error: unknown) => {
      setAsked(false)
      toast({ tone: 'negative', title: sentence(error) })
    })
  }
  return (
    <div className={styles.unscored}>
      <Icon of={ChartScatter} />
      <span className="t12 c2">{checkpoint ? none ? `${checkpoint.name} has not scored these regions, so the order is that of the file.` : `${checkpoint.name} has not scored all of these regions. Those without a score come last.` : 'There is no checkpoint to score with yet.'}</span>
      {checkpoint ? <Button size="s" busy={asked} disabled={asked} onClick={compute}>{asked ? 'Scoring' : `Score ${count(work.dataset.regions)} regions`}</Button> : null}
    </div>
  )
}
