#!/usr/bin/env node
/**
 * `npm start`: prepares what is missing and opens the workstation, in Electron when its binary can be had, else in the
 * browser. `--check` does everything except opening a window and reports.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureElectron, hasDisplay, installedElectron } from './lib/electron.mjs'
import { addressFor, checkEngine, startEngine } from './lib/engine-process.mjs'
import { cacheRoot, dataRoot, root } from './lib/places.mjs'
import { prepare } from './lib/prepare.mjs'
import { Problem, exitCodeOf, explain } from './lib/problem.mjs'
import { stopWithUs, which } from './lib/run.mjs'
import { makeSteps } from './lib/steps.mjs'

const HELP = `npm start -- [options]
  --project DIR   open this project folder (made when it is not there); default is your demo project
  --port N        port of the engine on this machine; default is any free one
  --browser       use the browser even where Electron is there
  --check         do everything except opening a window (Electron is not fetched), compute one heatmap of the demo, or of
                  what is in the project named by --project, report, end
  --json          with --check: one JSON line on stdout
`

/** An Electron that ends so soon with a failure never showed its window. */
const TOO_SOON_MS = 5_000

/** The shell's own exit code when it told the person why it cannot open: the browser could not open it either. */
const SHELL_HAS_SAID = 3

/** @param {readonly string[]} argv */
function readOptions(argv) {
  let values
  try {
    values = parseArgs({
      args: [...argv],
      options: { project: { type: 'string' }, port: { type: 'string' }, browser: { type: 'boolean' }, check: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    }).values
  } catch (error) {
    throw new Problem(/** @type {Error} */ (error).message, HELP, 2)
  }
  const port = Number(values.port ?? 0)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Problem(`--port ${values.port} is not a port number (0 to 65535).`, HELP, 2)
  const project = values.project ? resolve(values.project) : join(dataRoot(), 'demo')
  return { ...values, port, project, demo: !values.project || (Boolean(values.check) && isForTheDemo(project)) }
}

/**
 * Whether a check may have the demo made there: in a folder that holds no project yet, and where the demo was begun before.
 * A person's own project is only looked at.
 * @param {string} project
 */
function isForTheDemo(project) {
  return !existsSync(join(project, 'project.sqlite')) || existsSync(join(project, 'demo'))
}

/** @param {ReturnType<typeof readOptions>} options @param {import('./lib/steps.mjs').Steps} steps @param {string} node */
async function check(options, steps, node) {
  /** @type {import('./lib/engine-process.mjs').Engine | undefined} */
  let engine
  try {
    await steps.run('electron', () => ({ skipped: `a check opens no window; ${installedElectron(root) ? 'it is installed' : 'it is not fetched for this'}` }))
    await steps.run('engine', async () => {
      engine = await steps.during('starting the engine', () => startEngine({ root, node, project: options.project, port: options.port, demo: options.demo }))
      return { did: engine.ready.url }
    })
    const { ready } = /** @type {import('./lib/engine-process.mjs').Engine} */ (/** @type {unknown} */ (engine))
    let found = /** @type {import('./lib/engine-process.mjs').Checked} */ ({ backend: null, heatmapMs: null, why: null })
    await steps.run('heatmap', async () => {
      const what = options.demo ? 'asking for the page and a heatmap of the demo (which is made first)' : 'asking for the page and a heatmap of the project'
      let doing = ''
      found = await steps.during(what, () => checkEngine(ready, { onWork: (text) => (doing = text) }), () => doing)
      if (found.heatmapMs === null && options.demo) throw new Problem(`There is no heatmap of the demo: ${found.why}`, '', 1)
      return found.heatmapMs === null ? { skipped: found.why ?? '' } : { did: `${Math.round(found.heatmapMs)} ms` }
    })
    const report = { url: ready.url, backend: found.backend, steps: steps.list, heatmapMs: found.heatmapMs }
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
    else steps.say(`All is well: ${ready.url} answered with the page${found.heatmapMs === null ? '' : ' and a heatmap'}.`)
  } finally {
    await engine?.stop()
  }
}

/**
 * Runs the shell until its window is closed. False when it ended at once with a failure, so that the browser can take over.
 * @param {ReturnType<typeof readOptions>} options @param {string} binary @param {string} node
 * @returns {Promise<boolean>}
 */
function openElectron(options, binary, node) {
  const began = performance.now()
  const args = [root, '--project', options.project, ...(options.demo ? ['--demo'] : []), ...(options.port ? ['--port', String(options.port)] : [])]
  // Chromium's own sandbox refuses to run for root on Linux; only then it is left out.
  if (process.platform === 'linux' && process.getuid?.() === 0) args.unshift('--no-sandbox')
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, AMC_NODE: node }
  delete env['ELECTRON_RUN_AS_NODE']
  const child = spawn(binary, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env })
  stopWithUs(child)
  return new Promise((done) => {
    child.once('error', () => done(false))
    child.once('exit', (code) => {
      const failedAtOnce = code !== 0 && code !== SHELL_HAS_SAID && performance.now() - began < TOO_SOON_MS
      if (!failedAtOnce) process.exitCode = code ?? 1
      done(!failedAtOnce)
    })
  })
}

/**
 * Serves, and opens the person's browser where there is one.
 * @param {ReturnType<typeof readOptions>} options @param {import('./lib/steps.mjs').Steps} steps @param {string} node @param {string} why
 */
async function openBrowser(options, steps, node, why) {
  const { ready, child } = await startEngine({ root, node, project: options.project, port: options.port, demo: options.demo })
  const address = addressFor(ready)
  const opener = hasDisplay() ? browserCommand() : null
  const where = opener ? 'Opening your browser' : 'Open the address below in a browser'
  steps.say(`\n${where}: ${why}\n  ${address}\n  The project lies in ${options.project}\n  Ctrl+C ends it; everything is saved at once.`)
  if (opener) spawn(opener[0], [...opener.slice(1), address], { stdio: 'ignore', detached: true }).on('error', () => {}).unref()
  await new Promise((done) => child.once('exit', done))
  process.exitCode = child.exitCode ?? 0
}

/** @returns {[string, ...string[]] | null} */
function browserCommand() {
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  const found = ['xdg-open', 'sensible-browser', 'x-www-browser', 'firefox', 'chromium', 'google-chrome'].find((name) => which(name))
  return found ? [found] : null
}

async function main() {
  const options = readOptions(process.argv.slice(2))
  if (options.help) return void process.stdout.write(HELP)
  const steps = makeSteps()
  const { node } = await prepare(steps)
  if (options.check) return check(options, steps, node)
  if (options.browser) return openBrowser(options, steps, node, 'you asked for it with --browser.')
  if (!hasDisplay()) return openBrowser(options, steps, node, 'there is no display here, so no window can be shown.')
  let electron = /** @type {import('./lib/electron.mjs').Found | null} */ (null)
  await steps.run('electron', async () => {
    electron = await ensureElectron({ root, cache: cacheRoot(), node, tell: steps })
    const words = electron.binary ?? 'not to be had, using the browser'
    return electron.fetched ? { did: words } : { skipped: words }
  })
  const found = /** @type {import('./lib/electron.mjs').Found} */ (/** @type {unknown} */ (electron))
  if (found.binary === null) return openBrowser(options, steps, node, found.why)
  if (!(await openElectron(options, found.binary, node))) return openBrowser(options, steps, node, 'Electron ended with a failure as soon as it was started (its own words are above).')
}

try {
  await main()
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  // A script that reads the one line must learn of the failure there too.
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: explain(error) })}\n`)
  process.exitCode = exitCodeOf(error)
}
