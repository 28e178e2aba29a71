import { ArrowUpDown, ChartScatter, Circle, CircleCheck, CircleX, ListFilter, PanelLeft, Search, SearchX, SkipForward, X } from 'lucide-react'
import { type KeyboardEvent, memo, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { QueueRow, RegionStatus } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed } from '../../app/format.ts'
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
import { BulkBar } from './BulkBar.tsx'
import { QueueFilters } from './QueueFilters.tsx'
import { QueueMenu } from './QueueMenu.tsx'
import { setPrefs } from './prefs.ts'
import { SORTS, STATUS_WORDS, beginsLast, chips, needsScores, sortWords } from './queue-views.ts'
import { holds } from './row-ranges.ts'
import { useLongScroll } from './use-long-scroll.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

const ROW_PX = 56

export function QueuePane({ work, open, onToggle }: { work: Workbench; open: boolean; onToggle: () => void }) {
  const { control } = work
  const { view } = control
  const [filtering, setFiltering] = useState(false)
  return (
    <section className={styles.queue} aria-label={t('Queue')} data-open={open ? "" : undefined}>
      <div className={styles.narrowHead}>
        <IconButton icon={PanelLeft} label={open ? t('Hide queue details') : t('Show queue')} pressed={open} onClick={onToggle} />
      </div>
      <div className={styles.head}>
        <QueueMenu work={work} />
        <span className="grow" />
        <Menu
          align="end"
          trigger={<IconButton icon={ArrowUpDown} label={t('Sort')} hint={t('Sort: {order}', { order: sortWords(view.sort, view.descending) })} />}
          entries={[
            ...SORTS.map((sort) => ({
              label: sort.label, detail: view.sort === sort.value ? t('chosen') : '', disabled: needsScores(sort.value) && work.chosen.length < (sort.value === 'disagreement' ? 2 : 1),
              onSelect: () => (sort.value === 'random' ? control.shuffle() : undefined, control.change({ sort: sort.value, descending: beginsLast(sort.value) })),
            })),
            null,
            { label: view.descending ? t('First things first') : t('Turn the order round'), disabled: view.sort === 'random', onSelect: () => control.change({ descending: !view.descending }) },
          ]}
        />
        <IconButton icon={ListFilter} label={t('Filter')} pressed={filtering} onClick={() => setFiltering((on) => !on)} aria-expanded={filtering} />
      </div>
      <div className={styles.filters}>
        <SearchField work={work} />
        {chips(view.filter).map((chip) => (
          <span key={chip.key} className={styles.chip}>
            <span>{chip.name} <b>{chip.value}</b></span>
            <button type="button" aria-label={t('Remove filter {name} {value}', { name: chip.name, value: chip.value })} onClick={() => control.change({ filter: chip.without })}><Icon of={X} size="xs" /></button>
          </span>
        ))}
      </div>
      {filtering ? <QueueFilters work={work} onClose={() => setFiltering(false)} /> : null}
      {work.prefs.secondReview ? (
        <div className={styles.mode} role="status">
          <span className="trunc">{t('Second review is on')}</span>
          <Button size="s" kind="ghost" onClick={() => setPrefs({ secondReview: false })}>{t('End', undefined, 'stop')}</Button>
        </div>
      ) : null}
      <div className={styles.order}>
        <span className="trunc">{sortWords(view.sort, view.descending)}{needsScores(view.sort) && work.chosen[0] ? ` · ${view.sort === 'disagreement' && work.chosen[1] ? t('{first} and {second}', { first: work.chosen[0].name, second: work.chosen[1].name }) : work.chosen[0].name}` : ''}</span>
      </div>
      <Rows work={work} />
      <BulkBar work={work} />
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
      compact className={styles.search} before={<Icon of={Search} size="s" />} after={<Keys of="/" />} type="search" placeholder={t('Phrase text or filter')} aria-label={t('Phrase text or filter')} data-testid="queue-search"
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
  const { queue, verbs, current, bulk } = work
  const { total, rows, loaded, error, overtaken } = useStore(queue.store)
  const ranges = useStore(bulk.store, (state) => state.ranges)
  const list = useLongScroll(total, ROW_PX)
  const { first, last, scroller } = list
  useEffect(() => queue.look(first, last), [queue, first, last, loaded, total, overtaken])
  useEffect(() => {
    if (current.index >= 0 && current.index < total) list.show(current.index)
  }, [current.index, total])

  const open: RowProps['onOpen'] = (index, event) => {
    if (event.shiftKey) bulk.reach(index, current.index)
    else if (event.ctrlKey || event.metaKey) bulk.toggle(index, current.index)
    else {
      bulk.clear()
      verbs.goTo(index)
    }
  }
  // The same function for every row and every draw, so that a row is drawn again only when it changed.
  const newest = useRef(open)
  newest.current = open
  const [onOpen] = useState(() => (...args: Parameters<RowProps['onOpen']>) => newest.current(...args))

  const failed = error !== null && error !== undefined
  if (failed && !loaded) return <div className={styles.note}><ErrorNote error={error} title={t('The queue could not be read')} compact onRetry={queue.retry} /></div>
  if (!loaded) return <Loading>{t('Loading the queue')}</Loading>
  if (total === 0) return <NoRows work={work} />

  const page = Math.max(1, Math.floor(list.viewHeight / ROW_PX) - 1)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[event.key]
    const isMod = event.ctrlKey || event.metaKey
    if (isMod && event.key.toLowerCase() === 'a') bulk.all()
    else if (isMod && event.key === ' ' && current.index >= 0) bulk.toggle(current.index, -1)
    else if (isMod || event.altKey) return
    else if (event.key === 'Escape' && ranges.length > 0) bulk.clear()
    else if (step !== undefined && event.shiftKey) {
      const next = Math.min(total - 1, Math.max(0, current.index + step))
      bulk.reach(next, current.index)
      verbs.goTo(next)
    } else if (step !== undefined) verbs.goTo(Math.min(total - 1, Math.max(0, current.index + step)))
    else if (event.key === 'Home') verbs.goTo(0)
    else if (event.key === 'End') verbs.goTo(total - 1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const missing = needsScores(work.control.view.sort) ? [...rows.values()].filter((row) => row.consistency === null).length / rows.size : 0
  return (
    <>
      {failed ? <div className={styles.note}><ErrorNote error={error} title={t('Some rows could not be read')} compact onRetry={queue.retry} /></div> : null}
      {missing > 0.5 ? <NotScored work={work} none={missing === 1} /> : null}
      <div ref={scroller} className={cx('scroll', styles.scroller)} role="listbox" aria-multiselectable="true" data-commands aria-label={t('Samples')} tabIndex={0} aria-activedescendant={current.index >= first && current.index <= last ? `queue-row-${current.index}` : undefined} onKeyDown={onKeyDown} data-testid="queue">
        <div role="presentation" style={{ height: list.height, position: 'relative', overflow: 'hidden' }}>
          {Array.from({ length: last - first + 1 }, (_, i) => first + i).map((index) => (
            <Row key={index} index={index} total={total} top={list.topOf(index)} row={rows.get(index)} inHand={rows.has(index) ? rows.get(index)!.id === current.regionId : index === current.index} picked={ranges.length > 0 ? holds(ranges, index) : null} onOpen={onOpen} />
          ))}
        </div>
      </div>
    </>
  )
}

const STATUS_ICONS = { unreviewed: Circle, accepted: CircleCheck, rejected: CircleX, skipped: SkipForward } as const

interface RowProps {
  readonly index: number
  readonly total: number
  readonly top: number
  readonly row: QueueRow | undefined
  readonly inHand: boolean
  /** Null while none is selected but the one in hand. */
  readonly picked: boolean | null
  readonly onOpen: (index: number, event: { readonly shiftKey: boolean; readonly ctrlKey: boolean; readonly metaKey: boolean }) => void
}

const Row = memo(
  function Row({ index, total, top, row, inHand, picked, onOpen }: RowProps) {
    const status: RegionStatus = row?.status ?? 'unreviewed'
    const consistency = row?.consistency ?? null
    return (
      <div
        id={`queue-row-${index}`} role="option" aria-selected={picked ?? inHand} aria-current={inHand || undefined} aria-setsize={total} aria-posinset={index + 1} data-region={row?.id} data-status={row?.status} title={row?.phrase || undefined}
        className={cx(styles.row, picked && styles.picked, inHand && styles.selected, row && status !== 'unreviewed' && styles.done)} style={{ transform: `translateY(${top}px)` }} onClick={(event) => onOpen(index, event)}
      >
        <span className={styles.thumb}>
          {row ? <img src={thumbUrl(row.imageId)} alt="" draggable={false} /> : null}
          {consistency !== null ? <span className={cx(styles.under, styles[consistency < 0.4 ? 'low' : 'high'])} style={{ width: `${Math.max(6, consistency * 100)}%` }} /> : null}
        </span>
        <span className={styles.words}>
          <span className={cx('trunc', styles.phrase)}>{row ? row.phrase || <span className="c3">{t('No phrase yet')}</span> : <span className="visually-hidden">{t('Loading')}</span>}</span>
          <span className={styles.measure}>
            {row ? <span className="visually-hidden">, {consistency === null ? t('not scored') : `${t('consistency')} `}</span> : null}
            {consistency === null ? <span /> : <Bar share={Math.max(0.02, consistency)} />}
            <span className={styles.score} aria-hidden={consistency === null || undefined}>{row ? (consistency === null ? '–' : fixed(consistency)) : ''}</span>
          </span>
        </span>
        <span className={cx(styles.status, styles[status])} title={STATUS_WORDS[status]}>{row ? <span className="visually-hidden">, {STATUS_WORDS[status]}</span> : null}<Icon of={STATUS_ICONS[status]} /></span>
      </div>
    )
  },
  (a, b) => a.row === b.row && a.inHand === b.inHand && a.picked === b.picked && a.top === b.top && a.total === b.total && a.index === b.index,
)

function NoRows({ work }: { work: Workbench }) {
  const filtered = Object.keys(work.control.view.filter).length > 0
  return filtered ? (
    <EmptyState icon={SearchX} title={t('No region matches')} actions={<Button size="s" onClick={() => work.control.change({ filter: {} })}>{t('Clear filters')}</Button>}>
      {t('Widen the filter, or choose another view.')}
    </EmptyState>
  ) : (
    <EmptyState icon={SearchX} title={t('No regions in this dataset')}>{t('Draw a box on an image to make the first one, or import annotations in the library.')}</EmptyState>
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
      <span className="t12 c2">{checkpoint ? none ? t('{checkpoint} has not scored these regions, so the order is that of the file.', { checkpoint: checkpoint.name }) : t('{checkpoint} has not scored all of these regions. Those without a score come last.', { checkpoint: checkpoint.name }) : t('There is no checkpoint to score with yet.')}</span>
      {checkpoint ? <Button size="s" busy={asked} disabled={asked} onClick={compute}>{asked ? t('Scoring') : t('{n, plural, one {Score # region} other {Score # regions}}', { n: work.dataset.regions })}</Button> : null}
    </div>
  )
}
