/**
 * A page with edits that could not be saved asks before it goes. A browser shows its own question then; here it is ours to
 * ask, or the window could never be closed.
 */
import { type BrowserWindow, dialog, type MessageBoxSyncOptions } from 'electron'

const STAY = 0

/** @param ask shows the question and answers the number of the button */
export function askBeforeUnload(window: BrowserWindow, ask: (window: BrowserWindow, options: MessageBoxSyncOptions) => number = (owner, options) => dialog.showMessageBoxSync(owner, options)): void {
  window.webContents.on('will-prevent-unload', (event) => {
    const answer = ask(window, {
      type: 'warning', title: 'Edits are not saved', message: 'Some edits are not saved yet.',
      detail: 'They could not be written, or are still on their way. Everything shown as saved is safe.', buttons: ['Stay', 'Close without them'], defaultId: STAY, cancelId: STAY, noLink: true,
    })
    // Preventing what prevents the unload lets it go on.
    if (answer !== STAY) event.preventDefault()
  })
}
