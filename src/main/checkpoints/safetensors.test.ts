import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { openSafetensors, type TensorToWrite, writeSafetensors } from './safetensors.ts'
import { floatToHalf, halfToFloat } from './tensor-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-safetensors-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'file.safetensors')

const tensor: fc.Arbitrary<TensorToWrite> = fc.oneof(
  fc.array(fc.float({ noNaN: true }), { maxLength: 30 }).map((v) => ({ shape: [v.length], data: Float32Array.from(v) })),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 6, maxLength: 6 }).map((v) => ({ shape: [2, 3], data: BigInt64Array.from(v) })),
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 5, maxLength: 5 }).map((v) => ({ shape: [5, 1], data: Uint8Array.from(v) })),
  fc.double().map((v) => ({ shape: [], data: Float64Array.of(v) })),
)

test('what is written is read back, bit for bit, with its metadata', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }).filter((s) => s !== '__metadata__' && s !== '__proto__'), tensor), fc.dictionary(fc.constantFrom('a', 'command'), fc.string()), (tensors, metadata) => {
      writeSafetensors(path, new Map(Object.entries(tensors)), metadata)
      const file = openSafetensors(path)
      expect(file.metadata).toEqual({ ...metadata })
      expect([...file.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort())
      for (const [name, expected] of Object.entries(tensors)) {
        const got = file.tensors.get(name)!.read()
        expect(got.shape).toEqual(expected.shape)
        expect(Buffer.from(got.data.buffer, got.data.byteOffset, got.data.byteLength)).toEqual(Buffer.from(expected.data.buffer))
      }
      file.close()
    }),
    { numRuns: 60 },
  )
  expect(readdirSync(folder)).toEqual(['file.safetensors'])
})

describe('half precision', () => {
  test('every one of the 65,536 bit patterns survives the way through float32', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits)
      if (Number.isNaN(value)) expect(halfToFloat(floatToHalf(value))).toBeNaN()
      else if (floatToHalf(value) !== bits) throw new Error(`${bits} came back as ${floatToHalf(value)}`)
    }
  })

  test('rounds to the nearest of its two neighbours, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const half = floatToHalf(value)
        const error = Math.abs(halfToFloat(half) - value)
        for (const neighbour of [half - 1, half + 1]) {
          const other = halfToFloat(neighbour & 0xffff)
          if (Number.isFinite(other) && Math.sign(other) === Math.sign(value)) expect(error).toBeLessThanOrEqual(Math.abs(other - value))
        }
      }),
    )
    expect(halfToFloat(floatToHalf(1 + 1 / 2048))).toBe(1)
    expect(halfToFloat(floatToHalf(1 + 3 / 2048))).toBe(1 + 2 / 1024)
    expect(halfToFloat(floatToHalf(1e6))).toBe(Infinity)
  })
})

describe('a damaged file', () => {
  const rejects = (bytes: Uint8Array) => {
    writeFileSync(path, bytes)
    expect(() => {
      const file = openSafetensors(path)
      try {
        for (const entry of file.tensors.values()) entry.read()
      } finally {
        file.close()
      }
    }).toThrow(AppError)
  }
  const withHeader = (header: unknown, data = 16) => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    return Buffer.concat([length, text, Buffer.alloc(data)])
  }

  test('is refused with the reason', () => {
    rejects(Buffer.from('short'))
    rejects(withHeader('not json'))
    rejects(withHeader([1]))
    rejects(withHeader({ a: { dtype: 'F32', shape: [4], data_offsets: [0, 12] } })) // shape and bytes disagree
    rejects(withHeader({ a: { dtype: 'F32', shape: [40], data_offsets: [0, 160] } })) // beyond the file
    rejects(withHeader({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } })) // fp8
    rejects(withHeader({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }))
    rejects(withHeader({ a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }))
  })

  test('cut anywhere is refused', () => {
    writeSafetensors(path, new Map([['a', { shape: [100], data: new Float32Array(100) }]]))
    const whole = readFileSync(path)
    for (let length = 0; length < whole.length; length += 7) rejects(whole.subarray(0, length))
  })
})
