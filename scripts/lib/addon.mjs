/** The piece of C++ between Node and TensorFlow: compiled from the sources inside the npm package, tried, put in place. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { contentHash, readJson, temporaryBeside } from './files.mjs'
import { Problem } from './problem.mjs'
import { lastLines, run, which } from './run.mjs'

const NAME = 'tfjs_binding.node'

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
 * The compiled addon in the cache, compiled now when sources, headers, flags or the library's place changed.
 * @param {{root: string, cache: string, libraries: string, compiler: string}} options
 * @returns {Promise<{file: string, compiled: boolean}>}
 */
export async function ensureAddon({ root, cache, libraries, compiler }) {
  const sources = join(tfjsFolder(root), 'binding')
  const headers = join(root, 'node_modules', 'node-api-headers', 'include')
  const tensorflow = join(libraries, 'tensorflow')
  const cuda = cudaLibraries(libraries)
  const flags = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    ...['-I', join(tensorflow, 'include'), '-I', headers, '-I', dirname(sources)],
    // Old-style run path: it also serves libraries that TensorFlow opens by name later, which CUDA's are.
    ...['-Wl,--disable-new-dtags', ...[tensorflow, ...cuda.folders].map((folder) => `-Wl,-rpath,${folder}`)],
  ]
  const objects = [`-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,--no-as-needed', ...cuda.files]
  const key = contentHash(sources, ['.']).slice(0, 12) + contentHash(headers, ['.']).slice(0, 8) + hashOf([...flags, ...objects])
  const file = join(cache, `addon-${key}`, NAME)
  if (existsSync(file)) return { file, compiled: false }
  const temporary = temporaryBeside(file)
  mkdirSync(dirname(file), { recursive: true })
  const code = readdirSync(sources).filter((name) => name.endsWith('.cc')).map((name) => join(sources, name))
  const result = await run(compiler, [...flags, ...code, '-o', temporary, ...objects], { timeoutMs: 30 * 60_000 })
  if (result.code !== 0) {
    rmSync(temporary, { force: true })
    throw new Problem(`${compiler} could not compile the TensorFlow addon:\n${lastLines(result, 8).replaceAll(/^/gm, '    ')}`, 'A C++17 compiler is needed (g++ 8 or newer, clang 7 or newer).')
  }
  renameSync(temporary, file)
  return { file, compiled: true }
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
