#!/usr/bin/env node
/**
 * `npm run setup`: everything that `npm start` prepares, without opening anything; tries Electron again as well.
 * `--no-window` leaves Electron out: `npm run serve` asks for that.
 */
import { parseArgs } from 'node:util'
import { ensureElectron } from './lib/electron.mjs'
import { cacheRoot, root } from './lib/places.mjs'
import { prepare } from './lib/prepare.mjs'
import { Problem, exitCodeOf, explain } from './lib/problem.mjs'
import { makeSteps } from './lib/steps.mjs'

function readOptions() {
  try {
    return parseArgs({ options: { 'no-window': { type: 'boolean' } } }).values
  } catch (error) {
    throw new Problem(/** @type {Error} */ (error).message, 'Use: npm run setup, or npm run setup -- --no-window', 2)
  }
}

try {
  const options = readOptions()
  const steps = makeSteps()
  const { node } = await prepare(steps)
  if (!options['no-window']) {
    await steps.run('electron', async () => {
      const found = await ensureElectron({ root, cache: cacheRoot(), node, tell: steps, retry: true })
      const words = found.binary ?? `${found.why} The browser will be used.`
      return found.fetched ? { did: words } : { skipped: words }
    })
  }
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
