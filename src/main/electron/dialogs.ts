/** Answers the preload script's questions: the system's dialogs for a folder or a file. */
import { type BrowserWindow, dialog, ipcMain, type IpcMainInvokeEvent } from 'electron'
import { CHOOSE_FILE, CHOOSE_FOLDER } from './channels.ts'

export function answerDialogs(window: () => BrowserWindow | null): void {
  const choose = async (event: IpcMainInvokeEvent, title: unknown, kind: 'openDirectory' | 'openFile', endings: readonly string[]): Promise<string | null> => {
    const owner = window()
    // Only the window's own page asks; a frame inside it would not be ours.
    if (!owner || event.sender !== owner.webContents) return null
    const filters = endings.length > 0 ? [{ name: endings.join(', '), extensions: endings.slice() }, { name: 'All files', extensions: ['*'] }] : []
    const answer = await dialog.showOpenDialog(owner, { title: String(title), properties: [kind], filters })
    return answer.canceled || answer.filePaths.length === 0 ? null : answer.filePaths[0]!
  }
  ipcMain.handle(CHOOSE_FOLDER, (event, title) => choose(event, title, 'openDirectory', []))
  ipcMain.handle(CHOOSE_FILE, (event, title, endings) => choose(event, title, 'openFile', Array.isArray(endings) ? endings.map(String) : []))
}
