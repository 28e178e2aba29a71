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
import { type Answer, createClosing } from './electron/closing.ts'
import { answerDialogs } from './electron/dialogs.ts'
import { type EngineProcess, startEngineProcess } from './electron/engine-process.ts'
import { setApplicationMenu } from './electron/menu.ts'
import { engineNode, projectKey, usualProject } from './electron/places.ts'
import { openWindow, type ShellWindow } from './electron/window.ts'
import { readWindowState } from './electron/window-state.ts'

/** Exit code for a start that failed and told the person why: what started the shell has nothing to add. */
const HAS_SAID = 3

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
const closing = createClosing({ ask: askWhatToDo, hide: () => currentWindow()?.hide(), quit: () => app.quit() })

const currentWindow = (): BrowserWindow | null => (shown && !shown.window.isDestroyed() ? shown.window : null)

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', showAgain)
  app.on('activate', showAgain)
  app.on('window-all-closed', () => app.quit())
  app.on('before-quit', (event) => {
    if (leaving || !engine) return
    event.preventDefault()
    if (closing.mayEnd()) leave()
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave)
  void app.whenReady().then(start)
} else {
  process.stderr.write(`The project ${project} is open already; its window is brought to the front.\n`)
  app.quit()
}

function start(): void {
  setApplicationMenu({ openProject })
  answerDialogs(currentWindow)
  const node = engineNode(root, process.env)
  if (!node) return fail('Node 24, which runs the engine, is not installed beside the program.', 'Run `npm run setup` in the program\'s folder.')
  shown = openWindow(stateFile, `${basename(project)} – AMC Workstation`, join(root, 'out', 'preload', 'index.cjs'))
  shown.window.on('close', (event) => {
    if (!leaving && !closing.mayEnd()) event.preventDefault()
  })
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
    onWorking: closing.working,
  })
}

/** Ends the engine, which lets a run stop and save, and then the program. */
function leave(): void {
  if (leaving) return
  leaving = true
  if (engine) void engine.stop().then(() => app.exit(0))
  else app.exit(0)
}

function showAgain(): void {
  const window = currentWindow()
  if (!window) return
  closing.shown()
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

function askWhatToDo(runs: readonly string[]): Promise<Answer> {
  const window = currentWindow()
  if (!window) return Promise.resolve('stop')
  const answers: readonly Answer[] = ['go on', 'stop', 'stay']
  const question = {
    type: 'question' as const,
    title: 'AMC Workstation',
    message: runs.length === 1 ? `${runs[0]!} is training.` : `${runs.length} runs are training or wait to.`,
    detail: 'It can go on without the window: start the program again to see it. Or it stops after the step in hand and saves; you can resume it later on the Train screen.',
    buttons: ['Go On Without Window', 'Stop and Close', 'Cancel'],
    defaultId: 0,
    cancelId: 2,
  }
  return dialog.showMessageBox(window, question).then(({ response }) => answers[response] || 'stay')
}

function engineEntry(): string {
  const built = join(root, 'out', 'engine', 'cli.mjs')
  return existsSync(built) ? built : join(root, 'src', 'main', 'cli.ts')
}

function fail(message: string, cure: string): void {
  process.stderr.write(`${message}\n  ${cure}\n`)
  if (!leaving) dialog.showErrorBox('AMC Workstation cannot start', cure ? `${message}\n\n${cure}` : message)
  leaving = true
  app.exit(HAS_SAID)
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
