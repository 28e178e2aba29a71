import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset, Job } from '../../../shared/domain.ts'
import { type ErrorData, fromErrorData } from '../../../shared/errors.ts'
import { jobTitle } from '../../../shared/job-words.ts'
import { count, duration } from '../../app/format.ts'
import { PathField } from '../../app/PathField.tsx'
import { api, type Api } from '../../state/engine.ts'
import { keys, useInfo, useJobs, useViews } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Field.tsx'
import { ErrorNote, Loading, Note } from '../../ui/Notes.tsx'
import { Progress } from '../../ui/Progress.tsx'
import { rich } from '../../ui/rich.tsx'
import { Select } from '../../ui/Select.tsx'
import styles from './export.module.css'

type Plan = Awaited<ReturnType<Api['datasets']['planExport']>>
const WHOLE = ''

/** What, in which format, where to; then what would be lost, which has to be allowed; then the job. */
export function ExportDialog({ dataset, onClose }: { dataset: Dataset | null; onClose: () => void }) {
  return dataset ? <Open key={dataset.id} dataset={dataset} onClose={onClose} /> : null
}

function Open({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const info = useInfo()
  const views = useViews(dataset.id)
  const formats = useQuery({ queryKey: keys.formats, queryFn: ({ signal }) => api.datasets.formats({}, { signal }) })
  const [format, setFormat] = useState('amc-jsonl')
  const [viewId, setViewId] = useState(WHOLE)
  const [history, setHistory] = useState(false)
  const [copy, setCopy] = useState(false)
  const [typed, setTyped] = useState<string | null>(null)
  const [allowed, setAllowed] = useState<Plan | null>(null)
  const chosen = formats.data?.find((one) => one.name === format)
  const whole = ['amc-jsonl', 'amc-csv'].includes(format)
  const source = { datasetId: dataset.id, format, ...(viewId ? { viewId } : {}), ...(history && whole ? { history } : {}) }
  const plan = useQuery({ queryKey: [...keys.regions, 'plan', dataset.id, format, viewId, history && whole], queryFn: ({ signal }) => api.datasets.planExport(source, { signal }), staleTime: 0, gcTime: 0, retry: false })
  const withImages = copy || (chosen?.needsImages ?? false)
  const out = typed ?? suggestion(info.data?.project.path ?? '', dataset.name, chosen?.file ?? null, withImages)
  const start = useMutation({ mutationFn: () => api.datasets.export({ ...source, out: out.trim(), images: withImages ? 'copy' : 'refer', drop: true }) })
  const jobs = useJobs()
  const job = start.data ? (jobs.data?.find((one) => one.id === start.data.id) ?? start.data) : null
  const lossy = (plan.data?.losses.length ?? 0) > 0
  const ready = plan.data !== undefined && !plan.isFetching && (!lossy || allowed === plan.data) && out.trim() !== '' && plan.data.images > 0
  const running = job !== null && (job.state === 'running' || job.state === 'waiting')
  return (
    <Dialog open onClose={onClose} title={t('Export {name}', { name: dataset.name })} width="wide" closable actions={job ? <JobButtons job={job} onClose={onClose} onAgain={() => start.reset()} /> : (
      <>
        <Button size="l" onClick={onClose}>{t('Cancel')}</Button>
        <Button size="l" kind="primary" disabled={!ready} busy={start.isPending} onClick={() => start.mutate()}>{plan.data ? t('Export {n, plural, one {# region} other {# regions}}', { n: plan.data.regions }) : t('Export')}</Button>
      </>
    )}>
      {job ? <JobState job={job} running={running} /> : (
        <>
          <div className={styles.choices}>
            <Field label={t('Format')}>{({ id }) => <Select id={id} label={t('Format')} value={format} onChange={(next) => { setFormat(next); setAllowed(null) }} options={(formats.data ?? []).filter((one) => one.writes).map((one) => ({ value: one.name, label: one.title }))} />}</Field>
            <Field label={t('Regions')}>{({ id }) => <Select id={id} label={t('Regions')} value={viewId} onChange={(next) => { setViewId(next); setAllowed(null) }} options={[{ value: WHOLE, label: t('The whole dataset') }, ...(views.data ?? []).map((view) => ({ value: view.id, label: view.name, detail: count(view.count) }))]} />}</Field>
          </div>
          <PathField label={chosen?.file && !withImages ? t('File or new folder') : t('New folder')} value={out} onChange={setTyped} hint={t('On the machine where the engine runs. What is there already is never overwritten.')} />
          <div className={styles.checks}>
            <Checkbox checked={withImages} disabled={chosen?.needsImages ?? false} onChange={setCopy}>{chosen?.needsImages ? t('Copy the images: this format is a folder with its images') : t('Copy the images into the folder')}</Checkbox>
            {whole ? <Checkbox checked={history} onChange={setHistory}>{t('With earlier revisions of each region')}</Checkbox> : null}
          </div>
          {plan.error ? <ErrorNote error={plan.error} compact onRetry={() => void plan.refetch()} /> : plan.data === undefined ? <Loading>{t('Counting what the format can hold')}</Loading> : <PlanPart plan={plan.data} title={chosen?.title ?? format} allowed={allowed === plan.data} onAllow={(yes) => setAllowed(yes ? plan.data : null)} />}
          {start.error ? <ErrorNote error={start.error} compact /> : null}
        </>
      )}
    </Dialog>
  )
}

function PlanPart({ plan, title, allowed, onAllow }: { plan: Plan; title: string; allowed: boolean; onAllow: (allowed: boolean) => void }) {
  if (plan.images === 0) return <Note tone="warning">{t('There is nothing to export here.')}</Note>
  if (plan.losses.length === 0) return <Note tone="positive">{t('{format} holds everything of {images, plural, one {# image} other {# images}} and {regions, plural, one {# region} other {# regions}}.', { format: title, images: plan.images, regions: plan.regions })}</Note>
  return (
    <section aria-label={t('What would be lost')} className={styles.losses}>
      <h3 className="t13 med">{t('{format} cannot hold everything', { format: title })}</h3>
      <dl className={`scroll ${styles.list}`} tabIndex={0} aria-label={t('What would be left out')}>
        {plan.losses.map((loss) => <div key={loss.field}><dt className="warn">{count(loss.count)}</dt><dd className="c2">{unitOf(loss)}</dd><dd>{engineText(loss.what)}{loss.what.startsWith('A field') ? <> <span className="mono">{loss.field}</span></> : null}</dd></div>)}
      </dl>
      <Checkbox checked={allowed} onChange={onAllow}>{t('Leave this out of the exported files. The project keeps it.')}</Checkbox>
    </section>
  )
}

function JobState({ job, running }: { job: Job; running: boolean }) {
  const result = job.result as { path?: string; images?: number; regions?: number } | null
  if (running) {
    return (
      <div className={styles.job}>
        <div className="row t12"><span className="trunc">{job.message || t('Beginning')}</span><span className="push c2 nowrap">{job.total > 0 ? t('{done} of {n, plural, one {# image} other {# images}}', { done: count(job.done), n: job.total }) : ''}{job.secondsLeft === null ? '' : ` · ${t('{time} left', { time: duration(job.secondsLeft) })}`}</span></div>
        <Progress value={job.total > 0 ? job.done / job.total : null} label={jobTitle(job)} />
        <p className="t12 c2">{t('You can close this and go on working.')}</p>
      </div>
    )
  }
  if (job.state === 'failed') return <ErrorNote error={job.error ? fromErrorData(job.error as ErrorData) : new Error(job.message)} title={t('Nothing was exported')} />
  if (job.state === 'cancelled') return <p className="c2">{t('Cancelled. Nothing was written.')}</p>
  return <Note tone="positive">{rich('{images, plural, one {# image} other {# images}} and {regions, plural, one {# region} other {# regions}} written to {path}', { images: result?.images ?? 0, regions: result?.regions ?? 0, path: <span className={`mono ${styles.path}`} data-selectable>{result?.path}</span> })}</Note>
}

function JobButtons({ job, onClose, onAgain }: { job: Job; onClose: () => void; onAgain: () => void }) {
  const cancel = useMutation({ mutationFn: () => api.jobs.cancel({ id: job.id }) })
  if (job.state === 'running' || job.state === 'waiting') return <><Button size="l" busy={cancel.isPending} onClick={() => cancel.mutate()}>{t('Cancel export')}</Button><Button size="l" onClick={onClose}>{t('Close')}</Button></>
  return <>{job.state === 'done' ? null : <Button size="l" onClick={onAgain}>{t('Back')}</Button>}<Button size="l" kind="primary" onClick={onClose}>{t('Done')}</Button></>
}

function unitOf({ count: n, unit }: Plan['losses'][number]): string {
  switch (unit) {
    case 'regions': return n === 1 ? t('region') : t('regions')
    case 'images': return n === 1 ? t('image') : t('images')
    case 'boxes': return n === 1 ? t('box') : t('boxes')
  }
}

/** Beside the project's own files, under the dataset's name. */
function suggestion(project: string, name: string, file: string | null, folder: boolean): string {
  const clean = name.trim().replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'dataset'
  const slash = project.includes('\\') ? '\\' : '/'
  return `${project}${slash}exports${slash}${clean}${file && !folder ? (/\.[^.]+$/.exec(file)?.[0] ?? '') : ''}`
}
