#!/usr/bin/env node
/** `npm run build`: builds even when nothing changed, after the same set-up as everything else. */
import { prepare } from './lib/prepare.mjs'
import { exitCodeOf, explain } from './lib/problem.mjs'
import { makeSteps } from './lib/steps.mjs'

try {
  await prepare(makeSteps(), { forceBuild: true })
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
