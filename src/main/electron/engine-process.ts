/**
 * The engine as the shell sees it: a child process that prints one JSON line with its address when it is ready. It is told to
 * end by closing its input, so that it also ends when the shell is killed. When it dies by itself it is started again, with a
 * pause that grows. No Electron in here, and nothing newer than Node 12.
 */
import { spawn, type ChildProcess } from 'child_process'

export interface EngineAddress {
  readonly url: string
  readonly token: string
}

export interface EngineProblem {
  readonly message: string
  readonly cure: string
}

export interface EngineProcessOptions {
  readonly node: string
  /** Arguments before the options of `serve`. */
  readonly args: readonly string[]
  readonly port: number
  readonly onReady: (address: EngineAddress, restarted: boolean) => void
  /** It ended before it ever was ready, and will not be tried again: the person must know. */
  readonly onFailed: (problem: EngineProblem) => void
  readonly onLog: (text: string) => void
  /** Names of the runs that train or wait, whenever they change; none when the engine ended. */
  readonly onWorking?: (runs: readonly string[]) => void
  readonly retryMs?: number
}

export interface EngineProcess {
  readonly pid: () => number | null
  /** Closes its input and waits; after graceMs it is killed. */
  readonly stop: (graceMs?: number) => Promise<void>
}

const LONGEST_PAUSE_MS = 10_000
const STEADY_MS = 30_000
/** Exits in a row, without a quiet half minute between, after which starting again helps nobody. */
const MOST_RESTARTS = 8

export function startEngineProcess(options: EngineProcessOptions): EngineProcess {
  const firstPause = options.retryMs === undefined ? 250 : options.retryMs
  let child: ChildProcess | null = null
  let stopping = false
  let wasReady = false
  let port = options.port
  let restarts = 0
  let timer: NodeJS.Timeout | null = null

  const tellWorking = (runs: readonly string[]): void => {
    if (options.onWorking) options.onWorking(runs)
  }

  function launch(): void {
    timer = null
    const started = Date.now()
    const running = spawn(options.node, options.args.concat(['--port', String(port), '--json', '--exit-with-input']), { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    child = running
    let ended = false
    let problem: EngineProblem | null = null
    let ready = false
    let lastNote = ''
    running.stdin.on('error', () => undefined) // it went away first
    onLines(running.stdout, (line) => {
      const said = parse(line)
      if (!said) return
      if (isAddress(said)) {
        ready = true
        port = Number(/:(\d+)/.exec(said.url.replace(/^https?:\/\//, ''))![1])
        const restarted = wasReady
        wasReady = true
        options.onReady(said, restarted)
      } else if (Array.isArray(said.working)) tellWorking(said.working.map(String))
      else if (said.error) problem = { message: String((said.error as EngineProblem).message), cure: String((said.error as EngineProblem).cure || '') }
    })
    onLines(running.stderr, (line) => {
      lastNote = line
      options.onLog(line)
    })
    const end = (why: string): void => {
      if (ended) return
      ended = true
      if (child === running) child = null
      if (stopping) return
      if (ready) tellWorking([])
      if (!ready && port !== 0 && !wasReady) {
        // The port of last time may be taken by now; any other will do.
        port = 0
        launch()
        return
      }
      if (Date.now() - started > STEADY_MS) restarts = 0
      restarts++
      if (!wasReady || restarts > MOST_RESTARTS) {
        options.onFailed(problem || { message: `The engine ended (${why}).`, cure: lastNote })
        return
      }
      options.onLog(`The engine ended (${why}); it is started again.`)
      timer = setTimeout(launch, Math.min(LONGEST_PAUSE_MS, firstPause * Math.pow(2, restarts - 1)))
    }
    running.on('error', (error) => end(error.message))
    running.on('close', (code, signal) => end(signal ? String(signal) : `exit ${String(code)}`))
  }

  launch()
  return {
    pid: () => (child && child.pid !== undefined ? child.pid : null),
    stop: (graceMs = 15_000) =>
      new Promise((resolve) => {
        stopping = true
        if (timer) clearTimeout(timer)
        const running = child
        if (!running) return resolve()
        const kill = setTimeout(() => running.kill('SIGKILL'), graceMs)
        running.once('close', () => {
          clearTimeout(kill)
          resolve()
        })
        running.stdin!.end()
      }),
  }
}

function isAddress(said: Record<string, unknown>): said is Record<string, unknown> & EngineAddress {
  return typeof said.url === 'string' && typeof said.token === 'string' && /:\d+/.test(said.url)
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function onLines(stream: NodeJS.ReadableStream, each: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.trim() !== '') each(line.trim())
  })
}
