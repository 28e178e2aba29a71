import { EventEmitter } from 'node:events'
import type { BrowserWindow } from 'electron'
import { describe, expect, it, vi } from 'vitest'

// Outside of Electron its package answers with a path; only the question is put here, and that is given.
vi.mock('electron', () => ({ dialog: {} }))
const { askBeforeUnload } = await import('./unsaved.ts')

describe('closing a window with edits that are not saved', () => {
  it.each([['Stay', 0, false], ['Close without them', 1, true]])('%s', (button, answer, closes) => {
    const webContents = new EventEmitter()
    const asked: string[] = []
    askBeforeUnload({ webContents } as unknown as BrowserWindow, (_window, { buttons, cancelId }) => {
      expect(buttons?.[cancelId!]).toBe('Stay')
      asked.push(buttons![answer]!)
      return answer
    })
    let prevented = false
    webContents.emit('will-prevent-unload', { preventDefault: () => (prevented = true) })
    expect(asked).toEqual([button])
    expect(prevented).toBe(closes)
  })
})
