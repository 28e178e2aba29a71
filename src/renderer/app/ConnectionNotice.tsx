import { t } from '../../shared/messages/messages.ts'
import { useConnection } from '../state/engine.ts'
import { useLate } from '../ui/Notes.tsx'
import { Button } from '../ui/Button.tsx'
import styles from './app.module.css'

/** Says so when the engine is away; the page keeps what it shows and goes on by itself. */
export function ConnectionNotice() {
  const { phase } = useConnection()
  if (phase === 'open') return null
  if (phase === 'refused') {
    return (
      <div className={styles.notice} role="alert">
        <span className="med">{t('This page’s key is from an earlier start.')}</span>
        <span className="c2">{t('Nothing is lost. Open the address that the program printed at its last start.')}</span>
        <Button size="s" className="push" onClick={() => window.location.reload()}>{t('Try again')}</Button>
      </div>
    )
  }
  return phase === 'reconnecting' ? <Away title={t('Reconnecting')} text={t('The engine does not answer. What was shown as saved is safe; the page goes on by itself.')} /> : <Away title={t('Connecting')} text={t('The engine is starting.')} />
}

function Away({ title, text }: { title: string; text: string }) {
  // A restart of a moment needs no words.
  const late = useLate(600)
  if (!late) return null
  return (
    <div className={styles.notice} role="status">
      <span className="med">{title}</span>
      <span className="c2">{text}</span>
    </div>
  )
}
