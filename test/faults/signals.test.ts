/** Signals while TensorFlow computes: its matrix kernels use the stack pointer as a register, so a handler on their thread would write into the heap. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'

const runtime = readInstalledRuntime()
const compiledHere = runtime !== null && runtime.flavour !== 'package'
const SIGNALS = 4000

test.skipIf(!compiledHere)(
  `thousands of signals while it computes on one thread change no number and damage no memory${compiledHere ? '' : ' (skipped: no TensorFlow addon compiled here)'}`,
  async () => {
    const child = spawn(process.execPath, ['--disable-warning=DEP0044', join(import.meta.dirname, '..', 'support', 'signal-target.ts'), String(SIGNALS)], {
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    let running = true
    const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => {
      running = false
      resolve(signal ?? String(code))
    }))
    await expect.poll(() => out || !running, { timeout: 60_000 }).toBeTruthy()
    // Several may be merged into one, so more are sent than are waited for.
    for (let sent = 0; running && !out.includes('{') && sent < 40 * SIGNALS; sent++) {
      child.kill('SIGUSR2')
      if (sent % 2 === 1) await setTimeout(1)
    }
    expect(await ended, err).toBe('0')
    expect(JSON.parse(out.split('\n')[1]!)).toMatchObject({ different: 0 })
  },
  180_000,
)
