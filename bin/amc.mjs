#!/usr/bin/env node
/**
 * The `amc` command. It only finds the Node that runs the program, and hands over arguments, output, signals and exit
 * code; the command itself is src/main/cli.ts.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isBuilt } from '../scripts/lib/bundle.mjs'
import { findNode } from '../scripts/lib/node-binary.mjs'
import { root } from '../scripts/lib/places.mjs'

const RUNTIME_MISSING = 4

const node = findNode(root)
if (node === null || !existsSync(join(root, 'node_modules'))) {
  process.stderr.write('The parts that amc runs on are not installed yet.\n  Run `npm run setup` first.\n')
  process.exit(RUNTIME_MISSING)
}

// The built form starts faster; sources that changed since are never hidden behind it.
const entry = isBuilt(root) ? 'out/engine/cli.mjs' : 'src/main/cli.ts'
const child = spawn(node, [join(root, entry), ...process.argv.slice(2)], { stdio: 'inherit' })

// A terminal's Ctrl+C reaches the command by itself too; it takes the two for the one press they are.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`amc could not be started: ${error.message}\n  Run \`npm run setup\` first.\n`)
  process.exit(RUNTIME_MISSING)
})
child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 1)))
