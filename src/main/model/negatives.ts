/** Wrong pairs for the match loss: every text with a wrong image, every image with wrong texts, in one pass. */
import { paddingBias } from './bert.ts'
import { chooseNegatives } from './choices.ts'
import { fuseToMatch, type FusionInput } from './fusion.ts'
import type { Contrast } from './losses/itc.ts'
import { rowsOf } from './nn.ts'
import type { RandomSource } from './random.ts'
import { tf, type Tensor2D } from './tf.ts'
import type { StepChoices, StepOptions, TokenBatch, TrainBatch } from './types.ts'

/** Where the random choices come from: a generator, or choices made before. */
export type ChoiceSource = { readonly random: RandomSource } | { readonly choices: StepChoices }

export interface NegativePass {
  readonly batch: TrainBatch
  readonly options: StepOptions
  readonly source: ChoiceSource
  readonly fusion: FusionInput
  /** Fusion entry of the batch's texts, [N * L, W] */
  readonly entry: Tensor2D
  readonly sims: Contrast
  readonly notes: string[]
}

/** Match logits of wrong pairs, [at most 2 N, 2]; null, with a note, when no pair may serve. */
export function negativeLogits({ batch, options, source, fusion, entry, sims, notes }: NegativePass): Tensor2D | null {
  const { images, texts } = 'choices' in source
    ? { images: source.choices.negativeImages, texts: source.choices.negativeTexts }
    : drawNegatives(batch, options, source.random, sims)
  // These look at an image named for each; the others keep their image's place, so its keys and values need no copy.
  const named = Array.from(images, (image, text) => ({ text, image })).filter(({ image }) => image >= 0)
  let grouped = Array.from(texts)
  if (grouped.includes(-1)) {
    const rest = grouped.map((text, place) => ({ text, image: Math.floor(place / batch.phrasesPerImage) }))
    named.push(...rest.filter(({ text }) => text >= 0))
    grouped = []
  }
  const textOf = Int32Array.from([...named.map(({ text }) => text), ...grouped])
  if (textOf.length === 0) {
    notes.push('No pair of this batch may serve as a negative, so the match loss saw matching pairs only.')
    return null
  }
  const wrong: FusionInput = {
    ...fusion,
    count: textOf.length,
    bias: paddingBias(takeTexts(batch.text, textOf)),
    imageOf: Int32Array.from(named, ({ image }) => image),
  }
  return fuseToMatch(wrong, takeEntry(entry, batch.text, textOf), !options.fullLastLayer)
}

function drawNegatives(batch: TrainBatch, options: StepOptions, random: RandomSource, sims: Contrast): { images: Int32Array; texts: Int32Array } {
  const { imageCount: images, phrasesPerImage: perImage, alsoTrue } = batch
  const texts = images * perImage
  const values = (x: Tensor2D, rows: number, columns: number): Float32Array =>
    tf.tidy(() => tf.slice(x, [0, 0], [rows, columns]).dataSync<'float32'>())
  return chooseNegatives({
    simI2t: values(sims.simI2t, images, texts),
    simT2i: values(sims.simT2i, texts, images),
    images,
    texts,
    allowed: (text, image) => Math.floor(text / perImage) !== image && alsoTrue?.[text * images + image] !== 1,
    hardShare: options.hardNegatives,
    random,
  })
}

function takeTexts(text: TokenBatch, textOf: Int32Array): TokenBatch {
  const take = (from: Int32Array): Int32Array => {
    const rows = new Int32Array(textOf.length * text.length)
    textOf.forEach((source, at) => rows.set(from.subarray(source * text.length, (source + 1) * text.length), at * text.length))
    return rows
  }
  return { ids: take(text.ids), mask: take(text.mask), count: textOf.length, length: text.length }
}

function takeEntry(entry: Tensor2D, text: TokenBatch, textOf: Int32Array): Tensor2D {
  const width = entry.shape[1]
  const rows = rowsOf(tf.reshape(entry, [text.count, text.length * width]), textOf)
  return tf.reshape(rows, [textOf.length * text.length, width])
}
