/** Ctrl+C as a terminal sends it: to every process of the group at once, while the `amc` script passes its own on as well. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { importInto, openTestEngine, temporaryFolder } from '../support/engine.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const WAIT = { timeout: 400_000, interval: 50 }
const AMC = join(import.meta.dirname, '..', '..', 'bin', 'amc.mjs')

interface Running {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<number | null>
}

/** In a process group of its own, as a shell starts a command. */
function amc(...args: string[]): Running {
  const child = spawn(process.execPath, [AMC, ...args], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  onTestFinished(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // All of it has ended.
    }
  })
  return { child, out: () => out, err: () => err, ended: new Promise((resolve) => child.once('close', (code) => resolve(code))) }
}
const pressCtrlC = ({ child }: Running): boolean => process.kill(-child.pid!, 'SIGINT')

describe.skipIf(process.platform === 'win32')('Ctrl+C', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('(as %s) ends a served project in order', async (signal) => {
    const projectDir = join(await temporaryFolder(), 'project')
    const serve = amc('serve', '--project', projectDir, '--json')
    await expect.poll(serve.out, WAIT).toContain('\n')
    expect(existsSync(join(projectDir, 'cache', 'engine.json'))).toBe(true)
    process.kill(-serve.child.pid!, signal)
    expect(await serve.ended).toBe(0)
    expect(existsSync(join(projectDir, 'cache', 'engine.json'))).toBe(false)
  }, 500_000)

  test.skipIf(!hasTensorFlow)(`stops a run after the step in hand and saves it, and it can be resumed${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async () => {
    const projectDir = join(await temporaryFolder(), 'project')
    const engine = await openTestEngine({ projectDir })
    await generateDemo({ dir: join(projectDir, 'demo'), seed: 3, train: 8, closeUps: 4, heldOut: 2 })
    await importInto(engine, join(projectDir, 'demo', 'annotations.json'))
    await engine.close()
    const settings = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 2, 'validation.probes': 0, 'validation.every': 0, 'save.every': 1000, steps: 900 }
    const run = amc('train', '--project', projectDir, '--config', 'demo-amc', '--json', ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]))
    const steps = async (): Promise<number> => {
      const [folder] = await readdir(join(projectDir, 'runs')).catch(() => [])
      return folder ? (await readFile(join(projectDir, 'runs', folder, 'metrics.jsonl'), 'utf8').catch(() => '')).split('\n').length - 1 : 0
    }
    await expect.poll(steps, WAIT).toBeGreaterThanOrEqual(2)
    pressCtrlC(run)
    expect(await run.ended, run.err()).toBe(130)
    expect(run.err()).toContain('Stopping after this step and saving')
    const told = JSON.parse(run.out()) as { run: { state: string; step: number; lastSavedStep: number } }
    expect(told.run).toMatchObject({ state: 'stopped', lastSavedStep: told.run.step })
    expect(told.run.step).toBe(await steps())

    const resumed = amc('resume', '--project', projectDir, '--json')
    await expect.poll(steps, WAIT).toBeGreaterThan(told.run.step)
    pressCtrlC(resumed)
    expect(await resumed.ended, resumed.err()).toBe(130)
    expect((JSON.parse(resumed.out()) as typeof told).run.step).toBeGreaterThan(told.run.step)
  }, 900_000)
})
