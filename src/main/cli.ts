/** The `amc` command: every job without a window, through the same functions as the page. */
import { COMMANDS } from './cli/commands.ts'
import { runCli } from './cli/run-cli.ts'
import { stopOnSignals } from './cli/signals.ts'
import { programVersion } from './cli/version.ts'

const stop = stopOnSignals(process, () => process.exit(130))
// A reader that went away (`amc ... | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCli(COMMANDS, process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr }, stop, programVersion())
