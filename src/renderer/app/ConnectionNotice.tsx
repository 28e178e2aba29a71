import { useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { checkRefused, useConnection } from '../state/engine.ts'
import { useLate } from '../ui/Notes.tsx'
import { Button } from '../ui/Button.tsx'
import { type SaveState, useStatusState } from './status.ts'
import styles from './app.module.css'

/** Says so when the engine is away; the page keeps what it shows and goes on by itself. */
export function ConnectionNotice() {
  const { phase } = useConnection()
  const { save } = useStatusState()
  if (phase === 'open') return null
  if (phase === 'refused') return <Refused save={save} />
  return phase === 'reconnecting' ? <Away key={phase} title={t('Reconnecting')} text={awayWords(save)} textLater={longAwayWords(save)} /> : <Away key={phase} title={t('Connecting')} text={t('The engine is starting.')} />
}

/** The page stays as it is: loaded again it would be a bare sentence, without what is not saved. */
function Refused({ save }: { save: SaveState }) {
  const [tried, setTried] = useState<'no' | 'now' | 'refused'>('no')
  const again = () => {
    setTried('now')
    // Once the key is good, the connection comes by itself and this goes away.
    void checkRefused().then((ok) => setTried(ok ? 'no' : 'refused'))
  }
  return (
    <div className={styles.notice} role="alert" data-testid="refused">
      <span className="med nowrap">{t('This page’s key is from an earlier start.')}</span>
      <span className="c2">{tried === 'refused' ? t('{first} {second}', { first: t('It is still refused.'), second: refusedWords(save) }) : refusedWords(save)}</span>
      <Button size="s" className="push" busy={tried === 'now'} onClick={again}>{t('Try again')}</Button>
    </div>
  )
}

function refusedWords(save: SaveState): string {
  if (save.kind === 'saved') return t('Nothing is lost. Open the address that the program printed at its last start.')
  const values = { n: save.edits, port: window.location.port }
  return save.kept
    ? t('{n, plural, one {# edit is} other {# edits are}} not saved yet, and kept in this browser. Open the address that the program printed at its last start: they are sent from there. At another port they are not found: start it at this one, amc serve --port {port}.', values)
    : t('{n, plural, one {# edit is} other {# edits are}} not saved yet, and this browser could not keep them. Leave this page open, and open the address that the program printed at its last start in a new tab: this page then goes on. It must be at this port: amc serve --port {port}.', values)
}

function awayWords(save: SaveState): string {
  if (save.kind === 'saved') return t('The engine does not answer. What was shown as saved is safe; the page goes on by itself.')
  const values = { n: save.edits, port: window.location.port }
  return save.kept
    ? t('The engine does not answer. {n, plural, one {# edit is} other {# edits are}} not saved yet, kept in this browser, and sent when it answers again. If you start it yourself, use this port: amc serve --port {port}.', values)
    : t('The engine does not answer. {n, plural, one {# edit is} other {# edits are}} not saved yet. Leave this page open: they are sent when it answers again. If you start it yourself, use this port: amc serve --port {port}.', values)
}

/** Nobody but a person starts a program that has ended. */
function longAwayWords(save: SaveState): string {
  return save.kind === 'saved' ? t('The engine still does not answer. What was shown as saved is safe. If the program has ended, the page can only go on once somebody starts it again.') : awayWords(save)
}

/** A crashed engine is started again within this time; after it the program itself has probably ended. */
const LONG_MS = 10_000

function Away({ title, text, textLater = text }: { title: string; text: string; textLater?: string }) {
  // A restart of a moment needs no words.
  const late = useLate(600)
  const long = useLate(LONG_MS)
  if (!late) return null
  return (
    <div className={styles.notice} role="status">
      <span className="med">{title}</span>
      <span className="c2">{long ? textLater : text}</span>
    </div>
  )
}
