import { useEffect, useState } from 'react'
import type { RegionStatus } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Input } from '../../ui/Field.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { MoreButton, useLongList } from './LongList.tsx'
import { type QueueView, STATUS_WORDS } from './queue-views.ts'
import { useFacets } from './use-facets.ts'
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
  const facets = useFacets(dataset.id)
  const toggled = <T,>(list: readonly T[] | undefined, value: T, on: boolean): T[] => (on ? [...(list ?? []), value] : (list ?? []).filter((entry) => entry !== value))
  return (
    <div className={styles.panel} role="group" aria-label={t('Filter')} onKeyDown={(event) => event.key === 'Escape' && (event.stopPropagation(), onClose())}>
      <fieldset>
        <legend>{t('Status')}</legend>
        <div className={styles.pairs}>
          {STATUSES.map((status) => (
            <Checkbox key={status} small checked={filter.statuses?.includes(status) ?? false} onChange={(on) => set({ statuses: toggled(filter.statuses, status, on) })}>{STATUS_WORDS[status]}</Checkbox>
          ))}
        </div>
      </fieldset>
      {Object.keys(dataset.splits).length > 1 ? (
        <fieldset>
          <legend>{t('Split')}</legend>
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
            <legend>{t('Consistency')}</legend>
            <div className={styles.range}>
              <Share label={t('Lowest consistency')} placeholder="0.00" value={filter.consistencyMin} onChange={(value) => set({ consistencyMin: value })} />
              <span className="c3">{t('to', undefined, 'range')}</span>
              <Share label={t('Highest consistency')} placeholder="1.00" value={filter.consistencyMax} onChange={(value) => set({ consistencyMax: value })} />
            </div>
          </fieldset>
          <fieldset>
            <legend>{t('Match probability')}</legend>
            <div className={styles.range}>
              <Share label={t('Lowest match probability')} placeholder="0.00" value={filter.matchMin} onChange={(value) => set({ matchMin: value })} />
              <span className="c3">{t('to', undefined, 'range')}</span>
              <Share label={t('Highest match probability')} placeholder="1.00" value={filter.matchMax} onChange={(value) => set({ matchMax: value })} />
            </div>
          </fieldset>
          <fieldset>
            <legend>{t('Pointing')}</legend>
            <Segmented small label={t('Pointing')} value={filter.hit === undefined ? 'any' : filter.hit ? 'hit' : 'miss'} options={[{ value: 'any', label: t('Any') }, { value: 'hit', label: t('Hit') }, { value: 'miss', label: t('Miss') }]}
              onChange={(value) => set({ hit: value === 'any' ? undefined : value === 'hit' })} />
          </fieldset>
        </>
      ) : null}
      <Names label={t('Tag')} names={facets.data?.tags} chosen={filter.tags} onChange={(tags) => set({ tags })} />
      <fieldset>
        <legend>{t('Box size, % of the image')}</legend>
        <div className={styles.range}>
          <Share label={t('Smallest box')} placeholder="0" scale={100} value={filter.areaMin} onChange={(value) => set({ areaMin: value })} />
          <span className="c3">{t('to', undefined, 'range')}</span>
          <Share label={t('Largest box')} placeholder="100" scale={100} value={filter.areaMax} onChange={(value) => set({ areaMax: value })} />
        </div>
      </fieldset>
      <Names label={t('Reviewer')} names={facets.data?.reviewers} chosen={filter.reviewers} onChange={(reviewers) => set({ reviewers })} />
      <Names label={t('Assigned to')} names={facets.data?.assignees.length ? [{ name: '', count: null }, ...facets.data.assignees] : undefined} chosen={filter.assignees} onChange={(assignees) => set({ assignees })} />
      <fieldset>
        <legend>{t('Second review')}</legend>
        <Segmented small label={t('Second review')} value={filter.second ?? 'any'} options={[{ value: 'any', label: t('Any') }, { value: 'open', label: t('Open', undefined, 'review') }, { value: 'done', label: t('Made', undefined, 'review') }, { value: 'differs', label: t('Differs') }]}
          onChange={(value) => set({ second: value === 'any' ? undefined : value })} />
      </fieldset>
      <Checkbox small checked={filter.hasNote === true} onChange={(on) => set({ hasNote: on ? true : undefined })}>{t('With a note')}</Checkbox>
      <Checkbox small checked={filter.flagged === true} onChange={(on) => set({ flagged: on ? true : undefined })}>{t('Flagged at import')}</Checkbox>
      <div className={styles.panelFoot}>
        <Button size="s" kind="ghost" disabled={Object.keys(filter).length === 0} onClick={() => control.change({ filter: {} })}>{t('Clear filters')}</Button>
        <Button size="s" onClick={onClose}>{t('Done')}</Button>
      </div>
    </div>
  )
}

const NAMES_SHOWN = 12

/** Names found in the dataset, the most frequent first; nothing where there are none. */
function Names({ label, names, chosen, onChange }: { label: string; names: readonly { readonly name: string; readonly count: number | null }[] | undefined; chosen: readonly string[] | undefined; onChange: (chosen: string[]) => void }) {
  const list = useLongList(names ?? [], NAMES_SHOWN)
  if (!names?.length) return null
  return (
    <fieldset>
      <legend>{label}</legend>
      <div className={styles.pairs}>
        {list.shown.map(({ name, count: size }) => (
          <Checkbox key={name} small checked={chosen?.includes(name) ?? false} onChange={(on) => onChange(on ? [...(chosen ?? []), name] : (chosen ?? []).filter((entry) => entry !== name))}>
            {name || t('Nobody')} {size === null ? null : <span className="c3">{count(size)}</span>}
          </Checkbox>
        ))}
      </div>
      <MoreButton of={list} label={(n) => t('Show more of {n, plural, one {# other name} other {# other names}}', { n })} />
    </fieldset>
  )
}

/** A share from 0 to 1, written times `scale`; taken over on Enter or when the field is left; empty means no limit. */
function Share({ label, placeholder, value, scale = 1, onChange }: { label: string; placeholder: string; value: number | undefined; scale?: number; onChange: (value: number | undefined) => void }) {
  const written = value === undefined ? '' : String(Number((value * scale).toPrecision(12)))
  const [text, setText] = useState(written)
  useEffect(() => setText(written), [written])
  const number = Number(text.replace(',', '.')) / scale
  const valid = text.trim() === '' || (Number.isFinite(number) && number >= 0 && number <= 1)
  const take = () => {
    if (valid && text !== written) onChange(text.trim() === '' ? undefined : number)
  }
  return <Input compact aria-label={label} placeholder={placeholder} invalid={!valid} inputMode="decimal" value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={take} onKeyDown={(event) => event.key === 'Enter' && take()} />
}
