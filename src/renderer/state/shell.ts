/** What the program's own window adds to a browser: the system's dialogs, and the paths of dropped files. */
export interface Shell {
  readonly platform: string
  chooseFolder(): Promise<string | null>
  chooseFile(): Promise<string | null>
  pathOf?(file: File): string | null
}

declare global {
  interface Window {
    readonly amcShell?: Shell
  }
}

/** null in a browser. */
export const shell: Shell | null = typeof window === 'undefined' ? null : (window.amcShell ?? null)

export async function chooseNatively(what: 'folder' | 'file'): Promise<string | null> {
  if (!shell) return null
  return what === 'folder' ? shell.chooseFolder() : shell.chooseFile()
}

/** The path of a dropped file or folder, or null where the page may not know it. */
export function droppedPath(transfer: DataTransfer): string | null {
  const file = transfer.files[0]
  if (!file || !shell) return null
  // Windows of before Electron 32 put the path on the file itself.
  return shell.pathOf?.(file) ?? (file as File & { path?: string }).path ?? null
}
