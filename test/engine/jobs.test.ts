import { describe, expect, onTestFinished, test } from 'vitest'
import type { Job } from '../../src/shared/domain.ts'
import { AppError } from '../../src/shared/errors.ts'
import { createEvents } from '../../src/main/engine/events.ts'
import { createJobs, type NewJob } from '../../src/main/engine/jobs.ts'

function setUp() {
  const events = createEvents()
  const heard: Job[] = []
  events.on((event) => void (event.type === 'job.progressed' && heard.push(event.job)))
  const log: Job[] = []
  const jobs = createJobs(events, { save: (job) => void log.unshift(job), load: () => log })
  onTestFinished(() => jobs.close())
  return { jobs, heard, log }
}
/** Goes on until it is told to end or stopped. */
function held(order: string[], name: string, more: Partial<NewJob> = {}): NewJob & { end: () => void } {
  const gate = Promise.withResolvers<void>()
  return {
    kind: 'score', title: name, lane: 'compute', end: gate.resolve,
    work: async ({ signal }) => {
      order.push(`${name} begins`)
      await Promise.race([gate.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))])
      if (signal.aborted) throw new AppError('cancelled', 'Stopped.')
      order.push(`${name} ends`)
      return name
    },
    ...more,
  }
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 15))

test('a lane does one job at a time, in order; another lane does not wait for it', async () => {
  const { jobs } = setUp()
  const order: string[] = []
  const [one, two, other] = [held(order, 'one'), held(order, 'two'), held(order, 'other', { lane: 'files' })]
  const ids = [one, two, other].map((spec) => jobs.add(spec).id)
  await soon()
  expect(order).toEqual(['one begins', 'other begins'])
  expect(ids.map((id) => jobs.get(id).state)).toEqual(['running', 'waiting', 'running'])
  one.end()
  await jobs.ended(ids[0]!)
  await soon()
  two.end()
  expect(await jobs.ended(ids[1]!)).toMatchObject({ state: 'done', result: 'two' })
  expect(order).toEqual(['one begins', 'other begins', 'one ends', 'two begins', 'two ends'])
})

test('a cancelled job ends as such, running or waiting, and the next one begins', async () => {
  const { jobs } = setUp()
  const order: string[] = []
  let skipped = false
  const ids = [held(order, 'one'), held(order, 'two', { onSkipped: () => (skipped = true) }), held(order, 'three')].map((spec) => jobs.add(spec).id)
  await soon()
  jobs.cancel(ids[1]!)
  jobs.cancel(ids[0]!)
  expect((await jobs.ended(ids[0]!)).state).toBe('cancelled')
  expect([(await jobs.ended(ids[1]!)).state, skipped]).toEqual(['cancelled', true])
  await soon()
  expect(order).toEqual(['one begins', 'three begins'])
})

test('a failure is told with its sentence and its cure, and holds up nobody', async () => {
  const { jobs } = setUp()
  const failing = jobs.add({ kind: 'import', title: 'x', lane: 'files', work: async () => Promise.reject(new AppError('bad-input', 'Line 3 is wrong.', 'Correct it.')) })
  const after = jobs.add({ kind: 'import', title: 'y', lane: 'files', work: async () => 7 })
  expect(await jobs.ended(failing.id)).toMatchObject({ state: 'failed', error: { code: 'bad-input', message: 'Line 3 is wrong.', cure: 'Correct it.' } })
  expect(await jobs.ended(after.id)).toMatchObject({ state: 'done', result: 7 })
})

describe('background work', () => {
  test('makes room for a job that somebody waits for, and is taken up after it', async () => {
    const { jobs } = setUp()
    const order: string[] = []
    const [behind, wanted] = [held(order, 'behind', { background: true }), held(order, 'wanted')]
    const behindId = jobs.add(behind).id
    await soon()
    const wantedId = jobs.add(wanted).id
    await soon()
    expect(order).toEqual(['behind begins', 'wanted begins'])
    expect(jobs.get(behindId).state).toBe('waiting')
    wanted.end()
    await jobs.ended(wantedId)
    await soon()
    behind.end()
    expect((await jobs.ended(behindId)).state).toBe('done')
    expect(order).toEqual(['behind begins', 'wanted begins', 'wanted ends', 'behind begins', 'behind ends'])
  })

  test('that made room can be cancelled for good, and closing waits for nothing that never comes', async () => {
    const { jobs } = setUp()
    const order: string[] = []
    const one = jobs.add(held(order, 'one', { background: true })).id
    const two = jobs.add(held(order, 'two', { background: true })).id
    await soon()
    jobs.add(held(order, 'wanted'))
    await soon()
    jobs.cancel(one)
    expect((await jobs.ended(one)).state).toBe('cancelled')
    await jobs.close()
    expect((await jobs.ended(two)).state).toBe('cancelled')
  })
})

test('progress tells the time left by the rate so far, and not more often than a person can read', async () => {
  const { jobs, heard } = setUp()
  const { id } = jobs.add({
    kind: 'import', title: 'x', lane: 'files', total: 1000,
    work: async ({ progress }) => {
      for (let done = 1; done <= 700; done++) {
        progress({ done, message: `${done}` })
        if (done % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  })
  await jobs.ended(id)
  const running = heard.filter((job) => job.state === 'running')
  expect(running.length).toBeGreaterThan(2)
  expect(running.length).toBeLessThan(60)
  expect(running.some((job) => job.secondsLeft !== null && job.secondsLeft > 0)).toBe(true)
  expect(running.map((job) => job.done)).toEqual(running.map((job) => job.done).toSorted((a, b) => a - b))
})

test('what ended is still listed after the next start', async () => {
  const { jobs, log } = setUp()
  const { id } = jobs.add({ kind: 'import', title: 'Import a', lane: 'files', work: async () => 1 })
  await jobs.ended(id)
  const next = createJobs(createEvents(), { save: () => undefined, load: () => log })
  expect(next.list()).toMatchObject([{ id, title: 'Import a', state: 'done' }])
})
