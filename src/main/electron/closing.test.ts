import { expect, test, vi } from 'vitest'
import { type Answer, createClosing } from './closing.ts'

function shell() {
  const asked = Promise.withResolvers<Answer>()
  const ask = vi.fn(() => asked.promise)
  const [hide, quit] = [vi.fn(), vi.fn()]
  const answer = async (text: Answer): Promise<void> => {
    asked.resolve(text)
    await asked.promise
    await Promise.resolve()
  }
  return { ...createClosing({ ask, hide, quit }), ask, hide, quit, answer }
}

test('without a run it ends at once', () => {
  const one = shell()
  expect(one.mayEnd()).toBe(true)
  one.working(['Run 1'])
  one.working([])
  expect(one.mayEnd()).toBe(true)
  expect(one.ask).not.toHaveBeenCalled()
})

test('with a run it asks, once however often it is asked to end; "stay" changes nothing', async () => {
  const one = shell()
  one.working(['Run 1', 'Run 2'])
  expect([one.mayEnd(), one.mayEnd()]).toEqual([false, false])
  expect(one.ask).toHaveBeenCalledExactlyOnceWith(['Run 1', 'Run 2'])
  await one.answer('stay')
  expect([one.hide.mock.calls.length, one.quit.mock.calls.length]).toEqual([0, 0])
  expect(one.mayEnd()).toBe(false)
  expect(one.ask).toHaveBeenCalledTimes(2)
})

test('"stop" ends, and is not asked about again on the way', async () => {
  const one = shell()
  one.working(['Run 1'])
  one.mayEnd()
  await one.answer('stop')
  expect(one.quit).toHaveBeenCalledOnce()
  expect(one.mayEnd()).toBe(true)
})

test('"go on" hides the window; when the last run has ended, so does the program', async () => {
  const one = shell()
  one.working(['Run 1'])
  one.mayEnd()
  await one.answer('go on')
  expect(one.hide).toHaveBeenCalledOnce()
  expect(one.quit).not.toHaveBeenCalled()
  one.working(['Run 2'])
  expect(one.quit).not.toHaveBeenCalled()
  one.working([])
  expect(one.quit).toHaveBeenCalledOnce()
})

test('shown again, it stays when the run has ended', async () => {
  const one = shell()
  one.working(['Run 1'])
  one.mayEnd()
  await one.answer('go on')
  one.shown()
  one.working([])
  expect(one.quit).not.toHaveBeenCalled()
})

test('a run that ended while the person thought leaves nothing to go on with', async () => {
  const one = shell()
  one.working(['Run 1'])
  one.mayEnd()
  one.working([])
  await one.answer('go on')
  expect(one.hide).not.toHaveBeenCalled()
  expect(one.quit).toHaveBeenCalledOnce()
})
