/** Engines in processes of their own: started, called, killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface EngineProcess {
  readonly url: string
  readonly token: string
  readonly pid: number
  /** As the out-of-memory killer would, or a power cut of this process alone. Resolves when it is gone. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
}
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly cure: string
}

/** 'processes': arithmetic too, but in real compute processes, so that runs train. */
type ComputeKind = 'arithmetic' | 'processes' | 'real'

/** Ends with the engine's first line: its address, or why it refused. */
export async function startEngineProcess(projectDir: string, compute: ComputeKind = 'arithmetic'): Promise<EngineProcess | Refusal> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'faults', 'engine-child.ts'), projectDir, compute], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await exit
  }
  onTestFinished(() => kill())
  const line = JSON.parse(await firstLine(child, () => errors)) as Refusal | Omit<EngineProcess, 'kill'>
  return 'code' in line ? line : { ...line, kill }
}

export async function mustStart(projectDir: string, compute: ComputeKind = 'arithmetic'): Promise<EngineProcess> {
  const started = await startEngineProcess(projectDir, compute)
  if ('code' in started) throw new Error(`The engine refused to start: ${started.message}`)
  return started
}

function firstLine(child: ChildProcess, errors: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
    })
    child.once('exit', (code, signal) => reject(new Error(`The engine ended (${code ?? signal}) without a word. ${errors()}`)))
  })
}
