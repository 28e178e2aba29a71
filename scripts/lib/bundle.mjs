/** The build, skipped while sources, configuration and lock file are unchanged. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { contentHash, readJson, writeWhole } from './files.mjs'
import { Problem, commonProblem } from './problem.mjs'
import { lastLines, run } from './run.mjs'
import { SILENT } from './steps.mjs'

const INPUTS = ['src', 'electron.vite.config.ts', 'vite.engine.config.ts', 'package-lock.json', 'tsconfig.node.json', 'tsconfig.web.json', 'resources/icons']

/** What must be there for a build to count as whole. */
const OUTPUTS = ['out/engine/cli.mjs', 'out/main/index.cjs', 'out/renderer/index.html']

/** @param {string} root */
const stampPath = (root) => join(root, 'out', '.built.json')

/** Tests and notes do not reach the build. @param {string} path */
const isInput = (path) => !/\.test\.tsx?$|\.md$/.test(path)

/** @param {string} root */
export function sourcesHash(root) {
  return contentHash(root, INPUTS, isInput)
}

/** Whether out/ was built from what src/ holds now. @param {string} root */
export function isBuilt(root) {
  return readJson(stampPath(root))?.hash === sourcesHash(root) && OUTPUTS.every((path) => existsSync(join(root, path)))
}

/**
 * @param {{root: string, node: string, tell?: import('./steps.mjs').Teller, force?: boolean}} options
 * @returns {Promise<import('./steps.mjs').Outcome>}
 */
export async function ensureBuild({ root, node, tell = SILENT, force = false }) {
  if (!force && isBuilt(root)) return { skipped: 'sources unchanged' }
  const hash = sourcesHash(root)
  const module = (/** @type {string[]} */ ...parts) => join(root, 'node_modules', ...parts)
  const env = { ...process.env, NODE_ENV: 'production', NO_COLOR: '1', FORCE_COLOR: '0' }
  for (const [what, args] of /** @type {[string, string[]][]} */ ([
    ['the window and the page', [module('electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn']],
    ['the engine', [module('vite', 'bin', 'vite.js'), 'build', '--config', 'vite.engine.config.ts', '--logLevel', 'warn']],
  ])) {
    const result = await tell.during(`building ${what}`, () => run(node, args, { cwd: root, env, timeoutMs: 10 * 60_000 }))
    if (result.code === 0) continue
    throw commonProblem(`Building ${what} failed`, result, [join(root, 'out')]) ?? new Problem(`Building ${what} failed:\n${lastLines(result, 25).replaceAll(/^/gm, '    ')}`, 'Mend what the lines above name, then run the same command again.', 1)
  }
  writeWhole(stampPath(root), JSON.stringify({ hash }))
  return { did: 'built' }
}
