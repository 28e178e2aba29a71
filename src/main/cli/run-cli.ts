/** Finds the command, runs it, prints its result, and turns whatever happens into an exit code. */
import { AppError, exitCodeOf, nearest, toErrorData } from '../../shared/errors.ts'
import { type Command, commandHelp, type CommandIo, readArguments } from './command.ts'
import { createProgress } from './progress.ts'

export interface Streams {
  readonly stdout: { write: (text: string) => unknown }
  readonly stderr: { write: (text: string) => unknown; isTTY?: boolean; columns?: number }
}

/** Exit codes: 0 done, 1 our fault, 2 wrong usage, 3 bad input data, 4 runtime missing, 130 interrupted. */
export async function runCli(commands: readonly Command[], args: readonly string[], streams: Streams, signal: AbortSignal, version: string): Promise<number> {
  const json = args.includes('--json')
  try {
    const [first, ...rest] = args
    if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
      streams.stdout.write(overview(commands, version))
      return first === undefined ? 2 : 0
    }
    if (first === '--version' || first === '-v') {
      streams.stdout.write(`${version}\n`)
      return 0
    }
    const asked = first === 'help' ? rest : args
    const group = groupOf(commands, asked)
    if (group) {
      streams.stdout.write(groupHelp(group, asked[0]!))
      return first === 'help' || asked.length > 1 ? 0 : 2
    }
    const command = findCommand(commands, asked)
    const words = command.name.split(' ').length
    const input = readArguments(command, first === 'help' ? ['--help'] : args.slice(words))
    if (input.has('help')) {
      streams.stdout.write(commandHelp(command))
      return 0
    }
    const progress = createProgress(streams.stderr)
    const io: CommandIo = {
      out: (text) => void streams.stdout.write(`${text}\n`),
      note: (text) => {
        progress.end()
        streams.stderr.write(`${text}\n`)
      },
      progress,
      signal,
      json,
    }
    const result = await command.run(input, io).finally(() => progress.end())
    if (json) io.out(JSON.stringify(result.json))
    else for (const line of result.lines) io.out(line)
    return result.exitCode ?? 0
  } catch (error) {
    return reportError(error, json, streams)
  }
}

/** The commands that begin with a word that is none itself, when no more than that word is written, or help is asked for. */
function groupOf(commands: readonly Command[], [first, second, ...more]: readonly string[]): readonly Command[] | null {
  if (more.length > 0 || (second !== undefined && second !== '--help' && second !== '-h') || commands.some((command) => command.name === first)) return null
  const group = commands.filter((command) => command.name.startsWith(`${first} `))
  return group.length > 0 ? group : null
}

function findCommand(commands: readonly Command[], args: readonly string[]): Command {
  const two = commands.find((command) => command.name === args.slice(0, 2).join(' '))
  const one = commands.find((command) => command.name === args[0])
  const found = two ?? one
  if (found) return found
  const group = commands.filter((command) => command.name.startsWith(`${args[0]} `))
  const names = group.length > 0 ? group.map((command) => command.name) : commands.map((command) => command.name)
  const written = group.length > 0 ? args.slice(0, 2).join(' ') : args[0]!
  const near = nearest(written, names)
  throw new AppError('usage', `amc has no command ${written}.`, near ? `Did you mean ${near}?` : `Commands are ${names.join(', ')}.`)
}

const listed = (commands: readonly Command[]): string[] => {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2
  return commands.map((command) => `  ${command.name.padEnd(width)}${command.summary}`)
}

const groupHelp = (group: readonly Command[], word: string): string => [`Usage: amc ${word} COMMAND [options]     amc ${word} COMMAND --help`, '', ...listed(group), ''].join('\n')

function overview(commands: readonly Command[], version: string): string {
  return [
    `amc ${version}: curate region annotations, train with Attention Mask Consistency, compare checkpoints.`, '',
    'Usage: amc COMMAND [options]     amc COMMAND --help', '',
    ...listed(commands), '',
    'With --json the result is one JSON object on stdout; messages and progress go to stderr.',
    'Exit codes: 0 done, 1 a fault of the program, 2 wrong usage, 3 bad input, 4 a part is not installed, 130 interrupted.', '',
  ].join('\n')
}

function reportError(error: unknown, json: boolean, streams: Streams): number {
  const data = toErrorData(error)
  const place = data.place && !data.message.includes(data.place) ? ` (${data.place})` : ''
  streams.stderr.write(`${data.message}${place}\n${data.cure ? `  ${data.cure}\n` : ''}`)
  if (data.code === 'internal' && error instanceof Error && process.env['AMC_DEBUG']) streams.stderr.write(`${error.stack ?? ''}\n`)
  if (json) streams.stdout.write(`${JSON.stringify({ error: data })}\n`)
  return data.code === 'cancelled' ? 130 : exitCodeOf(data.code)
}
