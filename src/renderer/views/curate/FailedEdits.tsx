import { RotateCcw } from 'lucide-react'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { fromErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { editLog, retryEdits, usePending } from './edits.ts'
import styles from './curate.module.css'

/** Edits that could not be saved: why, and what can be done. They stay on the canvas until then. */
export function FailedEdits() {
  const pending = usePending()
  const failed = pending.find((edit) => edit.state === 'failed')
  if (!failed?.error) return null
  const conflict = failed.error.code === 'conflict'
  const waiting = pending.length - 1
  const kept = waiting > 0 ? t('The edit is kept here, with {n, plural, one {# later edit} other {# later edits}}.', { n: waiting }) : t('The edit is kept here.')
  return (
    <div className={styles.failed} data-testid="failed-edit">
      <ErrorNote
        compact error={fromErrorData({ ...failed.error, cure: t('{first} {second}', { first: failed.error.cure, second: kept }).trim() })}
        title={conflict ? t('“{edit}” meets a newer change', { edit: failed.label }) : t('Could not save {n, plural, one {# edit} other {# edits}}', { n: pending.length })}
      >
        <Button size="s" icon={RotateCcw} onClick={() => void retryEdits()}>{conflict ? t('Save mine') : t('Retry')}</Button>
        <Button size="s" kind="ghost" onClick={() => editLog.discard(failed.editId)}>{conflict ? t('Keep theirs') : t('Discard the edit')}</Button>
      </ErrorNote>
    </div>
  )
}
