/**
 * A heatmap as pixels: normalised grid, bicubic upsampling (the same taps as the pointing game's), colour table, and an
 * alpha that rises with the value, so that what the model ignores stays legible.
 */
import { type HeatGrid, bicubicTaps, normalizeHeat } from '../../shared/consistency.ts'
import type { Size } from '../../shared/geometry.ts'
import { type ColourMap, colourTable, differenceColour } from './colour-maps.ts'

/** Raster px of the longer side. The grid has 12 to 24 cells a side: beyond this the eye sees no difference. */
export const HEAT_RASTER_PX = 320

/** 'own' stretches each map to its own range; a range (raw values) makes several maps comparable. */
export type HeatScale = 'own' | { readonly low: number; readonly high: number }

export interface HeatRaster {
  readonly width: number
  readonly height: number
  /** Row-major; [0, 1] for a heatmap, [-1, 1] for a difference. */
  readonly values: Float32Array
}

/** Raster size with the image's proportions, so that round blobs stay round when the image is not square. */
export function rasterSize(image: Size, longestPx = HEAT_RASTER_PX): Size {
  const scale = longestPx / Math.max(image.width, image.height, 1)
  return { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) }
}

/** The grid scaled to [0, 1]: by its own range as the method normalises it, or by a given range of raw values. */
export function scaleHeat(grid: HeatGrid, scale: HeatScale): HeatGrid {
  if (scale === 'own') return normalizeHeat(grid)
  const span = scale.high - scale.low
  const values = new Float32Array(grid.width * grid.height)
  for (let i = 0; i < values.length; i++) {
    values[i] = span > 0 ? Math.min(1, Math.max(0, (Math.max(0, grid.values[i]!) - scale.low) / span)) : 0
  }
  return { width: grid.width, height: grid.height, values }
}

/** The common range of several raw maps. */
export function sharedRange(grids: readonly HeatGrid[]): { low: number; high: number } {
  let low = Infinity
  let high = 0
  for (const grid of grids) {
    for (let i = 0; i < grid.width * grid.height; i++) {
      const value = Math.max(0, grid.values[i]!)
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return { low: low === Infinity ? 0 : low, high }
}

/** Bicubic upsampling (a = -0.75, edges clamped), not limited: it may pass the grid's range by a little. */
export function upsampleBicubic(grid: HeatGrid, size: Size): HeatRaster {
  const columns = bicubicTaps(grid.width, size.width)
  const rows = bicubicTaps(grid.height, size.height)
  const wide = new Float32Array(size.width * grid.height)
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < size.width; x++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += columns.weight[x * 4 + k]! * grid.values[y * grid.width + columns.index[x * 4 + k]!]!
      wide[y * size.width + x] = sum
    }
  }
  const values = new Float32Array(size.width * size.height)
  for (let y = 0; y < size.height; y++) {
    for (let k = 0; k < 4; k++) {
      const weight = rows.weight[y * 4 + k]!
      const from = rows.index[y * 4 + k]! * size.width
      const to = y * size.width
      for (let x = 0; x < size.width; x++) values[to + x]! += weight * wide[from + x]!
    }
  }
  return { width: size.width, height: size.height, values }
}

/** Opacity of a heat value before the layer's own opacity: 10 % at 0, full from 0.5. */
export function heatAlpha(value: number): number {
  return Math.min(1, 0.1 + 1.8 * Math.max(0, value))
}

/** Opacity of a difference: what agrees stays nearly clear. */
export function differenceAlpha(value: number): number {
  return Math.min(1, 0.12 + 2.2 * Math.abs(value))
}

/** RGBA bytes of a raster in [0, 1]. solid leaves out the alpha rule, for legends and pictures without a photograph. */
export function heatPixels(raster: HeatRaster, map: ColourMap, solid = false): Uint8ClampedArray<ArrayBuffer> {
  const table = colourTable(map)
  const pixels = new Uint8ClampedArray(raster.values.length * 4)
  for (let i = 0; i < raster.values.length; i++) {
    const value = Math.min(1, Math.max(0, raster.values[i]!))
    const step = Math.round(value * 255) * 3
    pixels[i * 4] = table[step]!
    pixels[i * 4 + 1] = table[step + 1]!
    pixels[i * 4 + 2] = table[step + 2]!
    pixels[i * 4 + 3] = solid ? 255 : heatAlpha(value) * 255
  }
  return pixels
}

/** RGBA bytes of a difference raster in [-1, 1]. */
export function differencePixels(raster: HeatRaster): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(raster.values.length * 4)
  for (let i = 0; i < raster.values.length; i++) {
    const value = Math.min(1, Math.max(-1, raster.values[i]!))
    const [r, g, b] = differenceColour(value)
    pixels[i * 4] = r
    pixels[i * 4 + 1] = g
    pixels[i * 4 + 2] = b
    pixels[i * 4 + 3] = differenceAlpha(value) * 255
  }
  return pixels
}

/** B minus A, each on its scale. Grids of different sizes may be compared: both are upsampled first. */
export function differenceRaster(a: HeatGrid, b: HeatGrid, image: Size, scale: HeatScale = 'own', longestPx = HEAT_RASTER_PX): HeatRaster {
  const size = rasterSize(image, longestPx)
  const from = upsampleBicubic(scaleHeat(a, scale), size)
  const to = upsampleBicubic(scaleHeat(b, scale), size)
  return { ...size, values: to.values.map((value, i) => value - from.values[i]!) }
}

export interface HeatPaint {
  readonly map: ColourMap
  readonly scale?: HeatScale
  readonly solid?: boolean
  readonly longestPx?: number
}

/** A heatmap as a canvas with the image's proportions, to be drawn over the image stretched to its size. */
export function heatCanvas(grid: HeatGrid, image: Size, paint: HeatPaint): HTMLCanvasElement {
  const raster = upsampleBicubic(scaleHeat(grid, paint.scale ?? 'own'), rasterSize(image, paint.longestPx))
  return pixelCanvas(raster, heatPixels(raster, paint.map, paint.solid))
}

/** The difference B - A as a canvas. */
export function differenceCanvas(a: HeatGrid, b: HeatGrid, image: Size, scale: HeatScale = 'own', longestPx?: number): HTMLCanvasElement {
  const raster = differenceRaster(a, b, image, scale, longestPx)
  return pixelCanvas(raster, differencePixels(raster))
}

function pixelCanvas(raster: HeatRaster, pixels: Uint8ClampedArray<ArrayBuffer>): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = raster.width
  canvas.height = raster.height
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, raster.width, raster.height), 0, 0)
  return canvas
}

/** How the photograph stands under heat; CSS and canvas filters share the syntax. */
export const UNDER_HEAT_FILTER = 'grayscale(1) brightness(0.6)'
export const DEFAULT_HEAT_OPACITY = 0.8
