import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

/** Runs a program of a few lines that has asked for an orderly end; what it wrote and how it ended. */
function run(close: string, fault: string, graceMs = 20_000): Promise<{ out: string; err: string; code: number | null }> {
  const source = `
    import { closeOnFault } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'last-resort.ts')).href)}
    closeOnFault(${close}, ${graceMs})
    const alive = setInterval(() => {}, 1000)
    ${fault}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ out, err, code })))
}
const CLOSES = `async () => { await new Promise((done) => setTimeout(done, 50)); console.log('closed') }`

test.each([
  ['an exception', `setTimeout(() => { throw new Error('from nowhere') }, 10)`],
  ['a rejection', `void Promise.reject(new Error('from nowhere'))`],
  ['two of them', `setTimeout(() => { throw new Error('from nowhere') }, 10); setTimeout(() => { throw new Error('and again') }, 20)`],
])('%s that nothing caught is told, what is open is closed once, and the process ends with 1', async (_name, fault) => {
  const { out, err, code } = await run(CLOSES, fault)
  expect([out, code]).toEqual(['closed\n', 1])
  expect(err).toContain('from nowhere')
})

test('closing that fails or never ends does not keep the process', async () => {
  expect((await run(`async () => { throw new Error('no') }`, `setTimeout(() => { throw new Error('x') }, 10)`)).code).toBe(1)
  expect((await run(`() => new Promise(() => {})`, `setTimeout(() => { throw new Error('x') }, 10)`, 200)).code).toBe(1)
})
