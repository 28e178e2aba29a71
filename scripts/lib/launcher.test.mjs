/** The launchers run under whatever Node >= 20 a person has: all of their files are loaded by that one, and they answer. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run, which } from './run.mjs'

const root = resolve(import.meta.dirname, '..', '..')
// `npm test` says which one started it; a single run of this file takes the one on PATH.
const launcher = process.env['AMC_LAUNCHER_NODE'] ?? which('node') ?? process.execPath

describe('under the launcher\'s own Node', () => {
  it('every file of scripts loads', async () => {
    const files = readdirSync(join(root, 'scripts', 'lib')).filter((name) => name.endsWith('.mjs') && !name.endsWith('.test.mjs'))
    expect(files.length).toBeGreaterThan(15)
    const code = files.map((name) => `await import(${JSON.stringify(pathToFileURL(join(root, 'scripts', 'lib', name)).href)})`).join('\n')
    expect(await run(launcher, ['--input-type=module', '-e', code])).toMatchObject({ code: 0, stderr: '' })
  })

  it.each([
    ['start.mjs', ['--help'], 0, /--check/],
    ['start.mjs', ['--what'], 2, /--what/],
    ['start.mjs', ['--port', 'x'], 2, /not a port/],
    ['setup.mjs', ['--what'], 2, /--what/],
    ['test.mjs', ['--only', 'nonsense'], 1, /no phase 'nonsense'/],
  ])('%s %j ends with %i', async (script, args, code, words) => {
    const result = await run(launcher, [join(root, 'scripts', script), ...args])
    expect(result.code).toBe(code)
    expect(result.stdout + result.stderr).toMatch(words)
  })
})
