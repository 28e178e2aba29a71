/** What the program's own window adds to a browser: the system's dialogs, and the paths of dropped files. */
import type { ShellApi, WindowWithShell } from '../../shared/shell-api.ts'

/** null in a browser. */
export const shell: ShellApi | null = typeof window === 'undefined' ? null : ((window as WindowWithShell).amcShell ?? null)

/** The path of a dropped file or folder, or null where the page may not know it. */
export function droppedPath(transfer: DataTransfer): string | null {
  const file = transfer.files[0]
  if (!file || !shell) return null
  // Windows of before Electron 32 put the path on the file itself.
  return shell.pathOfDropped(file) ?? (file as File & { path?: string }).path ?? null
}
