/** The checks on stand-ins whose answers are known: a model that looks at one thing, and maps that are right, constant, or drawn at random. */
import { describe, expect, test } from 'vitest'
import { createRandom } from '../model/random.ts'
import { areaUnder, curvesOf, CURVE_STEPS } from './trust-curves.ts'
import { rankCorrelation } from './trust-ranks.ts'
import { measureTrust, type TrustGrid, type TrustSample, type TrustSubject } from './trust.ts'

const [CELLS, PATCH] = [10, 6]
const SIDE = CELLS * PATCH
const PLANE = SIDE * SIDE
/** Ten cells: a tenth of the image, in the middle. */
const THING = [33, 34, 35, 43, 44, 45, 53, 54, 55, 65]

/** A black image whose thing is a bright checkerboard, so that neither its mean nor its blur is left of it. */
function scene(): Float32Array {
  const planes = new Float32Array(3 * PLANE)
  for (const cell of THING) {
    for (let y = 0; y < PATCH; y++) {
      for (let x = 0; x < PATCH; x++) {
        const at = (Math.floor(cell / CELLS) * PATCH + y) * SIDE + (cell % CELLS) * PATCH + x
        for (let channel = 0; channel < 3; channel++) planes[channel * PLANE + at] = (x + y) % 2 === 0 ? 5 : -5
      }
    }
  }
  return planes
}

/** How much of a cell is the thing: 1 where every pixel is as bright as it was. */
function thingIn(images: Float32Array, image: number): Float32Array {
  const found = new Float32Array(CELLS * CELLS)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) if (Math.abs(images[image * 3 * PLANE + y * SIDE + x]!) > 4.5) found[Math.floor(y / PATCH) * CELLS + Math.floor(x / PATCH)]! += 1 / (PATCH * PATCH)
  }
  return found
}

const count = (images: Float32Array): number => images.length / (3 * PLANE)
const every = <T>(images: Float32Array, of: (image: number) => T): T[] => Array.from({ length: count(images) }, (_, i) => of(i))
/** Looks for the thing: the share of its cells that are whole. */
const match = (images: Float32Array): number[] => every(images, (i) => [...thingIn(images, i)].filter((share) => share > 0.99).length / THING.length)
const grid = (values: ArrayLike<number>): TrustGrid => ({ width: CELLS, height: CELLS, values })

const random = createRandom(5)
const noise = (): Float32Array => Float32Array.from({ length: CELLS * CELLS }, () => random.next())
const EXPLAINERS: Record<'oracle' | 'against' | 'constant' | 'noise', (images: Float32Array) => TrustGrid[]> = {
  oracle: (images) => every(images, (i) => grid(thingIn(images, i))),
  against: (images) => every(images, (i) => grid(thingIn(images, i).map((share) => -share))),
  constant: (images) => every(images, () => grid(new Float32Array(CELLS * CELLS))),
  noise: (images) => every(images, () => grid(noise())),
}

const samples = (n: number): TrustSample[] => Array.from({ length: n }, (_, i) => ({ id: `s${i}`, phrase: 'the thing', planes: async () => scene() }))

/** What it explains once its two parts are random: by name, noise or the same as ever. */
function subject(name: keyof typeof EXPLAINERS, afterwards: 'noise' | 'same'): TrustSubject {
  let stage = -1
  return {
    side: SIDE, match, stages: ['the head', 'all of it'],
    explain: (images) => (stage >= 0 && afterwards === 'noise' ? EXPLAINERS.noise : EXPLAINERS[name])(images),
    randomise: (next) => {
      expect(next).toBe(stage + 1) // from the top, each part once
      stage = next
    },
  }
}

describe('deletion and insertion', () => {
  const of = (name: keyof typeof EXPLAINERS) => curvesOf({ planes: scene(), side: SIDE, grid: EXPLAINERS[name](scene())[0]!, match: (images) => match(images) })

  test('with the right map the match goes with the first step and comes with the first', () => {
    const { deletion, insertion } = of('oracle')
    expect(deletion).toEqual([1, ...Array<number>(CURVE_STEPS).fill(0)])
    expect(insertion).toEqual([0, ...Array<number>(CURVE_STEPS).fill(1)])
    expect(areaUnder(deletion)).toBeCloseTo(0.05, 12)
    expect(areaUnder(insertion)).toBeCloseTo(0.95, 12)
  })

  test('with the opposite of it, the other way round', () => {
    expect(of('against').deletion).toEqual([...Array<number>(CURVE_STEPS).fill(1), 0])
    expect(of('against').insertion).toEqual([...Array<number>(CURVE_STEPS).fill(0), 1])
  })

  test('with a constant map patches go row by row', () => {
    const left = (rows: number): number => THING.filter((cell) => cell >= rows * CELLS).length / THING.length
    expect(of('constant').deletion).toEqual(Array.from({ length: CURVE_STEPS + 1 }, (_, step) => left(step)))
    expect(of('constant').insertion).toEqual(Array.from({ length: CURVE_STEPS + 1 }, (_, step) => THING.filter((cell) => cell < step * CELLS).length / THING.length))
  })

  test('with random maps half is lost at half, on average', () => {
    const areas = Array.from({ length: 60 }, () => areaUnder(of('noise').deletion))
    const mean = areas.reduce((a, b) => a + b, 0) / areas.length
    expect(mean).toBeGreaterThan(0.45)
    expect(mean).toBeLessThan(0.55)
  })
})

describe('parameter randomisation and shifts', () => {
  test('a map that shows what was learned changes with the weights and moves with the image', async () => {
    const figures = await measureTrust(subject('oracle', 'noise'), samples(8))
    expect(figures.randomisation.map(({ stage }) => stage)).toEqual(['the head', 'all of it'])
    for (const { correlation } of figures.randomisation) expect(Math.abs(correlation)).toBeLessThan(0.15)
    expect(figures.shifts).toMatchObject({ pixels: PATCH / 2 })
    expect(figures.shifts.correlation).toBeGreaterThan(0.95)
    expect(figures.perSample).toHaveLength(8)
    expect(figures.deletion.area).toBeCloseTo(0.05, 12)
  })

  test('a map that shows the image alone does not change with the weights', async () => {
    const { randomisation } = await measureTrust(subject('oracle', 'same'), samples(2))
    for (const { correlation } of randomisation) expect(correlation).toBeCloseTo(1, 12)
  })

  test('a constant map fails the randomisation check though it is as stable as can be; a random one is not stable', async () => {
    const constant = await measureTrust(subject('constant', 'same'), samples(2))
    expect([constant.randomisation.at(-1)!.correlation, constant.shifts.correlation]).toEqual([1, 1])
    const noisy = await measureTrust(subject('noise', 'noise'), samples(8))
    expect(Math.abs(noisy.shifts.correlation)).toBeLessThan(0.15)
  })

  test('tells every step, and stops where it is told to', async () => {
    const told: [number, number][] = []
    await measureTrust(subject('oracle', 'same'), samples(3), { onProgress: (done, total) => told.push([done, total]) })
    expect(told).toEqual(Array.from({ length: 9 }, (_, i) => [i + 1, 9]))
    const abort = new AbortController()
    await expect(measureTrust(subject('oracle', 'same'), samples(3), { signal: abort.signal, onProgress: (done) => done === 4 && abort.abort() })).rejects.toMatchObject({ code: 'cancelled', message: expect.stringContaining('4 of 9') as string })
  })
})

test('rank correlation: order alone counts, ties share their rank', () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 4000])).toBeCloseTo(1, 12)
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12)
  expect(rankCorrelation([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12)
  expect(rankCorrelation([1, 1, 1], [2, 2, 2])).toBe(1)
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBe(0)
})
