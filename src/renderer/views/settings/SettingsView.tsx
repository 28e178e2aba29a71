import { CircleAlert, CircleCheck, RotateCcw } from 'lucide-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { currentLanguage, LANGUAGES, type Language, t } from '../../../shared/messages/messages.ts'
import { setLanguage } from '../../app/language.ts'
import { settledAll, useStatus } from '../../app/status.ts'
import { setTheme, type Theme, useTheme } from '../../app/theme.ts'
import { bytes } from '../../app/format.ts'
import { openShortcuts } from '../../app/ShortcutSheet.tsx'
import { startTour } from '../../app/tour/tour.ts'
import { api } from '../../state/engine.ts'
import { keys, sentence, useInfo } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { isEnter } from '../../ui/enter.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Pane, PaneHead } from '../../ui/Pane.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import styles from './settings.module.css'

const THEME_OPTIONS: readonly { value: Theme; label: string }[] = [
  { value: 'system', label: t('As the system') }, { value: 'light', label: t('Light') }, { value: 'dark', label: t('Dark') },
]

export function SettingsView() {
  const theme = useTheme()
  const info = useInfo()
  useStatus(info.data ? <span>{t('Version {version}', { version: info.data.version })}</span> : null)
  return (
    <Pane label={t('Settings')}>
      <PaneHead title={t('Settings')} />
      <div className={`scroll grow ${styles.page}`}>
        <Part title={t('Appearance')} about={t('Kept in this browser or window.')}>
          <Segmented label={t('Theme')} options={THEME_OPTIONS} value={theme} onChange={setTheme} />
        </Part>
        <Part title={t('Language')} about={t('Of this window. The command line, and files that are written, are in English.')}>
          <LanguageChoice />
        </Part>
        <Part title={t('Your name')} about={t('Written beside each of your edits in a region’s history.')}>
          <Author />
        </Part>
        <Part title={t('Keyboard')} about={t('All keys that work on the present screen.')}>
          <Button keys="[Shift]+?" onClick={openShortcuts}>{t('Show shortcuts')}</Button>
        </Part>
        <Part title={t('Tour')} about={t('The whole job in ninety seconds, on your own data.')}>
          <Button onClick={startTour}>{t('Take the tour')}</Button>
        </Part>
        <Part title={t('Hardware and runtime')} about={t('What the model runs on, and what is missing.')}>
          <Doctor />
        </Part>
        <Part title={t('Storage')} about={t('Everything of a project lies in its folder; moving the folder moves the project.')}>
          <Storage />
        </Part>
      </div>
    </Pane>
  )
}

/** Each language under its own name. The page is loaded anew once every edit is saved. */
function LanguageChoice() {
  const [kept, setKept] = useState(true)
  const [refused, setRefused] = useState<string | null>(null)
  /** What was chosen last. Whoever has left the screen, or chosen again, is not surprised by another page. */
  const wanted = useRef<Language | null>(null)
  useEffect(() => () => {
    wanted.current = null
  }, [])
  const choose = async (language: Language) => {
    wanted.current = language
    setRefused(null)
    if (language === currentLanguage()) return
    try {
      await settledAll()
      if (wanted.current === language) setKept(setLanguage(language))
    } catch (error) {
      if (wanted.current === language) setRefused(sentence(error))
    }
  }
  return (
    <>
      <Segmented label={t('Language')} options={LANGUAGES.map(({ code, name }) => ({ value: code, label: name }))} value={currentLanguage()} onChange={(language) => void choose(language)} />
      {refused === null ? null : <p className="t12 neg" role="alert">{refused}</p>}
      {kept ? null : <p className="t12 neg" role="alert">{t('This browser keeps nothing of this page, so its language cannot be changed.')}</p>}
    </>
  )
}

function Part({ title, about, children }: { title: string; about: string; children: React.ReactNode }) {
  return (
    <section className={styles.part} aria-label={title}>
      <div>
        <h3 className="strong">{title}</h3>
        <p className="t12 c2">{about}</p>
      </div>
      <div>{children}</div>
    </section>
  )
}

function Author() {
  const info = useInfo()
  const [draft, setDraft] = useState<string | null>(null)
  const save = useMutation({ mutationFn: (author: string) => api.system.setAuthor({ author }), onSuccess: () => info.refetch() })
  if (info.isPending) return <Loading />
  if (info.error) return <ErrorNote error={info.error} onRetry={() => void info.refetch()} />
  const value = draft ?? info.data.author
  const commit = () => {
    const name = value.trim()
    if (name && name !== info.data.author) save.mutate(name)
    else setDraft(null)
  }
  return (
    <Field label={t('Author')} error={save.error ? save.error.message : null} hint={save.isSuccess ? t('Saved.') : undefined}>
      {({ id, describedBy }) => (
        <Input id={id} aria-describedby={describedBy} value={value} maxLength={80} className={styles.name} onChange={(event) => setDraft(event.currentTarget.value)} onBlur={commit} onKeyDown={(event) => isEnter(event) && commit()} />
      )}
    </Field>
  )
}

function Doctor() {
  const doctor = useQuery({ queryKey: keys.doctor, queryFn: ({ signal }) => api.system.doctor({}, { signal }) })
  if (doctor.isPending) return <Loading>{t('Looking at this machine')}</Loading>
  if (doctor.error) return <ErrorNote error={doctor.error} onRetry={() => void doctor.refetch()} />
  return (
    <>
      <dl className={styles.lines}>
        {doctor.data.lines.map((line) => (
          <div key={line.name} className={styles.line}>
            <dt className="c2">{line.name}</dt>
            <dd>
              <span className={line.ok ? 'pos' : 'warn'} title={line.ok ? t('Good') : t('Needs attention')}><Icon of={line.ok ? CircleCheck : CircleAlert} size="s" /></span>
              <span data-selectable>{engineText(line.value)}{line.cure ? <span className="c2"> {engineText(line.cure)}</span> : null}</span>
            </dd>
          </div>
        ))}
      </dl>
      <Button size="s" icon={RotateCcw} busy={doctor.isFetching} onClick={() => void doctor.refetch()}>{t('Look again')}</Button>
    </>
  )
}

function Storage() {
  const info = useInfo()
  const storage = useQuery({ queryKey: keys.storage, queryFn: ({ signal }) => api.system.storage({}, { signal }), staleTime: 10_000 })
  return (
    <>
      {info.data ? <p className="mono c2" data-selectable style={{ overflowWrap: 'anywhere' }}>{info.data.project.path}</p> : null}
      {storage.isPending ? <Loading /> : storage.error ? <ErrorNote error={storage.error} onRetry={() => void storage.refetch()} /> : (
        <dl className={styles.lines}>
          <div className={styles.line}><dt className="c2">{t('Annotations and scores')}</dt><dd>{bytes(storage.data.databaseBytes)}</dd></div>
          <div className={styles.line}><dt className="c2">{t('Runs and checkpoints')}</dt><dd>{bytes(storage.data.runsBytes)}</dd></div>
          <div className={styles.line}><dt className="c2">{t('Thumbnails and heat')}</dt><dd>{bytes(storage.data.cacheBytes)}</dd></div>
          <div className={styles.line}><dt className="c2">{t('Free on this disk')}</dt><dd>{bytes(storage.data.freeBytes)}</dd></div>
        </dl>
      )}
    </>
  )
}
