/** How the runtime is chosen and mended, with other programs (compiler, pip, TensorFlow) replaced by small ones. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addonPlace, ensureAddon, findCompiler, isCompiled, placeAddon } from './addon.mjs'
import { sizeOf, writeWhole } from './files.mjs'
import { SILENT } from './steps.mjs'
import { CPU_WHEELS, TENSORFLOW } from './tensorflow-pins.mjs'
import { ensureTensorFlow, probeGpu, readNote } from './tensorflow.mjs'
import { scratch } from './trial.mjs'
import { librariesFolder } from './wheels.mjs'

/** @type {ReturnType<typeof scratch>} */
let place
/** @type {string} */
let root
/** @type {string} */
let cache
/** What was called, in order. @type {string[]} */
let calls
beforeEach(() => {
  place = scratch('tensorflow')
  root = join(place.dir, 'tree')
  cache = join(place.dir, 'cache')
  calls = []
  mkdirSync(cache)
  writeWhole(join(root, 'node_modules/@tensorflow/tfjs-node-gpu/package.json'), '{"binary":{"napi_versions":[3,8]}}')
  writeWhole(join(root, 'node_modules/@tensorflow/tfjs-node-gpu/binding/a.cc'), 'int a;')
  writeWhole(join(root, 'node_modules/node-api-headers/include/node_api.h'), '#pragma once')
})
afterEach(() => place.remove())

const PIP = { command: 'pip', args: [], version: '24.0' }
const WELL = /** @type {const} */ ({ ok: true, version: '2.99.0', gpu: false })

/** A compiler that writes what it was asked for. @param {string} [text] */
function compiler(text = 'echo addon > "$out"') {
  const path = join(place.dir, 'c++')
  writeFileSync(path, `#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done\necho compiled >> '${place.dir}/compiler.log'\n${text}\n`, { mode: 0o755 })
  return path
}
const timesCompiled = () => (existsSync(join(place.dir, 'compiler.log')) ? readFileSync(join(place.dir, 'compiler.log'), 'utf8').split('\n').length - 1 : 0)

/** @param {string} flavour @param {readonly {sha256: string}[]} wheels */
function putLibraries(flavour, wheels) {
  const folder = librariesFolder(cache, flavour, TENSORFLOW, /** @type {any} */ (wheels))
  writeWhole(join(folder, 'tensorflow', 'libtensorflow_cc.so.2'), 'library')
  writeWhole(join(folder, 'complete.json'), JSON.stringify({ sizes: { 'tensorflow/libtensorflow_cc.so.2': 7 } }))
  return folder
}

/** The tools of a machine where all is well, except for what a test changes. @param {Partial<import('./tensorflow.mjs').Tools>} changes @returns {import('./tensorflow.mjs').Tools} */
const tools = (changes = {}) => ({
  findCompiler: () => compiler(),
  findPip: async () => PIP,
  probeGpu: async () => ({ name: null, why: 'none' }),
  ensureLibraries: async ({ flavour, wheels }) => {
    calls.push(`libraries ${flavour}`)
    return { folder: putLibraries(flavour, wheels), fetched: true }
  },
  ensureAddon,
  placeAddon,
  tryAddon: async () => WELL,
  packageDownload: async () => {
    calls.push('package')
    return { code: 1, stdout: '', stderr: 'no way to its host' }
  },
  canUseWheels: () => true,
  mayHaveGpu: () => false,
  ...changes,
})
/** @param {Partial<import('./tensorflow.mjs').Tools>} [changes] @param {Partial<Parameters<typeof ensureTensorFlow>[0]>} [options] */
const ensure = (changes, options) => ensureTensorFlow({ root, cache, node: '/node', tell: SILENT, env: {}, tools: tools(changes), ...options })

describe('the TensorFlow runtime', () => {
  it('is set up once, noted beside the addon, and then only looked at', async () => {
    const first = await ensure()
    expect(first).toMatchObject({ skipped: false, note: { tensorflow: '2.99.0', flavour: 'cpu', addonBytes: 6 } })
    expect(readNote(root)).toEqual(first.note)
    expect(await ensure({ findPip: async () => Promise.reject(new Error('nothing may be asked')) })).toEqual({ skipped: true, note: first.note })
  })

  it('is set up again when the addon was cut off, a library is gone, or a graphics card appeared', async () => {
    await ensure()
    writeFileSync(addonPlace(root), '')
    expect((await ensure()).skipped).toBe(false)
    expect(sizeOf(addonPlace(root))).toBe(6)
    rmSync(join(cache, `tensorflow-${TENSORFLOW}-cpu-${CPU_WHEELS[0]?.sha256.slice(0, 8)}`, 'tensorflow'), { recursive: true })
    expect((await ensure()).skipped).toBe(false)
    expect((await ensure({ mayHaveGpu: () => true })).skipped).toBe(false)
  })

  it('stays when only the usual place of the cache is another', async () => {
    await ensure()
    expect((await ensure({}, { cache: join(place.dir, 'other') })).skipped).toBe(true)
  })

  it.each(/** @type {[string, Partial<import('./tensorflow.mjs').Tools>, RegExp, RegExp][]} */ ([
    ['pip', { findPip: async () => null }, /Python 3 with pip was not found/, /python3-pip/],
    ['a compiler', { findCompiler: () => null }, /no C\+\+ compiler was found/, /g\+\+/],
    ['both', { findPip: async () => null, findCompiler: () => null }, /Python 3 with pip was not found and no C\+\+ compiler was found/, /python3-pip g\+\+/],
    ['a newer pip', { findPip: async () => ({ ...PIP, version: '19.1' }) }, /pip 19\.1 is too old \(20\.3 or newer/, /pip install --user --upgrade pip/],
  ]))('without %s tries the package, and then says exactly what to install', async (_what, changes, message, cure) => {
    await expect(ensure(changes)).rejects.toMatchObject({ message: expect.stringMatching(message), cure: expect.stringMatching(cure) })
    expect(calls).toEqual(['package'])
    // Somebody made the folder for wheels and put nothing into it: the same.
    mkdirSync(join(cache, 'wheels'))
    await expect(ensure(changes)).rejects.toThrow(message)
  })

  it('needs neither pip nor a compiler for what lies in the cache', async () => {
    await ensure()
    rmSync(addonPlace(root))
    expect(await ensure({ findPip: async () => null, findCompiler: () => null })).toMatchObject({ skipped: false, note: { flavour: 'cpu' } })
    expect(timesCompiled()).toBe(1)
    expect(calls).not.toContain('package')
  })

  it('needs no pip where the wheel was put into the cache by hand', async () => {
    writeWhole(join(cache, 'wheels', `tensorflow_cpu-${TENSORFLOW}-cp312-cp312-linux.whl`), 'wheel')
    expect((await ensure({ findPip: async () => null })).note.flavour).toBe('cpu')
  })

  it('compiles a cached addon that does not load anew, once', async () => {
    await ensure()
    rmSync(addonPlace(root))
    // Torn in the cache by a loss of power: right name, wrong bytes.
    for (const name of readdirSync(cache).filter((one) => one.startsWith('addon-'))) writeFileSync(join(cache, name, 'tfjs_binding.node'), 'torn')
    const tryAddon = async () => (readFileSync(addonPlace(root), 'utf8') === 'addon\n' ? WELL : /** @type {const} */ ({ ok: false, reason: 'file too short' }))
    expect((await ensure({ tryAddon })).note.addonBytes).toBe(6)
    expect(timesCompiled()).toBe(2)
    const broken = async () => /** @type {const} */ ({ ok: false, reason: 'GLIBC is too old' })
    rmSync(addonPlace(root))
    await expect(ensure({ tryAddon: broken })).rejects.toThrow(/does not run: GLIBC is too old/)
    expect(timesCompiled()).toBe(3)
  })

  it('falls back to the CPU where the card cannot be used, and keeps the reason', async () => {
    const card = { mayHaveGpu: () => true, probeGpu: async () => ({ name: 'NVIDIA A10', why: null }) }
    const { note } = await ensure(card)
    expect(note).toMatchObject({ flavour: 'cpu', whyNotGpu: expect.stringMatching(/CUDA build did not work here: .*finds no GPU/) })
    expect(calls).toEqual(['libraries cuda', 'libraries cpu'])
    expect((await ensure(card)).skipped).toBe(true)
    rmSync(addonPlace(root))
    const well = { ...card, tryAddon: async () => ({ ...WELL, gpu: true }) }
    expect((await ensure(well)).note).toMatchObject({ flavour: 'cuda', whyNotGpu: null })
    rmSync(addonPlace(root))
    expect((await ensure(well, { env: { AMC_TENSORFLOW: 'cpu' } })).note).toMatchObject({ flavour: 'cpu', whyNotGpu: expect.stringContaining('AMC_TENSORFLOW') })
  })

  it('elsewhere is the package\'s own, tried before it counts', async () => {
    const packageDownload = async () => {
      writeWhole(addonPlace(root), 'theirs')
      return { code: 0, stdout: '', stderr: '' }
    }
    const { note } = await ensure({ canUseWheels: () => false, packageDownload })
    expect(note).toMatchObject({ flavour: 'package', cacheDir: null, addonBytes: 6 })
    rmSync(addonPlace(root))
    await expect(ensure({ canUseWheels: () => false, packageDownload, tryAddon: async () => ({ ok: false, reason: 'no AVX' }) })).rejects.toThrow(/does not run here: no AVX/)
  })
})

describe('the addon', () => {
  /** @param {Partial<Parameters<typeof ensureAddon>[0]>} changes */
  const options = (changes = {}) => ({ root, cache, libraries: putLibraries('cpu', CPU_WHEELS), compiler: changes.compiler === undefined ? compiler() : changes.compiler, tell: SILENT, ...changes })

  it('is compiled once for sources, flags and libraries, whichever tree asks', async () => {
    expect(isCompiled(options())).toBe(false)
    const { file, compiled } = await ensureAddon(options())
    expect([compiled, readFileSync(file, 'utf8')]).toEqual([true, 'addon\n'])
    expect(await ensureAddon(options({ compiler: null }))).toEqual({ file, compiled: false })
    const other = join(place.dir, 'another-clone')
    for (const path of ['@tensorflow/tfjs-node-gpu/package.json', '@tensorflow/tfjs-node-gpu/binding/a.cc', 'node-api-headers/include/node_api.h']) {
      writeWhole(join(other, 'node_modules', path), readFileSync(join(root, 'node_modules', path)))
    }
    expect(await ensureAddon(options({ root: other }))).toEqual({ file, compiled: false })
    writeWhole(join(root, 'node_modules/@tensorflow/tfjs-node-gpu/binding/a.cc'), 'int b;')
    expect((await ensureAddon(options())).file).not.toBe(file)
  })

  it('that could not be compiled leaves nothing, and its words are passed on', async () => {
    await expect(ensureAddon(options({ compiler: compiler('echo half > "$out"; echo "a.cc:1: error: no such thing" >&2; exit 1') }))).rejects.toThrow(/could not compile[^]*no such thing/)
    expect(isCompiled(options())).toBe(false)
    await expect(ensureAddon(options({ compiler: compiler('echo "fatal error: No space left on device" >&2; exit 1') }))).rejects.toThrow(/disk is full/)
    await expect(ensureAddon(options({ compiler: null }))).rejects.toThrow(/No C\+\+ compiler/)
  })

  it('of an earlier version goes when nobody asked for it in a month', async () => {
    for (const [name, age] of /** @type {const} */ ([['addon-0ld', 0], ['addon-01d', 1], ['tensorflow-1', 1]])) {
      mkdirSync(join(cache, name))
      if (age) utimesSync(join(cache, name), 1e9, 1e9)
    }
    mkdirSync(join(cache, 'addon-abc'))
    const { file } = await ensureAddon(options())
    expect(readdirSync(cache).filter((name) => join(cache, name) !== dirname(file) && !name.includes(TENSORFLOW)).sort()).toEqual(['addon-0ld', 'addon-abc', 'tensorflow-1'])
  })

  it('is compiled with the compiler that CXX names, else with the first one there is', () => {
    for (const name of ['clang++', 'mine']) writeFileSync(join(place.dir, name), '', { mode: 0o755 })
    expect(findCompiler({ PATH: place.dir })).toBe(join(place.dir, 'clang++'))
    expect(findCompiler({ PATH: place.dir, CXX: 'mine' })).toBe(join(place.dir, 'mine'))
    expect(findCompiler({ PATH: '' })).toBeNull()
  })
})

it('a card is what nvidia-smi names; anything else is a reason', async () => {
  const smi = (/** @type {string} */ text) => writeFileSync(join(place.dir, 'nvidia-smi'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  const env = { PATH: `${place.dir}:/usr/bin:/bin` }
  expect((await probeGpu({ PATH: '' })).why).toContain('not found')
  smi("echo 'NVIDIA A10'; echo second")
  expect(await probeGpu(env)).toEqual({ name: 'NVIDIA A10', why: null })
  smi("echo 'could not communicate with the driver'; exit 9")
  expect((await probeGpu(env)).why).toContain('could not communicate')
})
