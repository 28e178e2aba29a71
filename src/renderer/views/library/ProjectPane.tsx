import { Archive, ArchiveRestore, Bookmark, Database, Flag } from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset } from '../../../shared/domain.ts'
import { bytes, count } from '../../app/format.ts'
import { formatHash, setParams } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { keys, useDatasets, useViews } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Bar } from '../../ui/Progress.tsx'
import { rich } from '../../ui/rich.tsx'
import styles from './library.module.css'

/** The project at a glance: where its work queues start, and the room it takes. */
export function ProjectPane({ dataset }: { dataset: Dataset | null }) {
  const datasets = useDatasets()
  const views = useViews(dataset?.id ?? null)
  const storage = useQuery({ queryKey: keys.storage, queryFn: ({ signal }) => api.system.storage({}, { signal }), staleTime: 30_000 })
  const used = storage.data ? storage.data.databaseBytes + storage.data.runsBytes + storage.data.cacheBytes : 0
  return (
    <Pane label={t('Project')} className={styles.project}>
      <PaneHead title={t('Curate')} />
      <nav className={styles.navs} aria-label={t('Datasets to curate')}>
        {(datasets.data ?? []).map((entry) => (
          <a key={entry.id} className={styles.nav} href={formatHash('curate', { dataset: entry.id })} title={t('{n, plural, one {# region} other {# regions}} to review', { n: entry.regions - entry.reviewed })} draggable={false}>
            <Icon of={Database} /><span className="trunc">{entry.name}</span><span className={styles.tally}>{count(entry.regions - entry.reviewed)}</span>
          </a>
        ))}
        {datasets.data?.length === 0 ? <p className={styles.quiet}>{t('Datasets to review appear here.')}</p> : null}
      </nav>
      {dataset ? (
        <>
          <h3 className={styles.navHead}>{t('Saved views')} <span className="c3">{dataset.name}</span></h3>
          <nav className={styles.navs} aria-label={t('Saved views')}>
            <a className={styles.nav} href={formatHash('curate', { dataset: dataset.id, sort: 'suspect' })} draggable={false}>
              <Icon of={Flag} /><span className="trunc">{t('Suspects first')}</span>
            </a>
            {(views.data ?? []).map((view) => (
              <a key={view.id} className={styles.nav} href={formatHash('curate', { dataset: dataset.id, view: view.id })} draggable={false}>
                <Icon of={Bookmark} /><span className="trunc">{view.name}</span><span className={styles.tally}>{count(view.count)}</span>
              </a>
            ))}
          </nav>
        </>
      ) : null}
      <span className="grow" />
      {storage.data ? (
        <div className={styles.storage}>
          <div className="row t12"><span className="c2">{t('Storage')}</span><span className="push">{rich('{used} <quiet>used, {free} free</quiet>', { used: bytes(used), free: bytes(storage.data.freeBytes), quiet: (inside) => <span className="c3">{inside}</span> })}</span></div>
          <Bar share={used / Math.max(1, used + storage.data.freeBytes)} />
          <p className="hint">{t('Runs {runs} · cache {cache}', { runs: bytes(storage.data.runsBytes), cache: bytes(storage.data.cacheBytes) })}</p>
          <div className={styles.keep}><Button size="s" icon={Archive} onClick={() => setParams({ project: 'archive' })}>{t('Archive')}</Button><Button size="s" icon={ArchiveRestore} onClick={() => setParams({ project: 'restore' })}>{t('Restore')}</Button></div>
        </div>
      ) : null}
    </Pane>
  )
}
