/** Finds and starts a Chromium that is installed on this machine; none is downloaded. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-device-scale-factor=1']
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** Path of the browser, or null: the stories in a browser are then skipped. AMC_CHROMIUM names one. */
export function findChromium(): string | null {
  const folders = (process.env['PATH'] ?? '').split(':').concat('/usr/bin', '/usr/local/bin')
  const candidates = [process.env['AMC_CHROMIUM'] ?? '', ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
  return candidates.find((path) => path !== '' && existsSync(path)) ?? null
}

export const NO_BROWSER = 'skipped: no Chromium is installed here (set AMC_CHROMIUM to name one)'

export interface OpenPage {
  readonly page: Page
  readonly context: BrowserContext
  readonly browser: Browser
  /** What the page wrote to its console as an error, and what it threw. */
  readonly faults: string[]
  readonly close: () => Promise<void>
}

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
  /** As somebody who comes for the first time, to whom the tour is offered. */
  readonly newcomer?: boolean
  /** The browser's language; the page follows it until another one is chosen. */
  readonly locale?: string
  /** Before the address is opened. */
  readonly prepare?: (page: Page) => Promise<void>
}

/** Opens the workstation as the shell would: by the address with the token, which the engine turns into a cookie. */
export async function openPage(address: { url: string; token: string }, { width = 1440, height = 900, theme = 'dark', newcomer = false, locale, prepare }: PageOptions = {}): Promise<OpenPage> {
  const browser = await chromium.launch({ executablePath: findChromium()!, args: FLAGS, headless: true })
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'no-preference', ...(locale ? { locale } : {}) })
  if (!newcomer) await context.addCookies([{ name: 'amc-tour', value: 'seen', url: address.url }])
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message))
  page.on('console', (message) => {
    // A request the page handles (a missing thumbnail, an engine that is away) is no fault of the page.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text())) faults.push(message.text())
  })
  page.setDefaultTimeout(20_000)
  await prepare?.(page)
  await page.goto(`${address.url}/?token=${address.token}`)
  return { page, context, browser, faults, close: () => browser.close() }
}
