import { useEffect, useState } from 'react'
import type { RegionStatus } from '../../../shared/domain.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Input } from '../../ui/Field.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { type QueueView, STATUS_WORDS } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

const STATUSES = Object.keys(STATUS_WORDS) as RegionStatus[]

/** The parts of a filter that combine. Every change shows at once. */
export function QueueFilters({ work, onClose }: { work: Workbench; onClose: () => void }) {
  const { control, dataset, chosen } = work
  const { filter } = control.view
  const set = (change: Partial<QueueView['filter']>) => {
    const next = Object.fromEntries(Object.entries({ ...filter, ...change }).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)))
    control.change({ filter: next })
  }
  const toggled = <T,>(list: readonly T[] | undefined, value: T, on: boolean): T[] => (on ? [...(list ?? []), value] : (list ?? []).filter((entry) => entry !== value))
  return (
    <div className={styles.panel} role="group" aria-label="Filter" onKeyDown={(event) => event.key === 'Escape' && (event.stopPropagation(), onClose())}>
      <fieldset>
        <legend>Status</legend>
        <div className={styles.pairs}>
          {STATUSES.map((status) => (
            <Checkbox key={status} small checked={filter.statuses?.includes(status) ?? false} onChange={(on) => set({ statuses: toggled(filter.statuses, status, on) })}>{STATUS_WORDS[status]}</Checkbox>
          ))}
        </div>
      </fieldset>
      {Object.keys(dataset.splits).length > 1 ? (
        <fieldset>
          <legend>Split</legend>
          <div className={styles.pairs}>
            {Object.entries(dataset.splits).map(([split, size]) => (
              <Checkbox key={split} small checked={filter.splits?.includes(split) ?? false} onChange={(on) => set({ splits: toggled(filter.splits, split, on) })}>{split} <span className="c3">{count(size)}</span></Checkbox>
            ))}
          </div>
        </fieldset>
      ) : null}
      {chosen.length > 0 ? (
        <>
          <fieldset>
            <legend>Consistency</legend>
            <div className={styles.range}>
              <Share label="Lowest consistency" placeholder="0.00" value={filter.consistencyMin} onChange={(value) => set({ consistencyMin: value })} />
              <span className="c3">to</span>
              <Share label="Highest consistency" placeholder="1.00" value={filter.consistencyMax} onChange={(value) => set({ consistencyMax: value })} />
            </div>
          </fieldset>
          <fieldset>
            <legend>Pointing</legend>
            <Segmented small label="Pointing" value={filter.hit === undefined ? 'any' : filter.hit ? 'hit' : 'miss'} options={[{ value: 'any', label: 'Any' }, { value: 'hit', label: 'Hit' }, { value: 'miss', label: 'Miss' }]}
              onChange={(value) => set({ hit: value === 'any' ? undefined : value === 'hit' })} />
          </fieldset>
        </>
      ) : null}
      <Checkbox small checked={filter.flagged === true} onChange={(on) => set({ flagged: on ? true : undefined })}>Flagged at import</Checkbox>
      <div className={styles.panelFoot}>
        <Button size="s" kind="ghost" disabled={Object.keys(filter).length === 0} onClick={() => control.change({ filter: {} })}>Clear filters</Button>
        <Button size="s" onClick={onClose}>Done</Button>
      </div>
    </div>
  )
}

/** A share from 0 to 1, taken over on Enter or when the field is left; empty means no limit. */
function Share({ label, placeholder, value, onChange }: { label: string; placeholder: string; value: number | undefined; onChange: (value: number | undefined) => void }) {
  const [text, setText] = useState(value === undefined ? '' : String(value))
  useEffect(() => setText(value === undefined ? '' : String(value)), [value])
  const number = Number(text.replace(',', '.'))
  const valid = text.trim() === '' || (Number.isFinite(number) && number >= 0 && number <= 1)
  const take = () => {
    if (valid) onChange(text.trim() === '' ? undefined : number)
  }
  return <Input compact aria-label={label} placeholder={placeholder} invalid={!valid} inputMode="decimal" value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={take} onKeyDown={(event) => event.key === 'Enter' && take()} />
}
