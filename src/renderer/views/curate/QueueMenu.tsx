import { ChartNoAxesColumn, ChevronDown, ListChecks, Save, SquarePen, Trash2, UsersRound } from 'lucide-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { isEnter } from '../../ui/enter.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { rich } from '../../ui/rich.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { trainOnChanged } from '../train/changed.ts'
import { setPrefs } from './prefs.ts'
import { BUILT_IN, fromSaved } from './queue-views.ts'
import { ReviewDialog } from './ReviewDialog.tsx'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

/** The view being walked, with its count; others to change to; the present filter and order to keep under a name. */
export function QueueMenu({ work }: { work: Workbench }) {
  const { control, queue } = work
  const { view, saved } = control
  const total = useStore(queue.store, (state) => state.total)
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const [reviewing, setReviewing] = useState(false)
  const isSaved = saved.some((entry) => entry.id === view.id)
  const keep = () => {
    if (!name.trim()) return
    control.save(name.trim())
    setNaming(false)
  }
  return (
    <>
      <Menu
        trigger={
          <button type="button" className={styles.view}>
            <span className="visually-hidden">{t('View')} </span>
            <span className="trunc med">{view.name}{control.edited ? ' *' : ''}</span>
            <Tag>{control.suspects === null ? count(total) : rich('{suspects}<wide> of {total}</wide>', { suspects: count(control.suspects), total: count(total), wide: (inside) => <span className={styles.wide}>{inside}</span> })}</Tag>
            <span className="visually-hidden"> {control.suspects === null ? t('regions') : t('regions suspected')}</span>
            <Icon of={ChevronDown} size="xs" />
          </button>
        }
        entries={[
          ...BUILT_IN.map((entry) => ({ label: entry.name, disabled: entry.sort === 'suspect' && work.chosen.length === 0, onSelect: () => control.choose(entry) })),
          ...(saved.length > 0 ? [null] : []),
          ...saved.map((entry) => ({ label: entry.name, detail: count(entry.count), onSelect: () => control.choose(fromSaved(entry)) })),
          null,
          { label: t('Save this view…'), icon: Save, onSelect: () => (setName(''), setNaming(true)) },
          ...(isSaved ? [{ label: t('Delete this view'), icon: Trash2, danger: true, onSelect: () => control.remove(view.id) }] : []),
          { label: t('Fetch the queue again'), onSelect: queue.reload },
          { label: t('Select all of this view'), icon: ListChecks, detail: count(total), disabled: total === 0, onSelect: work.bulk.all },
          null,
          { label: work.prefs.secondReview ? t('End second review') : t('Second review'), icon: UsersRound, onSelect: () => setPrefs({ secondReview: !work.prefs.secondReview }) },
          { label: t('Progress and agreement…'), icon: ChartNoAxesColumn, onSelect: () => setReviewing(true) },
          { label: t('Train on what I changed'), icon: SquarePen, disabled: work.chosen.length === 0, onSelect: () => trainOnChanged(work.dataset.id, saved.find(({ id }) => id === view.id), work.chosen[0]?.id) },
        ]}
      />
      <ReviewDialog work={work} open={reviewing} onClose={() => setReviewing(false)} />
      <Dialog
        open={naming} onClose={() => setNaming(false)} title={t('Save this view')} description={t('Filter and order are kept under a name; the count stays live.')}
        actions={<><Button onClick={() => setNaming(false)}>{t('Cancel')}</Button><Button kind="primary" disabled={!name.trim()} onClick={keep}>{t('Save view')}</Button></>}
      >
        <Field label={t('Name')}>
          {({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={name} onChange={(event) => setName(event.currentTarget.value)} onKeyDown={(event) => isEnter(event) && keep()} />}
        </Field>
      </Dialog>
    </>
  )
}
