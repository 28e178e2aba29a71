#!/usr/bin/env node
/** `npm run setup`: everything that `npm start` prepares, without opening anything; tries Electron again as well. */
import { ensureElectron } from './lib/electron.mjs'
import { cacheRoot, root } from './lib/places.mjs'
import { prepare } from './lib/prepare.mjs'
import { explain } from './lib/problem.mjs'
import { makeSteps } from './lib/steps.mjs'

try {
  const steps = makeSteps()
  const { node } = await prepare(steps)
  await steps.run('electron', async () => {
    const found = await ensureElectron({ root, cache: cacheRoot(), node, say: steps.say, retry: true })
    const words = found.binary ?? `${found.why} The browser will be used.`
    return found.fetched ? { did: words } : { skipped: words }
  })
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  process.exitCode = 4
}
