import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { smallConfig } from '../../../test/support/small-model.ts'
import { SavedTensor, writePth } from '../checkpoints/pth-writer.ts'
import { rawTensor, writeSafetensors } from '../checkpoints/safetensors.ts'
import { momentumName, parameterSpecs } from '../model/params.ts'
import { checkpointInspectCommand } from './checkpoint.ts'
import { checkpointConvertCommand, checkpointExportCommand } from './checkpoint-files.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-cli-checkpoint-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const golden = join(import.meta.dirname, '../../../test/golden/tiny-a')
const commands = [checkpointInspectCommand, checkpointConvertCommand, checkpointExportCommand]

async function amc(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(commands, ['checkpoint', ...args], { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } }, new AbortController().signal, '1.0.0')
  return { code, out, err, json: args.includes('--json') ? (JSON.parse(out) as Record<string, unknown>) : {} }
}

const config = smallConfig({ momentum: 0.9 })
writeFileSync(at('small.yaml'), stringify(config))
const names = parameterSpecs(config).flatMap(({ name, shape }) => [{ name, shape }, ...(momentumName(name) ? [{ name: momentumName(name)!, shape }] : [])])
const values = (shape: readonly number[]) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 8)
const saveModel = (name: string, without: string) =>
  writePth(at(name), new Map([['model', new Map(names.filter((one) => one.name !== without).map(({ name: key, shape }) => [key, new SavedTensor(rawTensor(key, { shape, data: values(shape) }))]))], ['epoch', 2 as never]]))

describe('checkpoint inspect', () => {
  test('lists every tensor with its type, shape, sum and first values', async () => {
    writeSafetensors(at('a.safetensors'), new Map([
      ['w', { shape: [2, 4], data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, NaN) }], ['i', { shape: [3], data: BigInt64Array.of(1n, 2n ** 62n, -5n) }], ['h', { shape: [2], data: Float32Array.of(1.5, -2), dtype: 'F16' as const }],
    ]))
    const { code, json } = await amc('inspect', at('a.safetensors'), '--json')
    expect(code).toBe(0)
    expect(json).toMatchObject({ format: 'safetensors', count: 3, parameters: 13, kinds: { float32: 1, int64: 1, float16: 1 }, keys: null, notFinite: ['w'] })
    expect(json['tensors']).toEqual([
      { name: 'w', dtype: 'float32', shape: [2, 4], sum: 'nan', first: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(Math.fround) },
      { name: 'i', dtype: 'int64', shape: [3], sum: 2 ** 62 - 4, first: [1, '4611686018427387904', -5] },
      { name: 'h', dtype: 'float16', shape: [2], sum: -0.5, first: [1.5, -2] },
    ])
  })

  test('says how the keys fit a model, with exit code 0 for what is missing', async () => {
    saveModel('model.pth', 'itm_head.bias')
    const { json } = await amc('inspect', at('model.pth'), '--model', at('small.yaml'), '--json')
    expect(json).toMatchObject({ format: 'pth', contents: ['model', 'epoch'], model: 'small', keys: { loaded: names.length - 1, missing: ['itm_head.bias'], unexpected: [], reshaped: [] } })
    const { out } = await amc('inspect', at('model.pth'), '--model', at('small.yaml'))
    expect(out).toMatch(/Keys: \d+ loaded, 1 missing, 0 unexpected, 0 reshaped\n {2}missing {2}itm_head\.bias\n/)
  })

  test('refuses what is no checkpoint with exit code 3, and names what a pickle must not', async () => {
    writeFileSync(at('bad.pth'), Buffer.concat([Buffer.from([0x80, 2]), Buffer.from('cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.', 'latin1')]))
    const { code, json } = await amc('inspect', at('bad.pth'), '--json')
    expect([code, json]).toMatchObject([3, { error: { code: 'forbidden', message: expect.stringContaining('posix.system') } }])
    writeFileSync(at('text.safetensors'), 'hello, this is a text')
    expect(await amc('inspect', at('text.safetensors'))).toMatchObject({ code: 3, err: expect.stringContaining('not a whole safetensors file') })
    expect(await amc('inspect', at('nothing.pth'))).toMatchObject({ code: 3 })
  })

  test.each(['mixed_dtypes.pth', 'mixed_dtypes_legacy.pth'])('%s has the values and sums that PyTorch recorded', async (name) => {
    interface Listed { name: string; dtype: string; shape: number[]; sum: number | string; first: (number | string)[] }
    const { listing } = JSON.parse(readFileSync(join(golden, 'mixed_dtypes_tensors.json'), 'utf8')) as { listing: Listed[] }
    const { json } = await amc('inspect', join(golden, name), '--json')
    const found = new Map((json['tensors'] as Listed[]).map((tensor) => [tensor.name, tensor]))
    for (const want of listing) {
      const got = found.get(`model.${want.name}`)!
      expect([got.dtype, got.shape, got.first], want.name).toEqual([want.dtype, want.shape, want.first.map((value) => (value === 0 ? 0 : value))]) // JSON has no -0
      if (typeof want.sum === 'string') expect(got.sum, want.name).toBe(want.sum)
      else expect(got.sum, want.name).toBeCloseTo(want.sum, 9)
    }
  })
})

describe('checkpoint convert and export', () => {
  test('there and back is the same file', async () => {
    saveModel('whole.pth', '')
    expect(await amc('convert', at('whole.pth'), at('whole.safetensors'), '--json')).toMatchObject({ code: 0, json: { from: 'pth', to: 'safetensors', tensors: names.length } })
    expect(await amc('convert', at('whole.safetensors'), at('back.pth'))).toMatchObject({ code: 0 })
    expect(readFileSync(at('back.pth')).equals(readFileSync(at('whole.pth')))).toBe(true)
  })

  test('wrong calls and incomplete models say what is wrong', async () => {
    saveModel('model.pth', 'itm_head.bias')
    expect(await amc('convert', at('model.pth'), at('x.onnx'))).toMatchObject({ code: 2, err: expect.stringContaining('End it in .safetensors or .pth') })
    expect(await amc('convert', at('model.pth'), at('model.pth'))).toMatchObject({ code: 2 })
    expect(await amc('convert', at('model.pth'), at('x.pth'), '--precision', 'int4')).toMatchObject({ code: 2 })
    const { code, json } = await amc('export', at('model.pth'), at('out.pth'), '--model', at('small.yaml'), '--json')
    expect([code, json]).toMatchObject([3, { error: { keys: { missing: ['itm_head.bias'] } } }])
    expect(existsSync(at('out.pth'))).toBe(false)
  })

  test('a whole one is exported', async () => {
    saveModel('whole.pth', '')
    expect(await amc('export', at('whole.pth'), at('out.pth'), '--model', at('small.yaml'), '--json')).toMatchObject({ code: 0, json: { model: 'small', tensors: names.length, moments: 0 } })
  })
})
