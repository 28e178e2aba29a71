/** What the desktop window offers the page beyond a browser, as `window.amcShell`; undefined in a browser. */
export interface ShellApi {
  readonly platform: string
  /** Asks for a folder; null when the person cancelled. */
  readonly chooseFolder: (title: string) => Promise<string | null>
  /** Asks for a file; endings without the dot. */
  readonly chooseFile: (title: string, endings: readonly string[]) => Promise<string | null>
  /** Path of a file or folder that was dropped on the page; null when the window cannot tell. */
  readonly pathOfDropped: (file: unknown) => string | null
}

/** For the page: declare it on Window where it is used. */
export interface WindowWithShell {
  readonly amcShell?: ShellApi
}
