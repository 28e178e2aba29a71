/** Small pictures with transparency, kept with premultiplied alpha so that they can be resampled without dark fringes. */

export interface Sprite {
  readonly width: number
  readonly height: number
  /** [height, width, RGBA], premultiplied, 0..255. */
  readonly pixels: Float32Array
}

/** A pixel belongs to an object from a quarter of full cover on; fainter edges are not seen as part of it. */
export const VISIBLE_ALPHA = 64

/** From straight RGBA bytes, cut to the visible part; null when nothing is visible. */
export function spriteFromBytes(rgba: Uint8Array, width: number, height: number): Sprite | null {
  const pixels = new Float32Array(width * height * 4)
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = rgba[i + 3]!
    for (let c = 0; c < 3; c++) pixels[i + c] = (rgba[i + c]! * alpha) / 255
    pixels[i + 3] = alpha
  }
  return cutToVisible({ width, height, pixels })
}

/** The sprite turned by angle (degrees, clockwise as seen) and scaled, bilinear, cut to its visible part. */
export function turnAndScale(sprite: Sprite, scale: number, angleDegrees: number): Sprite | null {
  const angle = (angleDegrees * Math.PI) / 180
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const width = Math.ceil((sprite.width * Math.abs(cos) + sprite.height * Math.abs(sin)) * scale) + 2
  const height = Math.ceil((sprite.width * Math.abs(sin) + sprite.height * Math.abs(cos)) * scale) + 2
  const pixels = new Float32Array(width * height * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = (x + 0.5 - width / 2) / scale
      const dy = (y + 0.5 - height / 2) / scale
      const sourceX = cos * dx + sin * dy + sprite.width / 2 - 0.5
      const sourceY = cos * dy - sin * dx + sprite.height / 2 - 0.5
      addBilinear(sprite, sourceX, sourceY, pixels, (y * width + x) * 4)
    }
  }
  return cutToVisible({ width, height, pixels })
}

/** Longest side of the box around the visible part of the sprite when turned by angle (degrees), in the sprite's px. */
export function longestSideTurned(sprite: Sprite, angleDegrees: number): number {
  const cos = Math.cos((angleDegrees * Math.PI) / 180)
  const sin = Math.sin((angleDegrees * Math.PI) / 180)
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let y = 0; y < sprite.height; y++) {
    for (let x = 0; x < sprite.width; x++) {
      if (sprite.pixels[(y * sprite.width + x) * 4 + 3]! < VISIBLE_ALPHA) continue
      const turnedX = cos * x - sin * y
      const turnedY = sin * x + cos * y
      left = Math.min(left, turnedX)
      right = Math.max(right, turnedX)
      top = Math.min(top, turnedY)
      bottom = Math.max(bottom, turnedY)
    }
  }
  return Math.max(right - left, bottom - top) + 1
}

function addBilinear(sprite: Sprite, x: number, y: number, out: Float32Array, at: number): void {
  const x0 = Math.floor(x)
  const y0 = Math.floor(y)
  if (x0 < -1 || y0 < -1 || x0 >= sprite.width || y0 >= sprite.height) return
  for (let j = 0; j < 2; j++) {
    const row = y0 + j
    if (row < 0 || row >= sprite.height) continue
    const weightY = j === 0 ? 1 - (y - y0) : y - y0
    for (let i = 0; i < 2; i++) {
      const column = x0 + i
      if (column < 0 || column >= sprite.width) continue
      const weight = weightY * (i === 0 ? 1 - (x - x0) : x - x0)
      const from = (row * sprite.width + column) * 4
      for (let c = 0; c < 4; c++) out[at + c]! += weight * sprite.pixels[from + c]!
    }
  }
}

function cutToVisible(sprite: Sprite): Sprite | null {
  let [left, top, right, bottom] = [sprite.width, sprite.height, -1, -1]
  for (let y = 0; y < sprite.height; y++) {
    for (let x = 0; x < sprite.width; x++) {
      if (sprite.pixels[(y * sprite.width + x) * 4 + 3]! < VISIBLE_ALPHA) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
  }
  if (right < 0) return null
  const width = right - left + 1
  const height = bottom - top + 1
  const pixels = new Float32Array(width * height * 4)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * sprite.width + left) * 4
    pixels.set(sprite.pixels.subarray(from, from + width * 4), y * width * 4)
  }
  return { width, height, pixels }
}

/** Saturated pixels get the hue (degrees) and enough saturation and brightness to show it; greys stay. Straight RGBA bytes. */
export function tint(rgba: Uint8Array, hueDegrees: number): Uint8Array {
  const result = Uint8Array.from(rgba)
  for (let i = 0; i < rgba.length; i += 4) {
    const max = Math.max(rgba[i]!, rgba[i + 1]!, rgba[i + 2]!)
    const min = Math.min(rgba[i]!, rgba[i + 1]!, rgba[i + 2]!)
    const saturation = max === 0 ? 0 : (max - min) / max
    if (saturation * 255 <= 50) continue
    const colour = hsvToRgb(hueDegrees, Math.max(saturation, 150 / 255), Math.max(max, 110))
    for (let c = 0; c < 3; c++) result[i + c] = Math.round(colour[c]!)
  }
  return result
}

/** Hue in degrees, saturation 0..1, value 0..255. */
export function hsvToRgb(hue: number, saturation: number, value: number): readonly [number, number, number] {
  const channel = (n: number): number => {
    const k = (n + hue / 60) % 6
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)))
  }
  return [channel(5), channel(3), channel(1)]
}
