/** The random choices of a step, drawn on the host from a seeded generator: which words to mask, which negatives to show. */
import { drawWeighted, type RandomSource } from './random.ts'
import type { SpecialTokens, TokenBatch } from './types.ts'

/**
 * Masks words as BERT does: each word piece with the given probability, never [PAD] or [CLS]; of those 80 % become [MASK],
 * 10 % any id of the vocabulary (special ones too, as the reference), 10 % stay. Labels are -100 where nothing is asked.
 */
export function chooseMaskedWords(
  text: TokenBatch,
  probability: number,
  vocabulary: number,
  special: SpecialTokens,
  random: RandomSource,
): { inputIds: Int32Array; labels: Int32Array } {
  const inputIds = text.ids.slice()
  const labels = new Int32Array(text.ids.length).fill(-100)
  text.ids.forEach((id, at) => {
    if (id === special.pad || id === special.cls || random.next() >= probability) return
    labels[at] = id
    const fate = random.next()
    if (fate < 0.8) inputIds[at] = special.mask
    else if (fate < 0.9) inputIds[at] = random.below(vocabulary)
  })
  return { inputIds, labels }
}

export interface NegativeInput {
  /** Similarities image x text of this batch, [B, N], and text x image, [N, B], over the temperature. */
  readonly simI2t: Float32Array
  readonly simT2i: Float32Array
  readonly images: number
  readonly texts: number
  /** Whether text n and image b may be shown as not matching. */
  readonly allowed: (text: number, image: number) => boolean
  /** Share drawn from the softmax of similarities; the others are uniform. */
  readonly hardShare: number
  readonly random: RandomSource
}

/** One negative image for each text and one negative text for each place of an image; -1 where none is allowed. */
export function chooseNegatives(input: NegativeInput): { images: Int32Array; texts: Int32Array } {
  const { images, texts } = input
  const perImage = texts / images
  const negativeImages = Int32Array.from({ length: texts }, (_, text) =>
    draw(input, input.simT2i.subarray(text * images, (text + 1) * images), (image) => input.allowed(text, image)),
  )
  const negativeTexts = Int32Array.from({ length: texts }, (_, place) => {
    const image = Math.floor(place / perImage)
    return draw(input, input.simI2t.subarray(image * texts, (image + 1) * texts), (text) => input.allowed(text, image))
  })
  return { images: negativeImages, texts: negativeTexts }
}

function draw({ hardShare, random }: NegativeInput, similarities: Float32Array, allowed: (index: number) => boolean): number {
  const hard = hardShare >= 1 || (hardShare > 0 && random.next() < hardShare)
  let highest = -Infinity
  similarities.forEach((s, i) => allowed(i) && (highest = Math.max(highest, s)))
  const weights = Array.from(similarities, (s, i) => (allowed(i) ? (hard ? Math.exp(s - highest) : 1) : 0))
  return drawWeighted(random, weights)
}
