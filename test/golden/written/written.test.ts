import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { PyFloat, PyOrderedDict, PyTuple } from '../../../src/main/checkpoints/pickle.ts'
import { SavedTensor, writePth } from '../../../src/main/checkpoints/pth-writer.ts'
import { type TensorToWrite, writeSafetensors } from '../../../src/main/checkpoints/safetensors.ts'
import { BYTES_OF, type Dtype, TORCH_NAME } from '../../../src/main/checkpoints/tensor-file.ts'
import { momentumName, parameterSpecs } from '../../../src/main/model/params.ts'
import { exportCheckpoint } from '../../../src/main/train/export-checkpoint.ts'
import { checkpointHeader } from '../../../src/main/train/model-files.ts'
import { smallConfig } from '../../support/small-model.ts'

/** A Python with PyTorch: AMC_TORCH_PYTHON, or python3 where it has torch. */
function pythonWithTorch(): string | null {
  for (const python of [process.env['AMC_TORCH_PYTHON'], 'python3']) {
    if (!python) continue
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' })
      return python
    } catch {
      // No such Python, or none with torch.
    }
  }
  return null
}
const python = pythonWithTorch()
const folder = mkdtempSync(join(tmpdir(), 'amc-written-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

interface Seen {
  readonly object: unknown
  readonly shared: readonly (readonly string[])[]
}
const seenByTorch = (path: string, ...more: string[]) =>
  JSON.parse(execFileSync(python!, [join(import.meta.dirname, 'read_with_torch.py'), path, ...more], { encoding: 'utf8', maxBuffer: 1 << 28 })) as Seen

/** What read_with_torch.py makes of an object. */
function plain(value: unknown): unknown {
  if (value instanceof SavedTensor) return ['tensor', TORCH_NAME[value.dtype], value.shape, Buffer.from(value.bytes()).toString('hex')]
  if (value instanceof Map) return ['dict', ...[...(value as Map<unknown, unknown>)].map(([key, item]) => [plain(key), plain(item)])]
  if (value instanceof PyTuple) return ['tuple', ...value.items.map(plain)]
  if (Array.isArray(value)) return ['list', ...value.map(plain)]
  if (value instanceof Set) return ['set', ...[...(value as Set<unknown>)].map(String).sort()]
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
  if (value instanceof PyFloat) return ['float', value.value]
  return typeof value === 'number' || typeof value === 'bigint' ? ['int', String(value)] : value
}
/** Python writes floats in its own way: compared as numbers. */
const floats = (value: unknown): unknown => (Array.isArray(value) ? (value[0] === 'float' ? ['float', Number(value[1])] : value.map(floats)) : value)

// Skipped where no Python with PyTorch is found (AMC_TORCH_PYTHON names one).
describe.skipIf(python === null)('files we write, read by PyTorch with weights_only', () => {
  test('every type, shape, number and container is what was written', () => {
    const bits = (dtype: Dtype, shape: readonly number[]) => {
      const bytes = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) * BYTES_OF[dtype] }, (_, i) => (dtype === 'BOOL' ? i % 2 : (i * 73 + 11) % 256))
      return new SavedTensor({ dtype, shape, bytes: () => bytes })
    }
    const words = bits('F32', [7, 3])
    const model = new PyOrderedDict([['words', words], ['decoder', words], ...(Object.keys(BYTES_OF) as Dtype[]).map((dtype): [string, SavedTensor] => [dtype, bits(dtype, [2, 5])]), ['scalar', bits('F32', [])], ['empty', bits('F32', [0, 4])], ['名', bits('F32', [1])]])
    const root = new Map<string, unknown>([
      ['model', model], ['numbers', new Map<string, unknown>([['one', new PyFloat(1)], ['tiny', new PyFloat(1e-300)], ['big', 2n ** 70n], ['less', -(2n ** 64n)], ['small', -3], ['wide', 2 ** 40], ['byte', 255], ['none', null], ['yes', true], ['no', false]])],
      ['list', Array.from({ length: 2500 }, (_, i) => i)], ['tuple', new PyTuple(['a', new PyTuple([])])], ['set', new Set(['x', 'y'])], ['bytes', Uint8Array.of(0, 128, 255)], [7, 'a key of another kind'] as never,
    ])
    writePth(at('all.pth'), root)
    const { object, shared } = seenByTorch(at('all.pth'))
    expect(floats(object)).toEqual(plain(root))
    expect(shared).toEqual([['words', 'decoder']])
  }, 600_000) // loading PyTorch takes its time on a busy machine

  test('an exported checkpoint has its tied weights shared, and AdamW takes its groups', async () => {
    const config = smallConfig({ momentum: 0.9, queue_size: 4 })
    const tensors = new Map<string, TensorToWrite>()
    const specs = parameterSpecs(config)
    const add = (name: string, shape: readonly number[]) => tensors.set(name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)) })
    for (const { name, shape } of specs) {
      add(name, shape)
      if (momentumName(name)) add(momentumName(name)!, shape)
    }
    writeSafetensors(at('model.safetensors'), tensors, checkpointHeader(config, { step: 1, metrics: {} }))
    await exportCheckpoint({ source: at('model.safetensors'), target: at('model.pth') })
    const isSpared = ({ name, shape }: { name: string; shape: readonly number[] }) => shape.length === 1 || name.endsWith('.bias')
    const groups = [specs.filter(isSpared), specs.filter((spec) => !isSpared(spec))].map((group) => group.map(({ shape }) => shape))
    const { shared } = seenByTorch(at('model.pth'), JSON.stringify(groups))
    expect(shared.map((names) => names.map((name) => name.split('.').slice(-2).join('.')).sort())).toEqual(Array.from({ length: 2 }, () => [['decoder.weight', 'word_embeddings.weight'], ['decoder.bias', 'predictions.bias']]).flat().sort((a, b) => (a[0]! < b[0]! ? 1 : -1)))
  }, 600_000) // loading PyTorch takes its time on a busy machine
})
