/** Starts the real shell in an Electron of this machine, with a display of its own where there is none. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { _electron as modern, type ElectronApplication, type Page } from 'playwright-core'
// Newer ones call what Chromium 83 does not have.
import { _electron as legacy } from 'playwright-core-legacy'
import { ROOT } from './engine.ts'

export interface FoundElectron {
  readonly path: string
  readonly major: number
}

/** ELECTRON_OVERRIDE_DIST_PATH, as the electron package honours it, else what that package downloaded; null when there is none. */
export function findElectron(): FoundElectron | null {
  const given = process.env['ELECTRON_OVERRIDE_DIST_PATH']
  const own = join(ROOT, 'node_modules', 'electron', 'dist')
  for (const folder of [given, own]) {
    const path = folder && join(folder, process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : process.platform === 'win32' ? 'electron.exe' : 'electron')
    if (!path || !existsSync(path)) continue
    const note = join(folder, 'version')
    const written = existsSync(note) ? readFileSync(note, 'utf8').trim().replace(/^v/, '') : ''
    return { path, major: Number(written.split('.')[0]) || 9 }
  }
  return null
}

export interface Display {
  readonly name: string
  readonly close: () => void
}

/** The display of this session, or one started for the test; null where there is neither. */
export async function findDisplay(): Promise<Display | null> {
  if (process.platform !== 'linux') return { name: '', close: () => undefined }
  if (process.env['DISPLAY']) return { name: process.env['DISPLAY'], close: () => undefined }
  if (!(process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'Xvfb')))) return null
  const server: ChildProcess = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1500x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const number = await new Promise<string>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)))
    ;(server.stdio[3] as NodeJS.ReadableStream).once('data', (data: Buffer) => resolve(data.toString().trim()))
  })
  return { name: `:${number}`, close: () => server.kill() }
}

export interface RunningShell {
  readonly app: ElectronApplication
  readonly page: Page
  readonly log: () => string
}

export async function startShell(electron: FoundElectron, display: Display, projectDir: string, settingsDir: string): Promise<RunningShell> {
  const old = electron.major < 20
  const env = { ...(process.env as Record<string, string>), DISPLAY: display.name, AMC_NODE: process.execPath, XDG_CONFIG_HOME: settingsDir }
  const launch = (old ? legacy : modern) as typeof modern
  const app = await launch.launch({ executablePath: electron.path, args: ['--no-sandbox', '--disable-gpu', ROOT, '--project', projectDir], env, timeout: 60_000 })
  let log = ''
  app.process().stderr?.on('data', (data: Buffer) => (log += data.toString()))
  await app.context().addInitScript("document.cookie = 'amc-tour=seen; path=/'")
  // The window is there before the engine has given it a page, so this comes in time.
  if (old) await app.context().addInitScript({ path: join(import.meta.dirname, 'old-chromium.js') })
  const page = await app.firstWindow()
  page.setDefaultTimeout(30_000)
  return { app, page, log: () => log }
}
