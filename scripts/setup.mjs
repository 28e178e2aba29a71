#!/usr/bin/env node
/** `npm run setup`: everything that `npm start` prepares, without opening anything. */
import { prepare } from './lib/prepare.mjs'
import { explain } from './lib/problem.mjs'
import { makeSteps } from './lib/steps.mjs'

try {
  await prepare(makeSteps())
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  process.exitCode = 4
}
