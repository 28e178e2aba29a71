import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { openPth } from './pth.ts'
import { countOf, type Dtype } from './tensor-file.ts'

const golden = join(import.meta.dirname, '../../../test/golden/tiny-a')
const folder = mkdtempSync(join(tmpdir(), 'amc-pth-'))
afterAll(() => rmSync(folder, { recursive: true }))

const DTYPES: Record<string, Dtype> = {
  float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL',
}
interface Listing { name: string; dtype: string; shape: number[]; sum: number | string; first: (number | string)[] }

describe.each(['mixed_dtypes.pth', 'mixed_dtypes_legacy.pth'])('%s', (name) => {
  test('gives every value of every dtype and view', async () => {
    const { values } = JSON.parse(readFileSync(join(golden, 'mixed_dtypes_tensors.json'), 'utf8')) as { values: Record<string, { dtype: string; shape: number[]; data: unknown }> }
    const file = await openPth(join(golden, name))
    for (const [key, expected] of Object.entries(values)) {
      const tensor = file.tensors.get(`model.${key}`)!.read()
      expect(tensor.dtype, key).toBe(DTYPES[expected.dtype])
      expect(tensor.shape, key).toEqual(expected.shape)
      const want = [expected.data].flat(9).map((value) => Number(typeof value === 'string' ? value.replace('inf', 'Infinity') : value))
      expect(Array.from(tensor.data as ArrayLike<number | bigint>, Number), key).toEqual(tensor.dtype === 'F32' ? want.map(Math.fround) : want)
    }
    file.close()
  })

  test('keeps plain Python objects beside the tensors', async () => {
    const file = await openPth(join(golden, name))
    const extra = (file.root as Map<string, unknown>).get('extra')
    const flat: unknown[] = []
    const walk = (value: unknown): void => {
      if (value instanceof Map) for (const child of value.values()) walk(child)
      else if (value instanceof Set || Array.isArray(value)) for (const child of value) walk(child)
      else if (typeof value === 'object' && value && 'items' in value) for (const child of value.items as unknown[]) walk(child)
      else flat.push(value)
    }
    walk(extra)
    expect(flat).toContain(2n ** 70n)
    expect(flat).toContain(null)
    file.close()
  })
})

describe.each(['checkpoint_00.pth', 'model_legacy.pth'])('%s', (name) => {
  test('lists every tensor of the reference with its shape, first values and sum', async () => {
    const listing = JSON.parse(readFileSync(join(golden, 'checkpoint_00_tensors.json'), 'utf8')) as Listing[]
    const file = await openPth(join(golden, name))
    expect([...file.tensors.keys()].filter((key) => key.startsWith('model.')).length).toBe(listing.length)
    for (const expected of listing) {
      const tensor = file.tensors.get(`model.${expected.name}`)!.read()
      const values = Array.from(tensor.data as ArrayLike<number | bigint>, Number)
      expect(tensor.shape, expected.name).toEqual(expected.shape)
      expect(values.length).toBe(countOf(expected.shape))
      expect(values.slice(0, 6), expected.name).toEqual(expected.first)
      expect(values.reduce((a, b) => a + b, 0), expected.name).toBeCloseTo(Number(expected.sum), 9)
    }
    file.close()
  })
})

const fails = async (bytes: Uint8Array): Promise<AppError> => {
  const path = join(folder, 'bad.pth')
  writeFileSync(path, bytes)
  try {
    const file = await openPth(path)
    for (const entry of file.tensors.values()) entry.read()
    file.close()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('was accepted')
}

describe('a file that is not what it should be', () => {
  test('a pickle that names something outside the list is refused by name, and nothing runs', async () => {
    const marker = join(folder, 'ran')
    // What pickle.dumps of an object with __reduce__ returning (os.system, ('touch ...',)) looks like, in protocol 2.
    const command = `touch ${marker}`
    const pickle = Buffer.concat([Buffer.from('\x80\x02cposix\nsystem\n', 'latin1'), Buffer.from([0x58]), Buffer.from(Uint32Array.of(command.length).buffer), Buffer.from(command), Buffer.from('\x85R.', 'latin1')])
    const error = await fails(pickle)
    expect(error.code).toBe('forbidden')
    expect(error.message).toContain('posix.system')
    expect(() => readFileSync(marker)).toThrow()
  })

  test('a text file, an empty file and a zip of something else say so', async () => {
    expect((await fails(Buffer.from('hello, not a checkpoint'))).code).toBe('bad-input')
    expect((await fails(new Uint8Array(0))).code).toBe('bad-input')
    expect((await fails(Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]))).code).toBe('bad-input')
  })

  test.each(['checkpoint_00.pth', 'model_legacy.pth'])('%s cut short anywhere is refused', async (name) => {
    const whole = readFileSync(join(golden, name))
    for (let i = 1; i <= 20; i++) {
      const error = await fails(whole.subarray(0, Math.floor((whole.length * i) / 21)))
      expect(['bad-input', 'forbidden']).toContain(error.code)
    }
  })
})
