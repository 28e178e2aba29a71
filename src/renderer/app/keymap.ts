/**
 * Which keys lead to which command: the program's own, those of a preset for people who come from elsewhere, and what a person has
 * set. Kept in this browser. A key that a preset or a person gives away is taken from whoever had it by default, so nothing is
 * doubled unless a person doubles it, and then it is shown.
 */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { PRESETS, PRESET_KEYS, type Preset } from './key-presets.ts'

export interface Keymap {
  readonly preset: Preset
  /** What the person has set, by command; no keys at all is a setting too. */
  readonly own: Readonly<Record<string, readonly string[]>>
}

export interface Bound {
  readonly id: string
  readonly keys?: string | readonly string[]
}

const KEY = 'amc.keys'
export const STANDARD: Keymap = { preset: 'standard', own: {} }

/** What was kept; what cannot be read is the standard. */
export function readKeymap(text: string | null): Keymap {
  try {
    const kept = JSON.parse(text ?? '{}') as { preset?: unknown; own?: unknown } | null
    const preset = PRESETS.find((name) => name === kept?.preset) ?? 'standard'
    const own: Record<string, readonly string[]> = {}
    if (kept?.own && typeof kept.own === 'object' && !Array.isArray(kept.own)) {
      for (const [id, keys] of Object.entries(kept.own)) if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) own[id] = keys as string[]
    }
    return { preset, own }
  } catch {
    return STANDARD
  }
}

export const defaultKeys = ({ keys }: Bound): readonly string[] => (keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys)

/** The keys of a command under a keymap. */
export function keysUnder({ preset, own }: Keymap, command: Bound): readonly string[] {
  const chosen = own[command.id]
  if (chosen) return chosen
  const given = PRESET_KEYS[preset][command.id]
  // What the person has given to another command is not a default of this one any more.
  const taken = new Set([...Object.values(own).flat(), ...(given ? [] : Object.values(PRESET_KEYS[preset]).flat())].map(canonical))
  return (given ?? defaultKeys(command)).filter((key) => !taken.has(canonical(key)))
}

/** One spelling for bindings that the same press leads to: modifiers in order, letters small. */
export function canonical(binding: string): string {
  return binding.split(' ').map((press) => {
    const parts = press.split(/(?<=[\w\]])\+/)
    const key = parts.pop() ?? ''
    return [...parts.filter((part) => !part.startsWith('[')).sort(), key.length === 1 ? key.toLowerCase() : key].join('+')
  }).join(' ')
}

/** For each command the others that the same key leads to, where a person made it so: what the program shares on purpose is no conflict. */
export function conflictsOf<T extends Bound>(commands: readonly T[], keymap: Keymap): ReadonlyMap<string, readonly T[]> {
  const isOwn = ({ id }: T) => keymap.own[id] !== undefined
  const byKey = new Map<string, T[]>()
  for (const command of commands) {
    for (const key of new Set(keysUnder(keymap, command).map(canonical))) byKey.set(key, [...(byKey.get(key) ?? []), command])
  }
  const found = new Map<string, T[]>()
  for (const sharing of byKey.values()) {
    for (const command of sharing) {
      const others = sharing.filter((other) => other.id !== command.id && (isOwn(other) || isOwn(command)))
      if (others.length > 0) found.set(command.id, [...(found.get(command.id) ?? []), ...others.filter((other) => !found.get(command.id)?.includes(other))])
    }
  }
  return found
}

interface Press {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

/** Signs that mean something in bindings themselves: there the key is named by its place. */
const SYNTAX = /^[[\]()+]$/

/** The binding that a press stands for; null for a modifier alone. */
export function bindingOf(press: Press, mac: boolean): string | null {
  if (['Control', 'Meta', 'Alt', 'AltGraph', 'Shift', 'CapsLock', 'Dead', 'Unidentified', 'Process'].includes(press.key)) return null
  const modifiers = [(mac ? press.metaKey : press.ctrlKey) && '$mod', mac && press.ctrlKey && 'Control', !mac && press.metaKey && 'Meta', press.altKey && 'Alt', press.shiftKey && 'Shift'].filter((one): one is string => typeof one === 'string')
  const letter = press.key.length === 1
  // With Alt or Shift a digit or letter key may type something else: then the key itself is meant, not its sign.
  const physical = letter && ((/^(Key|Digit)/.test(press.code) && (press.altKey || (press.shiftKey && press.code.startsWith('Digit')))) || SYNTAX.test(press.key))
  if (physical) return [...modifiers, press.code].join('+')
  const key = press.key === ' ' ? 'Space' : letter ? press.key.toLowerCase() : press.key
  // A sign that needs Shift on this keyboard is the sign, with or without it.
  const sign = letter && press.shiftKey && !/[a-z]/i.test(press.key)
  return [...modifiers.filter((one) => !(sign && one === 'Shift')), ...(sign ? ['[Shift]'] : []), key].join('+')
}

function stored(): string | null {
  try {
    return window.localStorage.getItem(KEY)
  } catch {
    return null
  }
}

const store = createStore<Keymap>(() => (typeof window === 'undefined' ? STANDARD : readKeymap(stored())))

export function setKeymap(change: Partial<Keymap>): void {
  store.setState(change)
  try {
    window.localStorage.setItem(KEY, JSON.stringify(store.getState()))
  } catch {
    // Without storage the keys last until the page is closed.
  }
}

/** null gives the command back what it has by preset or default. */
export function setKeys(id: string, keys: readonly string[] | null): void {
  const { [id]: _, ...rest } = store.getState().own
  setKeymap({ own: keys ? { ...rest, [id]: keys } : rest })
}

export const getKeymap = store.getState
export const subscribeKeymap = (listener: () => void): (() => void) => store.subscribe(listener)
export const useKeymap = (): Keymap => useStore(store)
