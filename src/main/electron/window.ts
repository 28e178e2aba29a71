/** The one window: locked to the engine's page. It goes nowhere else, opens nothing, and is granted nothing. */
import { BrowserWindow, nativeTheme, screen, type Session } from 'electron'
import { get } from 'http'
import { askBeforeUnload } from './unsaved.ts'
import { readWindowState, usableBounds, type WindowState, writeWindowState } from './window-state.ts'

const USUAL_SIZE = { width: 1440, height: 900 }
/** Canvas colours of the page's two themes, so that the window does not flash before the page is there. */
const BACKGROUND = { dark: '#101113', light: '#ffffff' }

export interface ShellWindow {
  readonly window: BrowserWindow
  /** Shows the page at this address; only this origin is allowed from now on. */
  readonly show: (url: string, token: string) => void
  /** Makes an open page known to an engine that was started again, without reloading it: nothing typed is lost. */
  readonly renewToken: (url: string, token: string) => Promise<void>
}

export function openWindow(stateFile: string, title: string, preload: string): ShellWindow {
  const state = readWindowState(stateFile)
  const bounds = usableBounds(state.bounds, screen.getAllDisplays().map((display) => display.workArea))
  const window = new BrowserWindow({
    ...USUAL_SIZE,
    ...(bounds || {}),
    minWidth: 800,
    minHeight: 500,
    title,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: { preload, contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, spellcheck: false },
  })
  if (state.maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  keepState(window, stateFile)
  askBeforeUnload(window)

  let origin = ''
  const { webContents } = window
  grantNothing(webContents.session, () => origin)
  const guard = (event: { preventDefault: () => void }, url: string): void => {
    if (originOf(url) !== origin) event.preventDefault()
  }
  webContents.on('will-navigate', guard as never)
  webContents.on('will-redirect', guard as never)
  webContents.on('will-attach-webview', (event) => event.preventDefault())
  if (typeof webContents.setWindowOpenHandler === 'function') webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  else (webContents as NodeJS.EventEmitter).on('new-window', (event: { preventDefault: () => void }) => event.preventDefault())
  const reload = (): void => {
    if (!window.isDestroyed()) window.reload()
  }
  // The page's process died (out of memory, killed): everything acknowledged is on disk, so showing it again is safe.
  webContents.on('render-process-gone', (_event, details) => details.reason !== 'clean-exit' && reload())
  ;(webContents as NodeJS.EventEmitter).on('crashed', () => {
    if (Number(process.versions['electron'].split('.')[0]) < 11) reload()
  })

  return {
    window,
    show: (url, token) => {
      origin = originOf(url)
      rememberPort(stateFile, Number(new URL(url).port))
      const hash = webContents.getURL().split('#')[1] // the screen that was open, when the page must be loaded anew
      window.loadURL(`${origin}/?token=${encodeURIComponent(token)}${hash ? `#${hash}` : ''}`).catch(() => undefined) // an engine that just died is started again
    },
    renewToken: async (url, token) => {
      if (originOf(url) !== origin) throw new Error('the address changed')
      await takeCookie(webContents.session, origin, token)
    },
  }
}

function originOf(url: string): string {
  try {
    return new URL(url).origin
  } catch {
    return ''
  }
}

/**
 * Hands the new token in and puts the cookie that the engine answers with into the page's session. Chromium's own network
 * would not take a SameSite=Strict cookie outside of a page, so Node asks.
 */
function takeCookie(session: Session, origin: string, token: string): Promise<void> {
  return new Promise<string>((resolve, reject) => {
    const request = get(`${origin}/?token=${encodeURIComponent(token)}`, (response) => {
      response.resume()
      const cookie = (response.headers['set-cookie'] || [])[0]
      if (cookie) resolve(cookie)
      else reject(new Error(`the engine answered ${String(response.statusCode)} without a cookie`))
    })
    request.on('error', reject)
  }).then((cookie) => {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) as unknown as [string, string, string]
    return session.cookies.set({ url: origin, name, value, path: '/', httpOnly: true, sameSite: 'strict' })
  })
}

function grantNothing(session: Session, ownOrigin: () => string): void {
  // Copying text out is the one thing the page may do, and only the page itself.
  const allowed = (permission: string, requester: string): boolean => permission === 'clipboard-sanitized-write' && originOf(requester) === ownOrigin()
  session.setPermissionRequestHandler((contents, permission, callback) => callback(allowed(permission, contents.getURL())))
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) => allowed(permission, requestingOrigin))
  // Only what the page made itself, as a report; the person is asked where to.
  session.on('will-download', (event, item) => {
    if (!item.getURL().startsWith('blob:') || originOf(item.getURL()) !== ownOrigin()) event.preventDefault()
  })
}

function keepState(window: BrowserWindow, file: string): void {
  let timer: NodeJS.Timeout | null = null
  const save = (): void => {
    if (window.isDestroyed() || window.isMinimized()) return
    const state: WindowState = { bounds: window.getNormalBounds(), maximized: window.isMaximized(), port: readWindowState(file).port }
    writeWindowState(file, state)
  }
  const soon = (): void => {
    if (timer) clearTimeout(timer)
    timer = setTimeout(save, 400)
  }
  window.on('resize', soon)
  window.on('move', soon)
  window.on('close', save)
}

function rememberPort(file: string, port: number): void {
  const state = readWindowState(file)
  if (state.port !== port) writeWindowState(file, { ...state, port })
}
