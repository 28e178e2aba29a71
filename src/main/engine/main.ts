/** The engine as a process of its own: `main.ts --project DIR [--port N] [--host H] [--demo] [--json]`. Ends by SIGTERM, SIGINT or when its parent goes. */
import { parseArgs } from 'node:util'
import { AppError, exitCodeOf, toErrorData } from '../../shared/errors.ts'
import { createEngine } from './engine.ts'
import { closeOnFault } from './last-resort.ts'

async function main(): Promise<void> {
  let values
  try {
    values = parseArgs({
      options: { project: { type: 'string' }, port: { type: 'string', default: '0' }, host: { type: 'string' }, demo: { type: 'boolean' }, json: { type: 'boolean' } },
    }).values
  } catch (error) {
    throw new AppError('usage', (error as Error).message, 'Options: --project DIR --port N --host H --demo --json')
  }
  const port = Number(values.port)
  if (!values.project) throw new AppError('usage', 'Which project?', 'Give --project DIR.')
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new AppError('usage', `${values.port} is not a port number (0 to 65535).`, 'Leave --port out to take any free one.')
  const engine = await createEngine({ projectDir: values.project, port, host: values.host ?? null, demo: values.demo ?? false })
  closeOnFault(engine.close)
  const stop = (): void => void engine.close().then(() => process.exit(0), () => process.exit(1))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  process.once('disconnect', stop)
  if (values.json) process.stdout.write(`${JSON.stringify({ url: engine.url, token: engine.token, pid: process.pid })}\n`)
  else process.stdout.write(`${engine.url}?token=${engine.token}\n`)
}

main().catch((error: unknown) => {
  const data = toErrorData(error)
  console.error(`${data.message}${data.cure ? ` ${data.cure}` : ''}`)
  if (data.code === 'internal') console.error(error)
  process.exit(exitCodeOf(data.code))
})
