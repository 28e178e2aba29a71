/**
 * A compute process seen from the engine: start it, call it, hear its events, cancel, and live on when it dies. A process
 * that died is started again by the next call; the calls it left unanswered fail with a plain sentence.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError, fromErrorData } from '../../shared/errors.ts'
import { logLines } from './log-lines.ts'
import type { ComputeEvent, ComputeMethod, ComputeMethods, FromCompute, ToCompute } from './protocol.ts'

export type ComputeRole = 'interactive' | 'job'

export interface CallOptions {
  /** Aborting cancels the call; it then rejects with AppError 'cancelled' (a training run: resolves as stopped, saved). */
  readonly signal?: AbortSignal
  /** When it throws, the call is cancelled and fails with what it threw. */
  readonly onEvent?: (event: ComputeEvent) => void
}

export interface Compute {
  call<M extends ComputeMethod>(method: M, request: ComputeMethods[M]['request'], options?: CallOptions): Promise<ComputeMethods[M]['result']>
  /** Starts the process if none is running; resolves when it can compute. Calls do this by themselves. */
  start(): Promise<void>
  /** Of the running process; null when there is none. */
  pid(): number | null
  /** Ends the process: a training run saves its state first; whatever has not ended after graceMs is killed. */
  close(graceMs?: number): Promise<void>
}

export interface ComputeOptions {
  readonly role: ComputeRole
  /** Another entry than the worker's: for tests. */
  readonly entry?: string
  readonly env?: Readonly<Record<string, string>>
  /** Lines the process writes on stderr, and its unexpected ends. */
  readonly onLog?: (line: string) => void
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onEvent: ((event: ComputeEvent) => void) | undefined
  /** What the listener of its events threw: the process was told to stop then, and this is its answer whatever it says. */
  failure: unknown
}

interface Running {
  readonly child: ChildProcess
  readonly ready: Promise<void>
  readonly pending: Map<number, Pending>
}

/**
 * TensorFlow asks for fresh megabytes thousands of times a second. glibc would give them back to the system each time and fault
 * them in again; kept instead, a training step costs 5 to 20 % less (two trials on a busy machine). Other platforms ignore these.
 */
export const ALLOCATOR: Readonly<Record<string, string>> =
  process.platform === 'linux'
    ? {
        GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
        MALLOC_TRIM_THRESHOLD_: String(2 ** 33),
        MALLOC_TOP_PAD_: String(2 ** 28),
        MALLOC_MMAP_THRESHOLD_: String(2 ** 25),
      }
    : {}

const RETRY = 'Try again: it starts anew by itself.'

export function spawnCompute({ role, entry = workerEntry(), env, onLog }: ComputeOptions): Compute {
  let running: Running | null = null
  let closed = false
  let lastId = 0

  function launch(): Running {
    const child = fork(entry, [role], {
      execPath: nodeBinary(),
      execArgv: ['--disable-warning=DEP0044'], // tfjs-node calls util.isArray, which is only deprecated
      serialization: 'advanced',
      env: { ...ALLOCATOR, ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const pending = new Map<number, Pending>()
    const ready = Promise.withResolvers<void>()
    ready.promise.catch(() => undefined)
    const started: Running = { child, ready: ready.promise, pending }

    child.on('message', (message: FromCompute) => {
      if (message.kind === 'ready') return ready.resolve()
      const call = pending.get(message.id)
      if (!call) return
      if (message.kind === 'event') return tell(call, message.id, message.event)
      pending.delete(message.id)
      if (call.failure !== undefined) call.reject(call.failure)
      else if (message.kind === 'result') call.resolve(message.result)
      else call.reject(fromErrorData(message.error))
    })
    // A listener writes to the database, and a disk can be full: that ends this call, never the engine. The process is told to stop
    // and the call fails when it has, so that what comes next does not begin beside it.
    const tell = (call: Pending, id: number, event: ComputeEvent): void => {
      if (call.failure !== undefined) return
      try {
        call.onEvent?.(event)
      } catch (error) {
        call.failure = error ?? new Error('a listener failed')
        send(started, { kind: 'cancel', id })
      }
    }
    const log = logLines((line) => onLog?.(line))
    child.stderr?.setEncoding('utf8').on('data', log.add).on('end', log.end)

    let ended = false
    const end = (why: string): void => {
      if (ended) return
      ended = true
      if (running === started) running = null
      const error = new AppError('internal', `The computing process ended (${why}), so this was not computed.`, RETRY)
      ready.reject(error)
      for (const call of pending.values()) call.reject(call.failure ?? error)
      pending.clear()
      if (!closed) onLog?.(error.message)
    }
    child.on('error', (error) => end(error.message))
    child.on('exit', (code, signal) => end(signal ?? `exit ${code}`))
    return started
  }

  function current(): Running {
    if (closed) throw new AppError('internal', 'The computing process was closed.', 'Start the program again.')
    running ??= launch()
    return running
  }

  const send = ({ child }: Running, message: ToCompute): void => {
    if (child.connected) child.send(message, () => undefined)
  }

  return {
    async call(method, request, { signal, onEvent } = {}) {
      if (signal?.aborted) throw cancelled()
      const target = current()
      const id = ++lastId
      // Sent at once: the channel holds it until the process listens.
      const answer = new Promise<unknown>((resolve, reject) => target.pending.set(id, { resolve, reject, onEvent, failure: undefined }))
      const cancel = (): void => send(target, { kind: 'cancel', id })
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        send(target, { kind: 'call', id, method, request })
        return (await answer) as never
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    },
    start: async () => current().ready,
    pid: () => running?.child.pid ?? null,
    async close(graceMs = 10_000) {
      closed = true
      if (!running) return
      const { child } = running
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await gone
      clearTimeout(timer)
    },
  }
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled before it began.')
}

/** The worker: beside this file as source, beside it or above its chunks when built. */
function workerEntry(): string {
  const here = import.meta.dirname
  const built = [join(here, 'worker.mjs'), join(here, '..', 'worker.mjs')].find((path) => existsSync(path))
  return built ?? join(here, 'worker.ts')
}

const OLDEST_NODE = 22

/** A Node that runs TypeScript sources and the addon: this one, or the one installed as a package. */
function nodeBinary(): string {
  const own = Number(process.versions.node.split('.')[0]) >= OLDEST_NODE && !process.versions['electron']
  if (own) return process.execPath
  const name = join('node_modules', `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`, 'bin')
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, name, process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder)) throw new AppError('runtime-missing', 'Node 24 is not installed beside the program.', 'Run `npm run setup`.')
  }
}
