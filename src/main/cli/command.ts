/** What a command of `amc` is, and how its arguments are read. Reading them is strict: what is not known is an error with the nearest name. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { AppError, nearest } from '../../shared/errors.ts'

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** One line for --help. */
  readonly help: string
  /** What stands for the value in --help: DIR, FILE, N. */
  readonly value?: string
  readonly required?: boolean
  readonly multiple?: boolean
}

/** Where a command writes and how it is stopped. */
export interface CommandIo {
  /** One object for --json, or lines for people. */
  readonly out: (text: string) => void
  /** Messages and progress. */
  readonly note: (text: string) => void
  readonly progress: Progress
  /** Fires on Ctrl+C and on SIGTERM: finish cleanly what can be finished. */
  readonly signal: AbortSignal
  readonly json: boolean
}

export interface Progress {
  /** `done` of `total`; shown at most a few times a second on a terminal, every few seconds elsewhere. */
  readonly report: (label: string, done: number, total: number, detail?: string) => void
  /** Ends the line that is being redrawn. */
  readonly end: () => void
}

export interface CommandInput {
  readonly positionals: readonly string[]
  readonly text: (name: string) => string | undefined
  /** The value of a required option. */
  readonly need: (name: string) => string
  readonly all: (name: string) => readonly string[]
  readonly has: (name: string) => boolean
  /** @throws AppError 'usage' when the value is not a whole number within the bounds */
  readonly integer: (name: string, bounds?: { min?: number; max?: number }) => number | undefined
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** Names of the arguments before the options, e.g. ['PATH']; one ending in '?' may be left out. */
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Longer explanation and the shape of the JSON result. */
  readonly details: string
  /** Does the work. The result is what --json prints; `print` says the same to people. */
  readonly run: (input: CommandInput, io: CommandIo) => Promise<CommandResult>
}

export interface CommandResult {
  readonly json: unknown
  readonly lines: readonly string[]
  /** Set when the work was done but its answer is "no", e.g. golden values that differ. */
  readonly exitCode?: number
}

const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'Print the result as one JSON object on stdout.' },
  help: { type: 'boolean', help: 'Show this help.' },
}

/** @throws AppError 'usage' with the nearest name for an option that does not exist */
export function readArguments(command: Command, args: readonly string[]): CommandInput {
  const specs = { ...command.options, ...COMMON }
  const config: ParseArgsOptionsConfig = {}
  for (const [name, spec] of Object.entries(specs)) config[name] = { type: spec.type, ...(spec.type === 'string' ? { multiple: true } : {}) }
  config['help'] = { type: 'boolean', short: 'h' }
  const { values, positionals, tokens } = parseArgs({ args: [...args], options: config, strict: false, tokens: true, allowPositionals: true })
  const see = `Run \`amc ${command.name} --help\` for what it takes.`
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : token.name === 'h' ? COMMON['help'] : undefined
    if (!spec) {
      const near = nearest(token.name, Object.keys(specs))
      throw new AppError('usage', `amc ${command.name} has no option ${token.rawName}.`, near ? `Did you mean --${near}? ${see}` : see, token.rawName)
    }
    if (spec.type === 'string' && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))) {
      throw new AppError('usage', `${token.rawName} needs a value (${spec.value ?? 'TEXT'}).`, see, token.rawName)
    }
    if (spec.type === 'boolean' && token.value !== undefined) throw new AppError('usage', `${token.rawName} takes no value.`, see, token.rawName)
  }
  const all = (name: string): readonly string[] => (values[name] as string[] | undefined) ?? []
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.type === 'string' && !spec.multiple && all(name).length > 1) throw new AppError('usage', `--${name} is given more than once.`, see, name)
  }
  const input: CommandInput = {
    positionals,
    all,
    text: (name) => all(name)[0],
    need: (name) => all(name)[0]!,
    has: (name) => values[name] === true,
    integer: (name, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) => {
      const written = all(name)[0]
      if (written === undefined) return undefined
      const value = Number(written)
      if (written.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
        const range = max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
        throw new AppError('usage', `--${name} must be ${range}; it is "${written}".`, see, name)
      }
      return value
    },
  }
  if (!input.has('help')) checkPresence(command, input, see)
  return input
}

function checkPresence(command: Command, input: CommandInput, see: string): void {
  const needed = command.positionals.filter((name) => !name.endsWith('?'))
  if (input.positionals.length < needed.length) throw new AppError('usage', `amc ${command.name} needs ${needed[input.positionals.length]!}.`, see)
  if (input.positionals.length > command.positionals.length) {
    throw new AppError('usage', `amc ${command.name} does not know what to do with "${input.positionals[command.positionals.length]!}".`, see)
  }
  for (const [name, spec] of Object.entries(command.options)) {
    if (spec.required && input.all(name).length === 0) throw new AppError('usage', `amc ${command.name} needs --${name} ${spec.value ?? ''}.`.replace(' .', '.'), see, name)
  }
}

export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON })
  const left = options.map(([name, spec]) => `  --${name}${spec.type === 'string' ? ` ${spec.value ?? 'TEXT'}` : ''}`)
  const width = Math.max(...left.map((text) => text.length)) + 2
  const usage = [`amc ${command.name}`, ...command.positionals.map((name) => (name.endsWith('?') ? `[${name.slice(0, -1)}]` : name)), '[options]'].join(' ')
  const lines = options.map(([, spec], i) => `${left[i]!.padEnd(width)}${spec.help}${spec.required ? ' (needed)' : ''}${spec.multiple ? ' (may be repeated)' : ''}`)
  return [`${command.summary}`, '', `Usage: ${usage}`, '', 'Options:', ...lines, '', command.details.trim(), ''].join('\n')
}
