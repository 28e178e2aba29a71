/** The launcher's side of the engine, against a small server in the engine's place: what is tried is the launcher. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressFor, checkEngine, startEngine } from './engine-process.mjs'
import { writeWhole } from './files.mjs'
import { scratch } from './trial.mjs'

/** @type {ReturnType<typeof scratch>} */
let place
beforeEach(() => {
  place = scratch('engine')
  mkdirSync(join(place.dir, 'out', 'engine'), { recursive: true })
})
afterEach(() => place.remove())

/** A server that answers like the engine. @param {Record<string, [number, string]>} pages */
const server = (pages) => `
import { createServer } from 'node:http'
const pages = ${JSON.stringify(pages)}
const server = createServer((request, response) => {
  const known = request.headers.authorization === 'Bearer secret' ? pages[request.url] : [401, '']
  response.writeHead(known?.[0] ?? 404).end(known?.[1] ?? '')
}).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: 'http://127.0.0.1:' + server.address().port + '/', token: 'secret', pid: process.pid, args: process.argv.slice(2) }))
})
process.stdin.resume().on('end', () => process.exit(0))
`
/** @param {string} code */
const start = (code, timeoutMs = 20_000) => {
  writeWhole(join(place.dir, 'out', 'engine', 'cli.mjs'), code)
  return startEngine({ root: place.dir, node: process.execPath, project: join(place.dir, 'p'), port: 0, demo: true, timeoutMs })
}
/** @type {Record<string, [number, string]>} */
const WELL = { '/': [200, '<script type="module" src="./assets/a.js"></script>'], '/assets/a.js': [200, 'x'], '/api/check': [200, '{"backend":{"library":"TensorFlow"},"heatmapMs":12.5}'] }

describe('the engine started by the launcher', () => {
  it('is asked for the page and a heatmap, and ends when it is told to', async () => {
    const engine = await start(server(WELL))
    expect(/** @type {any} */ (engine.ready).args).toEqual(['serve', '--project', join(place.dir, 'p'), '--port', '0', '--json', '--exit-with-input', '--demo'])
    expect(await checkEngine(engine.ready)).toEqual({ backend: { library: 'TensorFlow' }, heatmapMs: 12.5, why: null })
    expect(addressFor(engine.ready)).toBe(`${engine.ready.url}?token=secret`)
    await engine.stop()
    expect(engine.child.exitCode).toBe(0)
  })

  it('says what it is doing while the check waits', async () => {
    const jobs = [{ kind: 'score', state: 'running', title: 'Score', message: 'no' }, { kind: 'demo', state: 'running', title: 'Make the demo dataset', message: 'Drawing scenes: 40 of 900' }]
    // The check is answered when it was asked what it is doing.
    const waiting = server({ ...WELL, '/api/v1/jobs/list': [200, JSON.stringify(jobs)] }).replace("const known =", "if (request.url === '/api/check') return void waiting.push(response)\n  if (request.url === '/api/v1/jobs/list') setTimeout(() => waiting.splice(0).forEach((one) => one.end(pages['/api/check'][1])), 50)\n  const known =").replace('const pages', 'const waiting = []\nconst pages')
    const engine = await start(waiting)
    /** @type {string[]} */
    const said = []
    expect((await checkEngine(engine.ready, { onWork: (text) => said.push(text), everyMs: 10 })).heatmapMs).toBe(12.5)
    expect(said[0]).toBe('Drawing scenes: 40 of 900')
    await engine.stop()
  })

  it.each([
    ['the page', { ...WELL, '/': [500, 'no'] }, /did not serve the page/],
    ['the script of the page', { ...WELL, '/assets/a.js': [404, 'no'] }, /script is not served/],
    ['the heatmap', { ...WELL, '/api/check': [503, 'no checkpoint'] }, /no checkpoint/],
    ['the time of the heatmap', { ...WELL, '/api/check': [200, '{"heatmapMs":0}'] }, /no time for the heatmap/],
  ])('is not called well without %s', async (_what, pages, reason) => {
    const engine = await start(server(/** @type {any} */ (pages)))
    await expect(checkEngine(engine.ready)).rejects.toThrow(reason)
    await engine.stop()
  })

  it('is called well where a project has nothing to look at yet, which is said', async () => {
    const answer = '{"code":"not-found","message":"The project has no region to look at.","cure":"Import a dataset."}'
    const engine = await start(server({ ...WELL, '/api/check': [404, answer] }))
    expect(await checkEngine(engine.ready)).toEqual({ backend: null, heatmapMs: null, why: 'The project has no region to look at. Import a dataset.' })
    await engine.stop()
  })

  it('that ends or hangs before it is ready is told of', async () => {
    await expect(start('process.exit(3)')).rejects.toMatchObject({ message: expect.stringMatching(/ended before it was ready \(code 3\)/), exitCode: 3 })
    await expect(start("process.stdin.resume().on('end', () => process.exit(0))", 300)).rejects.toThrow(/did not answer within/)
  })
})
