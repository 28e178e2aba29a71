import { useMutation, useQuery } from '@tanstack/react-query'
import { ArrowRight, Check, FileJson, RefreshCw, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import type { Job } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { useCommands } from '../../app/commands.ts'
import { jobTitle } from '../../../shared/job-words.ts'
import { count, duration } from '../../app/format.ts'
import { formatHash, setParams } from '../../app/routes.ts'
import { api, type Api } from '../../state/engine.ts'
import { useJobs } from '../../state/queries.ts'
import { Button, ButtonLink } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field, Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote, Loading, Note } from '../../ui/Notes.tsx'
import { Pane, PaneHead, Section } from '../../ui/Pane.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { formatName } from './DatasetTable.tsx'
import { PathField } from '../../app/PathField.tsx'
import { flagText, reasonCounts } from './reasons.ts'
import { Sample } from './Sample.tsx'
import { SkippedList } from './SkippedDialog.tsx'
import styles from './library.module.css'

type Preview = Awaited<ReturnType<Api['datasets']['preview']>>

/** Choose, look, confirm, watch. Nothing is added before the last button. */
export function ImportPane({ initialPath, dropped, onUpdate, onClose }: { initialPath: string; dropped: string | null; onUpdate: (datasetId: string) => void; onClose: () => void }) {
  const [path, setPath] = useState(initialPath)
  const [imagesDir, setImagesDir] = useState('')
  const [asked, setAsked] = useState<{ path: string; imagesDir: string } | null>(initialPath ? { path: initialPath, imagesDir: '' } : null)
  const [name, setName] = useState('')
  const [jobId, setJobId] = useState<string | null>(null)
  const preview = useQuery({
    queryKey: ['preview', asked?.path, asked?.imagesDir],
    queryFn: ({ signal }) => api.datasets.preview({ path: asked!.path, ...(asked!.imagesDir ? { imagesDir: asked!.imagesDir } : {}) }, { signal }),
    enabled: asked !== null, staleTime: 0, gcTime: 0, retry: false,
  })
  const start = useMutation({
    mutationFn: () => api.datasets.import({ path: asked!.path, ...(asked!.imagesDir ? { imagesDir: asked!.imagesDir } : {}), ...(name.trim() ? { name: name.trim() } : {}) }),
    onSuccess: (job) => setJobId(job.id),
  })
  const jobs = useJobs()
  const job = jobs.data?.find((entry) => entry.id === jobId) ?? (jobId && start.data?.id === jobId ? start.data : null)
  const running = job !== null && (job.state === 'running' || job.state === 'waiting')
  const look = () => {
    if (!path.trim()) return
    setAsked({ path: path.trim(), imagesDir: imagesDir.trim() })
    setJobId(null)
    start.reset()
  }
  useCommands([{ id: 'import.close', title: t('Close the import'), group: t('Library'), keys: 'Escape', hidden: true, inFields: true, enabled: !running, run: onClose }])
  const change = (next: string) => { setPath(next); setName('') }
  const ready = preview.data !== undefined && !preview.isFetching && job === null
  return (
    <Pane label={t('Import preview')}>
      <PaneHead title={t('Import preview')}>
        <span className="grow" />
        <IconButton icon={X} label={t('Close')} onClick={onClose} keys="Escape" />
      </PaneHead>
      <div className="scroll grow">
        <Section>
          <div className={styles.form}>
            {dropped !== null && !path ? <Note tone="warning">{t('A browser does not tell where “{name}” lies. Choose it below, or paste its path.', { name: dropped })}</Note> : null}
            <PathField label={t('Folder or annotation file')} endings={['json', 'jsonl', 'csv', 'xml', 'p', 'yaml']} value={path} onChange={(next) => { change(next); if (next !== path && /[\\/]/.test(next)) setAsked(null) }} autoFocus={!initialPath} onEnter={look} hint={t('On the machine where the engine runs.')} />
            <details className={styles.more}>
              <summary className="t12 c2">{t('Images in another folder')}</summary>
              <PathField label={t('Folder of images')} value={imagesDir} onChange={setImagesDir} onEnter={look} />
            </details>
            {!ready && job === null ? <div><Button onClick={look} disabled={!path.trim()} busy={preview.isFetching}>{t('Show what is there')}</Button></div> : null}
          </div>
        </Section>
        {job ? <ImportJob job={job} onAgain={() => { setJobId(null); start.reset() }} /> : preview.error ? (
          <Section><ErrorNote error={preview.error} title={t('This could not be read')} onRetry={look} /></Section>
        ) : preview.isFetching ? <Loading>{t('Reading files and looking at ten samples')}</Loading> : preview.data ? (
          <PreviewParts preview={preview.data} path={asked?.path ?? ''} name={name} onName={setName} onUpdate={onUpdate} />
        ) : null}
        {start.error ? <Section><ErrorNote error={start.error} title={t('The import did not start')} /></Section> : null}
      </div>
      <div className={styles.foot}>
        <span className="hint grow">{running ? t('You can go on working meanwhile.') : t('Originals stay where they are.')}</span>
        {job ? <JobButtons job={job} onClose={onClose} /> : (
          <>
            <Button onClick={onClose} keys="Escape">{t('Cancel')}</Button>
            <Button kind="primary" disabled={!ready || preview.data.regions === 0} busy={start.isPending} onClick={() => start.mutate()}>{ready ? t('Import {n, plural, one {# region} other {# regions}}', { n: preview.data.regions }) : t('Import')}</Button>
          </>
        )}
      </div>
    </Pane>
  )
}

function PreviewParts({ preview, path, name, onName, onUpdate }: { preview: Preview; path: string; name: string; onName: (name: string) => void; onUpdate: (datasetId: string) => void }) {
  const [listing, setListing] = useState(false)
  const reasons = reasonCounts(preview.skipped)
  const flagged = Object.entries(preview.flagged).filter(([, n]) => n > 0)
  const flaggedTotal = flagged.reduce((sum, [, n]) => sum + n, 0)
  const whole = Math.max(1, preview.regions + preview.skipped.length)
  return (
    <>
      <Section>
        <div className={styles.source}>
          <Icon of={FileJson} />
          <span className="col"><span className="med trunc" title={path}>{path.split(/[\\/]/).filter(Boolean).pop() ?? path}</span><span className="t12 c2">{t('{images, plural, one {# image} other {# images}}, {regions, plural, one {# region} other {# regions}}', { images: preview.images, regions: preview.regions })}</span></span>
          <Tag tone="positive" icon={Check}>{formatName(preview.format)}</Tag>
        </div>
        {preview.there.slice(0, 1).map(({ id, name: dataset }) => (
          <div key={id} className={styles.there}><Note tone="warning">
            <p>{t('This source is in the project already, as {dataset}. Importing it again makes a second dataset.', { dataset })}</p>
            <Button size="s" icon={RefreshCw} onClick={() => onUpdate(id)}>{t('Update from its source')}</Button>
          </Note></div>
        ))}
        <Field label={t('Name')} hint={t('The file’s own name when left empty.')}>{({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={name} maxLength={120} onChange={(event) => onName(event.currentTarget.value)} />}</Field>
      </Section>
      <Section title={preview.samples.length === 1 ? t('One sample') : t('{n} samples', { n: preview.samples.length })} aside={t('with their boxes')}>
        {preview.samples.length === 0 ? <p className="t12 c2">{t('No image could be shown.')}</p> : <div className={styles.ten}>{preview.samples.map((sample, i) => <Sample key={i} sample={sample} />)}</div>}
      </Section>
      {preview.fields.length > 0 ? (
        <Section title={t('How fields are read')} className={styles.fields}>
          <div className={styles.map} data-fields="">
            {preview.fields.map((field) => <div key={field.from} className={styles.mapLine}><span className="mono c2 trunc" title={field.from}>{field.from}</span><span className="c3"><Icon of={ArrowRight} size="s" /></span><span className="trunc" title={field.to}>{field.to}</span></div>)}
          </div>
        </Section>
      ) : null}
      <Section title={t('What comes in')}>
        <span className={styles.stack} aria-hidden="true">
          <i style={{ width: `${((preview.regions - flaggedTotal) / whole) * 100}%`, background: 'var(--positive)' }} />
          <i style={{ width: `${(flaggedTotal / whole) * 100}%`, background: 'var(--warning)' }} />
          <i style={{ width: `${(preview.skipped.length / whole) * 100}%`, background: 'var(--negative)' }} />
        </span>
        <dl className={styles.comes}>
          <div><dt className="med">{count(preview.regions)}</dt><dd>{preview.regions === 1 ? t('region ready') : t('regions ready')}</dd></div>
          {flagged.map(([flag, n]) => <div key={flag}><dt className="warn">{count(n)}</dt><dd>{t('kept, flagged: {flag}', { flag: flagText(flag) })}</dd></div>)}
          {reasons.map((reason) => <div key={reason.reason}><dt className="neg">{count(reason.count)}</dt><dd>{t('skipped: {reason}', { reason: engineText(reason.reason) })}</dd><dd><Button kind="ghost" size="s" onClick={() => setListing(true)}>{t('Show')}</Button></dd></div>)}
        </dl>
        {preview.regions === 0 ? <Note tone="warning">{t('Nothing can be imported from here. Choose another file, or mend what is listed above.')}</Note> : null}
      </Section>
      <Dialog open={listing} onClose={() => setListing(false)} title={t('Would be skipped')} description={t('Nothing has been added yet.')} width="wide" closable><SkippedList entries={preview.skipped} /></Dialog>
    </>
  )
}

function importTitle({ state }: Job): string {
  switch (state) {
    case 'done': return t('Imported')
    case 'failed': return t('Not imported')
    case 'cancelled': return t('Cancelled')
    default: return t('Importing')
  }
}

function ImportJob({ job, onAgain }: { job: Job; onAgain: () => void }) {
  const result = job.result as { images?: number; regions?: number; skipped?: number } | null
  return (
    <Section title={importTitle(job)}>
      {job.state === 'running' || job.state === 'waiting' ? (
        <div className={styles.form}>
          <div className="row t12"><span className="trunc">{jobTitle(job)}</span><span className="push c2 nowrap">{job.total > 0 ? t('{done} of {total}', { done: count(job.done), total: count(job.total) }) : ''}{job.secondsLeft === null ? '' : ` · ${t('{time} left', { time: duration(job.secondsLeft) })}`}</span></div>
          <Progress value={job.total > 0 ? job.done / job.total : null} label={jobTitle(job)} />
          <p className="t12 c2">{job.message}</p>
        </div>
      ) : job.state === 'failed' ? (
        <ErrorNote error={job.error ? fromErrorData(job.error as ErrorData) : new Error(job.message)}><Button size="s" onClick={onAgain}>{t('Back to the preview')}</Button></ErrorNote>
      ) : job.state === 'cancelled' ? (
        <div className={styles.form}><p className="t12 c2">{t('Nothing was added. Originals are untouched.')}</p><div><Button size="s" onClick={onAgain}>{t('Back to the preview')}</Button></div></div>
      ) : (
        <p className="t12 c2">{result?.regions === undefined ? job.message : t('{images, plural, one {# image} other {# images}} and {regions, plural, one {# region} other {# regions}} added, {skipped, plural, one {# entry} other {# entries}} skipped.', { images: result.images ?? 0, regions: result.regions, skipped: result.skipped ?? 0 })}</p>
      )}
    </Section>
  )
}

function JobButtons({ job, onClose }: { job: Job; onClose: () => void }) {
  const cancel = useMutation({ mutationFn: () => api.jobs.cancel({ id: job.id }) })
  const datasetId = job.result && typeof job.result === 'object' && 'datasetId' in job.result ? String(job.result.datasetId) : null
  useEffect(() => {
    if (job.state === 'done' && datasetId) setParams({ dataset: datasetId })
  }, [job.state, datasetId])
  if (job.state === 'running' || job.state === 'waiting') return <Button busy={cancel.isPending} onClick={() => cancel.mutate()}>{t('Cancel import')}</Button>
  if (job.state !== 'done' || !datasetId) return <Button kind="primary" onClick={onClose}>{t('Done')}</Button>
  return <><Button onClick={onClose}>{t('Done')}</Button><ButtonLink kind="primary" href={formatHash('curate', { dataset: datasetId })}>{t('Open in Curate')}</ButtonLink></>
}
