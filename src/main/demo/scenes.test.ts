import { beforeAll, describe, expect, it } from 'vitest'
import { boxArea } from '../../shared/geometry.ts'
import { loadArtwork, type Artwork } from './art.ts'
import { CATEGORIES, COLOURS, COLOUR_HUES } from './categories.ts'
import { paintBackground, paintObjects, toBytes } from './paint.ts'
import { describes, IMAGE_SIDE_PX, phraseText } from './phrases.ts'
import { randomOf } from './random.ts'
import { MAX_OVERLAP_SHARE, overlapShare, planCloseUp, planScene, type Scene, type SceneObject } from './scenes.ts'
import { hsvToRgb, tint, VISIBLE_ALPHA } from './sprite.ts'
import { DEMO_MAX_TOKENS, DEMO_VOCABULARY, SPECIAL_TOKENS } from './vocabulary.ts'

const SIDE = IMAGE_SIDE_PX
let art: Artwork
let scenes: readonly Scene[]
let closeUps: readonly Scene[]

beforeAll(async () => {
  art = await loadArtwork()
  scenes = Array.from({ length: 600 }, (_, i) => planScene(randomOf(7, 'test scene', i), art, { duplicateShare: 0.2 }))
  closeUps = Array.from({ length: 150 }, (_, i) => planCloseUp(randomOf(7, 'test close-up', i), art))
})

/** Cover of each pixel by the objects, measured from outside: the same paint over black and over white. */
function coverOf(objects: readonly SceneObject[]): Float32Array {
  const [onBlack, onWhite] = [0, 255].map((grey) => {
    const pixels = new Float32Array(SIDE * SIDE * 3).fill(grey)
    paintObjects(pixels, objects)
    return pixels
  })
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => 255 - (onWhite![i * 3]! - onBlack![i * 3]!))
}

function extentOf(cover: Float32Array): readonly number[] {
  const seen = Array.from(cover, (value, i) => ({ value, x: i % SIDE, y: Math.floor(i / SIDE) })).filter(({ value }) => value >= VISIBLE_ALPHA - 1e-3)
  const xs = seen.map(({ x }) => x)
  const ys = seen.map(({ y }) => y)
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]
}

describe('boxes', () => {
  it('are whole pixels, inside the image and exactly as large as what is seen', () => {
    for (const object of [...scenes.slice(0, 60), ...closeUps.slice(0, 40)].flatMap((scene) => scene.objects)) {
      expect(extentOf(coverOf([object]))).toEqual(object.box)
      expect(object.box.every((value) => Number.isInteger(value) && value >= 0 && value <= SIDE)).toBe(true)
    }
  })
  it('hardly overlap', () => {
    for (const { objects } of scenes) {
      for (const [i, a] of objects.entries()) {
        for (const b of objects.slice(i + 1)) expect(overlapShare(a.box, b.box)).toBeLessThan(MAX_OVERLAP_SHARE)
      }
    }
  })
  it('have the sizes of the recipe', () => {
    const sidesOf = (list: readonly Scene[]): number[] => list.flatMap(({ objects }) => objects.map(({ box }) => Math.max(box[2] - box[0], box[3] - box[1]) / SIDE))
    // The smallest drawing, which sizes are measured on, is good to about a pixel and a half at its own scale.
    expect(Math.min(...sidesOf(scenes))).toBeGreaterThan(0.28 - 0.02)
    expect(Math.max(...sidesOf(scenes))).toBeLessThan(0.5 + 0.03)
    expect(Math.min(...sidesOf(closeUps))).toBeGreaterThan(0.33 - 0.03)
    expect(Math.max(...sidesOf(closeUps))).toBeGreaterThan(0.75)
    const areas = scenes.flatMap(({ objects }) => objects.map(({ box }) => boxArea(box) / SIDE ** 2))
    const mean = areas.reduce((a, b) => a + b, 0) / areas.length
    expect(mean).toBeGreaterThan(0.09)
    expect(mean).toBeLessThan(0.14)
  })
})

describe('phrases of scenes', () => {
  it('mean exactly their own object, twins or not', () => {
    for (const { objects, phrases } of [...scenes, ...closeUps]) {
      for (const [i, phrase] of phrases.entries()) {
        expect(objects.filter((object) => describes(phrase, object, objects))).toEqual([objects[i]])
      }
    }
  })
  it('differ from each other, so that an image and a phrase name a region', () => {
    for (const { phrases } of scenes) expect(new Set(phrases.map(phraseText)).size).toBe(phrases.length)
  })
  it('consist of known words and fit the model', () => {
    const words = [...scenes, ...closeUps].flatMap(({ phrases }) => phrases.map((phrase) => phraseText(phrase).split(' ')))
    for (const phrase of words) {
      expect(phrase.length + 2).toBeLessThanOrEqual(DEMO_MAX_TOKENS)
      for (const word of phrase) expect(DEMO_VOCABULARY).toContain(word)
    }
    // Every word is used: none of the model's embeddings stays untrained.
    const used = new Set(words.flat())
    expect(DEMO_VOCABULARY.filter((word) => !used.has(word))).toEqual([...SPECIAL_TOKENS])
  })
  it('name twins by what differs', () => {
    const twinScenes = scenes.filter(({ difference }) => difference !== null)
    expect(twinScenes.length / scenes.length).toBeGreaterThan(0.16)
    expect(twinScenes.length / scenes.length).toBeLessThan(0.24)
    for (const difference of ['colour', 'size', 'position'] as const) {
      const share = twinScenes.filter((scene) => scene.difference === difference).length / twinScenes.length
      expect(share).toBeGreaterThan(0.2)
      expect(share).toBeLessThan(0.47)
    }
    for (const { objects, phrases, difference } of twinScenes) {
      const twins = objects.flatMap((object, i) => (objects.filter((other) => other.category === object.category).length === 2 ? [phrases[i]!] : []))
      expect(twins).toHaveLength(2)
      for (const phrase of twins) expect(phrase[difference!]).toBeDefined()
    }
  })
})

describe('pictures', () => {
  it('exist for 60 categories, ten of them in five colours, in both styles', () => {
    expect(CATEGORIES).toHaveLength(60)
    expect(new Set(CATEGORIES.map(({ name }) => name)).size).toBe(60)
    expect(CATEGORIES.filter(({ tintable }) => tintable)).toHaveLength(10)
    expect(art.sprites.size).toBe(2 * (50 + 10 * COLOURS.length))
  })
  it('take the tint where they are saturated and keep greys and transparency', () => {
    const [red, grey] = [
      [200, 40, 40, 255],
      [120, 125, 120, 90],
    ]
    const tinted = tint(Uint8Array.from([...red!, ...grey!]), COLOUR_HUES.green)
    expect(tinted[1]).toBeGreaterThan(Math.max(tinted[0]!, tinted[2]!) + 50)
    expect(tinted[3]).toBe(255)
    expect([...tinted.slice(4)]).toEqual(grey)
    expect(hsvToRgb(0, 1, 255)).toEqual([255, 0, 0])
    expect(hsvToRgb(240, 1, 255)).toEqual([0, 0, 255])
    expect(hsvToRgb(60, 0.5, 200)).toEqual([200, 200, 100])
  })
  it('have backgrounds that differ and stay within the range of colours', () => {
    const backgrounds = Array.from({ length: 40 }, (_, i) => toBytes(paintBackground(randomOf(1, 'background', i))))
    expect(new Set(backgrounds.map((bytes) => bytes.slice(0, 300).join())).size).toBe(40)
    const means = backgrounds.map((bytes) => bytes.reduce((sum, value) => sum + value, 0) / bytes.length)
    expect(Math.min(...means)).toBeGreaterThan(30)
    expect(Math.max(...means)).toBeLessThan(240)
  })
})
