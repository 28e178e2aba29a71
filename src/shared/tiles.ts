/**
 * Large images in pieces: a pyramid of levels, each half the size of the next, cut into square tiles. Level 0 fits into one tile, the
 * last is the image itself. The same arithmetic in the engine, which cuts, and in the page, which asks.
 */
import type { Size } from './geometry.ts'

/** Edge of a tile in its own pixels; tiles at the right and lower border are smaller. */
export const TILE_PX = 512

export interface TileAddress {
  readonly level: number
  readonly x: number
  readonly y: number
}

/** Levels of an image, at least 1. */
export function levelCount({ width, height }: Size): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(width, height, 1) / TILE_PX))) + 1
}

/** Size of one level: the image halved so often, rounded up each time. */
export function levelSize(image: Size, level: number): Size {
  const halvings = 2 ** (levelCount(image) - 1 - level)
  return { width: Math.ceil(image.width / halvings), height: Math.ceil(image.height / halvings) }
}

/** Tiles across and down. */
export function tileGrid(image: Size, level: number): { readonly columns: number; readonly rows: number } {
  const size = levelSize(image, level)
  return { columns: Math.ceil(size.width / TILE_PX), rows: Math.ceil(size.height / TILE_PX) }
}

export function isTile(image: Size, { level, x, y }: TileAddress): boolean {
  if (![level, x, y].every(Number.isInteger) || level < 0 || level >= levelCount(image)) return false
  const { columns, rows } = tileGrid(image, level)
  return x >= 0 && y >= 0 && x < columns && y < rows
}
