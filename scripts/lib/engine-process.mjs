/** Starts the engine as `amc serve` and waits until it says where it is. Plain Node >= 20, no dependencies. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.mjs'
import { stopWithUs } from './run.mjs'

/**
 * @typedef {{url: string, token: string, pid: number}} Ready
 * @typedef {{backend: unknown, heatmapMs: number | null, why: string | null}} Checked  heatmapMs is null where the project
 *   has nothing to look at, and `why` says so
 * @typedef {{ready: Ready, child: import('node:child_process').ChildProcess, stop: () => Promise<void>}} Engine
 */

/**
 * @param {{root: string, node: string, project: string, port: number, demo: boolean, timeoutMs?: number}} options
 * @returns {Promise<Engine>}
 */
export async function startEngine({ root, node, project, port, demo, timeoutMs = 60_000 }) {
  const built = join(root, 'out', 'engine', 'cli.mjs')
  const entry = existsSync(built) ? built : join(root, 'src', 'main', 'cli.ts')
  const args = [entry, 'serve', '--project', project, '--port', String(port), '--json', '--exit-with-input', ...(demo ? ['--demo'] : [])]
  // It ends when its input closes, so it also ends when we are killed and can no longer tell it.
  const child = spawn(node, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true })
  child.stdin.on('error', () => {})
  stopWithUs(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
  try {
    return { ready: await firstLine(child, timeoutMs), child, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** @param {import('node:child_process').ChildProcess} child @param {number} timeoutMs @returns {Promise<Ready>} */
function firstLine(child, timeoutMs) {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Problem(`The engine did not answer within ${timeoutMs / 1000} s.`, 'The lines above say what it was doing.', 1)), timeoutMs)
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const line = text.split('\n').slice(0, -1).find((candidate) => candidate.startsWith('{'))
      if (!line) return
      clearTimeout(timer)
      try {
        resolve(JSON.parse(line))
      } catch {
        reject(new Problem(`The engine's first line is not what was expected: ${line.slice(0, 200)}`, '', 1))
      }
    })
    child.once('error', (error) => reject(new Problem(`The engine could not be started: ${error.message}`, 'Run `npm run setup`.')))
    child.once('exit', (code) => {
      clearTimeout(timer)
      // Its own exit code says whose fault it was, as that of any amc command does.
      reject(new Problem(`The engine ended before it was ready (code ${code}).`, 'The lines above say why.', code || 1))
    })
  })
}

/** Address for a person's browser: the token makes it theirs, and the page takes it out of the address at once. @param {Ready} ready */
export function addressFor(ready) {
  const url = new URL(ready.url)
  if (ready.token) url.searchParams.set('token', ready.token)
  return url.href
}

/**
 * Asks the engine for the page and for one heatmap, as a person's first minute would.
 * @param {Ready} ready
 * @param {{timeoutMs?: number, onWork?: (text: string) => void, everyMs?: number}} [options]  onWork: what the engine is doing meanwhile, in a few words
 * @returns {Promise<Checked>}
 */
export async function checkEngine(ready, { timeoutMs = 300_000, onWork, everyMs = 1_000 } = {}) {
  const headers = { authorization: `Bearer ${ready.token}` }
  const signal = AbortSignal.timeout(timeoutMs)
  const page = await fetch(new URL('/', ready.url), { headers, signal })
  const html = await page.text()
  if (!page.ok || !/<script[^>]+src=/.test(html)) throw new Problem(`The engine did not serve the page (status ${page.status}).`, 'Run `npm run build` and try again.')
  const script = /<script[^>]+src="([^"]+)"/.exec(html)?.[1] ?? ''
  const code = await fetch(new URL(script, ready.url), { headers, signal })
  if (!code.ok) throw new Problem(`The page's own script is not served (${script}, status ${code.status}).`, 'Run `npm run build` and try again.')
  await code.arrayBuffer()
  const timer = onWork ? setInterval(() => void workOf(ready).then((text) => text && onWork(text)), everyMs) : undefined
  const { answer, body } = await asked(fetch(new URL('/api/check', ready.url), { headers, signal })).finally(() => clearInterval(timer))
  if (answer.status === 404) return { backend: null, heatmapMs: null, why: sentenceOf(body) }
  if (!answer.ok) throw new Problem(`The engine could not compute a heatmap (status ${answer.status}): ${sentenceOf(body)}`, '', 1)
  const { backend, heatmapMs } = JSON.parse(body)
  if (typeof heatmapMs !== 'number' || !(heatmapMs > 0)) throw new Problem(`The engine's check has no time for the heatmap: ${body.slice(0, 400)}`, '', 1)
  return { backend, heatmapMs, why: null }
}

/** @param {Promise<Response>} request */
async function asked(request) {
  const answer = await request
  return { answer, body: await answer.text() }
}

/** What the check waits for; nothing when the engine does not say. @param {Ready} ready @returns {Promise<string>} */
async function workOf(ready) {
  try {
    const answer = await fetch(new URL('/api/v1/jobs/list', ready.url), {
      method: 'POST', body: '{}', headers: { authorization: `Bearer ${ready.token}`, 'content-type': 'application/json' }, signal: AbortSignal.timeout(5_000),
    })
    if (!answer.ok) return ''
    /** @type {{kind: string, state: string, title: string, message: string}[]} */
    const jobs = /** @type {any} */ (await answer.json())
    const job = jobs.find(({ kind, state }) => (kind === 'demo' || kind === 'import') && (state === 'running' || state === 'waiting'))
    return job ? job.message || job.title : 'computing a heatmap'
  } catch {
    return ''
  }
}

/** The engine's own words in an answer that is a refusal. @param {string} body */
function sentenceOf(body) {
  try {
    const { message, cure } = JSON.parse(body)
    return [message, cure].filter(Boolean).join(' ') || body.slice(0, 400)
  } catch {
    return body.slice(0, 400)
  }
}
