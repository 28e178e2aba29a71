import { expect, test } from 'vitest'
import { chooseMaskedWords, chooseNegatives } from './choices.ts'
import { createRandom, drawWeighted, randomFromState } from './random.ts'

const SPECIAL = { pad: 0, cls: 2, mask: 4 }
const row = [2, 10, 11, 12, 0, 0]
const text = { ids: Int32Array.from(Array.from({ length: 3000 }, () => row).flat()), mask: new Int32Array(18000), count: 3000, length: 6 }

test('words are masked at the given rate, 80 / 10 / 10, and never [CLS] or padding', () => {
  const { inputIds, labels } = chooseMaskedWords(text, 0.2, 1000, SPECIAL, createRandom(1))
  const asked = [...labels.keys()].filter((at) => labels[at] !== -100)
  expect(asked.every((at) => row[at % 6]! >= 10 && labels[at] === row[at % 6])).toBe(true)
  expect(asked.length / 9000).toBeCloseTo(0.2, 1)
  const share = (fits: (at: number) => boolean): number => asked.filter(fits).length / asked.length
  expect(share((at) => inputIds[at] === SPECIAL.mask)).toBeCloseTo(0.8, 1)
  expect(share((at) => inputIds[at] === labels[at])).toBeCloseTo(0.1, 1)
  for (const at of labels.keys()) if (labels[at] === -100) expect(inputIds[at]).toBe(text.ids[at])
})

test('negatives keep to what is allowed; hard ones follow the similarities', () => {
  const [images, texts] = [3, 6]
  const simT2i = Float32Array.from({ length: texts * images }, (_, at) => (at % images === 2 ? 8 : 0))
  const simI2t = new Float32Array(images * texts)
  const allowed = (t: number, image: number): boolean => Math.floor(t / 2) !== image && !(t === 0 && image === 2)
  const draw = (hardShare: number) => chooseNegatives({ simI2t, simT2i, images, texts, allowed, hardShare, random: createRandom(5) })
  for (const share of [0, 0.5, 1]) {
    const { images: chosen, texts: chosenTexts } = draw(share)
    chosen.forEach((image, t) => expect(allowed(t, image)).toBe(true))
    chosenTexts.forEach((t, place) => expect(allowed(t, Math.floor(place / 2))).toBe(true))
  }
  expect(Array.from(draw(1).images.subarray(1, 4))).toEqual([2, 2, 2])
})

test('where nothing is allowed there is no negative', () => {
  const one = { simI2t: new Float32Array(1), simT2i: new Float32Array(1), images: 1, texts: 1, allowed: () => false, hardShare: 1, random: createRandom(1) }
  expect(chooseNegatives(one)).toEqual({ images: Int32Array.of(-1), texts: Int32Array.of(-1) })
})

test('a saved generator goes on where it was', () => {
  const random = createRandom(9)
  random.normal()
  const copy = randomFromState(random.state())
  expect([copy.next(), copy.below(100), copy.normal()]).toEqual([random.next(), random.below(100), random.normal()])
})

test('weighted draws follow the weights and never take a zero', () => {
  const random = createRandom(2)
  const counts = [0, 0, 0]
  for (let i = 0; i < 4000; i++) counts[drawWeighted(random, [1, 0, 3])]!++
  expect(counts[1]).toBe(0)
  expect(counts[2]! / 4000).toBeCloseTo(0.75, 1)
  expect(drawWeighted(random, [0, 0])).toBe(-1)
})
