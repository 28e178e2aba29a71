/** What stands where in a demo image: pure functions of a seeded generator and the artwork. */
import { boxArea, intersectionArea, type Box } from '../../shared/geometry.ts'
import { pictureOf, type Artwork } from './art.ts'
import { ART_SETS, CATEGORIES, COLOURS, type ArtSet, type Category, type Colour } from './categories.ts'
import { IMAGE_SIDE_PX, phraseFor, tellsApart, type Difference, type PhraseParts } from './phrases.ts'
import { between, chance, pick, shuffled, wholeBetween, type Random } from './random.ts'
import type { Sprite } from './sprite.ts'

export interface SceneObject {
  readonly category: string
  readonly colour?: Colour | undefined
  readonly set: ArtSet
  /** Tight around the visible pixels, whole px, inside the image. */
  readonly box: Box
  readonly picture: Sprite
}

export interface Scene {
  readonly objects: readonly SceneObject[]
  /** One phrase for each object, in the order of objects. */
  readonly phrases: readonly PhraseParts[]
  /** How the twins differ, when the scene holds two objects of one category. */
  readonly difference: Difference | null
}

export interface SceneOptions {
  /** Share of scenes that hold two objects of one category. */
  readonly duplicateShare: number
}

/** Boxes may share less than this part of the smaller one. */
export const MAX_OVERLAP_SHARE = 0.04
const MAX_ANGLE_DEGREES = 15

/** An object before it has a place: its longest side as a share of the image's. */
interface Wanted {
  readonly category: Category
  readonly colour: Colour | undefined
  readonly set: ArtSet
  readonly sideShare: number
}

/** A scene of 2 to 4 objects. */
export function planScene(random: Random, art: Artwork, options: SceneOptions): Scene {
  const count = wholeBetween(random, 2, 4)
  const difference = chance(random, options.duplicateShare) ? pick(random, ['colour', 'size', 'position'] as const) : null
  const categories = pickCategories(random, count, difference)
  const colours = categories.map((category) => (category.tintable ? pick(random, COLOURS) : undefined))
  const sets = categories.map(() => pick(random, ART_SETS))
  if (difference !== null) {
    colours[1] = difference === 'colour' ? pick(random, COLOURS.filter((colour) => colour !== colours[0])) : colours[0]
    // Told apart by size or place alone, so the two are drawn alike.
    if (difference !== 'colour') sets[1] = sets[0]!
  }
  // Sizes are drawn anew whenever they cannot be placed; four large objects do not fit.
  for (;;) {
    const sides = drawSides(random, count, difference)
    const wanted = categories.map((category, i) => ({ category, colour: colours[i], set: sets[i]!, sideShare: sides[i]! }))
    const placed = place(random, art, wanted)
    if (placed && (difference === null || tellsApart(difference, placed[0]!.box, placed[1]!.box))) return finish(random, placed, difference)
  }
}

/** One object that fills 33 to 85 % of the side. */
export function planCloseUp(random: Random, art: Artwork): Scene {
  const category = pick(random, CATEGORIES)
  const wanted = { category, colour: category.tintable ? pick(random, COLOURS) : undefined, set: pick(random, ART_SETS) }
  for (;;) {
    const placed = place(random, art, [{ ...wanted, sideShare: between(random, 0.33, 0.85) }])
    if (!placed) continue
    const object = placed[0]!
    const namesColour = object.colour !== undefined && chance(random, 0.6)
    const phrase = { article: pick(random, ['a', 'the'] as const), category: object.category, colour: namesColour ? object.colour : undefined }
    return { objects: placed, phrases: [phrase], difference: null }
  }
}

/** The first two are twins when there is a difference; the others are of other categories. */
function pickCategories(random: Random, count: number, difference: Difference | null): Category[] {
  if (difference === null) return shuffled(random, CATEGORIES).slice(0, count)
  const twin = pick(random, difference === 'colour' ? CATEGORIES.filter((category) => category.tintable) : CATEGORIES)
  const rest = shuffled(random, CATEGORIES).filter((category) => category !== twin)
  return [twin, twin, ...rest.slice(0, count - 2)]
}

function drawSides(random: Random, count: number, difference: Difference | null): number[] {
  const draw = (): number => (count < 4 ? between(random, 0.28, 0.5) : Math.min(between(random, 0.28, 0.5), between(random, 0.28, 0.425)))
  const sides = Array.from({ length: count }, draw)
  if (difference === 'size') {
    const large = between(random, 0.4, count < 4 ? 0.5 : 0.45)
    const small = between(random, 0.28, 0.31)
    ;[sides[0], sides[1]] = chance(random, 0.5) ? [large, small] : [small, large]
  } else if (difference === 'position') {
    sides[1] = sides[0]!
  }
  return sides
}

/** The objects at random places without overlap; null when one found none. */
function place(random: Random, art: Artwork, wanted: readonly Wanted[]): SceneObject[] | null {
  const placed: SceneObject[] = []
  for (const { category, colour, set, sideShare } of wanted) {
    const angle = between(random, -MAX_ANGLE_DEGREES, MAX_ANGLE_DEGREES)
    const picture = pictureOf(art, { set, category: category.name, colour }, sideShare * IMAGE_SIDE_PX, angle)
    const box = findPlace(random, picture, placed)
    if (!box) return null
    placed.push({ category: category.name, colour, set, box, picture })
  }
  return placed
}

function findPlace(random: Random, picture: Sprite, placed: readonly SceneObject[]): Box | null {
  const freeX = IMAGE_SIDE_PX - picture.width
  const freeY = IMAGE_SIDE_PX - picture.height
  if (freeX < 0 || freeY < 0) return null
  for (let attempt = 0; attempt < 40; attempt++) {
    const x = wholeBetween(random, 0, freeX)
    const y = wholeBetween(random, 0, freeY)
    const box: Box = [x, y, x + picture.width, y + picture.height]
    if (placed.every((other) => overlapShare(box, other.box) < MAX_OVERLAP_SHARE)) return box
  }
  return null
}

/** Shared area as a part of the smaller box. */
export function overlapShare(a: Box, b: Box): number {
  return intersectionArea(a, b) / Math.min(boxArea(a), boxArea(b))
}

/** Phrases for all, then a random order, so that twins are not always first. */
function finish(random: Random, placed: readonly SceneObject[], difference: Difference | null): Scene {
  const phrased = placed.map((object, i) => {
    const twin = difference !== null && i < 2 ? { object: placed[1 - i]!, difference } : null
    return { object, phrase: phraseFor(random, object, twin) }
  })
  const order = shuffled(random, phrased)
  return { objects: order.map(({ object }) => object), phrases: order.map(({ phrase }) => phrase), difference }
}
