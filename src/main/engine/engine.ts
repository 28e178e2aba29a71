/** The engine: project, jobs, compute processes and servers put together. The command line and the tests start it from here. */
import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { Server } from 'node:http'
import { AppError } from '../../shared/errors.ts'
import { type Compute, spawnCompute } from '../compute/client.ts'
import { registerShipped } from '../features/checkpoints/shipped.ts'
import { removeUnfinished } from '../features/datasets/remove.ts'
import { watchSources } from '../features/datasets/watch.ts'
import { recoverRuns, takeUpQueue } from '../features/runs/recover.ts'
import { openProject, type OpenProjectOptions } from '../store/project.ts'
import { createGuard, type Guard, newToken } from './auth.ts'
import { checkHeatmap } from './check.ts'
import type { EngineContext } from './context.ts'
import { continueDemo, type DemoSize, hadDemo, makeDemo, scoreDemo } from './demo.ts'
import { createEvents } from './events.ts'
import { createHttpServer } from './http.ts'
import { createJobLog } from './job-log.ts'
import { createJobs } from './jobs.ts'
import { createApi, openApiDocument } from './openapi.ts'
import { createHandlers, createRouter, type EngineHandlers } from './router.ts'
import { createTurns } from './turns.ts'
import { serveRpc } from './ws.ts'

const WATCH_EVERY_MS = 20_000

export interface EngineOptions {
  readonly projectDir: string
  /** Milliseconds between two looks at watched sources. */
  readonly watchEveryMs?: number
  /** Makes the demo dataset when the project never had it. A size makes a smaller one, for tests. */
  readonly demo?: boolean | DemoSize
  /** Computing processes of another kind, for tests. */
  readonly compute?: (role: 'interactive' | 'job') => Compute
  readonly store?: OpenProjectOptions
}

export interface ServeOptions {
  /** 0: any free one. */
  readonly port?: number
  /** Another address to listen on than this machine's own; null: loopback only. */
  readonly host?: string | null
  readonly token?: string
  readonly pageDir?: string
}

/** Everything but the servers: what the command line needs for a job without a window. */
export interface EngineCore {
  readonly context: EngineContext
  readonly handlers: EngineHandlers
  /** Resolves when the shipped checkpoints are registered and what a killed process left is put right. */
  readonly settled: Promise<void>
  close(): Promise<void>
}

export interface Engine extends EngineCore {
  /** Address without the token. */
  readonly url: string
  readonly token: string
}

/** @throws AppError 'locked', 'newer-version', 'bad-input', 'disk-full' as openProject */
export async function openEngine(options: EngineOptions): Promise<EngineCore> {
  const programDir = findProgramDir()
  const shippedDir = join(programDir, 'resources', 'checkpoints')
  const project = openProject(options.projectDir, { shippedDir, ...options.store })
  const events = createEvents()
  const jobs = createJobs(events, createJobLog(project.db))
  const compute = options.compute ?? ((role) => spawnCompute({ role, onLog: (line) => console.error(`[compute ${role}] ${line}`) }))
  const demoSize = typeof options.demo === 'object' ? options.demo : {}
  const parts: Omit<EngineContext, 'makeDemo'> = {
    project, db: project.db, events, jobs, turns: createTurns(), programDir, version: versionOf(programDir), interactive: compute('interactive'), worker: compute('job'),
    author: () => project.db.get<{ value: string }>("SELECT value FROM project WHERE key = 'author'")?.value ?? systemUser(),
  }
  const context: EngineContext = { ...parts, makeDemo: () => makeDemo(parts, demoSize, (datasetId) => scoreDemo(parts, datasetId)) }
  const readFolders = recoverRuns(context)
  const removeLeftovers = removeUnfinished(project.db)
  const handlers = createHandlers(context)
  if (options.demo && !hadDemo(project.db)) context.makeDemo()
  const closing = new AbortController()
  const settled = (async () => {
    await registerShipped(context, shippedDir)
    await removeLeftovers()
    await readFolders(closing.signal)
  })()
  settled.catch((error: unknown) => console.error('Opening the project:', error))
  const watching = watchSources(context, options.watchEveryMs ?? WATCH_EVERY_MS, closing.signal)
  let closed: Promise<void> | null = null
  return {
    context, handlers, settled,
    close: () =>
      (closed ??= (async () => {
        closing.abort()
        await watching
        await jobs.close()
        await settled.catch(() => undefined)
        await Promise.all([context.interactive.close(), context.worker.close()])
        project.close()
      })()),
  }
}

/** @throws AppError 'busy' when the port is taken, and as openEngine */
export async function createEngine(options: EngineOptions & ServeOptions): Promise<Engine> {
  const core = await openEngine(options)
  try {
    return await serve(core, options)
  } catch (error) {
    await core.close()
    throw error
  }
}

async function serve(core: EngineCore, { port = 0, host = null, token = newToken(), pageDir }: ServeOptions): Promise<Engine> {
  const { context } = core
  let guard: Guard = createGuard({ port, host, token })
  const router = createRouter(core.handlers)
  let url = ''
  const server = createHttpServer({
    context, guard: () => guard, pageDir: pageDir ?? join(context.programDir, 'out', 'renderer'), check: async () => (await core.settled, checkHeatmap(context)),
    api: createApi(router), openApi: () => openApiDocument(context.version, url),
  })
  const rpc = serveRpc(server, router, () => guard)
  const address = await listen(server, port, host)
  guard = createGuard({ port: address.port, host, token })
  const shown = host && host !== '0.0.0.0' && host !== '::' ? (host.includes(':') ? `[${host}]` : host) : '127.0.0.1'
  url = `http://${shown}:${address.port}/`
  context.project.announce(url)
  void core.handlers.system.info({}) // TensorFlow loads while the page does
  core.settled.then(() => {
    continueDemo(context)
    void takeUpQueue(context, core.handlers.runs.resume)
  }, () => undefined)
  return {
    ...core, url, token,
    close: async () => {
      rpc.close()
      server.close()
      server.closeAllConnections()
      await core.close()
    },
  }
}

function listen(server: Server, port: number, host: string | null): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new AppError('busy', `Port ${port} is already in use.`, 'Close what uses it, choose another --port, or leave it out: any free one is taken then.', '--port'))
      else if (error.code === 'EACCES') reject(new AppError('forbidden', `Port ${port} may not be used by this user.`, 'Choose a --port above 1023.', '--port'))
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') reject(new AppError('usage', `This machine does not have the address ${host}.`, 'Leave --host out, or name one of its own addresses.', '--host'))
      else reject(error)
    })
    server.listen({ port, host: host ?? '127.0.0.1' }, () => resolve(server.address() as AddressInfo))
  })
}

/** The folder with configs/ and resources/: above the source as above the built bundle. */
export function findProgramDir(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'configs', 'run')) && existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new AppError('internal', 'The folder of the program is not complete: configs is missing.', 'Install the program again.')
  }
}

function versionOf(programDir: string): string {
  return (JSON.parse(readFileSync(join(programDir, 'package.json'), 'utf8')) as { version: string }).version
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return 'annotator' // a container may run under a number without a name
  }
}
