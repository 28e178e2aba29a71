import { useQuery } from '@tanstack/react-query'
import { RotateCcw } from 'lucide-react'
import { useStore } from 'zustand'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { when } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { editLog, retryEdits, usePending } from './edits.ts'
import type { PendingEdit } from './edit-steps.ts'
import { labelWords } from './label-words.ts'
import { meetings } from './meeting.ts'
import styles from './curate.module.css'

/** More than these is told by its number. */
const MOST_SHOWN = 4

/** Edits that could not be saved: why, and what can be done. They stay on the canvas until then. */
export function FailedEdits() {
  const pending = usePending()
  const failed = pending.find((edit) => edit.state === 'failed')
  if (!failed?.error) return null
  const conflict = failed.error.code === 'conflict'
  const waiting = pending.length - 1
  const kept = waiting > 0 ? t('The edit is kept here, with {n, plural, one {# later edit} other {# later edits}}.', { n: waiting }) : t('The edit is kept here.')
  const cure = conflict ? t('Save mine writes your values over theirs, and leaves what else they changed; Keep theirs takes your edit back.') : failed.error.cure
  return (
    <div className={styles.failed} data-testid="failed-edit">
      <ErrorNote
        compact error={fromErrorData({ ...failed.error, ...(conflict ? { place: undefined } : {}), cure: t('{first} {second}', { first: cure, second: kept }).trim() })}
        title={conflict ? t('A newer change is there: {edit}', { edit: labelWords(failed.label) }) : t('Could not save {n, plural, one {# edit} other {# edits}}', { n: pending.length })}
        detail={conflict ? <Met edit={failed} /> : null}
      >
        <Button size="s" icon={RotateCcw} onClick={() => void retryEdits()}>{conflict ? t('Save mine') : t('Retry')}</Button>
        <Button size="s" kind="ghost" onClick={() => editLog.discard(failed.editId)}>{conflict ? t('Keep theirs') : t('Discard the edit')}</Button>
      </ErrorNote>
    </div>
  )
}

/** Mine and theirs, side by side. */
function Met({ edit }: { edit: PendingEdit }) {
  const base = useStore(editLog.store, (state) => state.base)
  const all = meetings(edit.changes, (imageId, regionId) => base.get(imageId)?.get(regionId))
  const first = edit.changes.find((change) => change.kind === 'change')
  const revision = first ? base.get(first.imageId)?.get(first.regionId)?.revision : undefined
  // The same question as the history's, under the same key.
  const history = useQuery({ queryKey: [...keys.regions, 'history', first?.regionId, revision], queryFn: ({ signal }) => api.regions.history({ id: first!.regionId }, { signal }), enabled: first !== undefined && revision !== undefined })
  const last = history.data?.find((one) => one.revision === revision)
  if (all.length === 0) return null
  return (
    <table className={styles.met} data-testid="mine-and-theirs">
      <thead><tr><td /><th scope="col">{t('Mine')}</th><th scope="col">{t('Theirs', undefined, 'edit')}</th></tr></thead>
      <tbody>
        {all.slice(0, MOST_SHOWN).map(({ regionId, field, name, mine, theirs }) => (
          <tr key={`${regionId} ${field}`}><th scope="row">{name}</th><td data-selectable>{mine}</td><td data-selectable>{theirs}</td></tr>
        ))}
        {all.length > MOST_SHOWN ? <tr><td colSpan={3}>{t('and {n} more', { n: all.length - MOST_SHOWN })}</td></tr> : null}
      </tbody>
      {last ? <caption>{t('Their edit: {edit}, {person}, {time}', { edit: labelWords(last.label), person: last.actor, time: when(last.at) })}</caption> : null}
    </table>
  )
}
