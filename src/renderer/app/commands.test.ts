import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Command, listenToKeys, mayRun } from './commands.ts'

class FakeElement {
  private readonly matching: readonly string[]
  private readonly attributes: readonly string[]
  constructor(matching: readonly string[], attributes: readonly string[] = []) {
    this.matching = matching
    this.attributes = attributes
  }
  closest(selector: string) {
    return this.matching.some((part) => selector.split(', ').includes(part)) ? this : null
  }
  hasAttribute(name: string) {
    return this.attributes.includes(name)
  }
}
beforeEach(() => {
  vi.stubGlobal('Element', FakeElement)
  vi.stubGlobal('document', { querySelector: () => null })
})
afterEach(() => vi.unstubAllGlobals())

const accept: Command = { id: 'region.accept', title: 'Accept', group: 'Region', keys: 'a', run: () => undefined }
const press = (target: unknown) => ({ target, key: 'a', defaultPrevented: false, isComposing: false }) as unknown as KeyboardEvent

describe('single letters', () => {
  it('work in the list of samples and on a closed select, and rest in an open one and in a list that searches by typing', () => {
    expect(mayRun(accept, 'a', press(new FakeElement(['[role=listbox]'], ['data-commands'])))).toBe(true)
    expect(mayRun(accept, 'a', press(new FakeElement(['[role=combobox]'])))).toBe(true)
    expect(mayRun(accept, 'a', press(new FakeElement(['[role=combobox][aria-expanded=true]'])))).toBe(false)
    expect(mayRun(accept, 'a', press(new FakeElement(['[role=listbox]'])))).toBe(false)
    expect(mayRun(accept, 'a', press(new FakeElement(['textarea'])))).toBe(false)
  })
})

describe('a chord', () => {
  const next: Command = { id: 'queue.next', title: 'Next', group: 'Region', keys: ['$mod+ArrowRight', '$mod+ArrowDown'], run: () => undefined }
  const chord = (target: unknown, key: string) => ({ target, key, defaultPrevented: false, isComposing: false }) as unknown as KeyboardEvent

  it('works while one types, but for those that move and delete by words in the text', () => {
    for (const field of ['textarea', '[contenteditable=true]']) {
      expect(mayRun(next, '$mod+ArrowDown', chord(new FakeElement([field]), 'ArrowDown'))).toBe(true)
      expect(mayRun(next, '$mod+ArrowRight', chord(new FakeElement([field]), 'ArrowRight'))).toBe(false)
      expect(mayRun({ ...next, inFields: true }, '$mod+ArrowRight', chord(new FakeElement([field]), 'ArrowRight'))).toBe(true)
    }
    expect(mayRun(next, '$mod+ArrowRight', chord(new FakeElement([]), 'ArrowRight'))).toBe(true)
  })
})

describe('copying', () => {
  it('leaves the key to the browser while text is selected', () => {
    const copy: Command = { id: 'box.copy', title: 'Copy box', group: 'Edit', keys: '$mod+c', restsOnSelection: true, run: () => undefined }
    let selected = ''
    vi.stubGlobal('window', { getSelection: () => ({ toString: () => selected }) })
    expect(mayRun(copy, '$mod+c', press(new FakeElement([])))).toBe(true)
    selected = 'a phrase'
    expect(mayRun(copy, '$mod+c', press(new FakeElement([])))).toBe(false)
    expect(mayRun(accept, 'a', press(new FakeElement([])))).toBe(true)
  })
})

describe('a key that is held', () => {
  it('decides once, and steps again and again where that is meant', () => {
    const window = new EventTarget()
    const ran: string[] = []
    const stop = listenToKeys(window as unknown as Window, [
      { ...accept, run: () => void ran.push('accept') },
      { id: 'queue.next', title: 'Next', group: 'Region', keys: 'j', repeats: true, run: () => void ran.push('next') },
    ])
    const down = (key: string, repeat: boolean) => {
      const event = Object.assign(new Event('keydown', { cancelable: true }), { key, code: `Key${key.toUpperCase()}`, repeat, getModifierState: () => false })
      window.dispatchEvent(event)
      return event.defaultPrevented
    }
    expect([down('a', false), down('a', true), down('a', true)]).toEqual([true, true, true])
    expect([down('j', false), down('j', true), down('j', true)]).toEqual([true, true, true])
    expect(ran).toEqual(['accept', 'next', 'next', 'next'])
    stop()
  })
})
