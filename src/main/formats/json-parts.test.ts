import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Choose, readJsonParts } from './json-parts.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-parts-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

async function parts(text: string, choose: Choose): Promise<{ path: readonly string[]; value: unknown; line: number }[]> {
  const file = join(dir, 'parts.json')
  await writeFile(file, text)
  const found = []
  for await (const part of readJsonParts(file, choose)) found.push(part)
  return found
}
const lists: Choose = (path, depth) => (depth === 0 || (depth === 1 && path[0] === 'list') ? 'enter' : path[0] === 'pass' ? 'pass' : 'take')

it('gives the elements of a list and whole fields, passes over what is not wanted, and knows the lines', async () => {
  expect(await parts('\uFEFF{\n "a": 1,\n "list": [\n  {"x": [1, 2]},\n  "t\\"e]xt", 3.5e2,\n null\n ],\n "pass": {"deep": [[{}]]}, "empty": [], "b": "é"}\n', lists)).toEqual([
    { path: ['a'], value: 1, line: 2 }, { path: ['list'], value: { x: [1, 2] }, line: 4 }, { path: ['list'], value: 't"e]xt', line: 5 }, { path: ['list'], value: 350, line: 5 }, { path: ['list'], value: null, line: 6 },
    { path: ['empty'], value: [], line: 8 }, { path: ['b'], value: 'é', line: 8 },
  ])
})

it('gives any JSON object back, field by field, however it is laid out', async () => {
  await fc.assert(fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }).filter((key) => !['__proto__', 'pass'].includes(key)), fc.jsonValue()), fc.constantFrom(0, 1, 3), async (object, indent) => {
    const whole: Choose = (_path, depth) => (depth === 0 ? 'enter' : 'take')
    expect((await parts(JSON.stringify(object, null, indent), whole)).map(({ path, value }) => [path[0], value])).toEqual(Object.entries(JSON.parse(JSON.stringify(object)) as object))
  }), { numRuns: 40 })
})

it.each([
  ['', '1:1'], ['{"a": 1', '1:8'], ['{"a" 1}', '1:6'], ['{\n "list": [1,\n 2,]}', '3:4'], ['{"a": {"b": nope}}', '1:13'], ['{"a": 1} x', '1:10'], ['{"list": [1 2]}', '1:13'], ['{,}', '1:2'], ['{"a": 1,}', '1:9'],
])('%j ends at its place', async (text, place) => {
  await expect(parts(text, lists)).rejects.toMatchObject({ code: 'bad-input', place: `parts.json:${place}` })
})
