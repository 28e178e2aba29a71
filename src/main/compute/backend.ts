/**
 * The only file that sees tfjs-node. It repairs what Node 24 took away from under the package, loads it, and says in
 * plain words what is computing: which TensorFlow, on what device, and why not on a GPU.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type * as TensorFlow from '@tensorflow/tfjs'
import { AppError } from '../../shared/errors.ts'
import type { BackendInfo } from './protocol.ts'

export interface Backend {
  readonly tf: typeof TensorFlow
  readonly info: BackendInfo
}

/** What scripts/lib/tensorflow.mjs writes beside the addon it put into the package. */
export interface InstalledRuntime {
  /** For example '2.21.0'. */
  readonly tensorflow: string
  readonly flavour: 'cpu' | 'cuda' | 'package'
  readonly cacheDir: string | null
  /** Why the CUDA build was not installed; null when it was. */
  readonly whyNotGpu: string | null
}

interface NodeBackend {
  readonly isUsingGpuDevice: boolean
  readonly binding: { readonly TF_Version?: string }
}

const require = createRequire(import.meta.url)
const PACKAGE = '@tensorflow/tfjs-node-gpu'
const CURE = 'Run `npm run setup`; it downloads TensorFlow once and checks it.'

let loading: Promise<Backend> | null = null

/** Loads TensorFlow once per process. Throws AppError 'runtime-missing' with the cure when it is not there or broken. */
export function loadBackend(): Promise<Backend> {
  loading ??= load().catch((error: unknown) => {
    loading = null // a set-up run in the meantime may have cured it
    throw error
  })
  return loading
}

async function load(): Promise<Backend> {
  // TensorFlow reads these once, when it is loaded. Its start-up notes are not for people; errors still come through.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  restoreRemovedUtilities(require('node:util') as Record<string, unknown>)
  const installed = readInstalledRuntime()
  const tf = requireTensorFlow()
  await tf.ready()
  if (tf.getBackend() !== 'tensorflow') {
    throw new AppError('runtime-missing', `TensorFlow loaded but the backend in use is '${tf.getBackend()}'.`, CURE)
  }
  return { tf, info: describe(tf, installed) }
}

/**
 * tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed, and util.isArray, which still is there but warns on
 * every start. The fix is merged upstream and was never released.
 */
export function restoreRemovedUtilities(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] = Array.isArray
}

/** Folder of the tfjs-node package, or null when the dependencies are not installed. */
export function packageDir(): string | null {
  try {
    return dirname(require.resolve(`${PACKAGE}/package.json`))
  } catch {
    return null
  }
}

/** The note that set-up left beside the addon; null when the runtime was never set up. */
export function readInstalledRuntime(dir: string | null = packageDir()): InstalledRuntime | null {
  const file = dir && join(dir, 'lib', 'amc-runtime.json')
  if (!file || !existsSync(file)) return null
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as InstalledRuntime
  } catch {
    return null // a torn note is the same as none: set-up writes it anew
  }
}

function requireTensorFlow(): typeof TensorFlow {
  try {
    return require(PACKAGE) as typeof TensorFlow
  } catch (error) {
    throw new AppError('runtime-missing', `TensorFlow could not be loaded: ${firstLine(error)}`, CURE, undefined, { cause: error })
  }
}

function describe(tf: typeof TensorFlow, installed: InstalledRuntime | null): BackendInfo {
  const backend = tf.backend() as unknown as NodeBackend
  const version = backend.binding.TF_Version ?? installed?.tensorflow ?? 'unknown'
  const gpu = backend.isUsingGpuDevice
  return {
    library: `TensorFlow ${version} (tfjs-node ${packageVersion()})`,
    device: gpu ? gpuName() : 'cpu',
    gpu,
    whyNotGpu: gpu ? null : (installed?.whyNotGpu ?? 'TensorFlow finds no GPU that it can use.'),
    threads: threadCount(process.env['TF_NUM_INTRAOP_THREADS'], availableParallelism()),
  }
}

/** Threads TensorFlow computes with: its own environment variable when set to a positive number, else every core. */
export function threadCount(asked: string | undefined, cores: number): number {
  const count = Number(asked)
  return Number.isInteger(count) && count > 0 ? count : cores
}

/** Name of the first card as the NVIDIA driver writes it, else just 'gpu'. */
export function gpuName(cards = '/proc/driver/nvidia/gpus'): string {
  try {
    const texts = readdirSync(cards).sort().map((card) => readFileSync(join(cards, card, 'information'), 'utf8'))
    return texts.map((text) => /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim()).find(Boolean) ?? 'gpu'
  } catch {
    return 'gpu' // another system or another driver: it computes all the same
  }
}

function packageVersion(): string {
  return (require(`${PACKAGE}/package.json`) as { version: string }).version
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!.trim()
}
