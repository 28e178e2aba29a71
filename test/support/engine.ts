/** For tests of the engine: projects in temporary folders, small datasets, a calling client. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Contract } from '../../src/shared/contract/contract.ts'
import type { Checkpoint } from '../../src/shared/domain.ts'
import { AppError } from '../../src/shared/errors.ts'
import { type Compute, spawnCompute } from '../../src/main/compute/client.ts'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { createEngine, type Engine, type EngineOptions, openEngine, type EngineCore, type ServeOptions } from '../../src/main/engine/engine.ts'
import { registerCheckpoint } from '../../src/main/features/register-checkpoint.ts'
import type { Db } from '../../src/main/store/db.ts'
import type { Project } from '../../src/main/store/project.ts'
import { fakeCompute, type FakeCompute } from './fake-compute.ts'
import { TINY } from './tiny-runs.ts'

export { fakeCompute, type FakeCompute }

export type Client = ContractRouterClient<Contract>

/** Removed when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'amc-engine-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

export interface Annotation {
  readonly image: string
  readonly caption: string
  readonly bbox: readonly (readonly [number, number, number, number])[]
  readonly split?: string
}

/** A grey picture for every image named, and annotations.json. Returns the path of the latter. */
export async function writeDataset(folder: string, annotations: readonly Annotation[], size = { width: 40, height: 30 }): Promise<string> {
  await mkdir(folder, { recursive: true })
  const picture = await sharp({ create: { ...size, channels: 3, background: { r: 120, g: 130, b: 140 } } }).png().toBuffer()
  for (const name of new Set(annotations.map((one) => one.image))) await writeFile(join(folder, name), picture)
  const path = join(folder, 'annotations.json')
  await writeFile(path, JSON.stringify(annotations))
  return path
}

export function annotationsOf(images: number, regionsEach: number): Annotation[] {
  return Array.from({ length: images * regionsEach }, (_, i) => {
    const image = Math.floor(i / regionsEach)
    const x = (i * 3) % 20
    return { image: `${image}.png`, caption: `the thing number ${i}`, bbox: [[x, 5, x + 12, 25]], split: image % 4 === 3 ? 'val' : 'train' }
  })
}

/** A checkpoint file that holds the sizes of the tiny model and one weight: enough to be listed. */
export async function addCheckpoint(project: Project, name: string): Promise<Checkpoint> {
  const folder = join(project.dir, 'checkpoints')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${name}.safetensors`)
  writeSafetensors(path, new Map([['temp', { shape: [1], data: Float32Array.of(0.07) }]]), { 'amc.modelConfig': JSON.stringify(TINY), note: name })
  return registerCheckpoint(project, { path, name, origin: 'imported' })
}

/** An engine without servers whose computing is arithmetic; closed when the test has finished. */
export async function openTestEngine(options: Partial<EngineOptions> = {}): Promise<EngineCore & { readonly compute: FakeCompute }> {
  const compute = fakeCompute()
  const engine = await openEngine({ compute: () => compute, projectDir: options.projectDir ?? (await temporaryFolder()), ...options })
  onTestFinished(() => engine.close())
  await engine.settled
  return { ...engine, compute }
}

export async function serveTestEngine(options: Partial<EngineOptions & ServeOptions> = {}): Promise<Engine & { readonly compute: FakeCompute }> {
  const compute = fakeCompute()
  const engine = await createEngine({ compute: () => compute, projectDir: options.projectDir ?? (await temporaryFolder()), ...options })
  onTestFinished(() => engine.close())
  await engine.settled
  return { ...engine, compute }
}

/** Real compute processes, over the real channel, that compute by arithmetic: see arithmetic-worker.ts. */
export const arithmeticProcess = (role: 'interactive' | 'job'): Compute => spawnCompute({ role, entry: join(import.meta.dirname, 'arithmetic-worker.ts') })

/** An engine over such processes; closed when the test has finished. */
export async function openEngineWithProcesses(projectDir: string): Promise<EngineCore> {
  const engine = await openEngine({ projectDir, compute: arithmeticProcess })
  onTestFinished(() => engine.close())
  await engine.settled
  return engine
}

/** From now on the database refuses to write, as on a full disk; what is returned makes room again. Reading goes on. */
export function fillDisk({ context: { db } }: EngineCore): () => void {
  const writer = db as { run: Db['run']; transaction: Db['transaction'] }
  const { run, transaction } = writer
  const refuse = (): never => {
    throw new AppError('disk-full', 'The disk is full, so this was not saved. Everything saved before is safe.', 'Free space, then try again.')
  }
  Object.assign(writer, { run: refuse, transaction: refuse })
  return () => Object.assign(writer, { run, transaction })
}

/** Imports a dataset and returns its id. */
export async function importInto({ handlers, context }: EngineCore, path: string, options: { name?: string; imagesDir?: string } = {}): Promise<string> {
  const job = await handlers.datasets.import({ path, ...options })
  const ended = await context.jobs.ended(job.id)
  if (ended.state !== 'done') throw new Error(`The import ended as ${ended.state}: ${ended.error?.message}`)
  return (ended.result as { datasetId: string }).datasetId
}

/** A client as the page has it. */
export async function connect({ url, token }: { url: string; token: string }): Promise<{ api: Client; socket: WebSocket; close: () => void }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}rpc`, { headers: { authorization: `Bearer ${token}` } })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return { api: createORPCClient(new RPCLink({ websocket: socket as never })), socket, close: () => socket.terminate() }
}
