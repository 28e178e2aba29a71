import { FolderOpen, Folder, FileText, CornerLeftUp } from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { api } from '../state/engine.ts'
import { shell } from '../state/shell.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { isEnter } from '../ui/enter.ts'
import { Field, Input } from '../ui/Field.tsx'
import { Icon } from '../ui/Icon.tsx'
import { Menu } from '../ui/Menu.tsx'
import { ErrorNote, Loading } from '../ui/Notes.tsx'
import styles from './path.module.css'

/**
 * A path on the engine's machine: typed, chosen in the system's dialog where the program has a window of its own, or found
 * in a listing that the engine gives, since a browser may not know paths.
 */
export function PathField({ label, value, onChange, hint, filesOnly = false, endings = [], autoFocus = false, onEnter }: {
  label: string; value: string; onChange: (path: string) => void; hint?: string; filesOnly?: boolean; endings?: readonly string[]; autoFocus?: boolean; onEnter?: () => void
}) {
  const [browsing, setBrowsing] = useState(false)
  const take = (path: string | null) => {
    if (path) onChange(path)
  }
  const file = () => void shell?.chooseFile(label, endings).then(take)
  const browse = !shell ? <Button icon={FolderOpen} onClick={() => setBrowsing(true)}>{t('Browse')}</Button> : filesOnly ? <Button icon={FolderOpen} onClick={file}>{t('Browse')}</Button> : (
    <Menu align="end" trigger={<Button icon={FolderOpen}>{t('Browse')}</Button>} entries={[{ label: t('Folder'), icon: Folder, onSelect: () => void shell?.chooseFolder(label).then(take) }, { label: t('File'), icon: FileText, onSelect: file }]} />
  )
  return (
    <>
      <Field label={label} hint={hint}>
        {({ id, describedBy }) => (
          <span className={styles.row}>
            <Input id={id} aria-describedby={describedBy} value={value} autoFocus={autoFocus} onChange={(event) => onChange(event.currentTarget.value)} onKeyDown={(event) => isEnter(event) && onEnter?.()} />
            {browse}
          </span>
        )}
      </Field>
      <Browser open={browsing} start={value} filesOnly={filesOnly} onClose={() => setBrowsing(false)} onChoose={(path) => { onChange(path); setBrowsing(false) }} />
    </>
  )
}

function Browser({ open, start, filesOnly, onClose, onChoose }: { open: boolean; start: string; filesOnly: boolean; onClose: () => void; onChoose: (path: string) => void }) {
  const [path, setPath] = useState<string | null>(null)
  const asked = path ?? (start.trim() || undefined)
  const listing = useQuery({
    queryKey: ['browse', asked ?? ''],
    queryFn: async ({ signal }) => {
      try {
        return await api.datasets.browse(asked === undefined ? {} : { path: asked }, { signal })
      } catch (error) {
        // What was typed need not be a folder; then the listing begins where it does without it.
        if (path !== null || asked === undefined) throw error
        return api.datasets.browse({}, { signal })
      }
    },
    enabled: open, staleTime: 0, placeholderData: (previous) => previous,
  })
  return (
    <Dialog open={open} onClose={onClose} title={filesOnly ? t('Choose a file') : t('Choose a folder or file')} width="wide" closable
      actions={<><Button size="l" onClick={onClose}>{t('Cancel')}</Button>{filesOnly ? null : <Button size="l" kind="primary" disabled={!listing.data} onClick={() => listing.data && onChoose(listing.data.path)}>{t('Choose this folder')}</Button>}</>}>
      <div className={styles.where}>
        <Button size="s" icon={CornerLeftUp} disabled={!listing.data?.parent} onClick={() => setPath(listing.data?.parent ?? null)}>{t('Up')}</Button>
        <span className="mono c2 trunc" dir="rtl" title={listing.data?.path}><bdi>{listing.data?.path}</bdi></span>
      </div>
      {listing.error ? <ErrorNote error={listing.error} compact onRetry={() => { setPath(null); void listing.refetch() }} /> : null}
      {listing.isPending ? <Loading>{t('Reading the folder')}</Loading> : listing.data ? (
        <ul className={`scroll ${styles.list}`} aria-label={t('Entries')}>
          {listing.data.entries.length === 0 ? <li className="c3 t12" style={{ padding: 8 }}>{t('This folder is empty.')}</li> : null}
          {listing.data.entries.map((entry) => (
            <li key={entry.path}>
              <button type="button" className={styles.entry} onClick={() => (entry.folder ? setPath(entry.path) : onChoose(entry.path))}>
                <Icon of={entry.folder ? Folder : FileText} />
                <span className="trunc">{entry.name}</span>
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </Dialog>
  )
}
