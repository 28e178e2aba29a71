import { Check, CircleAlert, LoaderCircle } from 'lucide-react'
import { t } from '../../shared/messages/messages.ts'
import { useConnection } from '../state/engine.ts'
import { useInfo } from '../state/queries.ts'
import { Icon } from '../ui/Icon.tsx'
import { Keys } from '../ui/Keys.tsx'
import { openShortcuts } from './ShortcutSheet.tsx'
import { useStatusState } from './status.ts'
import styles from './app.module.css'

export function StatusBar() {
  const { save, left, right } = useStatusState()
  const { phase } = useConnection()
  const info = useInfo()
  return (
    <footer className={styles.status}>
      <span role="status" data-testid="save-state">
        {phase !== 'open' ? (
          <><Icon of={LoaderCircle} size="xs" /><span>{phase === 'connecting' ? t('Connecting') : phase === 'refused' ? t('Not connected') : t('Reconnecting')}</span></>
        ) : save.kind === 'failed' ? (
          <><span className="neg"><Icon of={CircleAlert} size="xs" /></span><span className="neg">{t('{n, plural, one {# edit} other {# edits}} not saved', { n: save.edits })}</span></>
        ) : save.kind === 'saving' ? (
          <><Icon of={LoaderCircle} size="xs" /><span>{t('Saving')}</span></>
        ) : (
          <><Icon of={Check} size="xs" /><span>{t('All changes saved')}</span></>
        )}
      </span>
      <span className={styles.screen}>{left}</span>
      <span className={styles.push}>{right}</span>
      <span title={info.data?.backend.message}>{info.data ? (info.data.backend.ready ? deviceName(info.data.backend.device) : info.data.backend.message || t('Model not ready')) : ''}</span>
      <button type="button" onClick={openShortcuts}><Keys of="[Shift]+?" />{t('Shortcuts')}</button>
    </footer>
  )
}

/** "cpu" as people write it; a card's name stays as it is. */
function deviceName(device: string): string {
  return /^(cpu|gpu)$/i.test(device) ? device.toUpperCase() : device
}
