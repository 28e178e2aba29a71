import { Archive, ArchiveRestore, Download, Import, Images, Upload } from 'lucide-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset } from '../../../shared/domain.ts'
import { useCommands } from '../../app/commands.ts'
import { count, fixed, percent } from '../../app/format.ts'
import { setParams, useRoute } from '../../app/routes.ts'
import { useStatus } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { useDatasets, useInfo, useJobs } from '../../state/queries.ts'
import { droppedPath } from '../../state/shell.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Pane } from '../../ui/Pane.tsx'
import { Activity } from './Activity.tsx'
import { ArchiveDialogs } from './ArchiveDialogs.tsx'
import { DatasetTable } from './DatasetTable.tsx'
import { DemoProgress, runningDemo } from './DemoProgress.tsx'
import { ExportDialog } from './ExportDialog.tsx'
import { ImportPane } from './ImportPane.tsx'
import { ProjectPane } from './ProjectPane.tsx'
import { SkippedDialog } from './SkippedDialog.tsx'
import { UpdateDialog } from './UpdateDialog.tsx'
import styles from './library.module.css'

const FORMATS = t('COCO, YOLO, Visual Genome, RefCOCO, Flickr30k, CVAT, Label Studio, labelme and more. The format is recognised; nothing is added until you confirm.')

export function LibraryView() {
  const { params } = useRoute()
  const info = useInfo()
  const datasets = useDatasets()
  const jobs = useJobs()
  const [dropping, setDropping] = useState(false)
  const [skippedOf, setSkippedOf] = useState<Dataset | null>(null)
  const [exported, setExported] = useState<Dataset | null>(null)
  const [updated, setUpdated] = useState<Dataset | null>(null)
  const importing = params.import !== undefined
  const openImport = (path?: string) => setParams({ import: 'open', path: path ?? null, dropped: null })
  const closeImport = () => setParams({ import: null, path: null, dropped: null })
  useStatus(datasets.data ? <span>{t('{n, plural, one {# dataset} other {# datasets}}', { n: datasets.data.length })}</span> : null)

  const onDrop = (event: React.DragEvent) => {
    event.preventDefault()
    setDropping(false)
    const path = droppedPath(event.dataTransfer)
    setParams({ import: 'open', path, dropped: path === null ? (event.dataTransfer.files[0]?.name ?? null) : null })
  }
  const drop = {
    onDragOver: (event: React.DragEvent) => { event.preventDefault(); setDropping(true) },
    onDragLeave: (event: React.DragEvent) => { if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDropping(false) },
    onDrop,
  }
  const selected = datasets.data?.find((dataset) => dataset.id === params.dataset) ?? datasets.data?.[0] ?? null
  const demo = runningDemo(jobs.data)
  useCommands([
    { id: 'dataset.import', title: t('Import a dataset'), group: t('Library'), keys: 'i', icon: Import, run: () => openImport() },
    { id: 'dataset.export', title: t('Export the selected dataset'), group: t('Library'), keys: 'e', icon: Download, enabled: selected !== null, run: () => setExported(selected) },
    { id: 'project.archive', title: t('Archive this project'), group: t('Library'), icon: Archive, run: () => setParams({ project: 'archive' }) },
    { id: 'project.restore', title: t('Restore an archive'), group: t('Library'), icon: ArchiveRestore, run: () => setParams({ project: 'restore' }) },
  ])
  return (
    <div className={cx(styles.screen, importing && styles.withImport)}>
      <ProjectPane dataset={selected} />
      <Pane label={t('Datasets')} className={dropping ? styles.dropping : undefined}>
        <div className={styles.toolbar} {...drop}>
          <h2 className="t15 trunc">{info.data?.project.name ?? ''}</h2>
          <span className="grow" />
          <Button icon={Download} keys="e" disabled={selected === null} onClick={() => setExported(selected)}>{t('Export')}</Button>
          <Button icon={Import} keys="i" onClick={() => openImport()}>{t('Import')}</Button>
        </div>
        <div className={`scroll ${styles.content}`} {...drop}>
          {datasets.isPending ? <Loading>{t('Loading datasets')}</Loading> : datasets.error ? (
            <div className={styles.pad}><ErrorNote error={datasets.error} onRetry={() => void datasets.refetch()} /></div>
          ) : datasets.data.length === 0 ? (
            <div className={cx(styles.drop, styles.big)}>{demo ? <DemoProgress job={demo} /> : <NoDatasets onImport={() => openImport()} />}</div>
          ) : (
            <>
              <Headlines datasets={datasets.data} />
              <DatasetTable datasets={datasets.data} selectedId={selected?.id ?? null} onSkipped={setSkippedOf} onExport={setExported} onUpdate={setUpdated} />
              {demo ? <div className={styles.pad}><DemoProgress job={demo} /></div> : null}
              <Activity />
              <div className={styles.drop}>
                <EmptyState icon={Upload} title={t('Drop a folder or annotation files here')}><span className="t12">{FORMATS}</span></EmptyState>
              </div>
            </>
          )}
        </div>
      </Pane>
      {importing ? <ImportPane key={params.path ?? ''} initialPath={params.path ?? ''} dropped={params.dropped ?? null} onUpdate={(id) => { closeImport(); setUpdated(datasets.data?.find((dataset) => dataset.id === id) ?? null) }} onClose={closeImport} /> : null}
      <ExportDialog dataset={exported} onClose={() => setExported(null)} />
      <UpdateDialog dataset={updated} onClose={() => setUpdated(null)} />
      <ArchiveDialogs which={params.project} onClose={() => setParams({ project: null })} />
      <SkippedDialog dataset={skippedOf} onClose={() => setSkippedOf(null)} />
    </div>
  )
}

function NoDatasets({ onImport }: { onImport: () => void }) {
  const demo = useMutation({ mutationFn: () => api.datasets.demo({}) })
  return (
    <div>
      <EmptyState icon={Images} title={t('No datasets yet')} actions={<><Button kind="primary" keys="i" onClick={onImport}>{t('Choose files')}</Button><Button busy={demo.isPending} onClick={() => demo.mutate()}>{t('Open the demo')}</Button></>}>
        {t('Drop a folder of images with their annotations here, or choose files. You see ten samples and everything that would be skipped before anything is added.')}
      </EmptyState>
      {demo.error ? <ErrorNote error={demo.error} compact onRetry={() => demo.mutate()} /> : <p className={cx('hint', styles.centered)}>{t('The demo draws its own pictures and phrases and brings a small trained model. It runs on any processor.')}</p>}
    </div>
  )
}

/** Sums over all datasets; the mean consistency weighs each dataset by its regions. */
function Headlines({ datasets }: { datasets: readonly Dataset[] }) {
  const sum = (pick: (dataset: Dataset) => number) => datasets.reduce((total, dataset) => total + pick(dataset), 0)
  const regions = sum((dataset) => dataset.regions)
  const reviewed = sum((dataset) => dataset.reviewed)
  const scored = datasets.filter((dataset) => dataset.meanConsistency !== null)
  const scoredRegions = scored.reduce((total, dataset) => total + dataset.regions, 0)
  const consistency = scoredRegions > 0 ? scored.reduce((total, dataset) => total + dataset.meanConsistency! * dataset.regions, 0) / scoredRegions : null
  return (
    <dl className={styles.sums}>
      <div><dt>{t('Images')}</dt><dd className="t20">{count(sum((dataset) => dataset.images))}</dd></div>
      <div><dt>{t('Regions')}</dt><dd className="t20">{count(regions)}</dd></div>
      <div><dt>{t('Reviewed')}</dt><dd className="t20">{count(reviewed)} <span className={cx('t12 c3', styles.wide)}>{regions > 0 ? percent(reviewed / regions, reviewed > 0 && reviewed / regions < 0.1 ? 1 : 0) : ''}</span></dd></div>
      <div><dt>{t('Consistency, mean')}</dt><dd className="t20">{consistency === null ? <span className="t12 c3">{t('not scored yet')}</span> : fixed(consistency)}</dd></div>
    </dl>
  )
}
