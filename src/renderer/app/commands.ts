/**
 * The one list of what a person can do: the palette, the shortcut sheet, the key caps in tooltips and the keyboard all read
 * it. A view registers its commands while it is mounted, so a screen's keys rest when the screen is not there.
 */
import { useEffect, useRef } from 'react'
import { createKeybindingsHandler } from 'tinykeys'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import type { LucideIcon } from 'lucide-react'
import { defaultKeys, getKeymap, keysUnder, subscribeKeymap } from './keymap.ts'

export interface Command {
  /** noun.verb, e.g. "region.accept". */
  readonly id: string
  readonly title: string
  /** Heading in the palette and the sheet: "Region", "Go to", "Run". */
  readonly group: string
  /** tinykeys syntax: "a", "$mod+Shift+z", "ArrowLeft". Several bindings may lead to one command; the first is shown. */
  readonly keys?: string | readonly string[]
  readonly icon?: LucideIcon
  /** Right-hand text in the palette, e.g. "dataset". */
  readonly detail?: string
  readonly enabled?: boolean
  /** Not listed in the palette (keys such as arrows, which are senseless there). */
  readonly hidden?: boolean
  /** Works while a field has focus too. Bindings with $mod, Control or Alt do unless this is false, but for those that move and delete in a text. */
  readonly inFields?: boolean
  /** Leaves the key to the browser while text on the page is selected: then it copies that. */
  readonly restsOnSelection?: boolean
  /** Runs again and again while its key is held. What decides, deletes or adds does not: a held key must not decide what was not seen. */
  readonly repeats?: boolean
  /** Works while a dialog is open. */
  readonly inDialogs?: boolean
  readonly run: (event?: KeyboardEvent) => void
}

const store = createStore<{ lists: ReadonlyMap<symbol, readonly Command[]> }>(() => ({ lists: new Map() }))

function setList(owner: symbol, commands: readonly Command[] | null): void {
  store.setState(({ lists }) => {
    const next = new Map(lists)
    if (commands) next.set(owner, commands)
    else next.delete(owner)
    return { lists: next }
  })
}

/**
 * Registers commands while the component is mounted. The list may be made anew on each render: `run` always is the newest,
 * and the registry only changes when what is shown does.
 */
export function useCommands(commands: readonly Command[]): void {
  const newest = useRef(commands)
  useEffect(() => {
    newest.current = commands
  })
  const shown = JSON.stringify(commands.map((c) => [c.id, c.title, c.group, c.keys, c.detail, c.enabled, c.hidden, c.inFields, c.repeats, c.restsOnSelection, c.inDialogs]))
  useEffect(() => {
    const owner = Symbol('commands')
    setList(owner, newest.current.map((command) => ({
      ...command,
      run: (event?: KeyboardEvent) => newest.current.find((c) => c.id === command.id)?.run(event),
    })))
    return () => setList(owner, null)
  }, [shown])
}

export function allCommands(): readonly Command[] {
  return [...store.getState().lists.values()].flat()
}

export function useAllCommands(): readonly Command[] {
  const lists = useStore(store, (state) => state.lists)
  return [...lists.values()].flat()
}

/** The keys that lead to a command as this person has them. */
export function bindingsOf(command: Command): readonly string[] {
  return keysUnder(getKeymap(), command)
}

/** What stands on a hint that names a default key: the key its command has now, or null when it has none. */
export function shownBinding(binding: string): string | null {
  const { preset, own } = getKeymap()
  if (preset === 'standard' && Object.keys(own).length === 0) return binding
  const command = allCommands().find((one) => defaultKeys(one).includes(binding))
  if (!command) return binding
  const now = bindingsOf(command)
  return now.includes(binding) ? binding : (now[0] ?? null)
}

const FIELD = 'input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, select, [contenteditable=""], [contenteditable=true], [role=listbox], [role=menu], [role=combobox][aria-expanded=true]'

/** Single letters rest while a field, an open menu or a list that searches by typing has focus; a list marked data-commands does not search, and neither does a closed select. */
export function isField(target: EventTarget | null): boolean {
  const field = target instanceof Element ? target.closest(FIELD) : null
  return field !== null && !field.hasAttribute('data-commands')
}

const TEXT = 'input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, [contenteditable=""], [contenteditable=true]'

/** With Ctrl or Alt too, these keys move and delete by words in a text; they stay with it unless a command says otherwise. */
function editsText({ target, key }: KeyboardEvent): boolean {
  return ['ArrowLeft', 'ArrowRight', 'Home', 'End', 'Backspace', 'Delete'].includes(key) && target instanceof Element && target.closest(TEXT) !== null
}

/** Keys that a focused control uses itself: a slider its arrows, a button Space and Enter. */
function usedByControl(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false
  if (key.startsWith('Arrow') || key === 'Home' || key === 'End') return target.closest('input[type=range], input[type=radio], [role=slider], [role=tablist], [role=radiogroup]') !== null
  if (key === ' ' || key === 'Enter') return target.closest('button, a, input, summary, [role=button]') !== null
  return false
}

export function dialogIsOpen(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog]') !== null
}

/** Whether this key press may run this command here. */
export function mayRun(command: Command, binding: string, event: KeyboardEvent): boolean {
  if (command.enabled === false || event.defaultPrevented || event.isComposing) return false
  const chord = /\$mod|Control|Alt|Meta/.test(binding)
  if (command.restsOnSelection && String(window.getSelection() ?? '') !== '') return false
  if (dialogIsOpen() && !command.inDialogs) return false
  if (isField(event.target) && !(command.inFields ?? (chord && !editsText(event)))) return false
  return !(!chord && usedByControl(event.target, event.key) && command.inFields !== true)
}

/**
 * Binds the keyboard to the registry; the later registered command wins where two share a key.
 * @param always commands that are there beside the registered ones
 */
export function listenToKeys(target: Window, always: readonly Command[] = []): () => void {
  let handler: EventListener = () => {}
  const rebuild = () => {
    const map: Record<string, (event: KeyboardEvent) => void> = {}
    const byBinding = new Map<string, Command[]>()
    for (const command of [...always, ...allCommands()]) for (const binding of bindingsOf(command)) byBinding.set(binding, [command, ...(byBinding.get(binding) ?? [])])
    for (const [binding, commands] of byBinding) {
      map[binding] = (event) => {
        const command = commands.find((c) => mayRun(c, binding, event))
        if (!command) return
        event.preventDefault()
        if (!event.repeat || command.repeats) command.run(event)
      }
    }
    handler = createKeybindingsHandler(map, { ignore: () => false })
  }
  rebuild()
  const unsubscribe = store.subscribe(rebuild)
  const unsubscribeKeymap = subscribeKeymap(rebuild)
  const listener = (event: Event) => handler(event)
  target.addEventListener('keydown', listener)
  return () => {
    unsubscribe()
    unsubscribeKeymap()
    target.removeEventListener('keydown', listener)
  }
}
