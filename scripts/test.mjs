#!/usr/bin/env node
/**
 * `npm test`: the same set-up as `npm start`, then every check and test. The last line is the sum over all reports.
 * `npm test -- --only lint,unit` runs some of them.
 */
import { parseArgs } from 'node:util'
import { ensureBuild } from './lib/bundle.mjs'
import { PHASES } from './lib/phases.mjs'
import { root } from './lib/places.mjs'
import { prepare } from './lib/prepare.mjs'
import { Problem, explain } from './lib/problem.mjs'
import { makeSteps } from './lib/steps.mjs'

/** @param {readonly string[]} argv */
function chosenPhases(argv) {
  const names = PHASES.map((phase) => phase.name)
  let only
  try {
    only = parseArgs({ args: [...argv], options: { only: { type: 'string' } } }).values.only
  } catch (error) {
    throw new Problem(/** @type {Error} */ (error).message, `Use: npm test -- --only ${names.join(',')}`)
  }
  if (only === undefined) return PHASES
  const wanted = only.split(',').map((name) => name.trim()).filter(Boolean)
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined || wanted.length === 0) throw new Problem(`There is no phase '${unknown ?? ''}'.`, `The phases are: ${names.join(', ')}.`)
  return PHASES.filter((phase) => wanted.includes(phase.name))
}

/** @param {string} text */
const say = (text) => void process.stdout.write(`${text}\n`)

async function main() {
  const phases = chosenPhases(process.argv.slice(2))
  const steps = makeSteps()
  const { node } = await prepare(steps, { build: false })
  const total = { passed: 0, failed: 0, skipped: 0 }
  /** @type {{name: string, seconds: number, count: import('./lib/phases.mjs').Count}[]} */
  const done = []
  /** @param {string} name @param {() => Promise<import('./lib/phases.mjs').Count>} work */
  const phase = async (name, work) => {
    const began = performance.now()
    const count = await work()
    const seconds = (performance.now() - began) / 1000
    total.passed += count.passed
    total.failed += count.failed
    total.skipped += count.skipped
    done.push({ name, seconds, count })
    say(`${count.failed ? '✗' : '✓'} ${name.padEnd(14)} ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped (${seconds.toFixed(1)} s)`)
  }

  if (phases.some((one) => one.needsBuild)) {
    await phase('build', async () => {
      try {
        await ensureBuild({ root, node })
        return { passed: 1, failed: 0, skipped: 0, notes: [] }
      } catch (error) {
        return { passed: 0, failed: 1, skipped: 0, notes: [explain(error)] }
      }
    })
  }
  for (const one of phases) await phase(one.name, () => one.run({ root, node }))

  say('\nSummary')
  for (const { name, seconds, count } of done) {
    say(`  ${name.padEnd(14)} ${String(count.passed).padStart(5)} passed ${String(count.failed).padStart(4)} failed ${String(count.skipped).padStart(4)} skipped  ${seconds.toFixed(1).padStart(7)} s`)
  }
  for (const { name, count } of done) {
    for (const note of count.notes) say(`\n[${name}] ${note}`)
  }
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed ? 1 : 0
}

try {
  await main()
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`)
  say('0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
}
