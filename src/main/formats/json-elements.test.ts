import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { readJsonElements } from './json-elements.ts'
import { findJsonFault } from './json-fault.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-json-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

async function read(content: string | Buffer): Promise<{ value: unknown; line: number }[]> {
  const file = join(dir, 'list.json')
  await writeFile(file, content)
  const elements = []
  for await (const element of readJsonElements(file)) elements.push(element)
  return elements
}

async function placeOf(content: string | Buffer): Promise<{ place: string | undefined; message: string }> {
  const error = await read(content).then(() => null, (e: unknown) => e)
  expect(error, `no error for ${content.toString().slice(0, 80)}`).toBeInstanceOf(AppError)
  return error as AppError
}

describe('reading a list', () => {
  it('gives each element with the line on which it begins', async () => {
    const elements = await read('\uFEFF[\n  {"a": 1},\n  "text, with ] in it", 3,\n\n  [1, {"b": "\\"}"}]\r\n]\n')
    expect(elements).toEqual([
      { value: { a: 1 }, line: 2 }, { value: 'text, with ] in it', line: 3 }, { value: 3, line: 3 }, { value: [1, { b: '"}' }], line: 5 },
    ])
  })
  it('takes an empty list', async () => expect(await read(' [ ] ')).toEqual([]))

  it('reads back any JSON values, however they are laid out and cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ noUnicodeString: false })), fc.constantFrom(0, 1, 3, '\t'), fc.nat(400_000), async (values, indent, padding) => {
        // Blanks before the list move the edge of a chunk through the elements.
        const elements = await read(' '.repeat(padding) + JSON.stringify(values, null, indent))
        expect(elements.map((element) => element.value)).toEqual(JSON.parse(JSON.stringify(values)))
      }),
      { numRuns: 150 },
    )
  })
})

describe('the place of a fault', () => {
  it.each([
    ['[{"a": 1}\n {"b": 2}]', 'list.json:2:2', /a comma is missing before "\{"/],
    ['[\n  {"image": "a.jpg", "caption": "x", "bbox": [[1, 2, 3, NaN]]}\n]', 'list.json:2:57', /NaN is not JSON/],
    ['[\n  {"image": \'a.jpg\'}\n]', 'list.json:2:13', /double quotes/],
    ['[\n  {"a": 1,}\n]', 'list.json:2:11', /field name/],
    ['[{"a": 1},\n]', 'list.json:2:1', /an entry is missing before \]/],
    ['[1,,2]', 'list.json:1:4', /an entry is missing before ,/],
    ['[{"a": "b\nc"}]', 'list.json:1:10', /line break inside a text/],
    ['[{"a": 1}', 'list.json:1:10', /before the list is closed/],
    ['[\n{"a": [1, 2}\n]', 'list.json:2:12', /a comma or \] is missing before "\}"/],
    ['[{"a": {"b": 1}', 'list.json:1:16', /ends inside the entry that begins on line 1/],
    ['{"images": []}', 'list.json:1:1', /begins with \{/],
    ['', 'list.json:1:1', /empty/],
    ['[] []', 'list.json:1:4', /follows the end/],
    ['[1] // note', 'list.json:1:5', /follows the end/],
    ['[{"a": "\\x"}]', 'list.json:1:9', /backslash/],
    ['[{"größe": 1, "ü": tru}]', 'list.json:1:20', /tru is not JSON/],
    ['[01]', 'list.json:1:3', /comma/],
    ['[}]', 'list.json:1:2', /a value is missing before "\}"/],
  ])('%j', async (content, place, reason) => {
    const error = await placeOf(content)
    expect(error.place).toBe(place)
    expect(error.message).toMatch(reason)
  })
  it('names the coding when it is not UTF-8', async () => {
    expect((await placeOf(Buffer.from('\uFEFF[{"a":1}]', 'utf16le'))).message).toMatch(/UTF-16/)
    expect((await placeOf(Buffer.from('[\n{"a":"\xe4"}]', 'latin1'))).message).toMatch(/line 2, column 1.*not UTF-8/)
  })
  it('ends in an error with a place, or in values, whatever one character is changed to', async () => {
    const whole = JSON.stringify([{ image: 'a.jpg', caption: ['x', 'y "z"'], bbox: [[1, 2.5, -3e2, 4]] }, { k: null, t: true }])
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '\n', 'e', '-', '\u0000', 'é'), async (at, put) => {
        const changed = whole.slice(0, at) + put + whole.slice(at + 1)
        let expected: unknown = null
        try {
          expected = JSON.parse(changed)
        } catch {
          expect(findJsonFault(changed)).not.toBeNull()
        }
        if (Array.isArray(expected)) expect((await read(changed)).map((e) => e.value)).toEqual(expected)
        else expect((await placeOf(changed)).place).toMatch(/^list\.json:\d+:\d+$/)
      }),
      { numRuns: 300 },
    )
  })
  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.stringMatching(/^[\[\]{}",:0-9eE+.\-a-z\\ ]{0,12}$/)), (text) => {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        expect(findJsonFault(text) === null).toBe(valid)
      }),
      { numRuns: 2000 },
    )
  })
})
