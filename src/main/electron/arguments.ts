/** The shell's few arguments: `electron ROOT --project DIR [--demo] [--port N]`. Chromium's own switches pass by. */
export interface ShellArguments {
  readonly project: string | null
  readonly demo: boolean
  readonly port: number
}

export function readShellArguments(argv: readonly string[]): ShellArguments {
  const valueOf = (name: string): string | null => {
    const inline = argv.find((arg) => arg.startsWith(`--${name}=`))
    if (inline) return inline.slice(name.length + 3)
    const at = argv.indexOf(`--${name}`)
    const next = at >= 0 ? argv[at + 1] : undefined
    return next && !next.startsWith('--') ? next : null
  }
  const port = Number(valueOf('port') ?? 0)
  return { project: valueOf('project'), demo: argv.includes('--demo'), port: Number.isInteger(port) && port > 0 && port < 65536 ? port : 0 }
}
