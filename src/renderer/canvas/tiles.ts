/** Large images drawn from tiles: which are seen, at which level, and what stands in for one that is still on its way. */
import type { Point, Size } from '../../shared/geometry.ts'
import { levelCount, TILE_PX, type TileAddress, tileGrid } from '../../shared/tiles.ts'
import { type Camera, toImage, toScreen, turned, turnedSize } from './camera.ts'

export interface TileSource {
  readonly image: Size
  /** The tile if it is there; asked for otherwise. */
  get(tile: TileAddress): CanvasImageSource | null
  /** The tile if it is there, without asking. */
  peek(tile: TileAddress): CanvasImageSource | null
  /** Called when another tile is there. */
  subscribe(listener: () => void): () => void
}

/** Image px that one px of a tile stands for. */
const pxOf = (image: Size, level: number) => 2 ** (levelCount(image) - 1 - level)

/** The coarsest level that still has a px for each px of the screen. @param ratio device px for one CSS px */
export function levelFor(image: Size, scale: number, ratio: number): number {
  const last = levelCount(image) - 1
  return Math.min(last, Math.max(0, last - Math.floor(Math.log2(1 / (scale * ratio)))))
}

/** Tiles of a level that the viewport sees, from its middle outwards. */
export function visibleTiles(image: Size, camera: Camera, viewport: Size, level: number): readonly TileAddress[] {
  const a = toImage(camera, viewport, { x: 0, y: 0 })
  const b = toImage(camera, viewport, { x: viewport.width, y: viewport.height })
  const span = TILE_PX * pxOf(image, level)
  const { columns, rows } = tileGrid(image, level)
  const range = (from: number, to: number, length: number, count: number): [number, number] =>
    to <= 0 || from >= length ? [0, -1] : [Math.max(0, Math.floor(from / span)), Math.min(count - 1, Math.ceil(to / span) - 1)]
  const [left, right] = range(Math.min(a.x, b.x), Math.max(a.x, b.x), image.width, columns)
  const [top, bottom] = range(Math.min(a.y, b.y), Math.max(a.y, b.y), image.height, rows)
  const tiles: TileAddress[] = []
  for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) tiles.push({ level, x, y })
  const away = (tile: TileAddress) => Math.hypot((tile.x + 0.5) * span - camera.centerX, (tile.y + 0.5) * span - camera.centerY)
  return tiles.sort((one, other) => away(one) - away(other))
}

/** The part of a coarser tile that shows the same piece of the image. All in px of that coarser tile. */
export function partOf(image: Size, tile: TileAddress, level: number): { readonly from: TileAddress; readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
  const steps = 2 ** (tile.level - level)
  const from = { level, x: Math.floor(tile.x / steps), y: Math.floor(tile.y / steps) }
  const edge = TILE_PX / steps
  const area = areaOf(image, tile)
  const px = pxOf(image, level)
  return { from, x: (tile.x % steps) * edge, y: (tile.y % steps) * edge, width: (area.to.x - area.from.x) / px, height: (area.to.y - area.from.y) / px }
}

function areaOf(image: Size, { level, x, y }: TileAddress): { readonly from: Point; readonly to: Point } {
  const span = TILE_PX * pxOf(image, level)
  return { from: { x: x * span, y: y * span }, to: { x: Math.min(image.width, (x + 1) * span), y: Math.min(image.height, (y + 1) * span) } }
}

/** Draws what is there of the tiles that are seen, and asks for the rest. */
export function paintTiles(context: CanvasRenderingContext2D, source: TileSource, camera: Camera, viewport: Size, ratio: number): void {
  const { image } = source
  // The coarsest tile shows something everywhere; it is also the first that is made.
  if (!source.get({ level: 0, x: 0, y: 0 })) return
  const level = levelFor(image, camera.scale, ratio)
  for (const tile of visibleTiles(image, camera, viewport, level)) {
    const own = source.get(tile)
    if (own) {
      drawTile(context, own, null, image, tile, camera, viewport, ratio)
      continue
    }
    for (let coarser = level - 1; coarser >= 0; coarser--) {
      const part = partOf(image, tile, coarser)
      const instead = source.peek(part.from)
      if (!instead) continue
      drawTile(context, instead, part, image, tile, camera, viewport, ratio)
      break
    }
  }
}

type Part = Omit<ReturnType<typeof partOf>, 'from'>

function drawTile(context: CanvasRenderingContext2D, picture: CanvasImageSource, part: Part | null, image: Size, tile: TileAddress, camera: Camera, viewport: Size, ratio: number): void {
  const area = areaOf(image, tile)
  const [a, b] = [toScreen(camera, viewport, area.from), toScreen(camera, viewport, area.to)]
  // Edges on whole device px, the same for both neighbours: no seams between tiles.
  const whole = (value: number) => Math.round(value * ratio) / ratio
  const [x1, x2] = [whole(Math.min(a.x, b.x)), whole(Math.max(a.x, b.x))]
  const [y1, y2] = [whole(Math.min(a.y, b.y)), whole(Math.max(a.y, b.y))]
  if (x2 <= x1 || y2 <= y1) return
  const { width, height } = turnedSize({ width: x2 - x1, height: y2 - y1 }, camera.turn)
  const [right, down] = [turned({ x: 1, y: 0 }, camera.turn), turned({ x: 0, y: 1 }, camera.turn)]
  context.save()
  context.transform(right.x, right.y, down.x, down.y, (x1 + x2) / 2, (y1 + y2) / 2)
  if (part) context.drawImage(picture, part.x, part.y, part.width, part.height, -width / 2, -height / 2, width, height)
  else context.drawImage(picture, -width / 2, -height / 2, width, height)
  context.restore()
}
