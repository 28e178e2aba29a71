import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { convertFile } from './convert-file.ts'
import { openTensors } from './open-tensors.ts'
import { PyFloat, PyOrderedDict, PyTuple } from './pickle.ts'
import { openPth } from './pth.ts'
import { SavedTensor, writePth } from './pth-writer.ts'
import { openSafetensors, rawTensor, type TensorToWrite, writeSafetensors } from './safetensors.ts'
import { BYTES_OF, floatToBfloat, type Dtype } from './tensor-file.ts'
import { TorchTensor } from './torch-objects.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-convert-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const golden = join(import.meta.dirname, '../../../test/golden/tiny-a')

const saved = (tensor: TensorToWrite) => new SavedTensor(rawTensor('x', tensor))
/** Any bits are values of every type: NaN with a payload, negative zero and subnormals must come through too. */
const bits = (dtype: Dtype, shape: readonly number[]): SavedTensor => {
  const bytes = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) * BYTES_OF[dtype] }, (_, i) => (dtype === 'BOOL' ? i % 2 : (i * 73 + 11) % 256))
  return new SavedTensor({ dtype, shape, bytes: () => bytes })
}

/** What a training script saves: weights that are tied, an optimizer, settings of every kind. */
function trainingObject(): Map<string, unknown> {
  const words = bits('F32', [7, 3])
  const model = new PyOrderedDict([
    ['words', words], ['decoder', words], ['half', bits('F16', [2, 5])], ['brain', bits('BF16', [3])], ['double', bits('F64', [2])],
    ['i64', bits('I64', [2])], ['i32', bits('I32', [3])], ['i16', bits('I16', [3])], ['i8', bits('I8', [5])], ['u8', bits('U8', [5])], ['yes', bits('BOOL', [4])],
    ['u16', bits('U16', [4])], ['u32', bits('U32', [4])], ['u64', bits('U64', [4])], ['scalar', bits('F32', [])], ['empty', bits('F32', [0, 4])], ['名前', bits('F32', [1])],
  ])
  const state = new Map<number, unknown>([[0, new Map<string, unknown>([['step', 3], ['exp_avg', bits('F32', [7, 3])]])], [300, new Map([['step', saved({ shape: [], data: Float32Array.of(3) })]])]])
  const settings = new Map<string, unknown>([
    ['lr', new PyFloat(1)], ['tiny', new PyFloat(1e-300)], ['minus zero', new PyFloat(-0)], ['nothing', null], ['yes', true], ['no', false], ['count', 70000], ['negative', -5],
    ['big', 2n ** 70n], ['less', -(2n ** 64n)], ['text', 'naïve "quoted" \n名'], ['betas', new PyTuple([new PyFloat(0.9), new PyFloat(0.999)])], ['empty', new PyTuple([])],
    ['list', Array.from({ length: 2500 }, (_, i) => i)], ['set', new Set([1, 'a'])], ['bytes', Uint8Array.of(0, 128, 255)], ['nan', new PyFloat(NaN)], ['inf', new PyFloat(-Infinity)],
  ])
  return new Map<string, unknown>([['model', model], ['optimizer', new Map<string, unknown>([['state', state]])], ['config', settings], ['epoch', 4]])
}

/** A .pth's object with tensors as their kind, shape and bits, for comparing. */
async function objectOf(path: string): Promise<unknown> {
  const file = await openPth(path, { exact: true })
  const plain = (value: unknown): unknown => {
    if (value instanceof TorchTensor) {
      const entry = file.entryOf(value, 'x')
      return ['tensor', entry.dtype, entry.shape, Buffer.from(entry.readRaw()).toString('hex')]
    }
    if (value instanceof PyFloat) return ['float', Object.is(value.value, -0) ? '-0' : String(value.value)]
    if (value instanceof Map) return [value.constructor.name, ...[...(value as Map<unknown, unknown>)].map(([key, item]) => [plain(key), plain(item)])]
    if (value instanceof PyTuple) return ['tuple', ...value.items.map(plain)]
    if (value instanceof Set) return ['set', ...[...(value as Set<unknown>)].map(plain)]
    if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
    if (Array.isArray(value)) return value.map(plain)
    return typeof value === 'bigint' ? `${value}n` : value
  }
  const result = plain(file.root)
  file.close()
  return result
}

describe('.pth -> safetensors -> .pth', () => {
  test('gives the same object with the same bits, and from then on the same files', async () => {
    writePth(at('a.pth'), trainingObject())
    await convertFile(at('a.pth'), at('b.safetensors'))
    await convertFile(at('b.safetensors'), at('c.pth'))
    expect(await objectOf(at('c.pth'))).toEqual(await objectOf(at('a.pth')))
    expect(readFileSync(at('c.pth'))).toEqual(readFileSync(at('a.pth')))
    await convertFile(at('c.pth'), at('d.safetensors'))
    expect(readFileSync(at('d.safetensors'))).toEqual(readFileSync(at('b.safetensors')))
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('tensors that share their values are stored once and stay shared', async () => {
    writePth(at('a.pth'), trainingObject())
    await convertFile(at('a.pth'), at('b.safetensors'))
    await convertFile(at('b.safetensors'), at('c.pth'))
    for (const name of ['a.pth', 'c.pth']) {
      const file = await openPth(at(name))
      expect(file.places.get('model.decoder')!.storage.key).toBe(file.places.get('model.words')!.storage.key)
      file.close()
    }
  })

  describe('of files that PyTorch wrote: strided and expanded views, both file forms, a whole training checkpoint', () => {
    test.each(['checkpoint_00.pth', 'ckpt_step3.pth', 'model_legacy.pth', 'mixed_dtypes.pth', 'mixed_dtypes_legacy.pth', 'flickr_result_epoch00.pth'])('%s', async (name) => {
      const [first, pth, second, last] = ['1.safetensors', '2.pth', '3.safetensors', '4.pth'].map(at) as [string, string, string, string]
      await convertFile(join(golden, name), first)
      await convertFile(first, pth)
      await convertFile(pth, second)
      await convertFile(second, last)
      expect(await objectOf(pth)).toEqual(await objectOf(join(golden, name)))
      expect(readFileSync(second).equals(readFileSync(first))).toBe(true)
      expect(readFileSync(last).equals(readFileSync(pth))).toBe(true)
    })
  })
})

describe('a safetensors file as .pth', () => {
  const tensors = new Map<string, TensorToWrite>([['a.weight', { shape: [2, 2], data: Float32Array.of(1, -0, NaN, 4) }], ['model.b', { shape: [1], data: BigInt64Array.of(-5n) }]])

  test('is {"model": tensors}, and comes back as the same file', async () => {
    writeSafetensors(at('flat.safetensors'), tensors, { format: 'pt', note: 'kept' })
    await convertFile(at('flat.safetensors'), at('flat.pth'))
    const file = await openPth(at('flat.pth'))
    expect([...file.tensors.keys()]).toEqual(['model.a.weight', 'model.model.b'])
    file.close()
    await convertFile(at('flat.pth'), at('again.safetensors'))
    expect(readFileSync(at('again.safetensors'))).toEqual(readFileSync(at('flat.safetensors')))
  })

  test('in another width is rounded to nearest, and integers stay', async () => {
    const data = Float32Array.of(1.0000001, 65504, 1e-8, -3.14159)
    writeSafetensors(at('wide.safetensors'), new Map<string, TensorToWrite>([['w', { shape: [4], data }], ['n', { shape: [1], data: Int32Array.of(7) }]]))
    await convertFile(at('wide.safetensors'), at('narrow.safetensors'), 'bf16')
    const file = openSafetensors(at('narrow.safetensors'))
    expect(file.tensors.get('w')!.dtype).toBe('BF16')
    expect(file.tensors.get('n')!.read()).toMatchObject({ dtype: 'I32', data: Int32Array.of(7) })
    expect(file.tensors.get('w')!.read().data).toEqual(new Float32Array(Uint32Array.from(data, (value) => floatToBfloat(value) << 16).buffer))
    file.close()
  })

  test('a description that names a tensor which is not there is refused', async () => {
    writeSafetensors(at('lost.safetensors'), tensors, { 'amc.object': JSON.stringify(['d', ['model', ['T', 'gone']]]) })
    await expect(convertFile(at('lost.safetensors'), at('lost.pth'))).rejects.toThrow(/lacks the tensor gone/)
    writeSafetensors(at('odd.safetensors'), tensors, { 'amc.object': '["x", 1]' })
    await expect(convertFile(at('odd.safetensors'), at('odd.pth'))).rejects.toThrow(/cannot be read/)
    expect(existsSync(at('lost.pth')) || existsSync(at('odd.pth'))).toBe(false)
  })
})

test('an ending that is no form is a wrong call', async () => {
  await expect(convertFile(at('flat.safetensors'), at('x.onnx'))).rejects.toMatchObject({ code: 'usage' })
})

test('bfloat16 rounds to nearest, ties to even', () => {
  expect(floatToBfloat(1)).toBe(0x3f80)
  expect(floatToBfloat(1 + 2 ** -8)).toBe(0x3f80) // halfway, to even
  expect(floatToBfloat(1 + 3 * 2 ** -8)).toBe(0x3f82)
  expect(floatToBfloat(Infinity)).toBe(0x7f80)
  expect(floatToBfloat(3.4e38)).toBe(0x7f80)
  expect(floatToBfloat(NaN) & 0x7fc0).toBe(0x7fc0)
})

test('a file that claims far more than it holds is not written out', async () => {
  // 400 tensors that share one megabyte: each is within the file, and together they are far beyond it.
  const base = saved({ shape: [1 << 18], data: new Float32Array(1 << 18) })
  writePth(at('many.pth'), new Map([['model', new Map(Array.from({ length: 400 }, (_, i) => [`t${i}`, base] as const))]]))
  await expect(convertFile(at('many.pth'), at('many.safetensors'))).rejects.toThrow(/claim .* bytes, far more than the file has/)
})

test('every form opens by what it holds, whatever its name', async () => {
  writePth(at('right.pth'), new Map([['w', saved({ shape: [2], data: Float32Array.of(1, 2) })]]))
  writeSafetensors(at('right.safetensors'), new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]))
  for (const [from, to, format] of [['right.pth', 'wrong.safetensors', 'pth'], ['right.safetensors', 'wrong.bin', 'safetensors']] as const) {
    const { copyFileSync } = await import('node:fs')
    copyFileSync(at(from), at(to))
    const file = await openTensors(at(to))
    expect([file.format, file.tensors.get('w')!.read().data]).toEqual([format, Float32Array.of(1, 2)])
    file.close()
  }
})
