import { Check, CircleAlert, LoaderCircle } from 'lucide-react'
import { engineText } from '../../shared/messages/engine-text.ts'
import { t } from '../../shared/messages/messages.ts'
import { useConnection } from '../state/engine.ts'
import { useInfo } from '../state/queries.ts'
import { Icon } from '../ui/Icon.tsx'
import { Keys } from '../ui/Keys.tsx'
import { dismissToast, toast } from '../ui/toast.tsx'
import { useCommands } from './commands.ts'
import { openShortcuts } from './ShortcutSheet.tsx'
import { type SaveState, saveStateOf, tellSaved, useStatusState } from './status.ts'
import styles from './app.module.css'

export function StatusBar() {
  const state = useStatusState()
  const { left, right } = state
  const save = saveStateOf(state)
  const { phase } = useConnection()
  const info = useInfo()
  // Hands from elsewhere press Ctrl S now and then; the browser would save the page.
  useCommands([{ id: 'save.tell', title: t('Tell whether all is saved'), group: t('Everywhere'), keys: '$mod+s', inDialogs: true, hidden: true, run: () => void tellSaved(say) }])
  return (
    <footer className={styles.status}>
      <span role="status" data-testid="save-state">
        {phase !== 'open' ? (
          <><Icon of={LoaderCircle} size="xs" /><span>{phase === 'connecting' ? t('Connecting') : phase === 'refused' ? t('Not connected') : t('Reconnecting')}</span>{save.kind === 'saved' ? null : <span className="warn">{t('{n, plural, one {# edit} other {# edits}} not saved yet', { n: save.edits })}</span>}</>
        ) : save.kind === 'failed' ? (
          <><span className="neg"><Icon of={CircleAlert} size="xs" /></span><span className="neg">{wordsOf(save)}</span></>
        ) : (
          <><Icon of={save.kind === 'saving' ? LoaderCircle : Check} size="xs" /><span>{wordsOf(save)}</span></>
        )}
      </span>
      <span className={styles.screen}>{left}</span>
      <span className={styles.push}>{right}</span>
      <span title={info.data ? engineText(info.data.backend.message) : undefined}>{info.data ? (info.data.backend.ready ? deviceName(info.data.backend.device) : engineText(info.data.backend.message) || t('Model not ready')) : ''}</span>
      <button type="button" onClick={openShortcuts}><Keys of="[Shift]+?" />{t('Shortcuts')}</button>
    </footer>
  )
}

function say(save: SaveState): () => void {
  const id = toast({ tone: save.kind === 'failed' ? 'negative' : 'info', title: wordsOf(save) })
  return () => dismissToast(id)
}

function wordsOf(save: SaveState): string {
  if (save.kind === 'failed') return t('{n, plural, one {# edit} other {# edits}} not saved', { n: save.edits })
  return save.kind === 'saving' ? t('Saving') : t('All changes saved')
}

/** "cpu" as people write it; a card's name stays as it is. */
function deviceName(device: string): string {
  return /^(cpu|gpu)$/i.test(device) ? device.toUpperCase() : device
}
