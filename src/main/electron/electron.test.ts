import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readShellArguments } from './arguments.ts'
import { type EngineAddress, type EngineProblem, type EngineProcess, startEngineProcess } from './engine-process.ts'
import { engineNode, projectKey, usualProject } from './places.ts'
import { readWindowState, usableBounds, writeWindowState } from './window-state.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-shell-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('arguments', () => {
  it('reads its own among those of Chromium', () => {
    expect(readShellArguments(['--no-sandbox', '/app', '--project', '/p q', '--demo', '--port=4711', '--inspect=0'])).toEqual({ project: '/p q', demo: true, port: 4711 })
    expect(readShellArguments(['/app', '--project', '--demo', '--port', '99999'])).toEqual({ project: null, demo: true, port: 0 })
  })
})

describe('places', () => {
  it('prefers the Node it was given, and names projects by their folder', () => {
    expect(engineNode('/nowhere', { AMC_NODE: process.execPath })).toBe(process.execPath)
    expect(engineNode('/nowhere', { AMC_NODE: '/nowhere/node' })).toBeNull()
    expect(projectKey('/a/b/../b/')).toBe(projectKey('/a/b'))
    expect(projectKey('/a/c')).not.toBe(projectKey('/a/b'))
    expect(usualProject({ XDG_DATA_HOME: '/data', LOCALAPPDATA: '/data' })).toContain('amc-workstation')
  })
})

describe('window state', () => {
  it('comes back as it was kept, and a torn file counts as none', async () => {
    const file = join(dir, 'deep', 'window.json')
    const state = { bounds: { x: 10, y: 20, width: 1200, height: 800 }, maximized: true, port: 40123 }
    writeWindowState(file, state)
    expect(readWindowState(file)).toEqual(state)
    expect(await readdir(join(dir, 'deep'))).toEqual(['window.json'])
    for (const text of ['{"bounds": {"x": 1', 'null', '[]', '{"bounds": {"x": "a"}, "port": 80, "maximized": "yes"}']) {
      await writeFile(file, text)
      expect(readWindowState(file)).toEqual({ bounds: null, maximized: false, port: 0 })
    }
  })
  it('is used only where a screen shows it', () => {
    const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }]
    expect(usableBounds({ x: 100, y: 100, width: 1200, height: 800 }, screens)).toEqual({ x: 100, y: 100, width: 1200, height: 800 })
    expect(usableBounds({ x: 2500, y: 100, width: 1200, height: 800 }, screens)).toBeNull()
    expect(usableBounds({ x: 100, y: 2000, width: 1200, height: 800 }, screens)).toBeNull()
    expect(usableBounds({ x: -1190, y: 100, width: 1200, height: 800 }, screens)).toBeNull()
    expect(usableBounds({ x: 5, y: 5, width: 10, height: 10 }, screens)).toMatchObject({ width: 800, height: 500 })
    expect(usableBounds(null, screens)).toBeNull()
  })
})

describe('the engine process', () => {
  /** Starts a stand-in for the engine written in a few lines; collects what the shell is told. */
  async function start(name: string, source: string, port = 0) {
    const file = join(dir, `${name}.mjs`)
    await writeFile(file, source.replaceAll('DIR', JSON.stringify(dir)))
    const ready: (EngineAddress & { restarted: boolean })[] = []
    const failed: EngineProblem[] = []
    const log: string[] = []
    const engine: EngineProcess = startEngineProcess({
      node: process.execPath, args: [file], port, retryMs: 20,
      onReady: (address, restarted) => void ready.push({ ...address, restarted }),
      onFailed: (problem) => void failed.push(problem),
      onLog: (text) => void log.push(text),
    })
    const until = async (done: () => boolean) => {
      for (let i = 0; i < 400 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 25))
      expect(done(), `ready ${JSON.stringify(ready)}, failed ${JSON.stringify(failed)}, log ${log.join(' | ')}`).toBe(true)
    }
    return { engine, ready, failed, log, until }
  }
  const SERVE = `
    const port = Number(process.argv[process.argv.indexOf('--port') + 1]) || 40001
    process.stderr.write('starting\\n')
    process.stdout.write('not json\\n{"url": "http://127.0.0.1:' + port + '", "tok')
    setTimeout(() => process.stdout.write('en": "t' + process.pid + '"}\\n'), 30)
  `

  it('tells which runs train, and that none does when it died', async () => {
    const file = join(dir, 'working.mjs')
    await writeFile(file, `${SERVE}
      process.stdin.resume().on('end', () => process.exit(0))
      setTimeout(() => process.stdout.write('{"working": ["Run 1", "Run 2"]}\\n{"working": ["Run 2"]}\\n'), 60)
      setTimeout(() => process.exit(9), 120)`)
    const told: (readonly string[])[] = []
    const engine = startEngineProcess({
      node: process.execPath, args: [file], port: 0, retryMs: 60_000, onReady: () => undefined, onFailed: () => undefined, onLog: () => undefined, onWorking: (runs) => void told.push(runs),
    })
    await expect.poll(() => told, { timeout: 10_000 }).toEqual([['Run 1', 'Run 2'], ['Run 2'], []])
    await engine.stop()
  })

  it('tells the address, and ends when its input closes', async () => {
    const run = await start('plain', `${SERVE}
      import { writeFileSync } from 'node:fs'
      process.stdin.resume().on('end', () => { writeFileSync(DIR + '/ended', process.argv.slice(2).join(' ')); process.exit(0) })`)
    await run.until(() => run.ready.length === 1)
    expect(run.ready[0]).toMatchObject({ url: 'http://127.0.0.1:40001', token: `t${run.engine.pid()}`, restarted: false })
    await run.engine.stop()
    expect(run.engine.pid()).toBeNull()
    expect(await readFile(join(dir, 'ended'), 'utf8')).toBe('--port 0 --json --exit-with-input')
    expect(run.failed).toEqual([])
  })

  it('starts it again on the same port when it was killed, with a new token', async () => {
    const run = await start('killed', `${SERVE}; setInterval(() => {}, 1000); process.stdin.resume().on('end', () => process.exit(0))`)
    await run.until(() => run.ready.length === 1)
    process.kill(run.engine.pid()!, 'SIGKILL')
    await run.until(() => run.ready.length === 2)
    expect(run.ready[1]).toMatchObject({ url: run.ready[0]!.url, restarted: true })
    expect(run.ready[1]!.token).not.toBe(run.ready[0]!.token)
    await run.engine.stop()
  })

  it('passes on in words why it never started', async () => {
    const run = await start('locked', `console.log(JSON.stringify({ error: { code: 'locked', message: 'The project is open already.', cure: 'Close it.' } })); process.exit(3)`)
    await run.until(() => run.failed.length === 1)
    expect(run.failed[0]).toEqual({ message: 'The project is open already.', cure: 'Close it.' })
    expect(run.ready).toEqual([])
  })

  it('takes another port when that of last time is taken', async () => {
    const run = await start('taken', `if (process.argv.includes('5555')) process.exit(3)\n${SERVE}; process.stdin.resume().on('end', () => process.exit(0))`, 5555)
    await run.until(() => run.ready.length === 1)
    expect(run.ready[0]!.url).toBe('http://127.0.0.1:40001')
    await run.engine.stop()
  })

  it('gives up after many ends in a row, and says so once', async () => {
    const run = await start('dying', `${SERVE.replace('}, 30)', '}, 1)')}; setTimeout(() => process.exit(9), 40)`)
    await run.until(() => run.failed.length > 0)
    expect(run.failed).toHaveLength(1)
    expect(run.ready.length).toBeGreaterThan(1)
    expect(run.log.filter((line) => line.includes('it is started again')).length).toBe(8)
  })

  it('kills what does not end by itself', async () => {
    const run = await start('deaf', `${SERVE}; setInterval(() => {}, 1000); process.on('SIGTERM', () => {})`)
    await run.until(() => run.ready.length === 1)
    const before = Date.now()
    await run.engine.stop(200)
    expect(Date.now() - before).toBeLessThan(5000)
  })
})
