/** A heatmap laid over its image as a picture file, for `amc explain --out` and for reports. */
import sharp, { type Sharp } from 'sharp'
import { bicubicTaps, type HeatGrid, normalizeHeat } from '../../shared/consistency.ts'
import type { Box, Point, Size } from '../../shared/geometry.ts'
import { type Outline, outlineOf, type Shape, shapeOf } from '../../shared/shape.ts'
import { decodeRgb } from './decode.ts'

/** Inferno, every eighth of the way (matplotlib, CC0); between them colours are mixed. */
const INFERNO = [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]] as const
/** The photograph steps back under the heat: grey, and this much of its brightness. */
const UNDER_HEAT = 0.6
const STRONGEST = 0.85

export interface HeatToDraw {
  readonly grid: HeatGrid
  readonly boxes: readonly Box[]
  /** Drawn in place of their boxes. */
  readonly outlines?: readonly Outline[]
  readonly peak: Point
  /** Raw values that are drawn as none and as most; absent: the map's own range. */
  readonly range?: { readonly low: number; readonly high: number }
  /** Of the longer side; absent: the image's own size. */
  readonly longestPx?: number
}

export async function writeHeatPicture(file: string, imagePath: string, grid: HeatGrid, boxes: readonly Box[], peak: Point): Promise<void> {
  await (await heatPicture(imagePath, { grid, boxes, peak })).toFile(file)
}

/** A picture to be written in whatever format is wanted. */
export async function heatPicture(imagePath: string, { grid, boxes, outlines = [], peak, range, longestPx }: HeatToDraw): Promise<Sharp> {
  const whole = await decodeRgb(imagePath)
  const scale = Math.min(1, (longestPx ?? Infinity) / Math.max(whole.width, whole.height))
  const image = scale === 1 ? whole : await smaller(whole, scale)
  const heat = enlarge(range ? between(grid, range) : normalizeHeat(grid), image)
  const out = Buffer.alloc(image.width * image.height * 3)
  for (let i = 0; i < heat.length; i++) {
    const share = Math.min(1, Math.max(0, heat[i]!))
    const grey = (0.299 * image.data[i * 3]! + 0.587 * image.data[i * 3 + 1]! + 0.114 * image.data[i * 3 + 2]!) * UNDER_HEAT
    const alpha = STRONGEST * Math.sqrt(share)
    const colour = infernoAt(share)
    for (let c = 0; c < 3; c++) out[i * 3 + c] = Math.round(grey * (1 - alpha) + colour[c]! * alpha)
  }
  const raw = { raw: { width: image.width, height: image.height, channels: 3 as const } }
  const scaled = shapeOf(boxes.map((box) => box.map((side) => side * scale) as unknown as Box), outlines.map((outline) => outline.map((at) => at * scale)))
  return sharp(out, raw).composite([{ input: Buffer.from(markings(image, scaled, { x: (peak.x + 0.5) * scale - 0.5, y: (peak.y + 0.5) * scale - 0.5 })) }])
}

async function smaller({ data, width, height }: { data: Uint8Array; width: number; height: number }, scale: number): Promise<{ data: Uint8Array; width: number; height: number }> {
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
  return { ...size, data: await sharp(data, { raw: { width, height, channels: 3 } }).resize({ ...size, fit: 'fill' }).raw().toBuffer() }
}

function between({ width, height, values }: HeatGrid, { low, high }: { low: number; high: number }): HeatGrid {
  return { width, height, values: Float32Array.from(values, (value) => (high > low ? Math.min(1, Math.max(0, (Math.max(0, value) - low) / (high - low))) : 0)) }
}

/** Bicubic, as the pointing game sees it. */
function enlarge(grid: HeatGrid, size: Size): Float32Array {
  const columns = bicubicTaps(grid.width, size.width)
  const rows = bicubicTaps(grid.height, size.height)
  const out = new Float32Array(size.width * size.height)
  const line = new Float32Array(grid.width)
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      line[x] = 0
      for (let k = 0; k < 4; k++) line[x]! += rows.weight[y * 4 + k]! * grid.values[rows.index[y * 4 + k]! * grid.width + x]!
    }
    for (let x = 0; x < size.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += columns.weight[x * 4 + k]! * line[columns.index[x * 4 + k]!]!
      out[y * size.width + x] = sum
    }
  }
  return out
}

function infernoAt(share: number): readonly [number, number, number] {
  const place = share * (INFERNO.length - 1)
  const low = Math.min(INFERNO.length - 2, Math.floor(place))
  const t = place - low
  const mix = (c: 0 | 1 | 2) => INFERNO[low]![c] * (1 - t) + INFERNO[low + 1]![c] * t
  return [mix(0), mix(1), mix(2)]
}

function markings(size: Size, shape: Shape, peak: Point): string {
  const line = Math.max(1, Math.min(size.width, size.height) / 200)
  const lines = shape.boxes.map(([x1, y1, x2, y2], i) => {
    const drawn = `points="${(outlineOf(shape, i) ?? [x1, y1, x2, y1, x2, y2, x1, y2]).join(' ')}" fill="none" stroke-linejoin="${outlineOf(shape, i) ? 'round' : 'miter'}"`
    return `<polygon ${drawn} stroke="#000" stroke-opacity="0.6" stroke-width="${line * 3}"/><polygon ${drawn} stroke="#fff" stroke-width="${line}"/>`
  })
  const dot = `<circle cx="${peak.x + 0.5}" cy="${peak.y + 0.5}" r="${line * 3}" fill="none" stroke="#fff" stroke-width="${line}"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${lines.join('')}${dot}</svg>`
}
