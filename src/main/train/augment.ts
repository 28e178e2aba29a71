/**
 * What training does to an image before the model sees it, on 8-bit RGB, with the arithmetic of the published code
 * (albumentations 1.3 over OpenCV): grayscale, and colour jitter in HSV. Mirroring belongs to the writer of the pixels
 * (pixels.ts), because boxes and words go with it.
 */
import type { RandomSource } from '../model/random.ts'

/** One draw of the colour jitter. Brightness and contrast are factors; shifts are in OpenCV's 8-bit HSV units. */
export interface ColorJitter {
  readonly brightness: number
  readonly contrast: number
  readonly hueShift: number
  readonly saturationShift: number
}

/** OpenCV's 8-bit luma, written to all three channels. */
export function toGray(data: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i += 3) {
    const gray = (9798 * data[i]! + 19235 * data[i + 1]! + 3735 * data[i + 2]! + 16384) >> 15
    result[i] = result[i + 1] = result[i + 2] = gray
  }
  return result
}

/**
 * Strength 0.4 on everything, as published: there the saturation factor in [0.6, 1.4] becomes an ADDED shift of 153 to 357
 * levels, so that colours are nearly full whenever the jitter fires. Kept, because the published numbers were trained so.
 */
export function drawColorJitter(random: RandomSource): ColorJitter {
  const between = (low: number, high: number) => low + (high - low) * random.next()
  return {
    brightness: between(0.6, 1.4),
    contrast: between(0.6, 1.4),
    saturationShift: Math.trunc(between(0.6, 1.4) * 255),
    hueShift: Math.trunc(between(-0.4, 0.4) * 255),
  }
}

export function jitterColors(data: Uint8Array, jitter: ColorJitter): Uint8Array {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]!
  const offset = (jitter.brightness - 1) * (sum / data.length)
  const levels = new Uint8Array(256)
  for (let v = 0; v < 256; v++) levels[v] = Math.floor(Math.min(255, Math.max(0, (v + offset) * jitter.contrast)))
  const result = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i += 3) {
    shiftHsv(levels[data[i]!]!, levels[data[i + 1]!]!, levels[data[i + 2]!]!, jitter, result, i)
  }
  return result
}

const HSV_BITS = 12
const SATURATION_DIVISORS = divisors((i) => (255 << HSV_BITS) / i)
const HUE_DIVISORS = divisors((i) => (180 << HSV_BITS) / (6 * i))

function divisors(of: (i: number) => number): Int32Array {
  const table = new Int32Array(256)
  for (let i = 1; i < 256; i++) table[i] = Math.round(of(i))
  return table
}

/** RGB to HSV (8 bits, hue in [0, 180)), shift, and back, one pixel, as OpenCV computes it. */
function shiftHsv(r: number, g: number, b: number, jitter: ColorJitter, out: Uint8Array, at: number): void {
  const value = Math.max(r, g, b)
  const range = value - Math.min(r, g, b)
  const half = 1 << (HSV_BITS - 1)
  const saturation = (range * SATURATION_DIVISORS[value]! + half) >> HSV_BITS
  const sector = value === r ? g - b : value === g ? b - r + 2 * range : r - g + 4 * range
  let hue = (sector * HUE_DIVISORS[range]! + half) >> HSV_BITS
  if (hue < 0) hue += 180
  const h = (((hue + jitter.hueShift) % 180) + 180) % 180
  const s = Math.min(255, Math.max(0, saturation + jitter.saturationShift)) / 255
  const v = value / 255
  const position = h / 30
  const whole = Math.floor(position)
  const f = position - whole
  const p = v * (1 - s)
  const q = v * (1 - s * f)
  const t = v * (1 - s * (1 - f))
  const rgb = [[v, t, p], [q, v, p], [p, v, t], [p, q, v], [t, p, v], [v, p, q]][whole]!
  out[at] = Math.round(rgb[0]! * 255)
  out[at + 1] = Math.round(rgb[1]! * 255)
  out[at + 2] = Math.round(rgb[2]! * 255)
}

const OTHER_SIDE: Readonly<Record<string, string>> = { left: 'right', right: 'left', leftmost: 'rightmost', rightmost: 'leftmost' }

/** Exchanges the words left and right (leftmost and rightmost too), for the phrase of a mirrored image. Capitals are kept. */
export function swapLeftRight(phrase: string): string {
  return phrase.replace(/\b(left|right)(most)?\b/gi, (word) => {
    const swapped = OTHER_SIDE[word.toLowerCase()]!
    if (word === word.toUpperCase()) return swapped.toUpperCase()
    return word[0] === word[0]!.toUpperCase() ? swapped[0]!.toUpperCase() + swapped.slice(1) : swapped
  })
}
