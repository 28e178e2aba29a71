import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SILENT } from './steps.mjs'
import { ensureLibraries, findPip, howToInstall, isOldPip, isWanted, pipDownload, wheelByHand } from './wheels.mjs'
import { scratch, writeZip } from './trial.mjs'
import { extractZip } from './zip.mjs'

const FILES = {
  'tensorflow/libtensorflow_cc.so.2': 'library '.repeat(1000),
  'tensorflow/libtensorflow_framework.so.2': 'framework',
  'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
  'tensorflow/python/ops.py': 'import this',
}
const PIP = { command: 'pip', args: [], version: '23.0' }

/** @type {ReturnType<typeof scratch>} */
let place
/** @type {string} */
let original
/** @type {{name: string, version: string, sha256: string}} */
let wheel
beforeEach(() => {
  place = scratch('wheels')
  original = join(place.dir, 'made.whl')
  wheel = { name: 'tensorflow-cpu', version: '1.2.3', sha256: writeZip(original, FILES) }
})
afterEach(() => place.remove())

/** A download that delivers our archive, after doing something to it. @param {(file: string) => void} [spoil] */
const delivering = (spoil) => async (/** @type {any} */ _pip, /** @type {any} */ _wheel, /** @type {string} */ into) => {
  const file = join(into, 'tensorflow_cpu-1.2.3-cp312-cp312-linux.whl')
  writeFileSync(file, readFileSync(original))
  spoil?.(file)
}
/** @param {Parameters<typeof ensureLibraries>[0]['fetchWheel']} fetchWheel @param {any} [pip] */
const ensure = (fetchWheel, pip = PIP) => ensureLibraries({ cache: join(place.dir, 'cache'), flavour: 'cpu', version: '1.2.3', wheels: [wheel], pip, tell: SILENT, fetchWheel })
const never = async () => {
  throw new Error('nothing may be downloaded here')
}

describe('TensorFlow from a wheel', () => {
  it('takes libraries and headers, leaves Python, and does it once', async () => {
    const { folder, fetched } = await ensure(delivering())
    expect(fetched).toBe(true)
    expect(readFileSync(join(folder, 'tensorflow/libtensorflow_cc.so.2'), 'utf8')).toBe(FILES['tensorflow/libtensorflow_cc.so.2'])
    expect(existsSync(join(folder, 'tensorflow/include/tensorflow/c/c_api.h'))).toBe(true)
    expect(existsSync(join(folder, 'tensorflow/python'))).toBe(false)
    expect(existsSync(join(folder, 'download'))).toBe(false)
    expect(await ensure(never)).toEqual({ folder, fetched: false })
  })

  it.each([
    ['changed by one byte', (/** @type {string} */ file) => appendFileSync(file, 'x')],
    ['cut off', (/** @type {string} */ file) => truncateSync(file, 100)],
  ])('refuses a wheel that is %s and leaves nothing behind', async (_how, spoil) => {
    await expect(ensure(delivering(spoil))).rejects.toThrow(/is not the tensorflow-cpu 1\.2\.3/)
    expect(readdirSync(join(place.dir, 'cache'))).toEqual([])
    expect((await ensure(delivering())).fetched).toBe(true)
  })

  it('fetches again when a library in the cache was lost or cut off', async () => {
    const { folder } = await ensure(delivering())
    truncateSync(join(folder, 'tensorflow/libtensorflow_cc.so.2'), 10)
    expect((await ensure(delivering())).fetched).toBe(true)
    rmSync(join(folder, 'tensorflow/libtensorflow_framework.so.2'))
    expect((await ensure(delivering())).fetched).toBe(true)
    rmSync(join(folder, 'complete.json'))
    expect((await ensure(delivering())).fetched).toBe(true)
    expect(readFileSync(join(folder, 'tensorflow/libtensorflow_cc.so.2'), 'utf8')).toBe(FILES['tensorflow/libtensorflow_cc.so.2'])
  })

  it('uses a wheel put into the cache by hand, without pip, and checks it as well', async () => {
    const store = join(place.dir, 'cache', 'wheels')
    mkdirSync(store, { recursive: true })
    const byHand = join(store, 'tensorflow_cpu-1.2.3-cp312-cp312-linux.whl')
    writeFileSync(byHand, readFileSync(original))
    expect((await ensure(never, null)).fetched).toBe(true)
    appendFileSync(byHand, 'x')
    rmSync(join(place.dir, 'cache', readdirSync(join(place.dir, 'cache')).find((name) => name.startsWith('tensorflow')) ?? ''), { recursive: true })
    await expect(ensure(never, null)).rejects.toThrow(/SHA-256/)
  })

  it('says what to install when there is no pip', async () => {
    await expect(ensure(never, null)).rejects.toMatchObject({ name: 'Problem', cure: expect.stringContaining('python3-pip') })
    expect(howToInstall('both', 'linux')).toContain('g++')
    expect(howToInstall('compiler', 'darwin')).toContain('xcode-select')
  })

  it('tells a slow pip from none', async () => {
    const program = (/** @type {string} */ text) => writeFileSync(join(place.dir, 'python3'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    const env = { PATH: place.dir }
    expect(await findPip(env)).toBeNull()
    program('exit 1')
    expect(await findPip(env)).toBeNull()
    program('exec /bin/sleep 30')
    expect(await findPip(env, 200)).toEqual({ command: join(place.dir, 'python3'), args: ['-m', 'pip'], version: '' })
  })

  it('passes over an old pip where another Python has a newer one, and names it where it is the only one', async () => {
    const program = (/** @type {string} */ name, /** @type {string} */ version) => writeFileSync(join(place.dir, name), `#!/bin/sh\necho 'pip ${version} from /x (python 3.8)'\n`, { mode: 0o755 })
    const env = { PATH: place.dir }
    program('python3', '20.0.2')
    const old = await findPip(env)
    expect(old).toMatchObject({ version: '20.0.2' })
    await expect(ensure(never, old)).rejects.toThrow(/version 20\.0\.2 .*; 20\.3 or newer is needed/)
    program('pip3', '24.1')
    expect(await findPip(env)).toEqual({ command: join(place.dir, 'pip3'), args: [], version: '24.1' })
    expect(['20.3', '21', '20.3b1', '9.0.1', ''].map((version) => isOldPip({ ...PIP, version }))).toEqual([false, false, false, true, false])
  })

  it('calls pip whatever its rule about virtual environments is, with its parts beside the result', async () => {
    const into = join(place.dir, 'cache', 'x.tmp-1-1', 'download')
    mkdirSync(into, { recursive: true })
    const program = (/** @type {string} */ text) => writeFileSync(join(place.dir, 'pip'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    const pip = { ...PIP, command: join(place.dir, 'pip') }
    program(`[ "$PIP_REQUIRE_VIRTUALENV" = 0 ] && [ "$TMPDIR" = '${into}/part' ] && [ -d "$TMPDIR" ] || exit 1`)
    await pipDownload(pip, wheel, into)
    program(`echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1`)
    await expect(pipDownload(pip, wheel, into)).rejects.toThrow(/disk is full. It writes to .*download/)
    program(`echo 'ERROR: No matching distribution found' >&2; exit 1`)
    await expect(pipDownload(pip, wheel, into)).rejects.toMatchObject({ message: expect.stringContaining('No matching'), cure: expect.stringContaining(join(place.dir, 'cache', 'wheels')) })
  })

  it('is not fooled by an empty folder for wheels put by hand', () => {
    mkdirSync(join(place.dir, 'cache', 'wheels'), { recursive: true })
    expect(wheelByHand(join(place.dir, 'cache'), wheel)).toBeNull()
  })

  it('refuses a wheel without the library', async () => {
    wheel = { ...wheel, sha256: writeZip(original, { 'tensorflow/readme.txt': 'nothing' }) }
    await expect(ensure(delivering())).rejects.toThrow(/no libtensorflow_cc/)
  })
})

it('wants exactly the libraries and headers', () => {
  expect(isWanted('nvidia/cublas/lib/libcublas.so.12')).toBe(true)
  expect(isWanted('nvidia/cublas/include/cublas.h')).toBe(false)
  expect(isWanted('tensorflow/python/libtensorflow_cc.so.2')).toBe(false)
})

describe('zip archives', () => {
  const all = (/** @type {string} */ name) => join(place.dir, 'out', name)

  it('reads stored and deflated entries, empty ones too', async () => {
    for (const stored of [true, false]) {
      const path = join(place.dir, 'a.zip')
      writeZip(path, { 'a/b.txt': 'hello', 'empty.txt': '' }, { stored })
      const written = await extractZip(path, all)
      expect(written.map(({ name, size }) => [name, size])).toEqual([['a/b.txt', 5], ['empty.txt', 0]])
      expect(readFileSync(all('a/b.txt'), 'utf8')).toBe('hello')
      expect(readFileSync(all('empty.txt'), 'utf8')).toBe('')
    }
  })

  it('refuses a wrong checksum and what is not a zip', async () => {
    const path = join(place.dir, 'a.zip')
    writeZip(path, { 'b.txt': 'hello' }, { wrongCrc: true })
    await expect(extractZip(path, all)).rejects.toThrow(/checksum/)
    writeFileSync(path, 'plain text')
    await expect(extractZip(path, all)).rejects.toThrow(/table of contents/)
  })
})
