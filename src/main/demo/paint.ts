/** From a scene to pixels: a background nobody can tell a category by, then the objects. */
import { IMAGE_SIDE_PX } from './phrases.ts'
import { between, chance, normal, pick, type Random } from './random.ts'
import type { SceneObject } from './scenes.ts'

const SIDE = IMAGE_SIDE_PX

/** RGB floats [96, 96, 3], 0..255: a gradient of two colours, in 3 of 4 with soft noise, in 1 of 4 with stripes. */
export function paintBackground(random: Random): Float32Array {
  const pixels = new Float32Array(SIDE * SIDE * 3)
  paintGradient(random, pixels)
  if (chance(random, 0.75)) addNoise(random, pixels, pick(random, [4, 8, 16, 32]), between(random, 8, 38))
  if (chance(random, 0.25)) addStripes(random, pixels, between(random, 8, 28))
  return pixels
}

/** Lays the objects over the background, in place, at their boxes. */
export function paintObjects(pixels: Float32Array, objects: readonly Pick<SceneObject, 'box' | 'picture'>[]): void {
  for (const { box, picture } of objects) {
    for (let y = 0; y < picture.height; y++) {
      for (let x = 0; x < picture.width; x++) {
        const from = (y * picture.width + x) * 4
        const to = ((box[1] + y) * SIDE + box[0] + x) * 3
        const rest = 1 - picture.pixels[from + 3]! / 255
        for (let c = 0; c < 3; c++) pixels[to + c] = picture.pixels[from + c]! + rest * pixels[to + c]!
      }
    }
  }
}

/** Rounded RGB bytes [96, 96, 3]. */
export function toBytes(pixels: Float32Array): Uint8Array {
  const bytes = new Uint8ClampedArray(pixels.length) // rounds and clamps
  bytes.set(pixels)
  return new Uint8Array(bytes.buffer)
}

/** Sweeps a direction across the image: 0 at one end, 1 at the other, at most. */
function sweep(random: Random): (x: number, y: number) => number {
  const angle = between(random, 0, 2 * Math.PI)
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
  const reach = (Math.abs(dx) + Math.abs(dy)) * SIDE
  return (x, y) => 0.5 + ((x + 0.5 - SIDE / 2) * dx + (y + 0.5 - SIDE / 2) * dy) / reach
}

function paintGradient(random: Random, pixels: Float32Array): void {
  const colour = (): readonly number[] => [between(random, 40, 235), between(random, 40, 235), between(random, 40, 235)]
  const [from, to] = [colour(), colour()]
  const at = sweep(random)
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const share = at(x, y)
      for (let c = 0; c < 3; c++) pixels[i++] = from[c]! + share * (to[c]! - from[c]!)
    }
  }
}

/** Normal noise on a coarse grid of the three colours, enlarged bilinearly; deviation in grey levels. */
function addNoise(random: Random, pixels: Float32Array, grid: number, deviation: number): void {
  const values = Float32Array.from({ length: grid * grid * 3 }, () => deviation * normal(random))
  const steps = Array.from({ length: SIDE }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * grid) / SIDE - 0.5, 0), grid - 1)
    const low = Math.min(Math.floor(at), grid - 2)
    return { low, share: at - low }
  })
  for (let y = 0, i = 0; y < SIDE; y++) {
    const { low: row, share: v } = steps[y]!
    for (let x = 0; x < SIDE; x++) {
      const { low: column, share: u } = steps[x]!
      for (let c = 0; c < 3; c++) {
        const a = (row * grid + column) * 3 + c
        const top = values[a]! + u * (values[a + 3]! - values[a]!)
        const b = a + grid * 3
        const bottom = values[b]! + u * (values[b + 3]! - values[b]!)
        pixels[i++]! += top + v * (bottom - top)
      }
    }
  }
}

/** Lighter and darker bands; strength in grey levels. */
function addStripes(random: Random, pixels: Float32Array, strength: number): void {
  const at = sweep(random)
  const bands = between(random, 3, 14)
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const change = Math.floor(at(x, y) * bands * 2) % 2 === 0 ? strength : -strength
      for (let c = 0; c < 3; c++) pixels[i++]! += change
    }
  }
}
