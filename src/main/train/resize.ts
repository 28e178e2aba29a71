/**
 * The two image resizers that published numbers depend on, on 8-bit RGB: Pillow's bicubic (evaluation on RefCOCO+ and
 * RefCLEF, and everything we explain or score) and OpenCV's linear (published training and Flickr30k). Both work in the
 * fixed-point arithmetic of the originals, so that the results are theirs to the last bit (OpenCV: to one level).
 */
import type { RgbImage } from '../images/decode.ts'

const CHANNELS = 3
const PRECISION_BITS = 32 - 8 - 2

interface Taps {
  readonly start: Int32Array
  readonly count: Int32Array
  /** Fixed-point weights, `stride` a position. */
  readonly weights: Int32Array
  readonly stride: number
}

function bicubic(x: number): number {
  const a = -0.5
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a
  return 0
}

function pillowTaps(from: number, to: number): Taps {
  const scale = from / to
  const filterScale = Math.max(scale, 1)
  const support = 2 * filterScale
  const stride = Math.ceil(support) * 2 + 1
  const start = new Int32Array(to)
  const count = new Int32Array(to)
  const weights = new Int32Array(to * stride)
  const line = new Float64Array(stride)
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale
    const low = Math.max(0, Math.trunc(center - support + 0.5))
    const high = Math.min(from, Math.trunc(center + support + 0.5))
    let sum = 0
    for (let k = 0; k < high - low; k++) {
      line[k] = bicubic((k + low - center + 0.5) / filterScale)
      sum += line[k]!
    }
    start[i] = low
    count[i] = high - low
    for (let k = 0; k < high - low; k++) {
      const scaled = (sum === 0 ? line[k]! : line[k]! / sum) * (1 << PRECISION_BITS)
      weights[i * stride + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }
  }
  return { start, count, weights, stride }
}

/** One pass along an axis: `outer` lines of `to` positions, `inner` interleaved values each. */
function pass(data: Uint8Array, from: number, to: number, outer: number, inner: number): Uint8Array {
  const { start, count, weights, stride } = pillowTaps(from, to)
  const result = new Uint8Array(outer * to * inner)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const source = (o * from + start[i]!) * inner
      const target = (o * to + i) * inner
      for (let c = 0; c < inner; c++) {
        let sum = 1 << (PRECISION_BITS - 1)
        for (let k = 0; k < count[i]!; k++) sum += data[source + k * inner + c]! * weights[i * stride + k]!
        const value = sum >> PRECISION_BITS
        result[target + c] = value < 0 ? 0 : value > 255 ? 255 : value
      }
    }
  }
  return result
}

/** Pillow's Image.resize(BICUBIC): a = -0.5, smoothed when shrinking, 8 bits between the passes. */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  const horizontal = (data: Uint8Array, rows: number) =>
    image.width === width ? data : pass(data, image.width, width, rows, CHANNELS)
  const vertical = (data: Uint8Array, columns: number) =>
    image.height === height ? data : pass(data, image.height, height, 1, columns * CHANNELS)
  // Pillow 13 goes vertically first when that leaves clearly less to do.
  const verticalFirst = height < image.height && image.height - height > 2 * (image.width - width)
  const data = verticalFirst
    ? horizontal(vertical(image.data, image.width), height)
    : vertical(horizontal(image.data, image.height), width)
  return { data, width, height }
}

const LINEAR_BITS = 11

interface LinearTaps {
  readonly low: Int32Array
  readonly high: Int32Array
  readonly weight: Int32Array
}

/** @param keepFraction rows: OpenCV clamps the index but keeps the fraction; columns: the fraction becomes 0 at the border. */
function linearTaps(from: number, to: number, keepFraction: boolean): LinearTaps {
  const scale = from / to
  const low = new Int32Array(to)
  const high = new Int32Array(to)
  const weight = new Int32Array(to * 2)
  for (let i = 0; i < to; i++) {
    const source = Math.fround((i + 0.5) * scale - 0.5)
    let index = Math.floor(source)
    let fraction = Math.fround(source - index)
    if (!keepFraction && index < 0) {
      index = 0
      fraction = 0
    }
    if (!keepFraction && index >= from - 1) {
      index = from - 1
      fraction = 0
    }
    low[i] = Math.min(Math.max(index, 0), from - 1)
    high[i] = Math.min(Math.max(index + 1, 0), from - 1)
    weight[i * 2] = roundHalfEven(Math.fround(1 - fraction) * (1 << LINEAR_BITS))
    weight[i * 2 + 1] = roundHalfEven(fraction * (1 << LINEAR_BITS))
  }
  return { low, high, weight }
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** OpenCV's resize(INTER_LINEAR) on 8 bits: 11-bit weights, no smoothing. */
export function resizeLinear(image: RgbImage, width: number, height: number): RgbImage {
  if (image.width === width && image.height === height) return image
  const columns = linearTaps(image.width, width, false)
  const rows = linearTaps(image.height, height, true)
  const result = new Uint8Array(width * height * CHANNELS)
  const line = (y: number, out: Int32Array) => {
    for (let x = 0; x < width; x++) {
      const left = (y * image.width + columns.low[x]!) * CHANNELS
      const right = (y * image.width + columns.high[x]!) * CHANNELS
      for (let c = 0; c < CHANNELS; c++) {
        out[x * CHANNELS + c] = image.data[left + c]! * columns.weight[x * 2]! + image.data[right + c]! * columns.weight[x * 2 + 1]!
      }
    }
  }
  const upper = new Int32Array(width * CHANNELS)
  const lower = new Int32Array(width * CHANNELS)
  for (let y = 0; y < height; y++) {
    line(rows.low[y]!, upper)
    line(rows.high[y]!, lower)
    const first = rows.weight[y * 2]!
    const second = rows.weight[y * 2 + 1]!
    for (let i = 0; i < width * CHANNELS; i++) {
      const value = (((first * (upper[i]! >> 4)) >> 16) + ((second * (lower[i]! >> 4)) >> 16) + 2) >> 2
      result[y * width * CHANNELS + i] = value < 0 ? 0 : value > 255 ? 255 : value
    }
  }
  return { data: result, width, height }
}
