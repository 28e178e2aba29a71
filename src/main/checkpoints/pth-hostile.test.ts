import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { pickleGlobal, pickleInteger, pickleText } from './pickle-writer.ts'
import { openPth } from './pth.ts'
import { summarise } from './summary.ts'
import { centralDirectory, createZipWriter, localHeader, type ZipRecord } from './zip-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-hostile-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'file.pth')

const bytes = (...parts: (string | number | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : typeof part === 'number' ? Buffer.from([part]) : part)))
const tuple = (...items: Uint8Array[]) => bytes('(', ...items, 't')
const storage = (key: string, length: number, type = pickleGlobal('torch', 'FloatStorage')) => bytes(tuple(pickleText('storage'), type, pickleText(key), pickleText('cpu'), pickleInteger(length)), 'Q')
const tensor = (view: { storage: Uint8Array; offset?: number; shape: readonly number[]; stride: readonly number[]; extra?: Uint8Array; version?: string }) =>
  bytes(
    pickleGlobal('torch._utils', `_rebuild_tensor_${view.version ?? 'v2'}`),
    tuple(view.storage, pickleInteger(view.offset ?? 0), tuple(...view.shape.map(pickleInteger)), tuple(...view.stride.map(pickleInteger)), bytes(0x89), bytes(pickleGlobal('collections', 'OrderedDict'), ')R'), ...(view.extra ? [view.extra] : [])),
    'R',
  )
/** {name: value} */
const dictionary = (name: string, value: Uint8Array) => bytes('}(', pickleText(name), value, 'u')
const pickled = (value: Uint8Array) => bytes(0x80, 2, value, '.')

function archive(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): void {
  const parts: Buffer[] = []
  const zip = createZipWriter((part) => parts.push(Buffer.from(part)))
  zip.add('archive/data.pkl', pickle)
  for (const [key, data] of Object.entries(storages)) zip.add(`archive/data/${key}`, data)
  zip.finish()
  writeFileSync(path, Buffer.concat(parts))
}

async function refused(): Promise<AppError> {
  try {
    const file = await openPth(path)
    try {
      for (const entry of file.tensors.values()) entry.read()
    } finally {
      file.close()
    }
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('was accepted')
}

describe('views', () => {
  const values = Uint8Array.from(Buffer.from(Float32Array.from({ length: 24 }, (_, i) => i).buffer))
  const read = async (shape: readonly number[], stride: readonly number[], offset = 0) => {
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 24), shape, stride, offset }))), { 0: values })
    const file = await openPth(path)
    const entry = file.tensors.get('w')!
    const data = Array.from(entry.read().data as Float32Array)
    expect(Array.from([...entry.stretches()].flatMap((part) => Array.from(part as Float32Array)))).toEqual(data)
    expect(Array.from(new Float32Array(entry.readRaw().slice().buffer))).toEqual(data)
    file.close()
    return data
  }

  test('of every kind are read in the order of their own rows', async () => {
    expect(await read([2, 3], [1, 2])).toEqual([0, 2, 4, 1, 3, 5]) // transposed
    expect(await read([3, 2], [8, 2], 1)).toEqual([1, 3, 9, 11, 17, 19]) // every second column of three rows
    expect(await read([2, 3], [1, 0], 5)).toEqual([5, 5, 5, 6, 6, 6]) // expanded
    expect(await read([4], [0])).toEqual([0, 0, 0, 0])
    expect(await read([2, 2, 2], [1, 12, 4])).toEqual([0, 4, 12, 16, 1, 5, 13, 17]) // permuted
    expect(await read([1, 24], [999, 1])).toHaveLength(24) // the stride of a single row means nothing
    expect(await read([0, 5], [5, 1])).toEqual([])
    expect(await read([], [])).toEqual([0])
  })

  test('that reach beyond their storage, or repeat it without measure, are refused', async () => {
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 24), shape: [5, 5], stride: [5, 1] }))), { 0: values })
    expect((await refused()).message).toMatch(/reaches beyond its storage \(element 24 of 24\)/)
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 24), shape: [1 << 20], stride: [0] }))), { 0: values })
    expect((await refused()).message).toMatch(/claims 1048576 values out of 1 stored/)
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 24), shape: [2 ** 40, 2 ** 40], stride: [0, 0] }))), { 0: values })
    expect((await refused()).message).toMatch(/not a list of sizes/)
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 400), shape: [400], stride: [1] }))), { 0: values })
    expect((await refused()).message).toMatch(/storage 0 .* are cut short/)
    archive(pickled(dictionary('w', tensor({ storage: storage('9', 24), shape: [24], stride: [1] }))), { 0: values })
    expect((await refused()).message).toMatch(/storage 9 .* are missing/)
  })
})

describe('types', () => {
  const untyped = pickleGlobal('torch.storage', 'UntypedStorage')
  test('younger than the named storages are bytes with their type beside', async () => {
    const data = Uint8Array.from(Buffer.from(Uint16Array.of(1, 65535, 7).buffer))
    archive(pickled(dictionary('n', tensor({ storage: storage('0', 6, untyped), shape: [3], stride: [1], version: 'v3', extra: pickleGlobal('torch', 'uint16') }))), { 0: data })
    const file = await openPth(path)
    expect(file.tensors.get('n')!.read()).toEqual({ dtype: 'U16', shape: [3], data: Uint16Array.of(1, 65535, 7) })
    file.close()
  })

  test.each([['float8_e4m3fn', /w in .*float8_e4m3fn, which is not supported: 8-bit floats/], ['complex64', /w in .*complex64, which is not supported\./]])('%s is refused with the name of the tensor', async (type, message) => {
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 8, untyped), shape: [1], stride: [1], version: 'v3', extra: pickleGlobal('torch', type) }))), { 0: new Uint8Array(8) })
    expect((await refused()).message).toMatch(message)
  })

  test('complex and quantised storages are refused with the name of the tensor', async () => {
    archive(pickled(dictionary('w', tensor({ storage: storage('0', 1, pickleGlobal('torch', 'ComplexFloatStorage')), shape: [1], stride: [1] }))), { 0: new Uint8Array(8) })
    expect((await refused()).message).toMatch(/w in .*complex64/)
  })
})

describe('settings among the weights', () => {
  test('of numpy and argparse are plain data', async () => {
    const scalar = bytes(pickleGlobal('numpy._core.multiarray', 'scalar'), tuple(
      bytes(pickleGlobal('numpy', 'dtype'), tuple(pickleText('f8'), bytes(0x89), bytes(0x88)), 'R', '(', pickleInteger(3), pickleText('<'), 'NNN', pickleInteger(-1), pickleInteger(-1), pickleInteger(0), 'tb'),
      bytes(pickleGlobal('_codecs', 'encode'), tuple(pickleText(Buffer.from(Float64Array.of(0.5).buffer).toString('latin1')), pickleText('latin1')), 'R'),
    ), 'R')
    const names = bytes(pickleGlobal('argparse', 'Namespace'), ')', 0x81, dictionary('lr', scalar), 'b')
    archive(pickled(dictionary('args', names)))
    const file = await openPth(path)
    expect([...((file.root as Map<string, Map<string, unknown>>).get('args')!)]).toEqual([['lr', 0.5]])
    file.close()
  })

  test.each([['os', 'system'], ['builtins', 'eval'], ['builtins', 'getattr'], ['torch', 'load'], ['torch.jit._pickle', 'build_intlist'], ['numpy.core.multiarray', '_reconstruct'], ['subprocess', 'Popen']])('%s.%s is refused by name', async (module, name) => {
    archive(pickled(bytes(pickleGlobal(module, name), tuple(pickleText('x')), 'R')))
    expect(await refused()).toMatchObject({ code: 'forbidden', message: expect.stringContaining(`names ${module}.${name},`) })
  })
})

describe('a pickle made to break its reader', () => {
  test('that contains itself is read, and its tensors are found once', async () => {
    const values = new Uint8Array(96)
    archive(pickled(bytes(']q', 0, '(h', 0, tensor({ storage: storage('0', 24), shape: [24], stride: [1] }), 'e')), { 0: values })
    const file = await openPth(path)
    expect([...file.tensors.keys()]).toEqual(['1'])
    file.close()
  })

  /** [[[...], [...]], ...]: each list holds the one before twice, so the paths double at each. */
  const doubling = (bottom: Uint8Array, levels: number) =>
    pickled(bytes('(', bottom, 'q', 0, ...Array.from({ length: levels }, (_, i) => bytes('](h', i, 'h', i, 'eq', i + 1)), 't'))

  test('whose parts are each used twice ends in time', async () => {
    archive(doubling(bytes(']'), 60))
    const file = await openPth(path)
    expect(file.tensors.size).toBe(0)
    file.close()
    archive(doubling(tensor({ storage: storage('0', 24), shape: [24], stride: [1] }), 40), { 0: new Uint8Array(96) })
    expect((await refused()).message).toMatch(/more tensors/)
  }, 60_000)

  test('that nests a hundred thousand deep does not exhaust the stack', async () => {
    const depth = 400_000
    archive(pickled(bytes(']'.repeat(depth), 'a'.repeat(depth - 1))))
    const file = await openPth(path)
    expect(file.tensors.size).toBe(0)
    file.close()
    // As a name, a nested list would have to be made into a text.
    archive(pickled(bytes(']'.repeat(depth), 'a'.repeat(depth - 1), pickleText('x'), 0x93)))
    expect((await refused()).message).toMatch(/a name is not a text/)
    archive(pickled(bytes('}', ']'.repeat(depth), 'a'.repeat(depth - 1), 'Ns')))
    expect((await openPth(path)).tensors.size).toBe(0)
  }, 60_000)

  test('that asks for more values than its own size is refused', async () => {
    const text = pickleText('x'.repeat(1 << 20))
    const copy = bytes(pickleGlobal('_codecs', 'encode'), tuple(bytes('h', 0), pickleText('latin1')), 'R')
    archive(pickled(bytes('(', text, 'q', 0, ...Array.from({ length: 3000 }, () => copy), 't')))
    expect((await refused()).message).toMatch(/makes more values than any checkpoint holds/)
    archive(pickled(bytes('(', 0x8b, Buffer.from(Int32Array.of(100_000_000).buffer), 't')))
    expect((await refused()).message).toMatch(/an integer is longer/)
  })

  test.each([['pops from nothing', '0.'], ['a mark as a value', '(.'], ['calls a number', 'K\x01)R.'], ['keeps a mark', '(q\x00.'], ['a key without a value', '}(Nu.'], ['adds to a number', 'K\x01Na.'], ['an unknown instruction', '\xff.'], ['values left over', 'NN.'], ['a state of a number', ')K\x01b.']])('%s', async (_, instructions) => {
    archive(bytes(0x80, 2, instructions))
    expect((await refused()).message).toMatch(/damaged/)
  })
})

describe('archives', () => {
  const pickle = pickled(dictionary('w', tensor({ storage: storage('0', 24), shape: [24], stride: [1] })))

  test('whose members lie over one another are refused', async () => {
    const [first, second]: [ZipRecord, ZipRecord] = [{ name: 'archive/data.pkl', bytes: pickle.length, crc: 0, offset: 0 }, { name: 'archive/data/0', bytes: 96, crc: 0, offset: 0 }]
    const head = localHeader(first)
    const body = Buffer.concat([head, pickle, Buffer.alloc(96)])
    writeFileSync(path, Buffer.concat([body, centralDirectory([first, { ...second, name: 'archive/data/0' }], body.length)]))
    expect((await refused()).message).toMatch(/share bytes|not a whole zip archive/)
  })

  test('that are compressed, or of something else, say so', async () => {
    const record: ZipRecord = { name: 'word/document.xml', bytes: 4, crc: 0, offset: 0 }
    const body = Buffer.concat([localHeader(record), Buffer.from('<a/>')])
    writeFileSync(path, Buffer.concat([body, centralDirectory([record], body.length)]))
    expect((await refused()).message).toMatch(/data\.pkl is missing/)
    const packed = centralDirectory([{ ...record, name: 'archive/data.pkl' }], body.length)
    packed.writeUInt16LE(8, 10) // deflated
    writeFileSync(path, Buffer.concat([body, packed]))
    expect((await refused()).message).toMatch(/is compressed or encrypted/)
  })

  /** More than 4 GiB by a hole in the file: it takes no room on the disk, and must take none in memory. */
  test('larger than 4 GiB are read by offset', async () => {
    const hole = 4.5 * 2 ** 30
    const large = join(folder, 'large.pth')
    const both = pickled(bytes('}(', pickleText('hole'), tensor({ storage: storage('0', hole / 4), shape: [hole / 4], stride: [1] }), pickleText('after'), tensor({ storage: storage('1', 24), shape: [4, 6], stride: [6, 1] }), 'u'))
    const file = openSync(large, 'w')
    const records: ZipRecord[] = []
    let at = 0
    const put = (name: string, data: Uint8Array | null, size: number) => {
      const record = { name, bytes: size, crc: 0, offset: at }
      records.push(record)
      const head = localHeader(record)
      writeSync(file, head, 0, head.length, at)
      at += head.length
      if (data) writeSync(file, data, 0, size, at)
      at += size
    }
    put('archive/data.pkl', both, both.length)
    put('archive/data/0', null, hole)
    put('archive/data/1', Buffer.from(Float32Array.from({ length: 24 }, (_, i) => i).buffer), 96)
    const end = centralDirectory(records, at)
    ftruncateSync(file, at)
    writeSync(file, end, 0, end.length, at)
    closeSync(file)
    expect(statSync(large).size).toBeGreaterThan(2 ** 32)
    const before = process.memoryUsage().arrayBuffers
    const opened = await openPth(large)
    expect(opened.tensors.get('hole')!.shape).toEqual([hole / 4])
    expect(summarise(opened.tensors.get('after')!)).toEqual({ name: 'after', dtype: 'float32', shape: [4, 6], sum: 276, first: [0, 1, 2, 3, 4, 5], notFinite: 0 })
    const [first] = opened.tensors.get('hole')!.stretches()
    expect(first![0]).toBe(0)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
    opened.close()
    rmSync(large)
  }, 30_000)
})
