import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { gpuName, loadBackend, readInstalledRuntime, restoreRemovedUtilities, threadCount } from './backend.ts'

const dir = mkdtempSync(join(tmpdir(), 'amc-backend-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the backend', () => {
  it('multiplies and differentiates as on paper', async () => {
    const { tf, info } = await loadBackend()
    expect(tf.getBackend()).toBe('tensorflow')
    expect(info.library).toContain('TensorFlow')
    const x = tf.tensor2d([[1, 2], [3, 4]])
    const gradient = tf.grad((v) => tf.matMul(v as typeof x, v as typeof x).sum())(x)
    expect([...(await gradient.data())]).toEqual([7, 11, 9, 13])
    tf.dispose([x, gradient])
  })

  it('is loaded once', async () => {
    const [first, second] = await Promise.all([loadBackend(), loadBackend()])
    expect(first).toBe(second)
  })

  it('sorts, which needs a utility that Node 24 removed', async () => {
    const { tf } = await loadBackend()
    const { values } = tf.topk(tf.tensor1d([3, 9, 4]), 2)
    expect([...(await values.data())]).toEqual([9, 4])
  })
})

it('puts back what is missing and quiets what only warns', () => {
  const own = () => true
  const util: Record<string, unknown> = { isArray: own, isNullOrUndefined: own }
  restoreRemovedUtilities(util)
  expect(util['isNullOrUndefined']).toBe(own)
  expect(util['isArray']).toBe(Array.isArray)
  const bare: Record<string, unknown> = {}
  restoreRemovedUtilities(bare)
  const isNullOrUndefined = bare['isNullOrUndefined'] as (value: unknown) => boolean
  expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false])
})

it('takes a torn or absent note of set-up as none', () => {
  expect(readInstalledRuntime(dir)).toBeNull()
  mkdirSync(join(dir, 'lib'))
  writeFileSync(join(dir, 'lib', 'amc-runtime.json'), '{"tensorflow": "2.')
  expect(readInstalledRuntime(dir)).toBeNull()
  expect(readInstalledRuntime(null)).toBeNull()
})

it('counts threads as TensorFlow does', () => {
  expect(threadCount(undefined, 8)).toBe(8)
  expect(threadCount('3', 8)).toBe(3)
  expect(threadCount('0', 8)).toBe(8)
  expect(threadCount('many', 8)).toBe(8)
})

it('names the card as its driver does', () => {
  const card = join(dir, 'gpus', '0000:01:00.0')
  mkdirSync(card, { recursive: true })
  writeFileSync(join(card, 'information'), 'Model: \t NVIDIA A10\nIRQ: 30\n')
  expect(gpuName(join(dir, 'gpus'))).toBe('NVIDIA A10')
  expect(gpuName(join(dir, 'none'))).toBe('gpu')
})
