/** All that the page may ask of the desktop window: which system it is, and to choose a file or folder. No Node, no IPC of its own. */
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { CHOOSE_FILE, CHOOSE_FOLDER } from '../main/electron/channels.ts'
import type { ShellApi } from '../shared/shell-api.ts'

const api: ShellApi = {
  platform: process.platform,
  chooseFolder: (title) => ipcRenderer.invoke(CHOOSE_FOLDER, String(title)) as Promise<string | null>,
  chooseFile: (title, endings) => ipcRenderer.invoke(CHOOSE_FILE, String(title), endings.map(String)) as Promise<string | null>,
  pathOfDropped: (file) => {
    try {
      // Not in every Electron that runs this; there the page's own File has a path.
      return (webUtils as typeof webUtils | undefined)?.getPathForFile(file as never) || null
    } catch {
      return null
    }
  },
}

contextBridge.exposeInMainWorld('amcShell', api)
