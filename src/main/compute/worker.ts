/**
 * The process that computes: `worker.ts interactive` answers what is on screen, `worker.ts job` does one long job at a time.
 * It knows files and plain data only. When the engine goes away it saves what runs and ends.
 */
import { setPriority } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { AppError, toErrorData } from '../../shared/errors.ts'
import { setTf } from '../model/tf.ts'
import { runTraining } from '../train/recipe.ts'
import { measureTrial } from '../train/trial.ts'
import { loadBackend } from './backend.ts'
import { convertCheckpoint } from './convert.ts'
import { createExplainer, type Explainer } from './explain.ts'
import type { ComputeEvent, ComputeMethod, ComputeMethods, FromCompute, ToCompute } from './protocol.ts'
import { scoreManifest } from './score.ts'
import { trustManifest } from './trust.ts'

type Emit = (event: ComputeEvent) => void
type Handlers = {
  readonly [M in ComputeMethod]: (request: ComputeMethods[M]['request'], signal: AbortSignal, emit: Emit) => Promise<ComputeMethods[M]['result']>
}

const BACKGROUND_PRIORITY = 5
const role = process.argv[2] === 'job' ? 'job' : 'interactive'
const running = new Map<number, AbortController>()
let explainer: Explainer | null = null

const handlers: Handlers = {
  info: async () => (await backend()).info,
  async explain(request, signal) {
    await backend()
    explainer ??= createExplainer()
    return explainer.explain(request, signal)
  },
  async score(request, signal, emit) {
    await backend()
    return scoreManifest(request, { signal, onBatch: emit })
  },
  async trust(request, signal, emit) {
    await backend()
    return trustManifest(request, { signal, onProgress: emit })
  },
  async convert(request) {
    await backend()
    return convertCheckpoint(request)
  },
  async train(request, signal, emit) {
    await backend()
    return follow(runTraining({ ...request, signal }), emit)
  },
  async trial(request, signal, emit) {
    await backend()
    return follow(measureTrial({ ...request, signal }), emit)
  },
}

async function follow<R>(steps: AsyncGenerator<ComputeEvent, R>, emit: Emit): Promise<R> {
  for (;;) {
    const next = await steps.next()
    if (next.done) return next.value
    emit(next.value)
    await setImmediate() // lets a cancel come through between two steps
  }
}

async function backend() {
  const loaded = await loadBackend()
  setTf(loaded.tf)
  return loaded
}

function send(message: FromCompute): void {
  if (process.connected) process.send!(message)
}

async function answer(id: number, method: ComputeMethod, request: unknown): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const handler = handlers[method] as (request: unknown, signal: AbortSignal, emit: Emit) => Promise<unknown>
    if (typeof handler !== 'function') throw new AppError('internal', `The computing process has no method '${method}'.`)
    send({ kind: 'result', id, result: await handler(request, controller.signal, (event) => send({ kind: 'event', id, event })) })
  } catch (error) {
    if (toErrorData(error).code === 'internal') console.error(error)
    send({ kind: 'error', id, error: toErrorData(error) })
  } finally {
    running.delete(id)
    if (!process.connected && running.size === 0) process.exit(0)
  }
}

process.on('message', (message: ToCompute) => {
  if (message.kind === 'cancel') running.get(message.id)?.abort()
  else void answer(message.id, message.method, message.request)
})

// The engine is gone. A run stops at its next step and saves; nothing else is worth finishing.
process.on('disconnect', () => {
  for (const controller of running.values()) controller.abort()
  if (role === 'interactive' || running.size === 0) process.exit(0)
})
// Ctrl+C and a closed terminal reach the whole group; the engine decides what happens to its processes, and its going is noticed above.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
// A service manager ends a whole group so: what runs saves first.
process.on('SIGTERM', () => {
  if (running.size === 0) process.exit(0)
  for (const controller of running.values()) controller.abort()
})

if (role === 'job') {
  try {
    setPriority(BACKGROUND_PRIORITY) // long jobs give way to heatmaps on screen
  } catch {
    // Not allowed everywhere; it only costs a little quickness.
  }
}
// Loading TensorFlow takes about a second: done before the first call, so that it answers at once. A failure is told by the calls.
await backend().catch(() => undefined)
send({ kind: 'ready' })
