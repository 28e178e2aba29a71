/** The piece of C++ between Node and TensorFlow: compiled from the sources inside the npm package, tried, put in place. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contentHash, readJson, sizeOf, syncFile, temporaryBeside } from './files.mjs'
import { Problem, commonProblem } from './problem.mjs'
import { lastLines, run, which } from './run.mjs'

const NAME = 'tfjs_binding.node'

/** A compiled addon that no set-up asked for in this time is thrown away: compiling it again takes seconds. */
const UNUSED_MS = 30 * 24 * 3_600_000

/** C++ of our own that is compiled into the addon. */
const OWN_SOURCES = fileURLToPath(new URL('../native', import.meta.url))

/** @param {string} root */
export function tfjsFolder(root) {
  return join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
}

/** Where the package looks for its addon: the newest N-API level it names (Node 24 has them all). @param {string} root */
export function addonPlace(root) {
  const levels = readJson(join(tfjsFolder(root), 'package.json'))?.binary?.napi_versions ?? [8]
  return join(tfjsFolder(root), 'lib', `napi-v${Math.max(...levels)}`, NAME)
}

/** The C++ compiler, or null. CXX is honoured. @param {NodeJS.ProcessEnv} env */
export function findCompiler(env = process.env) {
  for (const name of [env['CXX'], 'g++', 'c++', 'clang++']) {
    const found = name && which(name, env)
    if (found) return found
  }
  return null
}

/**
 * How the addon for these libraries is compiled, and where it is kept. The name of its folder stands for sources, headers,
 * flags and the libraries' place, not for the place of the source tree: a second clone finds it compiled.
 * @param {{root: string, cache: string, libraries: string}} options
 */
function plan({ root, cache, libraries }) {
  const sources = join(tfjsFolder(root), 'binding')
  const headers = join(root, 'node_modules', 'node-api-headers', 'include')
  const tensorflow = join(libraries, 'tensorflow')
  const cuda = cudaLibraries(libraries)
  const flags = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    // Old-style run path: it also serves libraries that TensorFlow opens by name later, which CUDA's are.
    ...['-Wl,--disable-new-dtags', ...[tensorflow, ...cuda.folders].map((folder) => `-Wl,-rpath,${folder}`)],
  ]
  const includes = [join(tensorflow, 'include'), headers, dirname(sources)].flatMap((folder) => ['-I', folder])
  const objects = [`-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,--no-as-needed', ...cuda.files]
  const key = contentHash(sources, ['.']).slice(0, 12) + contentHash(headers, ['.']).slice(0, 8) + contentHash(OWN_SOURCES, ['.']).slice(0, 8) + hashOf([...flags, ...objects])
  return { sources: [sources, OWN_SOURCES], file: join(cache, `addon-${key}`, NAME), before: [...flags, ...includes], after: objects }
}

/** Whether the addon for these libraries lies compiled in the cache, so that no compiler is needed. @param {Parameters<typeof plan>[0]} options */
export function isCompiled(options) {
  return Boolean(sizeOf(plan(options).file))
}

/**
 * The compiled addon in the cache; compiled now when there is none for these sources and libraries, or when `anew` asks.
 * @param {{root: string, cache: string, libraries: string, compiler: string | null, tell: import('./steps.mjs').Teller, anew?: boolean}} options
 * @returns {Promise<{file: string, compiled: boolean}>}
 */
export async function ensureAddon({ root, cache, libraries, compiler, tell, anew = false }) {
  const { sources, file, before, after } = plan({ root, cache, libraries })
  if (!anew && sizeOf(file)) {
    utimesSync(dirname(file), new Date(), new Date())
    return { file, compiled: false }
  }
  if (!compiler) throw new Problem('No C++ compiler was found, and the TensorFlow addon is compiled here.', 'Install g++ or clang++, then run `npm run setup`.')
  const temporary = temporaryBeside(file)
  mkdirSync(dirname(file), { recursive: true })
  const code = sources.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.cc')).map((name) => join(folder, name)))
  const result = await tell.during('compiling the TensorFlow addon', () => run(compiler, [...before, ...code, '-o', temporary, ...after], { timeoutMs: 30 * 60_000 }))
  if (result.code !== 0) {
    rmSync(temporary, { force: true })
    const what = `${compiler} could not compile the TensorFlow addon`
    throw commonProblem(what, result, [dirname(file), tmpdir()]) ??
      new Problem(`${what}:\n${lastLines(result, 8).replaceAll(/^/gm, '    ')}`, 'A C++17 compiler is needed (g++ 8 or newer, clang 7 or newer).')
  }
  syncFile(temporary)
  renameSync(temporary, file)
  removeUnused(cache, dirname(file))
  return { file, compiled: true }
}

/** Addons of earlier versions. Those in use were copied into their trees. @param {string} cache @param {string} current */
function removeUnused(cache, current) {
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name)
    if (!/^addon-[\da-f]+$/.test(name) || folder === current) continue
    if (Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > UNUSED_MS) rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * CUDA's libraries, linked by name so that they are loaded with the addon: TensorFlow itself opens them by bare name and
 * finds those already loaded. Stubs and profiling tools that need a driver of their own are left out.
 * @param {string} libraries
 */
function cudaLibraries(libraries) {
  const nvidia = join(libraries, 'nvidia')
  if (!existsSync(nvidia)) return { folders: [], files: [] }
  const folders = readdirSync(nvidia).map((name) => join(nvidia, name, 'lib')).filter((folder) => existsSync(folder)).sort()
  const wanted = /^lib(cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|nvJitLink|cudnn|nccl|cupti)\.so\.\d+$/
  const files = folders.flatMap((folder) => readdirSync(folder).filter((name) => wanted.test(name)).map((name) => join(folder, name)))
  return { folders, files }
}

/** @param {readonly string[]} parts */
function hashOf(parts) {
  let value = 2166136261
  for (const char of parts.join('\0')) value = Math.imul(value ^ char.charCodeAt(0), 16777619)
  return (value >>> 0).toString(16).padStart(8, '0')
}

/** Puts the addon where the package looks for it; a running process keeps the file it opened. @param {string} root @param {string} file */
export function placeAddon(root, file) {
  const place = addonPlace(root)
  mkdirSync(dirname(place), { recursive: true })
  const temporary = temporaryBeside(place)
  copyFileSync(file, temporary)
  syncFile(temporary)
  renameSync(temporary, place)
}

const TRIAL = `
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v === null || v === undefined;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node-gpu');
const x = tf.tensor2d([[1, 2], [3, 4]]);
const g = tf.grad((v) => tf.matMul(v, v).sum())(x).dataSync();
const b = tf.backend();
console.log('TRIAL ' + JSON.stringify({ gradient: [...g], version: b.binding.TF_Version ?? null, gpu: b.isUsingGpuDevice }));
`

/**
 * Loads the placed addon in a process of its own and takes a gradient with it.
 * @param {string} root
 * @param {string} node
 * @returns {Promise<{ok: true, version: string | null, gpu: boolean} | {ok: false, reason: string}>}
 */
export async function tryAddon(root, node) {
  const result = await run(node, ['-e', TRIAL], { cwd: root, timeoutMs: 15 * 60_000, env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' } })
  const line = result.stdout.split('\n').find((text) => text.startsWith('TRIAL '))
  if (result.code !== 0 || !line) return { ok: false, reason: lastLines(result, 3) || `it ended with code ${result.code}` }
  const { gradient, version, gpu } = JSON.parse(line.slice(6))
  // d/dX of the sum of X·X is (row sums across, column sums down): [[7, 11], [9, 13]] for this X.
  if (gradient.join() !== '7,11,9,13') return { ok: false, reason: `it computes a wrong gradient (${gradient.join()})` }
  return { ok: true, version, gpu }
}
