import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openTensors } from './open-tensors.ts'
import { SavedTensor, writePth } from './pth-writer.ts'
import { rawTensor, writeSafetensors } from './safetensors.ts'

const root = mkdtempSync(join(tmpdir(), 'amc-parts-'))
afterAll(() => rmSync(root, { recursive: true }))
let folder: string
let count = 0
beforeEach(() => {
  folder = join(root, String(count++))
  mkdirSync(folder)
})
const part = (name: string, tensors: Readonly<Record<string, readonly number[]>>) =>
  writeSafetensors(join(folder, name), new Map(Object.entries(tensors).map(([key, values]) => [key, { shape: [values.length], data: Float32Array.from(values) }])))
const index = (map: unknown, name = 'model.safetensors.index.json') => {
  writeFileSync(join(folder, name), JSON.stringify({ metadata: { total_size: 0 }, weight_map: map }))
  return join(folder, name)
}

describe('weights in several parts', () => {
  test('are one file, in the order of the index, from the index or its folder', async () => {
    part('model-1.safetensors', { a: [1], c: [3] })
    part('model-2.safetensors', { b: [2, 2] })
    const path = index({ b: 'model-2.safetensors', a: 'model-1.safetensors', c: 'model-1.safetensors' })
    for (const place of [path, folder]) {
      const file = await openTensors(place)
      expect(file.format).toBe('safetensors-sharded')
      expect([...file.tensors].map(([name, entry]) => [name, Array.from(entry.read().data as Float32Array)])).toEqual([['b', [2, 2]], ['a', [1]], ['c', [3]]])
      file.close()
    }
  })

  test('of .bin files are read too', async () => {
    writePth(join(folder, 'pytorch_model-1.bin'), new Map([['a', new SavedTensor(rawTensor('a', { shape: [2], data: Float32Array.of(1, 2) }))]]))
    index({ a: 'pytorch_model-1.bin' }, 'pytorch_model.bin.index.json')
    const file = await openTensors(folder)
    expect([file.format, file.tensors.get('a')!.read().data]).toEqual(['pth-sharded', Float32Array.of(1, 2)])
    file.close()
  })

  test.each([
    ['a part that is missing', { a: 'gone.safetensors' }, /The part gone\.safetensors .* is missing/],
    ['a tensor that is not where it should be', { z: 'model-1.safetensors' }, /z is not in model-1\.safetensors/],
    ['a path that leaves the folder', { a: '../secret.safetensors' }, /not a plain file name/],
    ['an absolute path', { a: '/etc/passwd' }, /not a plain file name/],
    ['no parts', {}, /weight_map is empty/],
    ['a list', ['a'], /weight_map is missing/],
  ])('%s is named', async (_, map, message) => {
    part('model-1.safetensors', { a: [1] })
    await expect(openTensors(index(map))).rejects.toThrow(message)
  })
})

describe('a folder', () => {
  test('with one file of weights is that file, with several it must be said which', async () => {
    part('best.safetensors', { a: [1] })
    const file = await openTensors(folder)
    expect([...file.tensors.keys()]).toEqual(['a'])
    file.close()
    part('last.safetensors', { a: [1] })
    await expect(openTensors(folder)).rejects.toThrow(/has several files of weights/)
    part('model.safetensors', { b: [1] })
    const known = await openTensors(folder)
    expect([...known.tensors.keys()]).toEqual(['b'])
    known.close()
  })

  test('without weights, and what does not exist, say so', async () => {
    await expect(openTensors(folder)).rejects.toThrow(/has no weights/)
    await expect(openTensors(join(folder, 'nothing.pth'))).rejects.toMatchObject({ code: 'not-found' })
  })
})
