import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { stopOnSignals } from './signals.ts'

function press() {
  const source = new EventEmitter()
  let now = 100
  let left = 0
  const signal = stopOnSignals(source as never, () => left++, () => now)
  return { signal, left: () => left, after: (ms: number, name: string) => ((now += ms), source.emit(name)) }
}

test('one press that arrives three times asks for an orderly end and no more', () => {
  const { signal, left, after } = press()
  expect(signal.aborted).toBe(false)
  for (const ms of [0, 3, 400]) after(ms, 'SIGINT')
  expect([signal.aborted, left()]).toEqual([true, 0])
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('a second press after a second ends at once, by %s too', (name) => {
  const { signal, left, after } = press()
  after(0, name)
  after(1500, name)
  expect([signal.aborted, left()]).toEqual([true, 1])
})
