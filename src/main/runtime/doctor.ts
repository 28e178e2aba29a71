/**
 * What this machine computes with, as plain data for `amc doctor` and the settings screen. It only looks: nothing is
 * installed, downloaded or changed. TensorFlow is loaded to know for sure that it runs.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { toErrorData } from '../../shared/errors.ts'
import { loadBackend, readInstalledRuntime } from '../compute/backend.ts'
import type { BackendInfo } from '../compute/protocol.ts'

export interface DoctorReport {
  readonly ok: boolean
  readonly version: string
  readonly platform: { readonly system: string; readonly arch: string; readonly cores: number; readonly cpu: string; readonly memoryBytes: number }
  readonly node: { readonly version: string; readonly path: string }
  readonly tensorflow: {
    readonly running: boolean
    /** Null when it does not run; `problem` says why. */
    readonly backend: BackendInfo | null
    /** Where its libraries come from: 'wheel' our pinned ones, 'package' the npm package's own, null not set up. */
    readonly source: 'wheel' | 'package' | null
    readonly cacheDir: string | null
    readonly problem: string | null
  }
  /** What nvidia-smi names, first card; null when it sees none or is not there. */
  readonly gpu: { readonly name: string; readonly driver: string; readonly memoryMiB: number } | null
  /** `display`: whether a window can be shown here; without one Electron is not fetched. */
  readonly electron: { readonly version: string | null; readonly installed: boolean; readonly path: string | null; readonly display: boolean }
  /** `python` is the first one that has a pip new enough, else the first one; `pip` is that one's. */
  readonly tools: { readonly python: string | null; readonly pip: string | null; readonly compiler: string | null }
  /** What to do, in order; empty when all is well. */
  readonly cures: readonly string[]
}

const run = promisify(execFile)
const require = createRequire(import.meta.url)

export async function doctorReport(env: NodeJS.ProcessEnv = process.env): Promise<DoctorReport> {
  const [tensorflow, gpu, tools] = await Promise.all([tensorflowFacts(), gpuFacts(), toolFacts(env)])
  const electron = electronFacts(env)
  return {
    ok: tensorflow.running,
    version: ownVersion(),
    platform: { system: process.platform, arch: process.arch, cores: availableParallelism(), cpu: cpus()[0]?.model.trim() ?? 'unknown', memoryBytes: totalmem() },
    node: { version: process.versions.node, path: process.execPath },
    tensorflow,
    gpu,
    electron,
    tools,
    cures: curesFor({ running: tensorflow.running, usesGpu: tensorflow.backend?.gpu ?? false, gpu, electron, tools }),
  }
}

async function tensorflowFacts(): Promise<DoctorReport['tensorflow']> {
  const installed = readInstalledRuntime()
  const source = installed === null ? null : installed.flavour === 'package' ? ('package' as const) : ('wheel' as const)
  const cacheDir = installed?.cacheDir ?? null
  try {
    const { info } = await loadBackend()
    return { running: true, backend: info, source, cacheDir, problem: null }
  } catch (error) {
    return { running: false, backend: null, source, cacheDir, problem: toErrorData(error).message }
  }
}

async function gpuFacts(): Promise<DoctorReport['gpu']> {
  const text = await output('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'])
  return text === null ? null : parseGpuLine(text)
}

/** First line of nvidia-smi's csv answer (name, driver, MiB), or null when it is something else. */
export function parseGpuLine(text: string): DoctorReport['gpu'] {
  const [name, driver, memory] = (text.split('\n', 1)[0] ?? '').split(',').map((part) => part.trim())
  const memoryMiB = Number(memory)
  if (!name || !driver || !Number.isFinite(memoryMiB) || memoryMiB <= 0) return null
  return { name, driver, memoryMiB }
}

/** Which Python, pip and compiler there are on PATH. */
export async function toolFacts(env: NodeJS.ProcessEnv): Promise<DoctorReport['tools']> {
  const compiler = onPath([env['CXX'] ?? '', 'g++', 'c++', 'clang++'], env)
  const pythons = ['python3', 'python', 'py'].map((name) => onPath([name], env)).filter((path) => path !== null)
  const found = await Promise.all(pythons.map(async (python) => ({ python, pip: pipVersion(await output(python, ['-m', 'pip', '--version'])) })))
  // As set-up does: the first usable one counts, not the first one.
  const best = found.find(({ pip }) => pip !== null && !isOldPip(pip)) ?? found.find(({ pip }) => pip !== null) ?? found[0]
  if (best?.pip) return { ...best, compiler }
  const alone = onPath(['pip3', 'pip'], env)
  return { python: best?.python ?? null, pip: alone === null ? null : pipVersion(await output(alone, ['--version'])), compiler }
}

/** 'pip 24.0' of what pip says of itself, or null. */
export function pipVersion(text: string | null): string | null {
  return /^pip \d[\w.]*/m.exec(text ?? '')?.[0] ?? null
}

/** Before 20.3 pip cannot be told which wheels this machine takes. @param pip as pipVersion gives it */
export function isOldPip(pip: string): boolean {
  const [major = 0, minor = 0] = pip.replace(/^pip /, '').split('.').map(Number)
  return major < 20 || (major === 20 && minor < 3)
}

function electronFacts(env: NodeJS.ProcessEnv): DoctorReport['electron'] {
  const given = env['ELECTRON_OVERRIDE_DIST_PATH']
  const file = process.platform === 'win32' ? 'electron.exe' : 'electron'
  const folder = folderOf('electron')
  const version = folder === null ? null : (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
  if (given) return { version, installed: existsSync(join(given, file)), path: join(given, file), display: hasDisplay(env) }
  const note = folder === null ? null : join(folder, 'path.txt')
  const path = folder !== null && note !== null && existsSync(note) ? join(folder, 'dist', readFileSync(note, 'utf8').trim()) : null
  return { version, installed: path !== null && existsSync(path), path, display: hasDisplay(env) }
}

/** As `npm start` judges it. */
function hasDisplay(env: NodeJS.ProcessEnv): boolean {
  return process.platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
}

interface Findings {
  readonly running: boolean
  readonly usesGpu: boolean
  readonly gpu: DoctorReport['gpu']
  readonly electron: DoctorReport['electron']
  readonly tools: DoctorReport['tools']
}

/** What a person should do about the findings, most needed first. Pure, so that every case can be tested. */
export function curesFor(found: Findings): string[] {
  const cures: string[] = []
  if (!found.running) {
    if (found.tools.pip === null) cures.push('Install Python 3 with pip (Debian, Ubuntu: `sudo apt install python3-pip`): TensorFlow is fetched with it.')
    else if (isOldPip(found.tools.pip)) cures.push(`Renew ${found.tools.pip} (20.3 or newer is needed to fetch TensorFlow): \`python3 -m pip install --user --upgrade pip\`.`)
    if (found.tools.compiler === null) cures.push('Install a C++ compiler (Debian, Ubuntu: `sudo apt install g++`): the TensorFlow addon is compiled here.')
    cures.push('Run `npm run setup`: it fetches and checks TensorFlow.')
  } else if (found.gpu !== null && !found.usesGpu) {
    cures.push(`There is a ${found.gpu.name}, but TensorFlow computes on the CPU. Run \`npm run setup\`; it needs an NVIDIA driver for CUDA 12 (525 or newer).`)
  }
  if (!found.electron.installed && found.electron.display) cures.push('Electron is not installed; the browser is used instead. `npm run setup` tries to fetch it, and so does `npm start` when it opens a window.')
  return cures
}

/** Full path of the first of these programs that PATH has, or null. */
export function onPath(names: readonly string[], env: NodeJS.ProcessEnv): string | null {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean)
  for (const name of names.filter(Boolean)) {
    for (const folder of folders) {
      const found = endings.map((ending) => join(folder, name + ending)).find((path) => existsSync(path))
      if (found) return found
    }
  }
  return null
}

async function output(command: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await run(command, [...args], { timeout: 20_000, windowsHide: true })).stdout.trim()
  } catch {
    return null // absent or failing: both mean that it cannot be used
  }
}

function folderOf(name: string): string | null {
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch {
    return null
  }
}

/** Version of this program; the sources and the bundle lie at different depths below package.json. */
function ownVersion(): string {
  for (let dir = import.meta.dirname; dir !== dirname(dir); dir = dirname(dir)) {
    const file = join(dir, 'package.json')
    if (!existsSync(file)) continue
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}
