/** A computing process made of arithmetic, for tests of what lies on this side of it. */
import { bicubicPeak } from '../../src/shared/consistency.ts'
import { AppError } from '../../src/shared/errors.ts'
import type { Compute } from '../../src/main/compute/client.ts'
import type { ExplainRequest, ExplainResult } from '../../src/main/compute/protocol.ts'

export interface FakeCompute extends Compute {
  /** Requests that were really computed. */
  readonly explained: ExplainRequest[]
  /** While set, explain waits for it. */
  gate: Promise<void> | null
}

/** Answers as a computing process does, from arithmetic on the phrase: the same phrase has the same heat. */
export function fakeCompute(): FakeCompute {
  const explained: ExplainRequest[] = []
  const fake: FakeCompute = {
    explained, gate: null,
    call: async (method, request, options) => {
      if (method === 'info') return { library: 'arithmetic', device: 'cpu', gpu: false, whyNotGpu: null, threads: 1 } as never
      if (method !== 'explain') throw new AppError('internal', `The stand-in cannot ${method}.`)
      const asked = request as ExplainRequest
      explained.push(asked)
      if (fake.gate) await Promise.race([fake.gate, new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'Cancelled.'))))])
      const image = { width: 40, height: 30 }
      const result: ExplainResult = {
        image, computeMs: 1,
        phrases: asked.phrases.map((phrase) => {
          const grid = { width: 4, height: 4, values: heatOf(asked.explainer ? `${phrase} ${asked.explainer.name}` : phrase) }
          return { phrase, grid, peak: bicubicPeak(grid, image), matchProbability: (phrase.length % 10) / 10, layer: 1, maskSize: 24, tokens: ['[CLS]', ...phrase.split(' ')], truncated: false, protocol: 'AMC strict' }
        }),
      }
      return result as never
    },
    start: async () => undefined,
    pid: () => null,
    close: async () => undefined,
  }
  return fake
}

function heatOf(phrase: string): Float32Array {
  let state = [...phrase].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7)
  return Float32Array.from({ length: 16 }, () => (state = (state * 75 + 74) % 65_537) / 65_537)
}
