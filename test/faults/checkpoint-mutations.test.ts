/**
 * Ten thousand damaged checkpoints: .pth in both forms and safetensors, with bytes changed, cut, moved and repeated. Each is read whole
 * or refused in words; none crashes, hangs, or takes more memory than twice the file (and a floor for what a reader needs at all).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openTensors } from '../../src/main/checkpoints/open-tensors.ts'
import { PyFloat, PyOrderedDict, PyTuple } from '../../src/main/checkpoints/pickle.ts'
import { SavedTensor, writePth } from '../../src/main/checkpoints/pth-writer.ts'
import { rawTensor, type TensorToWrite, writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { AppError } from '../../src/shared/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-mutations-'))
afterAll(() => rmSync(folder, { recursive: true }))
const golden = join(import.meta.dirname, '../golden/tiny-a')

const tensors = new Map<string, TensorToWrite>([
  ['model.words', { shape: [16, 8], data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)) }], ['model.half', { shape: [3, 5], data: Float32Array.from({ length: 15 }, (_, i) => i), dtype: 'F16' }],
  ['model.ids', { shape: [1, 9], data: BigInt64Array.from({ length: 9 }, (_, i) => BigInt(i)) }], ['model.mask', { shape: [4], data: Uint8Array.of(0, 1, 0, 1), dtype: 'BOOL' }], ['model.empty', { shape: [0, 3], data: new Float32Array(0) }],
])

/** Files to damage: our own, and those that PyTorch wrote in both of its forms. */
function sources(): { name: string; bytes: Buffer }[] {
  const [pth, safe] = [join(folder, 'source.pth'), join(folder, 'source.safetensors')]
  const model = new PyOrderedDict(Array.from(tensors, ([name, tensor]) => [name, new SavedTensor(rawTensor(name, tensor))]))
  writePth(pth, new Map<string, unknown>([['model', model], ['lr', new PyFloat(1e-5)], ['betas', new PyTuple([1, 2])], ['epoch', 3], ['big', 2n ** 70n], ['names', new Set(['a'])]]))
  writeSafetensors(safe, tensors, { format: 'pt', note: 'x' })
  const recorded = ['mixed_dtypes.pth', 'mixed_dtypes_legacy.pth'].map((name) => join(golden, name))
  return [pth, safe, ...recorded].map((path) => ({ name: path, bytes: readFileSync(path) }))
}

/** The same sequence every time: Park and Miller's generator. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => (state = (state * 48271) % 2147483647) % below
}

const EDGES = [0, 1, 2, 0x28, 0x2e, 0x3a, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff]

function mutate(source: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(source)
  // Headers and pickles are where structure is; most changes fall there, at the beginning or at the end.
  const place = (): number => {
    const span = Math.max(1, bytes.length)
    const kind = random(4)
    return kind < 2 ? random(Math.min(span, 2500)) : kind === 2 ? span - 1 - random(Math.min(span, 800)) : random(span)
  }
  for (let k = 0; k <= random(4); k++) {
    const at = place()
    switch (random(8)) {
      case 0: if (at < bytes.length) bytes[at] = random(256); break
      case 1: bytes[at] = EDGES[random(EDGES.length)]!; break
      case 2: bytes[at] = bytes[at]! ^ (1 << random(8)); break
      case 3: bytes = bytes.subarray(0, at); break
      case 4: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(40))]); break
      case 5: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 1 + random(60)), bytes.subarray(at)]); break
      case 6: bytes.copyWithin(at, place(), place()); break
      default: bytes.fill(EDGES[random(EDGES.length)]!, Math.min(at, bytes.length), Math.min(bytes.length, at + 1 + random(8)))
    }
  }
  return bytes
}

/** What may be there at all: a small expanded view, the reader's own buffers. */
const FLOOR_BYTES = 1 << 20

async function readAll(path: string, size: number): Promise<'read' | 'refused'> {
  try {
    const file = await openTensors(path)
    try {
      for (const entry of file.tensors.values()) {
        const { data, shape } = entry.read()
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
        expect(data.byteLength).toBeLessThanOrEqual(2 * Math.max(size, FLOOR_BYTES))
      }
    } finally {
      file.close()
    }
    return 'read'
  } catch (error) {
    expect(error, error instanceof Error ? error.stack : String(error)).toBeInstanceOf(AppError)
    expect(['bad-input', 'forbidden', 'not-found']).toContain((error as AppError).code)
    expect((error as AppError).message.length).toBeGreaterThan(10)
    return 'refused'
  }
}

describe('damaged checkpoints', () => {
  test('10,000 of them are read or refused, in time and within memory', async () => {
    const files = sources()
    const random = generator(20261124)
    const counts = { read: 0, refused: 0 }
    let slowest = 0
    const before = process.memoryUsage()
    let most = before.rss
    for (let round = 0; round < 10_000; round++) {
      const { name, bytes } = files[round % files.length]!
      const mutated = mutate(bytes, random)
      const path = join(folder, name.endsWith('.safetensors') ? 'mutated.safetensors' : 'mutated.pth')
      writeFileSync(path, mutated)
      const start = process.cpuUsage()
      counts[await readAll(path, mutated.length)]++
      const { user, system } = process.cpuUsage(start) // not the clock: other tests run at the same time
      slowest = Math.max(slowest, (user + system) / 1000)
      if (round % 100 === 0) most = Math.max(most, process.memoryUsage().rss)
    }
    expect(counts.read + counts.refused).toBe(10_000)
    expect(counts.refused).toBeGreaterThan(4_000)
    expect(counts.read).toBeGreaterThan(200)
    expect(slowest).toBeLessThan(5_000)
    expect(most - before.rss).toBeLessThan(400 << 20) // garbage between collections, not files: each is a few kilobytes
  }, 300_000)

  test('large ones are read with no more memory than twice their size', async () => {
    const values = new Float32Array(16 << 20).fill(1)
    const [pth, safe] = [join(folder, 'large.pth'), join(folder, 'large.safetensors')]
    writePth(pth, new Map([['model', new Map([['a', new SavedTensor(rawTensor('a', { shape: [values.length], data: values }))]])]]))
    writeSafetensors(safe, new Map([['a', { shape: [values.length], data: values, dtype: 'F16' }]]))
    const random = generator(7)
    for (const path of [pth, safe]) {
      const bytes = readFileSync(path)
      for (let round = 0; round < 12; round++) {
        const mutated = join(folder, 'large-mutated')
        const at = round % 2 ? random(600) : bytes.length - 1 - random(300)
        const kept = bytes[at]!
        bytes[at] = random(256)
        writeFileSync(mutated, bytes)
        bytes[at] = kept
        const before = process.memoryUsage().arrayBuffers
        await readAll(mutated, bytes.length)
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(2 * bytes.length + (16 << 20))
        globalThis.gc?.()
      }
    }
  }, 120_000)
})
