import { describe, expect, test } from 'vitest'
import type { ManifestSample } from '../../shared/manifest.ts'
import { groupByImage, knownTrue, phraseKey } from './samples.ts'

const sample = (imageId: string, phrase: string, more: Partial<ManifestSample> = {}): ManifestSample => ({
  regionId: `${imageId} ${phrase}`, revision: 1, imageId, imagePath: `/${imageId}.png`, width: 10, height: 10, phrase, boxes: [[0, 0, 5, 5]], split: 'train', ...more,
})

describe('what is known to be true of an image', () => {
  test.each([
    { name: 'the same words, whatever their capitals and punctuation', phrase: 'A red-ish DOG!', image: [sample('b', 'a red ish dog')], known: true },
    { name: 'other words', phrase: 'a red dog', image: [sample('b', 'a blue dog')], known: false },
    { name: 'a phrase that a view left out', phrase: 'a cat', image: [sample('b', 'a dog', { imagePhrases: ['A cat.'] })], known: true },
    { name: 'the name of a category on the image', phrase: 'Cat', image: [sample('b', 'a dog', { imageConcepts: ['cat', 'dog'] })], known: true },
    { name: 'the name of a category with an article', phrase: 'the traffic light', image: [sample('b', 'a dog', { imageConcepts: ['Traffic light'] })], known: true },
    { name: 'a category, where the phrase says more than that', phrase: 'the cat on the mat', image: [sample('b', 'a dog', { imageConcepts: ['cat'] })], known: false },
    { name: 'all concepts of the phrase, some of them known from other phrases only', phrase: 'scarlet hound', concepts: ['red', 'dog'], image: [sample('b', 'x', { imageConcepts: ['dog'] }), sample('b', 'y', { phraseConcepts: ['red', 'car'] })], known: true },
    { name: 'one of the concepts', phrase: 'scarlet hound', concepts: ['red', 'dog'], image: [sample('b', 'x', { imageConcepts: ['dog'] })], known: false },
    { name: 'a phrase of no concepts', phrase: 'it', concepts: [], image: [sample('b', 'x', { imageConcepts: ['dog'] })], known: false },
  ])('$name: $known', async ({ phrase, concepts, image, known }) => {
    const [own, other] = await groupByImage([sample('a', phrase, concepts ? { phraseConcepts: concepts } : {}), ...image])
    expect(knownTrue(own!.regions[0]!, other!)).toBe(known)
    expect(knownTrue(own!.regions[0]!, own!)).toBe(true)
  })
})

test('a key is the phrase as the model reads it', () => {
  expect(phraseKey('The (red) Dog/cat, left-most!')).toBe('the red dog cat left most')
})
