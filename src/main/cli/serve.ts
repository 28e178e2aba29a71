import { resolve } from 'node:path'
import type { Command, CommandIo } from './command.ts'
import { NEW_PROJECT_OPTION } from './project.ts'

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Serve the workstation of a project to a browser.',
  positionals: [],
  options: {
    project: NEW_PROJECT_OPTION,
    port: { type: 'string', value: 'N', help: 'Port; any free one when left out.' },
    host: { type: 'string', value: 'ADDRESS', help: 'Also listen on this address; only this machine when left out.' },
    demo: { type: 'boolean', help: 'Make the demo dataset when the project never had it.' },
    'exit-with-input': { type: 'boolean', help: 'End when standard input closes: for programs that start this one.' },
  },
  details: `Open the printed address in a browser; it holds the key of this start. Ctrl+C ends it: a training run saves first and can be resumed.
With --json one line {url, token, pid} is printed when it is ready, and the address to open is url/?token=TOKEN; with --exit-with-input
a line {working: [names of the runs that train or wait]} follows whenever that changes.`,
  run: async (input, io) => {
    const port = input.integer('port', { max: 65_535 }) ?? 0
    const host = input.text('host')
    const [{ createEngine }, { closeOnFault }, { tellWorking }] = await Promise.all([import('../engine/engine.ts'), import('../engine/last-resort.ts'), import('../engine/working.ts')])
    const engine = await createEngine({ projectDir: resolve(input.need('project')), port, demo: input.has('demo'), ...(host ? { host } : {}) })
    closeOnFault(engine.close)
    const url = engine.url.replace(/\/$/, '')
    const asked = untilAsked(io.signal, input.has('exit-with-input'))
    if (io.json) io.out(JSON.stringify({ url, token: engine.token, pid: process.pid }))
    else io.out(`${engine.context.project.name} is served at\n  ${url}/?token=${engine.token}`)
    if (io.json && input.has('exit-with-input')) tellWorking(engine.context, (working) => io.out(JSON.stringify({ working })))
    if (host) warnOfOpenNetwork(io, host)
    await asked
    await engine.close()
    // What a library left open (a timer, a socket half closed) must not keep an ended engine alive.
    process.exit(0)
  },
}

function untilAsked(signal: AbortSignal, withInput: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (!withInput) return
    process.stdin.resume()
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
    process.stdin.once('error', () => resolve())
  })
}

function warnOfOpenNetwork(io: CommandIo, host: string): void {
  if (['127.0.0.1', '::1', 'localhost'].includes(host)) return
  io.note('Others on the network can reach this address. What they send and see is not encrypted: use an SSH tunnel where that matters.')
}
