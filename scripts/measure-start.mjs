#!/usr/bin/env node
/**
 * How long a start takes when everything is set up: from typing the command to a page that shows something.
 *   node scripts/measure-start.mjs browser [--times N]   until the page and its script were served, as a browser would ask
 *   node scripts/measure-start.mjs window [--times N]    until the window's content is painted (Linux, in a display of its own)
 * Uses an empty project with the demo made before, so that nothing but the start is measured. One JSON line on stdout.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { root } from './lib/places.mjs'
import { Problem, exitCodeOf, explain } from './lib/problem.mjs'
import { run, stopWithUs, which } from './lib/run.mjs'

const PATIENCE_MS = 120_000

/** @param {string} project @param {NodeJS.ProcessEnv} env @param {string[]} more */
function start(project, env, more = []) {
  const child = spawn('npm', ['start', '--silent', '--', '--project', project, ...more], { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  stopWithUs(child)
  const said = { text: '' }
  child.stderr.setEncoding('utf8').on('data', (text) => (said.text += text))
  const end = async () => {
    const ended = new Promise((done) => child.once('exit', done))
    // The whole group: npm passes a signal on, but does not wait.
    if (child.pid) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
  return { said, end }
}

/** @param {() => Promise<boolean> | boolean} holds @param {{text: string}} said */
async function until(holds, said) {
  const limit = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > limit) throw new Problem(`Nothing appeared within ${PATIENCE_MS / 1000} s.`, said.text.slice(-2_000), 1)
    await wait(10)
  }
}

/** @param {string} project @returns {Promise<number>} ms */
async function browserStart(project) {
  const { DISPLAY: _x, WAYLAND_DISPLAY: _w, ...env } = process.env
  const began = performance.now()
  const { said, end } = start(project, env, ['--browser'])
  try {
    await until(() => /http:\/\/\S+token=\S+/.test(said.text), said)
    const address = /http:\/\/\S+token=\S+/.exec(said.text)?.[0] ?? ''
    const welcome = await fetch(address, { redirect: 'manual' })
    const headers = { cookie: (welcome.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '' }
    const page = new URL('/', address)
    const html = await (await fetch(page, { headers })).text()
    const script = /<script[^>]+src="([^"]+)"/.exec(html)?.[1] ?? ''
    const code = await (await fetch(new URL(script, page), { headers })).text()
    if (code.length < 1_000) throw new Problem('The page has no script.', '', 1)
    return performance.now() - began
  } finally {
    await end()
  }
}

/** @param {string} project @returns {Promise<number>} ms */
async function windowStart(project) {
  if (!which('Xvfb')) throw new Problem('Xvfb was not found: it is the display that is looked at.', 'Install xvfb.')
  const screen = mkdtempSync(join(tmpdir(), 'amc-screen-'))
  const display = `:${200 + (process.pid % 500)}`
  const server = spawn('Xvfb', [display, '-screen', '0', '1440x900x24', '-fbdir', screen], { stdio: 'ignore' })
  stopWithUs(server)
  try {
    const picture = () => {
      try {
        return readFileSync(join(screen, 'Xvfb_screen0'))
      } catch {
        return Buffer.alloc(0) // the display is not up yet
      }
    }
    await until(() => picture().length > 0, { text: '' })
    const began = performance.now()
    const { said, end } = start(project, { ...process.env, DISPLAY: display })
    try {
      // An empty window has one colour; a page has its text and pictures.
      await until(() => colours(picture()) > 40, said)
      return performance.now() - began
    } finally {
      await end()
    }
  } finally {
    server.kill()
    await new Promise((done) => server.once('exit', done))
    rmSync(screen, { recursive: true, force: true })
  }
}

/** How many colours a sample of the screen has. @param {Buffer} picture four bytes a pixel after a short header */
function colours(picture) {
  const seen = new Set()
  for (let at = 4_096; at + 4 <= picture.length; at += 4 * 7) seen.add(picture.readUInt32LE(at) & 0xffffff)
  return seen.size
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { times: { type: 'string', default: '5' } } })
  const measure = { browser: browserStart, window: windowStart }[positionals[0] ?? '']
  if (!measure) throw new Problem('Say what to measure.', 'node scripts/measure-start.mjs browser|window [--times N]', 2)
  const project = mkdtempSync(join(tmpdir(), 'amc-start-'))
  try {
    // Sets up and makes the demo: what is measured is every start after the first.
    const first = await run('npm', ['start', '--silent', '--', '--check', '--project', project], { cwd: root })
    if (first.code !== 0) throw new Problem(`The first start failed:\n${first.stderr.slice(-2_000)}`, '', 1)
    const seconds = []
    for (let i = 0; i < Number(values.times); i++) seconds.push(Math.round(await measure(project)) / 1000)
    const middle = [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)]
    process.stdout.write(`${JSON.stringify({ what: positionals[0], seconds, median: middle, cpu: cpus()[0]?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) })}\n`)
  } finally {
    rmSync(project, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
