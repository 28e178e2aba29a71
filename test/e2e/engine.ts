/** A real engine for a story: the built `amc serve` on a project of its own, with a small dataset made by the demo's own recipe. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateDemo } from '../../src/main/demo/generate.ts'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface ServedEngine {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly projectDir: string
  readonly log: () => string
  /** As a crash or the out-of-memory killer would end it. */
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

export async function temporaryFolder(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `amc-e2e-${name}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** 150 training scenes, 60 close-ups and 40 held-out scenes: every feature shows, and it takes seconds. */
export async function makeSmallDemo(dir: string): Promise<string> {
  await generateDemo({ dir, seed: 7, train: 150, closeUps: 60, heldOut: 40 })
  return dir
}

export function builtCli(): string {
  const cli = join(ROOT, 'out', 'engine', 'cli.mjs')
  if (!existsSync(cli)) throw new Error('The program is not built: run `npm run build` first.')
  return cli
}

export async function serve(projectDir: string, options: { port?: number; args?: readonly string[] } = {}): Promise<ServedEngine> {
  const child = spawn(process.execPath, [builtCli(), 'serve', '--project', projectDir, '--port', String(options.port ?? 0), '--json', '--exit-with-input', ...(options.args ?? [])], { stdio: ['pipe', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  const address = await firstLine(child, () => log)
  return {
    ...address, projectDir, log: () => log,
    kill: () => ended(child, () => child.kill('SIGKILL')),
    close: () => ended(child, () => child.stdin.end()),
  }
}

function firstLine(child: ChildProcess, log: () => string): Promise<{ url: string; token: string; pid: number }> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const line = text.split('\n').find((one) => one.includes('"token"'))
      if (line) resolve(JSON.parse(line) as { url: string; token: string; pid: number })
    })
    child.once('exit', (code) => reject(new Error(`The engine ended with ${code} before it was ready. ${text} ${log()}`)))
  })
}

async function ended(child: ChildProcess, end: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await gone
  clearTimeout(timer)
}
