/** Phrases about things in a scene, and when they are true. A phrase here always means exactly one object of its scene. */
import { boxArea, boxHeight, boxWidth, type Box } from '../../shared/geometry.ts'
import type { Colour } from './categories.ts'
import { chance, pick, type Random } from './random.ts'

export const IMAGE_SIDE_PX = 96

export type SizeWord = 'large' | 'small'
export type PositionWord = 'left' | 'right' | 'top' | 'bottom'

export interface SeenObject {
  readonly category: string
  readonly colour?: Colour | undefined
  readonly box: Box
}

export interface PhraseParts {
  readonly article: 'a' | 'the'
  readonly category: string
  readonly colour?: Colour | undefined
  readonly size?: SizeWord | undefined
  readonly position?: PositionWord | undefined
}

/** How two objects of one category differ, if a scene holds two. */
export type Difference = 'colour' | 'size' | 'position'

const LARGE_FROM_SHARE = 0.42
const SMALL_TO_SHARE = 0.31
/** Of two like objects, the large one has at least this many times the other's side (root of the area). */
export const SIZE_RATIO = 1.25
/** Two like objects told apart by position lie on both sides of the middle, and their centres at least this far apart. */
export const POSITION_GAP_PX = 24
/** A single object "on the left" has its centre at least this far from the middle. */
const POSITION_OFFSET_PX = 15

/** Words that take no "a". */
const WITHOUT_ARTICLE_A: readonly string[] = ['grapes', 'scissors', 'bread', 'cheese']

/** "the small green book", "an owl at the top": at most six words, all in the vocabulary. */
export function phraseText(parts: PhraseParts): string {
  const words = [parts.size, parts.colour, parts.category].filter((word) => word !== undefined)
  const takesNoA = WITHOUT_ARTICLE_A.includes(parts.category)
  const isVowel = /^[aeio]|^um/.test(words[0]!) // an umbrella, a unicorn
  const article = parts.article === 'the' || takesNoA ? 'the' : isVowel ? 'an' : 'a'
  const place = parts.position === undefined ? [] : [parts.position === 'left' || parts.position === 'right' ? 'on' : 'at', 'the', parts.position]
  return [article, ...words, ...place].join(' ')
}

/**
 * The phrase of one object. A twin is the other object of its category and must be told apart by the difference; anything
 * else may be named as loosely as people do: colour in 60 %, now and then a size or a place, only where it is plainly true.
 */
export function phraseFor(random: Random, object: SeenObject, twin: { readonly object: SeenObject; readonly difference: Difference } | null): PhraseParts {
  const namesColour = object.colour !== undefined && chance(random, 0.6)
  const base = { category: object.category, colour: namesColour ? object.colour : undefined }
  if (twin) {
    if (twin.difference === 'colour') return { ...base, article: 'the', colour: object.colour }
    if (twin.difference === 'size') return { ...base, article: 'the', size: boxArea(object.box) > boxArea(twin.object.box) ? 'large' : 'small' }
    return { ...base, article: 'the', position: placeAgainst(object.box, twin.object.box) }
  }
  const article = pick(random, ['a', 'the'] as const)
  if (chance(random, 0.1)) return { ...base, article, size: sizeAlone(object.box) }
  const places = placesAlone(object.box)
  if (places.length > 0 && chance(random, 0.1)) return { ...base, article, position: pick(random, places) }
  return { ...base, article }
}

/** Whether the phrase is true of the object among all objects of its scene. */
export function describes(parts: PhraseParts, object: SeenObject, scene: readonly SeenObject[]): boolean {
  const isNamed = (other: SeenObject): boolean => other.category === parts.category && (parts.colour === undefined || other.colour === parts.colour)
  if (!isNamed(object)) return false
  const others = scene.filter((other) => other !== object && isNamed(other))
  const sizeHolds = parts.size === undefined || (others.length === 0 ? sizeAlone(object.box) === parts.size : others.every((other) => sizeAgainst(object.box, other.box) === parts.size))
  const position = parts.position
  const positionHolds =
    position === undefined || (others.length === 0 ? placesAlone(object.box).includes(position) : others.every((other) => isFurther(object.box, other.box, position)))
  return sizeHolds && positionHolds
}

/** Whether the two boxes differ enough for the words of this difference. */
export function tellsApart(difference: Difference, a: Box, b: Box): boolean {
  if (difference === 'size') return sizeAgainst(a, b) !== undefined
  if (difference === 'position') return placeAgainst(a, b) !== undefined
  return true
}

function sizeAlone(box: Box): SizeWord | undefined {
  const share = Math.max(boxWidth(box), boxHeight(box)) / IMAGE_SIDE_PX
  return share >= LARGE_FROM_SHARE ? 'large' : share <= SMALL_TO_SHARE ? 'small' : undefined
}

function sizeAgainst(box: Box, other: Box): SizeWord | undefined {
  const ratio = Math.sqrt(boxArea(box) / boxArea(other))
  return ratio >= SIZE_RATIO ? 'large' : ratio <= 1 / SIZE_RATIO ? 'small' : undefined
}

/** Offset of the box's centre from the image's middle in the direction of the word, in px. */
function offsetTowards(box: Box, position: PositionWord): number {
  const dx = (box[0] + box[2]) / 2 - IMAGE_SIDE_PX / 2
  const dy = (box[1] + box[3]) / 2 - IMAGE_SIDE_PX / 2
  return position === 'left' ? -dx : position === 'right' ? dx : position === 'top' ? -dy : dy
}

const POSITIONS: readonly PositionWord[] = ['left', 'right', 'top', 'bottom']

function placesAlone(box: Box): readonly PositionWord[] {
  return POSITIONS.filter((position) => offsetTowards(box, position) >= POSITION_OFFSET_PX)
}

function isFurther(box: Box, other: Box, position: PositionWord): boolean {
  const own = offsetTowards(box, position)
  const theirs = offsetTowards(other, position)
  return own > 0 && theirs < 0 && own - theirs >= POSITION_GAP_PX
}

/** The word along the axis on which the two lie further apart; undefined when they are too near. */
function placeAgainst(box: Box, other: Box): PositionWord | undefined {
  const gap = (position: PositionWord): number => offsetTowards(box, position) - offsetTowards(other, position)
  const best = POSITIONS.reduce((a, b) => (gap(b) > gap(a) ? b : a))
  return isFurther(box, other, best) ? best : undefined
}
