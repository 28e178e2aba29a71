import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withLock } from './lock.mjs'
import { ownIdentity, stateOf } from './process-identity.mjs'
import { scratch } from './trial.mjs'

/** @type {ReturnType<typeof scratch>} */
let place
/** @type {string} */
let path
beforeEach(() => {
  place = scratch('lock')
  path = join(place.dir, 'lock')
})
afterEach(() => place.remove())

const quiet = () => {}
const holder = (/** @type {object} */ changes = {}) => JSON.stringify({ ...ownIdentity(), nonce: 'another', what: 'start.mjs', ...changes })
const holderNow = async () => JSON.parse(readFileSync(path, 'utf8'))

describe('the set-up lock', () => {
  it('lets one work at a time', async () => {
    /** @type {string[]} */
    const order = []
    const work = (/** @type {string} */ name) => async () => {
      order.push(`${name} in`)
      await new Promise((done) => setTimeout(done, 30))
      order.push(`${name} out`)
    }
    await Promise.all([withLock(path, quiet, work('a'), { pollMs: 5 }), withLock(path, quiet, work('b'), { pollMs: 5 })])
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out'])
    expect(readdirSync(place.dir)).toEqual([])
  })

  it.each([
    ['of a process that is gone', () => holder({ pid: 999_999_999 })],
    // A container that was started again: its first process has the number of the one that was killed.
    ['with our own number', () => holder({ pid: process.pid })],
    // The number was given to another process since.
    ['with the number of a process that began at another time', () => holder({ pid: process.ppid, started: 'long ago' })],
  ])('is taken over at once when it is one %s', async (_what, left) => {
    writeFileSync(path, left())
    expect(await withLock(path, quiet, holderNow, { silentMs: 1e9 })).toMatchObject({ pid: process.pid })
    expect(readdirSync(place.dir)).toEqual([])
  })

  it.each([
    ['cut off', () => ''],
    ['of another machine', () => holder({ host: 'elsewhere' })],
  ])('that is %s is taken over only when nobody touched it for a while', async (_what, left) => {
    writeFileSync(path, left())
    /** @type {string[]} */
    const said = []
    const began = performance.now()
    // Somebody still touches it, three times.
    const touching = [60, 120, 180].map((after) => setTimeout(() => utimesSync(path, after, after), after))
    await withLock(path, (text) => said.push(text), holderNow, { pollMs: 5, silentMs: 100, sayEveryMs: 50 })
    expect(performance.now() - began).toBeGreaterThanOrEqual(270)
    touching.forEach(clearTimeout)
    expect(said[0]).toMatch(/Another set-up \(.+\) is at work/)
    expect(said.length).toBeGreaterThan(1)
  })

  it('of a living process is waited for, and it is said who that is', async () => {
    const script = `import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.mjs')).href)}).then(({ withLock }) =>
      withLock(${JSON.stringify(path)}, () => {}, () => { console.log('in'); return new Promise((done) => process.stdin.resume().on('end', done)) }))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    await new Promise((done) => child.stdout.once('data', done))
    /** @type {string[]} */
    const said = []
    const ours = withLock(path, (text) => said.push(text), holderNow, { pollMs: 5, silentMs: 1 })
    await new Promise((done) => setTimeout(done, 100))
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: child.pid })
    expect(said).toEqual([expect.stringContaining(`process ${child.pid}`)])
    child.stdin.end()
    expect(await ours).toMatchObject({ pid: process.pid })
  })

  it('left by a killed process is entered by one at a time, however many wait for it', async () => {
    writeFileSync(path, holder({ pid: 999_999_999 }))
    const script = `import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.mjs')).href)}).then(({ withLock }) =>
      withLock(${JSON.stringify(path)}, () => {}, async () => { console.log('in'); await new Promise((done) => setTimeout(done, 60)); console.log('out') }, { pollMs: 1 }))`
    let log = ''
    await Promise.all(Array.from({ length: 4 }, () => new Promise((done) => {
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.setEncoding('utf8').on('data', (text) => (log += text))
      child.once('close', done)
    })))
    expect(log.match(/in\nout\n/g)).toHaveLength(4)
    expect(readdirSync(place.dir)).toEqual([])
  })

  it('passes the right to take over on when the one who had it died over it', async () => {
    writeFileSync(path, holder({ pid: 999_999_999, nonce: 'dead' }))
    writeFileSync(`${path}.after-dead`, holder({ pid: 999_999_998, nonce: 'dead-too' }))
    expect(await withLock(path, quiet, holderNow, { pollMs: 5 })).toMatchObject({ pid: process.pid })
    expect(readdirSync(place.dir)).toEqual([])
  })

  it('is released when the work fails, and only by its holder', async () => {
    await expect(withLock(path, quiet, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(existsSync(path)).toBe(false)
    await withLock(path, quiet, async () => writeFileSync(path, holder()))
    expect(existsSync(path)).toBe(true)
  })
})

it('tells the process that wrote a note from another with its number', () => {
  expect(stateOf({ ...ownIdentity(), pid: process.ppid, started: null })).toBe('unknown')
  expect(stateOf({ ...ownIdentity(), pid: process.ppid, host: 'elsewhere' })).toBe('unknown')
  expect(stateOf({ ...ownIdentity(), pid: 999_999_999 })).toBe('dead')
})
