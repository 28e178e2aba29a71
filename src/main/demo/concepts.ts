/**
 * Which phrases are true of which images, as far as categories and colours tell. With 60 categories a batch often holds two
 * images of dogs; "the dog" must then not be taught as false of the second one.
 *
 * A concept is a word or two: "car" or "red car". An image lists both for a red car, a phrase lists the most particular one
 * it names. Sizes and positions are left out on purpose: they are relative, so "the large dog" may be true of any dog.
 */
import type { Colour } from './categories.ts'

export interface Thing {
  readonly category: string
  readonly colour?: Colour | undefined
}

/** Every concept an image with these things holds, sorted, so that their order says nothing about the objects. */
export function imageConceptsOf(things: readonly Thing[]): readonly string[] {
  const concepts = new Set<string>()
  for (const thing of things) {
    concepts.add(thing.category)
    if (thing.colour !== undefined) concepts.add(`${thing.colour} ${thing.category}`)
  }
  return [...concepts].sort()
}

/** The concept of a phrase about one thing: with the colour when the phrase names it. */
export function phraseConceptsOf(named: Thing): readonly string[] {
  return [named.colour === undefined ? named.category : `${named.colour} ${named.category}`]
}

/** Whether a phrase with these concepts is true of an image with those: it then never serves as a negative for it. */
export function textTrueOfImage(phraseConcepts: readonly string[], imageConcepts: readonly string[]): boolean {
  return phraseConcepts.length > 0 && phraseConcepts.every((concept) => imageConcepts.includes(concept))
}
