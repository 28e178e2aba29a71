/** Starts other programs so that a stop of set-up stops them too. Plain Node >= 20, no dependencies. */
import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
let guarded = false

/** Exit code of a program that was killed for taking too long, as timeout(1) has it. */
export const OUT_OF_TIME = 124

/**
 * Runs a program to its end. With `show` its output goes to our stderr as it comes (stdout is for results); it is also
 * kept, up to its last 256 kB. A program that cannot be started gives code 127, one out of time is killed and gives 124.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, show?: boolean, shell?: boolean}} [options]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export function run(command, args, options = {}) {
  guard()
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      // Nothing here asks questions: a closed stdin turns a hidden prompt into an error instead of a wait.
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: options.shell ?? false,
      windowsHide: true,
    })
    running.add(child)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout = (stdout + text).slice(-262_144)
      if (options.show) process.stderr.write(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-262_144)
      if (options.show) process.stderr.write(text)
    })
    let late = false
    const timer = options.timeoutMs
      ? setTimeout(() => {
          late = true
          child.kill('SIGKILL')
        }, options.timeoutMs)
      : null
    /** @param {number} code */
    const finish = (code) => {
      if (timer) clearTimeout(timer)
      running.delete(child)
      resolve({ code: late ? OUT_OF_TIME : code, stdout, stderr })
    }
    child.on('error', (error) => {
      stderr += error.message
      finish(127)
    })
    child.on('close', (code, signal) => finish(code ?? (signal ? 128 : 1)))
  })
}

/** Ctrl+C or a stop from outside ends our children, then us, with the usual code. */
function guard() {
  if (guarded) return
  guarded = true
  for (const [signal, code] of /** @type {const} */ ([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]])) {
    process.once(signal, () => {
      for (const child of running) child.kill('SIGTERM')
      process.exit(code)
    })
  }
}

/** Lets a long-lived child be stopped together with us. @param {import('node:child_process').ChildProcess} child */
export function stopWithUs(child) {
  guard()
  running.add(child)
  child.once('exit', () => running.delete(child))
}

/**
 * Full path of a program on PATH, or null.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export function which(name, env = process.env, platform = process.platform) {
  if (name.includes('/') || name.includes('\\')) return existsSync(name) ? name : null
  const endings = platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : ['']
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter(Boolean)) {
    for (const ending of endings) {
      const path = join(folder, name + ending)
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path
    }
  }
  return null
}

/** The last lines of a program's output that are worth showing. @param {{stdout: string, stderr: string}} result */
export function lastLines(result, count = 12) {
  return `${result.stdout}\n${result.stderr}`
    // Colour codes: some tools write them even when told not to.
    .replace(/\x1b\[[\d;]*m/g, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .slice(-count)
    .join('\n')
}
