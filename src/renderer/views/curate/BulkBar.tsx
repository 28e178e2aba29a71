import { Check, ChevronDown, Flag, Replace, SkipForward, Split, Tag as TagIcon, Trash2, UserRound, X } from 'lucide-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { type NamedAction, NameDialog } from './NameDialog.tsx'
import { ReplaceDialog } from './ReplaceDialog.tsx'
import { sizeOf } from './row-ranges.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

/** What can be done to the selected rows; while it is done, how far it is. */
export function BulkBar({ work }: { work: Workbench }) {
  const { bulk, queue } = work
  const ranges = useStore(bulk.store, (state) => state.ranges)
  const running = useStore(bulk.store, (state) => state.running)
  const total = useStore(queue.store, (state) => state.total)
  const [naming, setNaming] = useState<NamedAction | null>(null)
  const [replacing, setReplacing] = useState(false)
  const size = sizeOf(ranges)
  // As the keys A, X and D do.
  const decides = work.prefs.secondReview ? 'second' : 'status'
  if (running && running.total > 1) {
    return (
      <div className={styles.bulk} role="group" aria-label={t('Edit of many regions')}>
        <div className={styles.bulkHead}>
          <span className="trunc t12">{running.label || t('Preparing {n} regions', { n: count(running.total) })}</span>
          <Button size="s" kind="ghost" onClick={running.cancel}>{t('Cancel')}</Button>
        </div>
        <Progress value={running.done === 0 ? null : running.done / running.total} label={`${running.label}: ${t('{done} of {total}', { done: count(running.done), total: count(running.total) })}`} />
        <span className="t11 c3">{running.done === 0 ? t('Nothing has changed yet') : t('{done} of {total}', { done: count(running.done), total: count(running.total) })}</span>
      </div>
    )
  }
  if (size === 0) return null
  return (
    <div className={styles.bulk} role="group" aria-label={t('Selected regions')} data-testid="bulk-bar">
      <div className={styles.bulkHead}>
        <span className="med t12" data-testid="bulk-count">{t('{n} selected', { n: count(size) })}</span>
        <span className="row gap1">
          {size < total ? <Button size="s" kind="ghost" onClick={bulk.all}>{t('All {n}', { n: count(total) })}</Button> : null}
          <IconButton size="s" icon={X} label={t('Clear the selection')} keys="Escape" onClick={bulk.clear} />
        </span>
      </div>
      <div className={styles.bulkActions}>
        <Button size="s" onClick={() => void bulk.act({ kind: decides, status: 'accepted' })}>{t('Accept')}</Button>
        <Button size="s" onClick={() => void bulk.act({ kind: decides, status: 'rejected' })}>{t('Reject')}</Button>
        <Menu
          align="end"
          trigger={<button type="button" className={styles.more}>{t('More')} <ChevronDown aria-hidden="true" size={12} strokeWidth={1.5} /></button>}
          entries={[
            { label: t('Skip'), icon: SkipForward, onSelect: () => void bulk.act({ kind: decides, status: 'skipped' }) },
            { label: t('Back to review'), icon: Flag, onSelect: () => void bulk.act({ kind: 'status', status: 'unreviewed' }) },
            null,
            { label: t('Add a tag…'), icon: TagIcon, onSelect: () => setNaming('tag') },
            { label: t('Take a tag off…'), icon: TagIcon, onSelect: () => setNaming('untag') },
            { label: t('Move to split…'), icon: Split, onSelect: () => setNaming('split') },
            { label: t('Assign to…'), icon: UserRound, onSelect: () => setNaming('assign') },
            { label: t('Assign to nobody'), icon: UserRound, onSelect: () => void bulk.act({ kind: 'assign', to: null }) },
            { label: t('Replace text…'), icon: Replace, onSelect: () => setReplacing(true) },
            null,
            { label: t('Second review: accept'), icon: Check, onSelect: () => void bulk.act({ kind: 'second', status: 'accepted' }) },
            { label: t('Second review: reject'), icon: X, onSelect: () => void bulk.act({ kind: 'second', status: 'rejected' }) },
            { label: t('Take back second review'), icon: Flag, onSelect: () => void bulk.act({ kind: 'second', status: null }) },
            null,
            { label: t('{n, plural, one {Delete # region} other {Delete # regions}}', { n: size }), icon: Trash2, danger: true, onSelect: () => void bulk.act({ kind: 'delete' }) },
          ]}
        />
      </div>
      <NameDialog work={work} size={size} action={naming} onClose={() => setNaming(null)} />
      {replacing ? <ReplaceDialog work={work} size={size} onClose={() => setReplacing(false)} /> : null}
    </div>
  )
}
