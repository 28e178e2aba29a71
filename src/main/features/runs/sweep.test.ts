import { expect, test } from 'vitest'
import { sweepOf } from './sweep.ts'

test('one setting: a run for each value, named by it', () => {
  expect(sweepOf([{ key: 'optimizer.learningRate', values: [0.00001, 3e-4, 0.01] }])).toEqual([
    { name: 'learningRate 1e-5', overrides: { 'optimizer.learningRate': 0.00001 } },
    { name: 'learningRate 3e-4', overrides: { 'optimizer.learningRate': 3e-4 } },
    { name: 'learningRate 0.01', overrides: { 'optimizer.learningRate': 0.01 } },
  ])
})

test('two settings: every combination; names that would be the same are written in full', () => {
  const runs = sweepOf([{ key: 'loss.amc', values: [0, 1] }, { key: 'loss.mlm', values: [true, false] }])
  expect(runs.map((run) => run.name)).toEqual(['amc 0, mlm on', 'amc 0, mlm off', 'amc 1, mlm on', 'amc 1, mlm off'])
  expect(runs[1]!.overrides).toEqual({ 'loss.amc': 0, 'loss.mlm': false })
  expect(sweepOf([{ key: 'validation.every', values: [5] }, { key: 'save.every', values: [10] }])[0]!.name).toBe('validation.every 5, save.every 10')
})

test('what makes no sense is refused in words', () => {
  expect(() => sweepOf([{ key: 'seed', values: [1, 1] }])).toThrow(/given twice/)
  expect(() => sweepOf([{ key: 'seed', values: [1] }, { key: 'seed', values: [2] }])).toThrow(/swept twice/)
  expect(() => sweepOf([{ key: 'seed', values: [1, 2, 3, 4, 5] }, { key: 'steps', values: [1, 2, 3, 4, 5] }])).toThrow(/25 runs/)
})
