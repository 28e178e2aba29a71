/**
 * How far an explanation can be trusted, whatever the boxes say: does the match depend on what is hot (deletion, insertion), does the map depend
 * on what the model learned (parameter randomisation, Adebayo et al. 2018, "Sanity Checks for Saliency Maps": weights are drawn anew from the top down, and
 * the maps compared with the untouched model's), and does it move with the image (stability under small shifts).
 */
import { AppError } from '../../shared/errors.ts'
import { setImmediate } from 'node:timers/promises'
import { areaUnder, curvesOf } from './trust-curves.ts'
import { rankCorrelation } from './trust-ranks.ts'

export interface TrustGrid {
  readonly width: number
  readonly height: number
  readonly values: ArrayLike<number>
}

/** What is put to the test: a model with an explainer, or a stand-in whose answers are known. */
export interface TrustSubject {
  /** Side of the image in pixels. */
  readonly side: number
  /** Maps of as many phrases as images, [count, 3, S, S]. */
  readonly explain: (images: Float32Array, phrases: readonly string[]) => readonly TrustGrid[]
  readonly match: (images: Float32Array, phrase: string) => ArrayLike<number>
  /** Parts of the model from the top down. */
  readonly stages: readonly string[]
  /** Draws the weights of a part anew; they stay so. */
  readonly randomise: (stage: number) => void
}

export interface TrustSample {
  readonly id: string
  readonly phrase: string
  /** Normalised pixels, [3, S, S]; read again for each check, so that they need not all be kept. */
  readonly planes: () => Promise<Float32Array>
}

export interface TrustFigures {
  readonly samples: number
  /** Mean match probability after each step, and the area under it. Lower is better. */
  readonly deletion: { readonly area: number; readonly curve: readonly number[] }
  /** Higher is better. */
  readonly insertion: { readonly area: number; readonly curve: readonly number[] }
  /** Mean rank correlation of the maps with the untouched model's once this part and all above it are random. Lower is better. */
  readonly randomisation: readonly { readonly stage: string; readonly correlation: number }[]
  /** Mean rank correlation of the map of the shifted image with the shifted map. Higher is better. */
  readonly shifts: { readonly pixels: number; readonly correlation: number }
  readonly perSample: readonly { readonly id: string; readonly deletion: number; readonly insertion: number; readonly shift: number }[]
}

export interface TrustOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number, what: string) => void
}

/** @throws AppError 'cancelled' */
export async function measureTrust(subject: TrustSubject, samples: readonly TrustSample[], { signal, onProgress }: TrustOptions = {}): Promise<TrustFigures> {
  const total = samples.length * (1 + subject.stages.length)
  let done = 0
  const step = async (what: string): Promise<void> => {
    onProgress?.(++done, total, what)
    await setImmediate() // lets a cancel come through
    if (signal?.aborted) throw new AppError('cancelled', `Stopped after ${done} of ${total} steps; nothing of this is kept.`)
  }
  const untouched: TrustGrid[] = []
  const curves: { deletion: readonly number[]; insertion: readonly number[] }[] = []
  const perSample: TrustFigures['perSample'][number][] = []
  let pixels = 0
  for (const { id, phrase, planes } of samples) {
    const image = await planes()
    const grid = subject.explain(image, [phrase])[0]!
    pixels = Math.max(1, Math.round(subject.side / grid.width / 2))
    const both = curvesOf({ planes: image, side: subject.side, grid, match: (images) => subject.match(images, phrase) })
    untouched.push(grid)
    curves.push(both)
    perSample.push({ id, deletion: areaUnder(both.deletion), insertion: areaUnder(both.insertion), shift: stability(subject, image, phrase, grid, pixels) })
    await step('deletion, insertion and shifts')
  }
  const randomisation: { stage: string; correlation: number }[] = []
  for (const [stage, name] of subject.stages.entries()) {
    subject.randomise(stage)
    let sum = 0
    for (let from = 0; from < samples.length; from += TOGETHER) {
      const some = samples.slice(from, from + TOGETHER)
      const grids = subject.explain(await joined(some), some.map(({ phrase }) => phrase))
      for (const [i, grid] of grids.entries()) {
        sum += rankCorrelation(untouched[from + i]!.values, grid.values)
        await step(`random from the top to ${name}`)
      }
    }
    randomisation.push({ stage: name, correlation: sum / samples.length })
  }
  const meanCurve = (of: 'deletion' | 'insertion') => {
    const curve = curves[0]!.deletion.map((_, i) => mean(curves.map((one) => one[of][i]!)))
    return { area: areaUnder(curve), curve }
  }
  return { samples: samples.length, deletion: meanCurve('deletion'), insertion: meanCurve('insertion'), randomisation, shifts: { pixels, correlation: mean(perSample.map(({ shift }) => shift)) }, perSample }
}

/** Images explained together: more need more memory and are hardly quicker. */
const TOGETHER = 8

async function joined(samples: readonly TrustSample[]): Promise<Float32Array> {
  const all = await Promise.all(samples.map(({ planes }) => planes()))
  const images = new Float32Array(all.length * all[0]!.length)
  all.forEach((image, i) => images.set(image, i * image.length))
  return images
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

const DIRECTIONS = [[1, 0], [-1, 0], [0, 1], [0, -1]] as const

/** Mean over four shifts by half a patch. */
function stability({ side, explain }: TrustSubject, image: Float32Array, phrase: string, grid: TrustGrid, pixels: number): number {
  const moved = new Float32Array(DIRECTIONS.length * image.length)
  DIRECTIONS.forEach(([dx, dy], i) => moved.set(shifted(image, side, dx * pixels, dy * pixels), i * image.length))
  const cell = side / grid.width
  return mean(explain(moved, DIRECTIONS.map(() => phrase)).map((seen, i) => {
    const [dx, dy] = [(DIRECTIONS[i]![0] * pixels) / cell, (DIRECTIONS[i]![1] * pixels) / cell]
    const [expected, got]: [number[], number[]] = [[], []]
    for (let y = 0; y < grid.height; y++) {
      for (let x = 0; x < grid.width; x++) {
        const [fromX, fromY] = [x - dx, y - dy]
        if (fromX < 0 || fromY < 0 || fromX > grid.width - 1 || fromY > grid.height - 1) continue // came in over the edge
        expected.push(bilinear(grid, fromX, fromY))
        got.push(seen.values[y * grid.width + x]!)
      }
    }
    return rankCorrelation(expected, got)
  }))
}

/** The image moved to the right and down; what comes in repeats the edge. */
function shifted(image: Float32Array, side: number, dx: number, dy: number): Float32Array {
  const inside = (at: number): number => Math.min(side - 1, Math.max(0, at))
  const out = new Float32Array(image.length)
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) out[(channel * side + y) * side + x] = image[(channel * side + inside(y - dy)) * side + inside(x - dx)]!
  }
  return out
}

function bilinear({ width, height, values }: TrustGrid, x: number, y: number): number {
  const [left, top] = [Math.min(Math.floor(x), Math.max(0, width - 2)), Math.min(Math.floor(y), Math.max(0, height - 2))]
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)]
  const [fx, fy] = [x - left, y - top]
  const at = (cx: number, cy: number): number => values[cy * width + cx]!
  return (at(left, top) * (1 - fx) + at(right, top) * fx) * (1 - fy) + (at(left, bottom) * (1 - fx) + at(right, bottom) * fx) * fy
}
