/**
 * The desktop shell. It starts the engine, shows its page in one locked window, offers the system's dialogs, and starts the
 * engine again should it die. Everything else lives in the engine. Built as CommonJS for Node 12, because the end-to-end tests
 * also run in an old Electron.
 */
import { app, type BrowserWindow, dialog } from 'electron'
import { spawn } from 'child_process'
import { existsSync, mkdirSync } from 'fs'
import { basename, join, resolve } from 'path'
import { readShellArguments } from './electron/arguments.ts'
import { answerDialogs } from './electron/dialogs.ts'
import { type EngineProcess, startEngineProcess } from './electron/engine-process.ts'
import { setApplicationMenu } from './electron/menu.ts'
import { engineNode, projectKey, usualProject } from './electron/places.ts'
import { openWindow, type ShellWindow } from './electron/window.ts'
import { readWindowState } from './electron/window-state.ts'

const root = app.getAppPath()
const given = readShellArguments(process.argv.slice(1))
const project = resolve(given.project || usualProject(process.env))
// One folder of settings for each project: so the single-instance lock is one for each project too.
const settings = join(app.getPath('appData'), 'amc-workstation', projectKey(project))
mkdirSync(settings, { recursive: true })
app.setPath('userData', settings)
const stateFile = join(settings, 'window.json')

let shown: ShellWindow | null = null
let engine: EngineProcess | null = null
let leaving = false

const currentWindow = (): BrowserWindow | null => (shown && !shown.window.isDestroyed() ? shown.window : null)

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    const window = currentWindow()
    if (!window) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('window-all-closed', () => app.quit())
  app.on('before-quit', (event) => {
    if (leaving || !engine) return
    event.preventDefault()
    leaving = true
    void engine.stop().then(() => app.exit(0))
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.quit())
  void app.whenReady().then(start)
} else {
  app.quit()
}

function start(): void {
  setApplicationMenu({ openProject })
  answerDialogs(currentWindow)
  const node = engineNode(root, process.env)
  if (!node) return fail('Node 24, which runs the engine, is not installed beside the program.', 'Run `npm run setup` in the program\'s folder.')
  shown = openWindow(stateFile, `${basename(project)} – AMC Workstation`, join(root, 'out', 'preload', 'index.cjs'))
  engine = startEngineProcess({
    node,
    args: [engineEntry(), 'serve', '--project', project].concat(given.demo || !given.project ? ['--demo'] : []),
    port: given.port || readWindowState(stateFile).port,
    onReady: ({ url, token }, restarted) => {
      if (!shown || shown.window.isDestroyed()) return
      const { show, renewToken } = shown
      if (!restarted) return show(url, token)
      // The page reconnects by itself once its session knows the new token; only another address needs a reload.
      renewToken(url, token).catch(() => show(url, token))
    },
    onFailed: ({ message, cure }) => fail(message, cure),
    onLog: (text) => process.stderr.write(`${text}\n`),
  })
}

function engineEntry(): string {
  const built = join(root, 'out', 'engine', 'cli.mjs')
  return existsSync(built) ? built : join(root, 'src', 'main', 'cli.ts')
}

function fail(message: string, cure: string): void {
  process.stderr.write(`${message}\n  ${cure}\n`)
  if (!leaving) dialog.showErrorBox('AMC Workstation cannot start', cure ? `${message}\n\n${cure}` : message)
  leaving = true
  app.exit(1)
}

/** Another project opens in a window and engine of its own. */
function openProject(): void {
  const window = currentWindow()
  if (!window) return
  void dialog.showOpenDialog(window, { title: 'Open a project folder', properties: ['openDirectory', 'createDirectory'] }).then(({ filePaths }) => {
    const folder = filePaths[0]
    if (!folder) return
    const child = spawn(process.execPath, [root, '--project', folder], { detached: true, stdio: 'ignore' })
    child.unref()
  })
}
