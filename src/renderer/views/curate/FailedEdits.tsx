import { RotateCcw } from 'lucide-react'
import { counted } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { fromErrorData } from '../../../shared/errors.ts'
import { editLog, retryEdits, usePending } from './edits.ts'
import styles from './curate.module.css'

/** Edits that could not be saved: why, and what can be done. They stay on the canvas until then. */
export function FailedEdits() {
  const pending = usePending()
  const failed = pending.find((edit) => edit.state === 'failed')
  if (!failed?.error) return null
  const conflict = failed.error.code === 'conflict'
  const waiting = pending.length - 1
  return (
    <div className={styles.failed} data-testid="failed-edit">
      <ErrorNote
        compact error={fromErrorData({ ...failed.error, cure: `${failed.error.cure} The edit is kept here${waiting > 0 ? `, with ${counted(waiting, 'later edit')}` : ''}.`.trim() })}
        title={conflict ? `“${failed.label}” meets a newer change` : `Could not save ${counted(pending.length, 'edit')}`}
      >
        <Button size="s" icon={RotateCcw} onClick={() => void retryEdits()}>{conflict ? 'Save mine' : 'Retry'}</Button>
        <Button size="s" kind="ghost" onClick={() => editLog.discard(failed.editId)}>{conflict ? 'Keep theirs' : 'Discard the edit'}</Button>
      </ErrorNote>
    </div>
  )
}
