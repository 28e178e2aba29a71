import { Pencil } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { t } from '../../shared/messages/messages.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { IconButton } from '../ui/IconButton.tsx'
import { Keys } from '../ui/Keys.tsx'
import { Select } from '../ui/Select.tsx'
import { bindingsOf, type Command, useAllCommands } from './commands.ts'
import { listed } from './format.ts'
import { PRESET_NAMES, PRESETS, type Preset } from './key-presets.ts'
import { bindingOf, conflictsOf, defaultKeys, setKeymap, setKeys, useKeymap } from './keymap.ts'
import { isMac, keyCaps } from './keys.ts'
import styles from './shortcuts.module.css'

const store = createStore<{ open: boolean }>(() => ({ open: false }))
export function openShortcuts(): void {
  store.setState({ open: true })
}

/** All keys that work here and now, from the same registry that the keyboard obeys, and the place to change them. */
export function ShortcutSheet() {
  const open = useStore(store, (state) => state.open)
  return (
    <Dialog open={open} onClose={() => store.setState({ open: false })} title={t('Keyboard shortcuts')} description={t('Single letters rest while a field has focus.')} width="wide" closable>
      <Sheet />
    </Dialog>
  )
}

function Sheet() {
  const keymap = useKeymap()
  const [editing, setEditing] = useState<string | null>(null)
  const commands = useAllCommands().filter((command) => !command.id.startsWith('open.') && (bindingsOf(command).length > 0 || defaultKeys(command).length > 0 || keymap.own[command.id] !== undefined))
  const conflicts = conflictsOf(commands, keymap)
  const groups = [...new Set(commands.map((command) => command.group))].sort((a, b) => place(a) - place(b))
  const linesOf = (group: string) => commands.filter((command) => command.group === group)
  const isOwn = Object.keys(keymap.own).length > 0
  return (
    <>
      <div className={styles.bar}>
        <span className="t12 c2">{t('Keys as in')}</span>
        <Select look="soft" size="s" label={t('Keys as in')} testId="key-preset" value={keymap.preset} options={PRESETS.map((value) => ({ value, label: PRESET_NAMES[value] }))} onChange={(preset: Preset) => setKeymap({ preset })} />
        <span className="grow" />
        {conflicts.size > 0 ? <span className={styles.conflict} role="status">{t('{n, plural, one {# command} other {# commands}} share a key with another', { n: conflicts.size })}</span> : null}
        <Button size="s" kind="ghost" disabled={!isOwn} onClick={() => setKeymap({ own: {} })}>{t('Undo my changes')}</Button>
      </div>
      <div className={styles.sheet}>
        {inColumns(groups, (group) => linesOf(group).length + 2).map((column, i) => (
          <div key={i} className={styles.column}>
            {column.map((group) => (
              <section key={group}>
                <h3 className="t12 strong">{group}</h3>
                <ul>
                  {linesOf(group).map((command) => <Line key={command.id} command={command} others={conflicts.get(command.id) ?? []} isOwn={keymap.own[command.id] !== undefined} editing={editing === command.id} onEdit={setEditing} />)}
                </ul>
              </section>
            ))}
          </div>
        ))}
      </div>
    </>
  )
}

function Line({ command, others, isOwn, editing, onEdit }: { command: Command; others: readonly Command[]; isOwn: boolean; editing: boolean; onEdit: (id: string | null) => void }) {
  const bindings = shownBindings(command)
  // Keys with all their modifiers, such as the arrows, belong together and stay what they are.
  const fixed = defaultKeys(command).length > 3
  return (
    <li className={styles.line} data-command={command.id}>
      <span className="trunc">{command.title}</span>
      {editing ? <Capture command={command} isOwn={isOwn} onDone={() => onEdit(null)} /> : (
        <>
          <span className={styles.caps}>{bindings.map((binding) => <Keys key={binding} of={binding} exact />)}{bindings.length === 0 ? <span className="c3">{t('none')}</span> : null}<span className="visually-hidden">{bindings.length === 0 ? null : bindings.map((binding) => keyCaps(binding).join(' ')).reduce((first, second) => t('{first} or {second}', { first, second }))}</span></span>
          {fixed ? <span /> : <IconButton size="s" icon={Pencil} label={t('Change the keys of {command}', { command: command.title })} hint={t('Change the key')} onClick={() => onEdit(command.id)} />}
        </>
      )}
      {others.length > 0 ? <span className={styles.conflict}>{t('Also {commands}', { commands: listed(others.map((other) => other.title)) })}</span> : null}
    </li>
  )
}

/** Takes the next press as the key of a command. */
function Capture({ command, isOwn, onDone }: { command: Command; isOwn: boolean; onDone: () => void }) {
  const field = useRef<HTMLButtonElement>(null)
  useEffect(() => field.current?.focus(), [])
  const take = (event: KeyboardEvent) => {
    // Tab leads on to the other buttons, as everywhere.
    if (event.key === 'Tab') return
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Escape') return onDone()
    const binding = bindingOf(event.nativeEvent, isMac())
    if (binding === null) return
    setKeys(command.id, [binding])
    onDone()
  }
  return (
    <span className={styles.capture}>
      <button ref={field} type="button" className={styles.press} aria-label={t('Press the new key of {command}; Escape leaves it', { command: command.title })} onKeyDown={take}>{t('Press a key')}</button>
      <Button size="s" kind="ghost" onClick={() => (setKeys(command.id, []), onDone())}>{t('No key')}</Button>
      {isOwn ? <Button size="s" kind="ghost" onClick={() => (setKeys(command.id, null), onDone())}>{t('As before')}</Button> : null}
    </span>
  )
}

/** The four arrows with all their modifiers would fill the sheet: the plain ones tell enough. */
function shownBindings(command: Command): readonly string[] {
  const all = bindingsOf(command)
  if (all.length <= 3) return all
  const plain = all.filter((binding) => !binding.includes('+'))
  return (plain.length > 0 ? plain : all).slice(0, 4)
}

/** The hand's own groups first, in an order that stays; what is everywhere last. */
const ORDER = [t('Region'), t('Edit'), t('Tools'), t('Canvas')]
const LAST = [t('Go to'), t('Everywhere')]
const place = (group: string) => (ORDER.includes(group) ? ORDER.indexOf(group) - 10 : LAST.includes(group) ? LAST.indexOf(group) + 10 : 0)

/** Whole groups in two columns of nearly equal height, in order. */
function inColumns<T>(groups: readonly T[], heightOf: (group: T) => number): readonly (readonly T[])[] {
  const total = groups.reduce((sum, group) => sum + heightOf(group), 0)
  let height = 0
  const split = groups.findIndex((group) => (height += heightOf(group)) >= total / 2)
  return [groups.slice(0, split + 1), groups.slice(split + 1)]
}
