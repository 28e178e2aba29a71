import fc from 'fast-check'
import { createKeybindingsHandler } from 'tinykeys'
import { describe, expect, it } from 'vitest'
import { PRESETS, PRESET_KEYS, type Preset } from './key-presets.ts'
import { bindingOf, canonical, conflictsOf, keysUnder, readKeymap, STANDARD } from './keymap.ts'

const accept = { id: 'region.accept', keys: 'a' }
const skip = { id: 'region.skip', keys: 'd' }
const next = { id: 'queue.next', keys: ['j', 'PageDown'] }
const commands = [accept, skip, next]
const under = (preset: Preset, own: Record<string, string[]> = {}) => Object.fromEntries(commands.map((command) => [command.id, keysUnder({ preset, own }, command)]))

// What stands in the documentation and sources of CVAT (August 2026), Label Studio 1.24 and labelme 7.1, where this program can do the same.
const HANDS: readonly (readonly [Preset, string, readonly string[]])[] = [
  ['cvat', 'queue.next', ['f']], ['cvat', 'queue.previous', ['d']], ['cvat', 'tool.draw', ['n']], ['cvat', 'tool.drawMany', ['Shift+n']], ['cvat', 'box.delete', ['Delete', 'Backspace']],
  ['cvat', 'edit.undo', ['$mod+z']], ['cvat', 'edit.redo', ['$mod+Shift+z', '$mod+y']], ['cvat', 'box.copy', ['$mod+c']], ['cvat', 'box.paste', ['$mod+v']], ['cvat', 'box.duplicate', ['$mod+b']],
  ['cvat', 'box.lock', ['l']], ['cvat', 'box.hide', ['h']], ['cvat', 'box.front', ['+', '=']], ['cvat', 'box.back', ['-', 'Shift+_']], ['cvat', 'view.rotate', ['$mod+r']], ['cvat', 'view.rotateBack', ['$mod+Shift+r']], ['cvat', 'shortcuts.open', ['F1']], ['cvat', 'go.settings', ['F2']],
  ['label-studio', 'queue.next', ['$mod+ArrowRight']], ['label-studio', 'queue.previous', ['$mod+ArrowLeft']], ['label-studio', 'region.accept', ['$mod+Enter', 'Alt+Enter']], ['label-studio', 'region.skip', ['$mod+Space']],
  ['label-studio', 'tool.draw', ['r']], ['label-studio', 'tool.polygon', ['p']], ['label-studio', 'tool.select', ['v']], ['label-studio', 'tool.pan', ['h']], ['label-studio', 'box.delete', ['Backspace', 'Delete']],
  ['label-studio', 'box.duplicate', ['$mod+d']], ['label-studio', 'box.next', ['Alt+.']], ['label-studio', 'box.lock', ['Alt+l']], ['label-studio', 'box.hide', ['Alt+h']], ['label-studio', 'canvas.escape', ['Escape', 'u']],
  ['label-studio', 'view.rotate', ['Alt+ArrowRight']], ['label-studio', 'view.rotateBack', ['Alt+ArrowLeft']], ['label-studio', 'view.zoomIn', ['$mod++']], ['label-studio', 'view.zoomOut', ['$mod+-']],
  ['label-studio', 'edit.undo', ['$mod+z']], ['label-studio', 'edit.redo', ['$mod+Shift+z']],
  ['labelme', 'queue.next', ['d', '$mod+Shift+d']], ['labelme', 'queue.previous', ['a', '$mod+Shift+a']], ['labelme', 'tool.draw', ['$mod+r']], ['labelme', 'tool.polygon', ['$mod+n']], ['labelme', 'tool.select', ['$mod+j']],
  ['labelme', 'phrase.edit', ['$mod+e']], ['labelme', 'box.delete', ['Delete']], ['labelme', 'box.copy', ['$mod+c']], ['labelme', 'box.paste', ['$mod+v']], ['labelme', 'box.duplicate', ['$mod+d']], ['labelme', 'view.others', ['t']],
  ['labelme', 'view.fit', ['$mod+f']], ['labelme', 'view.actual', ['$mod+0']], ['labelme', 'view.zoomIn', ['$mod++', '$mod+=']], ['labelme', 'view.zoomOut', ['$mod+-']], ['labelme', 'edit.undo', ['$mod+z']],
]

describe('keys', () => {
  it('are the program’s own, those of a preset, or the person’s, in this order', () => {
    expect(under('standard')).toEqual({ 'region.accept': ['a'], 'region.skip': ['d'], 'queue.next': ['j', 'PageDown'] })
    expect(under('labelme')).toMatchObject({ 'queue.next': ['d', '$mod+Shift+d'], 'region.skip': ['Shift+d'], 'region.accept': ['Shift+a'] })
    expect(under('labelme', { 'queue.next': ['Space'] })).toMatchObject({ 'queue.next': ['Space'], 'region.skip': ['Shift+d'] })
  })

  it('that are given to a command leave the one that had them by default', () => {
    expect(under('standard', { 'queue.next': ['a'] })).toMatchObject({ 'queue.next': ['a'], 'region.accept': [] })
    expect(under('standard', { 'queue.next': ['D'] })['region.skip']).toEqual([])
    expect(under('standard', { 'queue.next': [] })['queue.next']).toEqual([])
  })

  it('are doubled by a person alone, and then it shows', () => {
    const own = { 'queue.next': ['q'], 'region.accept': ['q'] }
    const found = conflictsOf(commands, { preset: 'standard', own })
    expect(conflictsOf([...commands, { id: 'tour.end', keys: 'd' }], STANDARD).size, 'shared on purpose').toBe(0)
    expect([...found].map(([id, others]) => [id, others.map((other) => other.id)])).toEqual([['region.accept', ['queue.next']], ['queue.next', ['region.accept']]])
  })

  it.each(PRESETS)('of the preset %s lead to one command each', (preset) => {
    const given = Object.values(PRESET_KEYS[preset]).flat().map(canonical)
    expect(given.filter((key, i) => given.indexOf(key) !== i)).toEqual([])
  })

  it('of a preset belong to commands that there are', () => {
    const source = Object.values(import.meta.glob<string>(['./*.{ts,tsx}', '../views/curate/**/*.{ts,tsx}'], { query: '?raw', import: 'default', eager: true })).join('\n')
    const screens = [...source.matchAll(/'(\w+)'/g)].map(([, name]) => `go.${name}`)
    for (const id of Object.values(PRESET_KEYS).flatMap((keys) => Object.keys(keys))) expect(source.includes(`id: '${id}'`) || screens.includes(id), id).toBe(true)
  })

  it.each(HANDS)('as the hands of %s have them: %s', (preset, id, keys) => {
    expect(PRESET_KEYS[preset][id]).toEqual(expect.arrayContaining([...keys]))
  })

  it('are read back, and what cannot be read is the standard', () => {
    expect(readKeymap('{"preset":"cvat","own":{"a.b":["x"],"c":7}}')).toEqual({ preset: 'cvat', own: { 'a.b': ['x'] } })
    for (const broken of [null, '{', 'null', '[]', '{"preset":"paint"}', '{"own":[1]}']) expect(readKeymap(broken)).toEqual(STANDARD)
  })
})

describe('a press', () => {
  const press = (key: string, code: string, modifiers: { ctrlKey?: boolean; altKey?: boolean; shiftKey?: boolean; metaKey?: boolean } = {}) => ({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...modifiers })

  it('is written as it is listened for', () => {
    expect(bindingOf(press('q', 'KeyQ'), false)).toBe('q')
    expect(bindingOf(press('Q', 'KeyQ', { shiftKey: true }), false)).toBe('Shift+q')
    expect(bindingOf(press('z', 'KeyZ', { ctrlKey: true }), false)).toBe('$mod+z')
    expect(bindingOf(press('z', 'KeyZ', { metaKey: true }), true)).toBe('$mod+z')
    expect(bindingOf(press('?', 'Slash', { shiftKey: true }), false)).toBe('[Shift]+?')
    expect(bindingOf(press('!', 'Digit1', { shiftKey: true }), false)).toBe('Shift+Digit1')
    expect(bindingOf(press(' ', 'Space'), false)).toBe('Space')
    expect(bindingOf(press('[', 'BracketLeft'), false)).toBe('BracketLeft')
    expect(bindingOf(press('+', 'Equal', { shiftKey: true }), false)).toBe('Shift+Equal')
    for (const alone of ['Shift', 'Control', 'Alt', 'Meta', 'Dead']) expect(bindingOf(press(alone, alone), false)).toBeNull()
  })

  it('leads back to its command through the listener', () => {
    const keys = fc.constantFrom(['q', 'KeyQ'], ['7', 'Digit7'], ['F2', 'F2'], ['Enter', 'Enter'], ['ArrowLeft', 'ArrowLeft'], ['.', 'Period'], [']', 'BracketRight'], ['Delete', 'Delete'], [' ', 'Space'])
    fc.assert(fc.property(keys, fc.boolean(), fc.boolean(), fc.boolean(), ([key, code], ctrlKey, altKey, shiftKey) => {
      const typed = shiftKey && /^[a-z]$/.test(key!) ? key!.toUpperCase() : key!
      const held = press(typed, code!, { ctrlKey, altKey, shiftKey })
      const binding = bindingOf(held, false)!
      let ran = 0
      const handler = createKeybindingsHandler({ [binding]: () => void ran++ }, { ignore: () => false })
      const event = Object.assign(new Event('keydown'), held, { getModifierState: (name: string) => ({ Control: ctrlKey, Alt: altKey, Shift: shiftKey })[name] ?? false })
      handler(event)
      expect(ran, binding).toBe(1)
    }))
  })
})
