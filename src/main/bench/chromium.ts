/** A Chromium of this machine without a window, spoken to by its own protocol: benches need a page, and no test library reaches what people run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { WebSocket } from 'ws'
import { AppError } from '../../shared/errors.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-device-scale-factor=1', '--remote-debugging-port=0', 'about:blank']

export interface BenchPage {
  send(method: string, params?: object): Promise<Record<string, unknown>>
  /** Evaluates an expression in the page; a promise is awaited. */
  evaluate<T>(expression: string): Promise<T>
  close(): Promise<void>
}

/** AMC_CHROMIUM names one where it is not found. @throws AppError 'runtime-missing' */
export function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/bin', '/usr/local/bin')
  const candidates = [process.env['AMC_CHROMIUM'] ?? '', ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
  const found = candidates.find((path) => path !== '' && existsSync(path))
  if (!found) throw new AppError('runtime-missing', 'No Chromium was found on this machine.', 'Install one, or set AMC_CHROMIUM to its path.')
  return found
}

export async function openBenchPage(size: { readonly width: number; readonly height: number }): Promise<BenchPage> {
  const profile = await mkdtemp(join(tmpdir(), 'amc-bench-'))
  const child = spawn(findChromium(), [`--user-data-dir=${profile}`, `--window-size=${size.width},${size.height}`, ...FLAGS], { stdio: ['ignore', 'ignore', 'pipe'] })
  const end = async (asked: Promise<unknown>): Promise<void> => {
    // Without a process id it never started, and will not end.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await asked.catch(() => undefined)
      await gone
      clearTimeout(timer)
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    return await attach(await connect(await endpointOf(child)), size, end)
  } catch (error) {
    // A browser that cannot be used must not stay, and keep this process alive.
    child.kill('SIGKILL')
    await end(Promise.resolve())
    throw error
  }
}

type Connection = Awaited<ReturnType<typeof connect>>

async function attach(browser: Connection, size: { readonly width: number; readonly height: number }, end: (asked: Promise<unknown>) => Promise<void>): Promise<BenchPage> {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params: object = {}) => browser.send(method, params, String(sessionId))
  await send('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false })
  return {
    send,
    async evaluate<T>(expression: string): Promise<T> {
      const answer = (await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })) as { result: { value: T }; exceptionDetails?: { text: string; exception?: { description?: string } } }
      if (answer.exceptionDetails) throw new AppError('internal', `The page failed: ${answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text}`)
      return answer.result.value
    },
    close: () => end(browser.send('Browser.close')),
  }
}

function endpointOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stderr!.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const found = /DevTools listening on (ws:\S+)/.exec(text)
      if (found) resolve(found[1]!)
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new AppError('runtime-missing', `Chromium ended with ${code} before it could be used.`, text.trim().split('\n').at(-1) ?? '')))
  })
}

interface Reply {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

async function connect(endpoint: string): Promise<{ send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>> }> {
  const socket = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 512 * 2 ** 20 })
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const waiting = new Map<number, { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }>()
  socket.on('message', (data) => {
    const reply = JSON.parse(String(data)) as Reply
    const caller = reply.id === undefined ? undefined : waiting.get(reply.id)
    if (!caller) return
    waiting.delete(reply.id!)
    if (reply.error) caller.reject(new AppError('internal', `Chromium refused: ${reply.error.message}`))
    else caller.resolve(reply.result ?? {})
  })
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new AppError('internal', 'Chromium ended.'))
    waiting.clear()
  })
  let next = 1
  return {
    send: (method, params = {}, sessionId) => new Promise((resolve, reject) => {
      const id = next++
      waiting.set(id, { resolve, reject })
      socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }))
    }),
  }
}
