import { expect, test } from 'vitest'
import { AppError, exitCodeOf, fromErrorData, nearest, toErrorData } from './errors.ts'

test('an error keeps its code, sentence, cure and place across a process border', () => {
  const error = new AppError('bad-input', 'Line 3 is not JSON.', 'Correct the file.', 'a.json:3:7')
  expect(toErrorData(fromErrorData(JSON.parse(JSON.stringify(toErrorData(error)))))).toEqual(toErrorData(error))
})

test('a full disk is told as such, whoever noticed it', () => {
  for (const code of ['ENOSPC', 'SQLITE_FULL']) expect(toErrorData(Object.assign(new Error('x'), { code })).code).toBe('disk-full')
})

test('the nearest name is offered, and none when nothing is near', () => {
  expect(nearest('lerning_rate', ['learning_rate', 'batch_size'])).toBe('learning_rate')
  expect(nearest('zzzzzz', ['learning_rate', 'batch_size'])).toBe(null)
})

test('exit codes are those of the command line', () => {
  expect([exitCodeOf('internal'), exitCodeOf('usage'), exitCodeOf('bad-input'), exitCodeOf('runtime-missing')]).toEqual([1, 2, 3, 4])
})
