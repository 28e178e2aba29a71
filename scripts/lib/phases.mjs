/** What `npm test` runs, one phase after the other, and how each one's result is counted. */
import { mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readJson } from './files.mjs'
import { lastLines, run } from './run.mjs'

/**
 * @typedef {{passed: number, failed: number, skipped: number, notes: string[]}} Count  notes: lines worth reading at the end
 * @typedef {{root: string, node: string}} Context
 * @typedef {{name: string, needsBuild: boolean, run: (context: Context) => Promise<Count>}} Phase
 */

/** A check that is one thing: it holds or not. @param {string} name @param {(root: string) => string[][]} commands @returns {Phase} */
function check(name, commands) {
  return {
    name,
    needsBuild: false,
    async run({ root, node }) {
      for (const args of commands(root)) {
        const result = await run(node, args, { cwd: root, timeoutMs: 15 * 60_000 })
        if (result.code !== 0) return { passed: 0, failed: 1, skipped: 0, notes: [lastLines(result, 60)] }
      }
      return { passed: 1, failed: 0, skipped: 0, notes: [] }
    },
  }
}

/** A group of vitest tests, counted from its report. @param {string} name @param {string[]} args @param {boolean} needsBuild @returns {Phase} */
function tests(name, args, needsBuild) {
  return {
    name,
    needsBuild,
    async run({ root, node }) {
      const report = join(root, 'test-results', `${name}.json`)
      mkdirSync(join(root, 'test-results'), { recursive: true })
      rmSync(report, { force: true })
      const command = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
      const result = await run(node, command, { cwd: root, show: true, timeoutMs: 50 * 60_000, env: { ...process.env, CI: process.env['CI'] ?? 'true', AMC_LAUNCHER_NODE: process.execPath } })
      return countReport(readJson(report), result.code, root)
    },
  }
}

/** The phases in order: quick ones first, so that a slip shows early. @type {readonly Phase[]} */
export const PHASES = [
  check('lint', (root) => [[tool(root, 'eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0']]),
  check('types', (root) => ['tsconfig.node.json', 'tsconfig.web.json', 'tsconfig.scripts.json'].map((project) => [tool(root, 'typescript', 'bin', 'tsc'), '-p', project, '--noEmit', '--pretty', 'false'])),
  check('rules', (root) => [[tool(root, 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs'), 'src', '--config', '.dependency-cruiser.cjs']]),
  check('dead', (root) => [[tool(root, 'knip', 'bin', 'knip.js'), '--no-progress', '--no-config-hints']]),
  tests('unit', ['--project', 'unit'], false),
  tests('golden', ['--project', 'golden'], false),
  tests('engine', ['--project', 'engine'], true),
  tests('e2e', ['--config', 'vitest.e2e.config.ts'], true),
]

/** @param {string} root @param {string[]} parts */
function tool(root, ...parts) {
  return join(root, 'node_modules', ...parts)
}

/**
 * Counts of a vitest JSON report. A file that could not even be loaded and an error outside any test count as failures,
 * so the sum cannot look better than the run was.
 * @param {any} report null when there is none
 * @param {number} exitCode
 * @param {string} root
 * @returns {Count}
 */
export function countReport(report, exitCode, root) {
  if (!report) return { passed: 0, failed: 1, skipped: 0, notes: ['The tests left no report: they did not start, or were killed.'] }
  const count = { passed: report.numPassedTests ?? 0, failed: report.numFailedTests ?? 0, skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0), notes: /** @type {string[]} */ ([]) }
  for (const file of report.testResults ?? []) {
    const name = relative(root, file.name ?? '')
    const assertions = file.assertionResults ?? []
    if (file.status === 'failed' && !assertions.some((/** @type {any} */ one) => one.status === 'failed')) {
      count.failed += 1
      count.notes.push(`FAILED  ${name}: ${String(file.message ?? 'could not be loaded').split('\n', 1)[0]}`)
    }
    for (const one of assertions) {
      if (one.status === 'failed') count.notes.push(`FAILED  ${name} > ${one.fullName}`)
      else if (one.status !== 'passed') count.notes.push(`skipped ${name} > ${one.fullName}`)
    }
  }
  if (exitCode !== 0 && count.failed === 0) {
    count.failed = 1
    count.notes.push(exitCode === 124 ? 'FAILED  out of time' : `FAILED  vitest ended with code ${exitCode} outside any test (see above)`)
  }
  if (exitCode === 0 && count.passed + count.failed + count.skipped === 0) {
    count.failed = 1
    count.notes.push('FAILED  no test was found')
  }
  return count
}
