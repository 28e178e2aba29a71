/** For tests of the engine: projects in temporary folders, small datasets, a calling client, and a computing process made of arithmetic. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { bicubicPeak } from '../../src/shared/consistency.ts'
import type { Contract } from '../../src/shared/contract/contract.ts'
import type { Checkpoint } from '../../src/shared/domain.ts'
import { AppError } from '../../src/shared/errors.ts'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import type { Compute } from '../../src/main/compute/client.ts'
import type { ExplainRequest, ExplainResult } from '../../src/main/compute/protocol.ts'
import { createEngine, type Engine, type EngineOptions, openEngine, type EngineCore, type ServeOptions } from '../../src/main/engine/engine.ts'
import { registerCheckpoint } from '../../src/main/features/register-checkpoint.ts'
import type { Project } from '../../src/main/store/project.ts'
import { TINY } from './tiny-runs.ts'

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

export interface FakeCompute extends Compute {
  /** Requests that were really computed. */
  readonly explained: ExplainRequest[]
  /** While set, explain waits for it. */
  gate: Promise<void> | null
}

/** Answers as a computing process does, from arithmetic on the phrase: the same phrase has the same heat. */
export function fakeCompute(): FakeCompute {
  const explained: ExplainRequest[] = []
  const fake: FakeCompute = {
    explained, gate: null,
    call: async (method, request, options) => {
      if (method === 'info') return { library: 'arithmetic', device: 'cpu', gpu: false, whyNotGpu: null, threads: 1 } as never
      if (method !== 'explain') throw new AppError('internal', `The stand-in cannot ${method}.`)
      const asked = request as ExplainRequest
      explained.push(asked)
      if (fake.gate) await Promise.race([fake.gate, new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'Cancelled.'))))])
      const image = { width: 40, height: 30 }
      const result: ExplainResult = {
        image, computeMs: 1,
        phrases: asked.phrases.map((phrase) => {
          const grid = { width: 4, height: 4, values: heatOf(phrase) }
          return { phrase, grid, peak: bicubicPeak(grid, image), matchProbability: (phrase.length % 10) / 10, layer: 1, maskSize: 24, tokens: ['[CLS]', ...phrase.split(' ')], truncated: false }
        }),
      }
      return result as never
    },
    start: async () => undefined,
    pid: () => null,
    close: async () => undefined,
  }
  return fake
}

function heatOf(phrase: string): Float32Array {
  let state = [...phrase].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7)
  return Float32Array.from({ length: 16 }, () => (state = (state * 75 + 74) % 65_537) / 65_537)
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
