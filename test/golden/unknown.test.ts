/** A folder fails by name on what it holds and nothing knows: files, values of JSON files, tensors. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { openGoldenFolder } from '../../src/main/golden/folder.ts'
import { runGolden } from '../../src/main/golden/run-golden.ts'
import { trackJson } from '../../src/main/golden/tracked-json.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'

const recorded = join(import.meta.dirname, 'tiny-a')
let dir: string
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'amc-unknown-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const write = (name: string, value: unknown): void => writeFileSync(join(dir, name), JSON.stringify(value))

describeWithTensorFlow('what is not known', () => {
  test('a folder of known parts passes; an unknown file, value and tensor fail by name', async () => {
    write('config.json', [])
    copyFileSync(join(recorded, 'queue_cases.json'), join(dir, 'queue_cases.json'))
    copyFileSync(join(recorded, 'pre_caption.json'), join(dir, 'pre_caption.json'))
    const grid = (n: number) => ({ shape: [1, 1 + n * n, 2], data: new Float32Array(2 + 2 * n * n).fill(1) })
    writeSafetensors(join(dir, 'pos_embed_interp.safetensors'), new Map([['src_2to3', grid(2)], ['dst_2to3', grid(3)]]))
    const { cases } = await runGolden(dir)
    const whole = cases['everything in the folder is known']!
    expect(Object.keys(cases).sort()).toEqual(['everything in the folder is known', 'position embeddings', 'pre_caption', 'queues'])
    // Without a model nobody asks for its settings.
    expect(whole.faults).toEqual(['config.json: nothing here knows it'])

    write('pre_caption.json', [{ inp: 'A b', max_words: 5, out: 'a b', language: 'en' }])
    const queues = JSON.parse(readFileSync(join(dir, 'queue_cases.json'), 'utf8')) as { steps: object[] }
    write('queue_cases.json', { ...queues, news: { deep: [1, [2]] } })
    write('other.json', { a: 1 })
    writeSafetensors(join(dir, 'pos_embed_interp.safetensors'), new Map([['src_2to3', grid(2)], ['dst_2to3', grid(3)], ['dst_9to9', grid(1)]]))
    const again = await runGolden(dir)
    expect(again.cases['everything in the folder is known']!.faults.map((fault) => fault.replace(': nothing here knows it', ''))).toEqual([
      'config.json', 'other.json', 'pos_embed_interp.safetensors: dst_9to9', 'pre_caption.json: [0].language', 'queue_cases.json: news.deep[0]', 'queue_cases.json: news.deep[1][0]',
    ])
    expect(again.failed).toBe(1)
  }, 60_000)

  test('FILES.md is held to what is there; files it lists may be kept back', async () => {
    write('config.json', [])
    writeSafetensors(join(dir, 'some.safetensors'), new Map([['a', { shape: [2, 3], data: new Float32Array(6) }]]))
    const list = (shape: string): void => writeFileSync(join(dir, 'FILES.md'), `# Files\n\n## some.safetensors (99 bytes)\n- \`a\` [${shape}] F32\n\n## other.safetensors (9 bytes)\n- \`b\` [1] F32\n`)
    const listed = async () => (await runGolden(dir, { only: ['list of files'] })).cases['list of files']
    list('2, 3')
    expect(await listed()).toMatchObject({ ok: true, checks: 3 })
    list('3, 2')
    expect((await listed())!.faults[0]).toMatch(/some\.safetensors: a/)
  }, 60_000)
})

test('reading marks values; what is left out for a reason is listed as long as nothing compares it', () => {
  write('config.json', { a: [{ b: 1, c: 'x' }, { b: 2, c: 'y' }], d: { e: null, f: [] }, g: 0.5 })
  const folder = openGoldenFolder(dir)
  const json = folder.json<{ a: { b: number; c: string }[]; g: number }>('config.json')
  expect(json.a.map(({ b }) => b)).toEqual([1, 2])
  expect(folder.untouched()).toEqual(['config.json: a[0].c', 'config.json: a[1].c', 'config.json: d.e', 'config.json: d.f', 'config.json: g'])
  folder.leaveOut('config.json', 'a[].c', 'names')
  folder.leaveOut('config.json', 'd')
  folder.leaveOut('config.json', 'g', 'later')
  expect(folder.untouched()).toEqual([])
  expect(folder.leftOut()).toEqual(['config.json: a[].c (names)', 'config.json: d', 'config.json: g (later)'])
  expect(json.g).toBe(0.5)
  expect(folder.leftOut()).toEqual(['config.json: a[].c (names)', 'config.json: d'])
  folder.close()
})

test('watched data is like the data itself', () => {
  const data = { list: [3, 1, 2], deep: { flag: true, text: 'a' } }
  const { value, unread } = trackJson(data)
  const watched = value as typeof data
  expect(Array.isArray(watched.list)).toBe(true)
  expect(Float32Array.from(watched.list)).toEqual(new Float32Array([3, 1, 2]))
  expect([watched.list.includes(1), 'deep' in watched, watched.list === watched.list]).toEqual([true, true, true])
  expect(unread()).toEqual(['deep.flag', 'deep.text'])
  expect(JSON.parse(JSON.stringify(watched))).toEqual(data)
  expect(unread()).toEqual([])
  expect(() => Object.assign(watched, { list: [] })).toThrow()
})

test('NaN and Infinity as Python writes them are numbers, in words of a text they are not', () => {
  writeFileSync(join(dir, 'config.json'), '{"a": [NaN, -Infinity, Infinity], "b": "NaN \\"Infinity\\" in words"}')
  const folder = openGoldenFolder(dir)
  const { a, b } = folder.json<{ a: number[]; b: string }>('config.json')
  expect([...a, b]).toEqual([NaN, -Infinity, Infinity, 'NaN "Infinity" in words'])
  folder.close()
})
