import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Job } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { jobTitle } from '../../../shared/job-words.ts'
import { t } from '../../../shared/messages/messages.ts'
import { bytes, count, duration, listed, progressText } from '../../app/format.ts'
import { PathField } from '../../app/PathField.tsx'
import { api } from '../../state/engine.ts'
import { useInfo, useJobs } from '../../state/queries.ts'
import { shell } from '../../state/shell.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Note } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { rich } from '../../ui/rich.tsx'
import styles from './export.module.css'

interface Archived {
  readonly path: string
  readonly files: number
  readonly bytes: number
  readonly missing: readonly string[]
}
interface Restored {
  readonly path: string
  readonly project: string
  readonly files: number
  readonly bytes: number
}
const SHOWN = 200

export function ArchiveDialogs({ which, onClose }: { which: string | undefined; onClose: () => void }) {
  return which === 'archive' ? <ArchiveDialog onClose={onClose} /> : which === 'restore' ? <RestoreDialog onClose={onClose} /> : null
}

/** The project as one file, with a report of what it holds and what it does not. */
function ArchiveDialog({ onClose }: { onClose: () => void }) {
  const info = useInfo()
  const [typed, setTyped] = useState<string | null>(null)
  const [images, setImages] = useState(true)
  const out = typed ?? (info.data ? suggestion(info.data.project) : '')
  const start = useMutation({ mutationFn: () => api.archive.create({ out: out.trim(), images }) })
  const job = useJob(start.data)
  const done = job?.state === 'done' ? (job.result as Archived) : null
  return (
    <Dialog open onClose={onClose} title={t('Archive this project')} width="wide" closable description={t('One zip file with annotations and their history, runs, checkpoints and images, and a manifest of hashes. The project stays as it is.')}
      actions={job ? <JobButtons job={job} onClose={onClose} onAgain={() => start.reset()} /> : (
        <><Button size="l" onClick={onClose}>{t('Cancel')}</Button><Button size="l" kind="primary" disabled={out.trim() === ''} busy={start.isPending} onClick={() => start.mutate()}>{t('Archive')}</Button></>
      )}>
      {job ? <JobState job={job} failed={t('Nothing was archived')}>{done ? <ArchivedReport done={done} /> : null}</JobState> : (
        <>
          <PathField label={t('Zip file')} value={out} onChange={setTyped} hint={t('On the machine where the engine runs. What is there already is never overwritten.')} />
          <div className={styles.checks}><Checkbox checked={images} onChange={setImages}>{t('With images that lie outside the project’s folder')}</Checkbox></div>
          {images ? null : <Note>{t('Images outside are looked for where they are now, when the archive is restored.')}</Note>}
          {start.error ? <ErrorNote error={start.error} compact /> : null}
        </>
      )}
    </Dialog>
  )
}

function ArchivedReport({ done }: { done: Archived }) {
  return (
    <>
      <Note tone="positive">{rich('{n, plural, one {# file} other {# files}}, {size}, written to {path}', { n: done.files, size: bytes(done.bytes), path: <span className={`mono ${styles.path}`} data-selectable>{done.path}</span> })}</Note>
      {done.missing.length > 0 ? (
        <section className={styles.losses} aria-label={t('Not in the archive')}>
          <h3 className="t13 med">{t('{n, plural, one {# file is} other {# files are}} not in the archive', { n: done.missing.length })}</h3>
          <ul className={`scroll ${styles.files}`} tabIndex={0} aria-label={t('Not in the archive')}>{done.missing.slice(0, SHOWN).map((path) => <li key={path} className="mono t12" data-selectable>{path}</li>)}</ul>
          {done.missing.length > SHOWN ? <p className="hint">{t('The first {shown} of {total} are listed.', { shown: SHOWN, total: count(done.missing.length) })}</p> : null}
        </section>
      ) : null}
    </>
  )
}

/** Another project from a file, beside this one. */
function RestoreDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState('')
  const [target, setTarget] = useState('')
  const start = useMutation({ mutationFn: () => api.archive.restore({ file: file.trim(), target: target.trim() }) })
  const job = useJob(start.data)
  const done = job?.state === 'done' ? (job.result as Restored) : null
  const isReady = file.trim() !== '' && target.trim() !== ''
  return (
    <Dialog open onClose={onClose} title={t('Restore an archive')} width="wide" closable description={t('Makes a project of its own in a new folder. Every file is checked against the archive’s manifest; a damaged archive restores nothing.')}
      actions={job ? <JobButtons job={job} onClose={onClose} onAgain={() => start.reset()} /> : (
        <><Button size="l" onClick={onClose}>{t('Cancel')}</Button><Button size="l" kind="primary" disabled={!isReady} busy={start.isPending} onClick={() => start.mutate()}>{t('Restore')}</Button></>
      )}>
      {job ? <JobState job={job} failed={t('Nothing was restored')}>{done ? <RestoredReport done={done} /> : null}</JobState> : (
        <>
          <PathField label={t('Archive')} value={file} onChange={setFile} filesOnly endings={['zip']} hint={t('On the machine where the engine runs.')} autoFocus />
          <PathField label={t('New folder')} value={target} onChange={setTarget} hint={t('An empty folder, or one that does not exist yet.')} />
          {start.error ? <ErrorNote error={start.error} compact /> : null}
        </>
      )}
    </Dialog>
  )
}

function RestoredReport({ done }: { done: Restored }) {
  const command = `npm start -- --project ${/\s/.test(done.path) ? `"${done.path}"` : done.path}`
  return (
    <>
      <Note tone="positive">{rich('{project}: {n, plural, one {# file} other {# files}}, {size}, all as archived, in {path}', { project: done.project, n: done.files, size: bytes(done.bytes), path: <span className={`mono ${styles.path}`} data-selectable>{done.path}</span> })}</Note>
      <p>{t('This window keeps its own project. To work in the restored one, start the program with it:')}</p>
      <p className={`mono ${styles.command}`} data-selectable>{command}</p>
      {shell ? <p className="hint">{t('Or choose Open Project in this window’s File menu.')}</p> : null}
    </>
  )
}

function useJob(started: Job | undefined): Job | null {
  const jobs = useJobs()
  return started ? (jobs.data?.find((one) => one.id === started.id) ?? started) : null
}

const isUnderWay = ({ state }: Job): boolean => state === 'running' || state === 'waiting'

function JobState({ job, failed, children }: { job: Job; failed: string; children: React.ReactNode }) {
  const title = jobTitle(job)
  if (isUnderWay(job)) {
    return (
      <div className={styles.job}>
        <div className="row t12"><span className="trunc">{title}</span><span className="push c2 nowrap">{listed([...(job.total > 0 ? [progressText(job)] : []), ...(job.secondsLeft === null ? [] : [t('{time} left', { time: duration(job.secondsLeft) })])])}</span></div>
        <Progress value={job.total > 0 ? job.done / job.total : null} label={title} />
        <p className="t12 c2">{t('You can close this and go on working.')}</p>
      </div>
    )
  }
  if (job.state === 'failed') return <ErrorNote error={job.error ? fromErrorData(job.error as ErrorData) : new Error(job.message)} title={failed} />
  if (job.state === 'cancelled') return <p className="c2">{t('Cancelled. Nothing was written.')}</p>
  return children
}

function JobButtons({ job, onClose, onAgain }: { job: Job; onClose: () => void; onAgain: () => void }) {
  const cancel = useMutation({ mutationFn: () => api.jobs.cancel({ id: job.id }) })
  if (isUnderWay(job)) return <><Button size="l" busy={cancel.isPending} onClick={() => cancel.mutate()}>{t('Cancel')}</Button><Button size="l" onClick={onClose}>{t('Close')}</Button></>
  return <>{job.state === 'done' ? null : <Button size="l" onClick={onAgain}>{t('Back')}</Button>}<Button size="l" kind="primary" onClick={onClose}>{t('Done')}</Button></>
}

/** Among the project's exports, which no archive holds, under its name and the day. */
function suggestion({ name, path }: { readonly name: string; readonly path: string }): string {
  const clean = name.trim().replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'project'
  const now = new Date()
  const day = [now.getFullYear(), String(now.getMonth() + 1).padStart(2, '0'), String(now.getDate()).padStart(2, '0')].join('-')
  const slash = path.includes('\\') ? '\\' : '/'
  return `${path}${slash}exports${slash}${clean}-${day}.zip`
}
