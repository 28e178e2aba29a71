/**
 * What can stand in a demo scene: 60 categories, each drawn by two sets of emoji artwork that use the same icon names.
 * Ten of them can be tinted, so that colour words mean something.
 */
export const ART_SETS = ['noto', 'fluent-emoji-flat'] as const
export type ArtSet = (typeof ART_SETS)[number]

/** Hues in degrees of the HSV circle. */
export const COLOUR_HUES = { red: 0, yellow: 52, green: 120, blue: 215, purple: 285 } as const
export type Colour = keyof typeof COLOUR_HUES
export const COLOURS = Object.keys(COLOUR_HUES) as readonly Colour[]

export interface Category {
  /** The word a phrase uses. */
  readonly name: string
  /** The icon's name in both artwork sets. */
  readonly icon: string
  readonly tintable: boolean
}

const tintable: readonly (readonly [name: string, icon: string])[] = [
  ['car', 'automobile'],
  ['bus', 'bus'],
  ['book', 'closed-book'],
  ['balloon', 'balloon'],
  ['umbrella', 'umbrella'],
  ['shirt', 't-shirt'],
  ['dress', 'dress'],
  ['backpack', 'backpack'],
  ['heart', 'red-heart'],
  ['apple', 'red-apple'],
]

const plain: readonly (readonly [name: string, icon: string])[] = [
  ['dog', 'dog-face'],
  ['cat', 'cat-face'],
  ['rabbit', 'rabbit'],
  ['panda', 'panda'],
  ['lion', 'lion'],
  ['elephant', 'elephant'],
  ['zebra', 'zebra'],
  ['monkey', 'monkey-face'],
  ['frog', 'frog'],
  ['turtle', 'turtle'],
  ['snake', 'snake'],
  ['fish', 'tropical-fish'],
  ['whale', 'spouting-whale'],
  ['crab', 'crab'],
  ['butterfly', 'butterfly'],
  ['bee', 'honeybee'],
  ['owl', 'owl'],
  ['penguin', 'penguin'],
  ['unicorn', 'unicorn'],
  ['banana', 'banana'],
  ['grapes', 'grapes'],
  ['strawberry', 'strawberry'],
  ['pineapple', 'pineapple'],
  ['carrot', 'carrot'],
  ['pizza', 'pizza'],
  ['burger', 'hamburger'],
  ['bread', 'bread'],
  ['cake', 'birthday-cake'],
  ['cookie', 'cookie'],
  ['cheese', 'cheese-wedge'],
  ['pumpkin', 'jack-o-lantern'],
  ['tree', 'evergreen-tree'],
  ['sunflower', 'sunflower'],
  ['cactus', 'cactus'],
  ['mushroom', 'mushroom'],
  ['house', 'house'],
  ['bicycle', 'bicycle'],
  ['plane', 'airplane'],
  ['rocket', 'rocket'],
  ['boat', 'sailboat'],
  ['drum', 'drum'],
  ['guitar', 'guitar'],
  ['key', 'key'],
  ['scissors', 'scissors'],
  ['crown', 'crown'],
  ['ball', 'soccer-ball'],
  ['anchor', 'anchor'],
  ['robot', 'robot'],
  ['ghost', 'ghost'],
  ['television', 'television'],
]

export const CATEGORIES: readonly Category[] = [
  ...tintable.map(([name, icon]) => ({ name, icon, tintable: true })),
  ...plain.map(([name, icon]) => ({ name, icon, tintable: false })),
]
