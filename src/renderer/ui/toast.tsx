/** Short news at the bottom right, 6 s, with one action while it is shown. An error never lives here alone: it also stands in its place. */
import { Check, CircleAlert, Info, X } from 'lucide-react'
import { useEffect } from 'react'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { t } from '../../shared/messages/messages.ts'
import { Button } from './Button.tsx'
import { Icon } from './Icon.tsx'
import { IconButton } from './IconButton.tsx'
import styles from './toast.module.css'

export interface Toast {
  readonly id: number
  readonly tone: 'positive' | 'negative' | 'info'
  readonly title: string
  readonly detail?: string
  readonly action?: { readonly label: string; readonly keys?: string; readonly run: () => void }
}

const SHOWN_MS = 6_000
const store = createStore<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }))
let nextId = 1

/** Shows one toast and returns its id; the oldest leave when there are more than three. The same words again take the place of the earlier ones. */
export function toast(entry: Omit<Toast, 'id'>): number {
  const id = nextId++
  store.setState(({ toasts }) => ({ toasts: [...toasts.filter((one) => one.title !== entry.title || one.detail !== entry.detail), { ...entry, id }].slice(-3) }))
  return id
}

export function dismissToast(id: number): void {
  store.setState(({ toasts }) => ({ toasts: toasts.filter((entry) => entry.id !== id) }))
}

export function Toasts() {
  const toasts = useStore(store, (state) => state.toasts)
  return (
    <div className={styles.stack} role="region" aria-label={t('News')} aria-live="polite">
      {toasts.map((entry) => <ToastView key={entry.id} entry={entry} />)}
    </div>
  )
}

function ToastView({ entry }: { entry: Toast }) {
  useEffect(() => {
    const timer = window.setTimeout(() => dismissToast(entry.id), SHOWN_MS)
    return () => window.clearTimeout(timer)
  }, [entry.id])
  return (
    <div className={styles.toast}>
      <span className={styles[entry.tone]}><Icon of={entry.tone === 'positive' ? Check : entry.tone === 'negative' ? CircleAlert : Info} /></span>
      <div className={styles.words}>
        <span>{entry.title}</span>
        {entry.detail ? <span className={styles.detail}>{entry.detail}</span> : null}
      </div>
      {entry.action ? (
        <Button size="s" {...(entry.action.keys ? { keys: entry.action.keys } : {})} onClick={() => { entry.action?.run(); dismissToast(entry.id) }}>{entry.action.label}</Button>
      ) : (
        <IconButton icon={X} label={t('Dismiss')} size="s" onClick={() => dismissToast(entry.id)} />
      )}
    </div>
  )
}
