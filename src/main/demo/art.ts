/**
 * The artwork of the demo: SVG bodies of two pinned npm packages, drawn by sharp at a few sizes. Drawing a vector at about
 * its final size keeps edges clean; the rest of the way (at most half) is bilinear.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import sharp from 'sharp'
import { AppError } from '../../shared/errors.ts'
import { ART_SETS, CATEGORIES, COLOURS, COLOUR_HUES, type ArtSet, type Category, type Colour } from './categories.ts'
import { longestSideTurned, spriteFromBytes, tint, turnAndScale, type Sprite } from './sprite.ts'

/** Sides in px at which every icon is drawn once. */
const LEVEL_SIDES_PX = [32, 48, 64, 96] as const

export interface Artwork {
  /** Versions of the artwork packages; another version gives other pictures. */
  readonly versions: Readonly<Record<ArtSet, string>>
  /** Sprites by "set/category" or "set/category/colour", smallest first. */
  readonly sprites: ReadonlyMap<string, readonly Sprite[]>
}

interface IconSet {
  readonly icons: Readonly<Record<string, Icon | undefined>>
  readonly width?: number
  readonly height?: number
}
interface Icon {
  readonly body: string
  readonly left?: number
  readonly top?: number
  readonly width?: number
  readonly height?: number
}

/** Draws all categories in both sets and every tint. Errors: 'runtime-missing' when a package is absent, 'internal' when an icon is. */
export async function loadArtwork(signal?: AbortSignal): Promise<Artwork> {
  const sprites = new Map<string, readonly Sprite[]>()
  const versions: Partial<Record<ArtSet, string>> = {}
  for (const set of ART_SETS) {
    const { icons, version } = await readIconSet(set)
    versions[set] = version
    for (const category of CATEGORIES) {
      throwIfAborted(signal)
      for (const [key, levels] of await drawCategory(icons, set, category)) sprites.set(key, levels)
    }
  }
  return { versions: versions as Record<ArtSet, string>, sprites }
}

/** An object's picture, turned by angleDegrees, its longest side then sidePx to within a pixel or so, cut to what is visible. */
export function pictureOf(
  art: Artwork,
  thing: { readonly set: ArtSet; readonly category: string; readonly colour?: Colour | undefined },
  sidePx: number,
  angleDegrees: number,
): Sprite {
  const levels = art.sprites.get(spriteKey(thing.set, thing.category, thing.colour))
  if (!levels) throw new AppError('internal', `There is no artwork for ${thing.category} in ${thing.set}.`)
  const smallest = levels[0]!
  const straightSide = (sidePx * longestSide(smallest)) / longestSideTurned(smallest, angleDegrees)
  const level = levels.find((sprite) => longestSide(sprite) >= straightSide) ?? levels.at(-1)!
  const picture = turnAndScale(level, straightSide / longestSide(level), angleDegrees)
  if (!picture) throw new AppError('internal', `The artwork for ${thing.category} in ${thing.set} is empty.`)
  return picture
}

/** Versions without drawing anything: enough to tell whether an older dataset is still the same. */
export async function artworkVersions(): Promise<Readonly<Record<ArtSet, string>>> {
  const entries = await Promise.all(ART_SETS.map(async (set) => [set, await readVersion(set)] as const))
  return Object.fromEntries(entries) as Record<ArtSet, string>
}

async function drawCategory(icons: IconSet, set: ArtSet, category: Category): Promise<[string, readonly Sprite[]][]> {
  const icon = icons.icons[category.icon]
  if (!icon) throw new AppError('internal', `The artwork package ${set} has no icon ${category.icon}.`, 'Install the version that package.json names.')
  const colours: readonly (Colour | undefined)[] = category.tintable ? COLOURS : [undefined]
  const levels = await Promise.all(LEVEL_SIDES_PX.map((side) => draw(svgOf(icons, icon, side))))
  return colours.map((colour) => [
    spriteKey(set, category.name, colour),
    levels.map(({ data, width, height }) => {
      const sprite = spriteFromBytes(colour === undefined ? data : tint(data, COLOUR_HUES[colour]), width, height)
      if (!sprite) throw new AppError('internal', `The icon ${category.icon} of ${set} is empty.`)
      return sprite
    }),
  ])
}

async function draw(svg: string): Promise<{ data: Uint8Array; width: number; height: number }> {
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

function svgOf(icons: IconSet, icon: Icon, sidePx: number): string {
  const width = icon.width ?? icons.width ?? 16
  const height = icon.height ?? icons.height ?? 16
  const view = `${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}`
  const names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
  return `<svg ${names} width="${sidePx}" height="${sidePx}" viewBox="${view}">${icon.body}</svg>`
}

async function readIconSet(set: ArtSet): Promise<{ icons: IconSet; version: string }> {
  const path = resolveInPackage(set, 'icons.json')
  return { icons: JSON.parse(await readFile(path, 'utf8')) as IconSet, version: await readVersion(set) }
}

async function readVersion(set: ArtSet): Promise<string> {
  const manifest = JSON.parse(await readFile(resolveInPackage(set, 'package.json'), 'utf8')) as { version: string }
  return manifest.version
}

function resolveInPackage(set: ArtSet, file: 'icons.json' | 'package.json'): string {
  try {
    // package.json is not among the package's exports; it lies beside icons.json.
    return createRequire(import.meta.url).resolve(`@iconify-json/${set}/icons.json`).replace(/icons\.json$/, file)
  } catch (error) {
    throw new AppError('runtime-missing', `The artwork package @iconify-json/${set} is not installed.`, 'Run `npm start` once; it installs it.', undefined, { cause: error })
  }
}

function spriteKey(set: ArtSet, category: string, colour: Colour | undefined): string {
  return colour === undefined ? `${set}/${category}` : `${set}/${category}/${colour}`
}

function longestSide(sprite: Sprite): number {
  return Math.max(sprite.width, sprite.height)
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('cancelled', 'Making the demo was stopped.', 'Start it again at any time; nothing was left half written.')
}
