import { resolve } from 'node:path'
import { writeText } from '../train/files.ts'
import type { Command } from './command.ts'
import { programVersion } from './version.ts'

export const openApiCommand: Command = {
  name: 'openapi',
  summary: 'Print the OpenAPI document of the engine, for programs that talk to it.',
  positionals: [],
  options: { out: { type: 'string', value: 'FILE', help: 'Write it there instead.' } },
  details: 'A running engine serves the same at /openapi.json, with its own address in it, to whoever sends its key. docs/examples/start_run.py is a\nprogram that uses it.\nResult: the document (OpenAPI 3.1).',
  run: async (input) => {
    const { openApiDocument } = await import('../engine/openapi.ts')
    const document = await openApiDocument(programVersion())
    const text = JSON.stringify(document, null, 1)
    const out = input.text('out')
    if (out !== undefined) await writeText(resolve(out), `${text}\n`)
    return { json: document, lines: [out === undefined ? text : resolve(out)] }
  },
}
