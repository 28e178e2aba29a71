import { Archive, ArchiveRestore, ChevronDown, Database, FolderOpen, Search, Settings } from 'lucide-react'
import { t } from '../../shared/messages/messages.ts'
import { useDatasets, useInfo } from '../state/queries.ts'
import { Button } from '../ui/Button.tsx'
import { Icon } from '../ui/Icon.tsx'
import { IconButton } from '../ui/IconButton.tsx'
import { Menu } from '../ui/Menu.tsx'
import { JobChip } from './JobChip.tsx'
import { openPalette } from './CommandPalette.tsx'
import { formatHash, leftAt, navigate, type Screen } from './routes.ts'
import styles from './app.module.css'

export const TITLES: Readonly<Record<Screen, string>> = { library: t('Library'), curate: t('Curate'), train: t('Train'), checkpoints: t('Checkpoints'), compare: t('Compare'), settings: t('Settings') }
const TABS = ['library', 'curate', 'train', 'checkpoints', 'compare'] as const satisfies readonly Screen[]

export function TitleBar({ screen }: { screen: Screen }) {
  const info = useInfo()
  const datasets = useDatasets()
  const ids = datasets.data?.map((dataset) => dataset.id)
  return (
    <header className={styles.titlebar}>
      <svg className={styles.mark} viewBox="0 0 18 18" aria-hidden="true">
        <rect x=".75" y=".75" width="16.5" height="16.5" rx="4" fill="none" stroke="var(--text-3)" strokeWidth="1.5" />
        <circle cx="10.5" cy="7.5" r="3.2" fill="var(--text-1)" />
        <path d="M4 14h4M4 14v-4" stroke="var(--text-1)" strokeWidth="1.5" fill="none" />
      </svg>
      <Menu
        trigger={
          <button type="button" className={styles.project} title={info.data?.project.path}>
            <span className="trunc">{info.data?.project.name ?? 'AMC Workstation'}</span>
            <Icon of={ChevronDown} size="xs" />
          </button>
        }
        entries={[
          ...(datasets.data ?? []).map((dataset) => ({ label: dataset.name, icon: Database, detail: t('{n, plural, one {# region} other {# regions}}', { n: dataset.regions }), onSelect: () => navigate('curate', { dataset: dataset.id }) })),
          ...(datasets.data?.length ? [null] : []),
          { label: t('Import a dataset'), icon: FolderOpen, onSelect: () => navigate('library', { import: 'open' }) },
          { label: t('Archive this project'), icon: Archive, onSelect: () => navigate('library', { project: 'archive' }) },
          { label: t('Restore an archive'), icon: ArchiveRestore, onSelect: () => navigate('library', { project: 'restore' }) },
          { label: t('Settings'), icon: Settings, onSelect: () => navigate('settings') },
        ]}
      />
      <nav className={styles.tabs} aria-label={t('Screens')}>
        {TABS.map((tab) => (
          <a key={tab} href={formatHash(tab, leftAt(tab, ids))} aria-current={tab === screen ? 'page' : undefined} draggable={false}>{TITLES[tab]}</a>
        ))}
      </nav>
      <span className="grow" />
      <JobChip />
      <Button kind="ghost" size="s" icon={Search} keys="$mod+k" onClick={openPalette} aria-haspopup="dialog">
        <span className={styles.folded}>{t('Search or run')}</span>
      </Button>
      <IconButton icon={Settings} label={t('Settings')} onClick={() => navigate('settings')} pressed={screen === 'settings'} />
    </header>
  )
}
