import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textTrueOfImage } from './concepts.ts'
import { generateDemo, type DemoProgress, type DemoRegion, type DemoResult } from './generate.ts'
import { DEMO_NOTICE } from './notice.ts'
import type { PlantedErrorsFile } from './planted-errors.ts'
import { vocabularyText } from './vocabulary.ts'

const small = { seed: 3, train: 240, closeUps: 30, heldOut: 40 }
let root: string
let dir: string
let result: DemoResult
let regions: readonly DemoRegion[]
let planted: PlantedErrorsFile
const progress: DemoProgress[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'amc-demo-'))
  dir = join(root, 'demo')
  result = await generateDemo({ dir, ...small, onProgress: (step) => progress.push(step) })
  regions = await readJson<DemoRegion[]>('annotations.json')
  planted = await readJson<PlantedErrorsFile>('planted-errors.json')
})
afterAll(async () => {
  await rm(root, { recursive: true, force: true })
})

async function readJson<T>(name: string, from = dir): Promise<T> {
  return JSON.parse(await readFile(join(from, name), 'utf8')) as T
}
async function bytesOf(from: string): Promise<Map<string, string>> {
  const names = (await readdir(from, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort()
  return new Map(await Promise.all(paths.map(async (path) => [path.slice(from.length), (await readFile(path)).toString('base64')] as const)))
}

describe('the demo dataset', () => {
  it('holds as many images as asked, each with its regions, in two splits', async () => {
    expect(result).toEqual({ images: 310, regions: regions.length, planted: planted.errors.length, skipped: false })
    expect(await readdir(join(dir, 'images'))).toHaveLength(310)
    const kinds = Map.groupBy(regions, ({ split, kind }) => `${split} ${kind}`)
    const imagesOf = (key: string): number => new Set(kinds.get(key)?.map(({ image }) => image)).size
    expect([...kinds.keys()]).toEqual(['train scene', 'train close-up', 'val scene'])
    expect([imagesOf('train scene'), imagesOf('train close-up'), imagesOf('val scene')]).toEqual([240, 30, 40])
    expect(kinds.get('train close-up')).toHaveLength(30)
    expect(progress.at(-1)).toEqual({ done: 310, total: 310 })
  })
  it('has 96 x 96 px pictures without transparency', async () => {
    const { image } = regions[0]!
    expect(await sharp(join(dir, image)).metadata()).toMatchObject({ width: 96, height: 96, channels: 3, format: 'png' })
  })
  it('names concepts: every phrase is true of its own image', () => {
    for (const region of regions) expect(textTrueOfImage(region.phraseConcepts, region.imageConcepts)).toBe(true)
  })
  it('carries the notices of the artwork', async () => {
    const notice = await readFile(join(dir, 'NOTICE.md'), 'utf8')
    expect(notice).toMatch(/Apache License, Version 2\.0/)
    expect(notice).toMatch(/Copyright 2013 Google/)
    expect(notice).toMatch(/Copyright \(c\) Microsoft Corporation/)
    expect(notice).toMatch(/Permission is hereby granted, free of charge/)
    expect(await readFile(new URL('../../../resources/demo/NOTICE.md', import.meta.url), 'utf8')).toBe(DEMO_NOTICE)
    expect(await readFile(new URL('../../../resources/demo/vocabulary.txt', import.meta.url), 'utf8')).toBe(vocabularyText())
  })
})

describe('planted errors', () => {
  const isCandidate = ({ split, kind }: DemoRegion): boolean => split === 'train' && kind === 'scene'

  it('are 5 % of the regions of training scenes', () => {
    const candidates = regions.filter(isCandidate)
    expect(planted.candidates).toBe(candidates.length)
    expect(planted.errors).toHaveLength(Math.round(0.05 * candidates.length))
    expect(planted.about).toMatch(/measuring only.*Nothing else reads this file/)
  })
  it('are all named, and nothing else differs from the truth', async () => {
    const right = join(root, 'right')
    await generateDemo({ dir: right, ...small, wrongShare: 0 })
    const truth = await readJson<DemoRegion[]>('annotations.json', right)
    const named = new Map(planted.errors.map((error) => [error.index, error]))
    for (const [i, region] of regions.entries()) {
      const error = named.get(i)
      if (error) {
        expect(isCandidate(region)).toBe(true)
        expect([region.image, region.caption, region.bbox]).toEqual([error.image, error.caption, [error.wrongBox]])
        expect(truth[i]!.bbox).toEqual([error.trueBox])
        expect(error.wrongBox).not.toEqual(error.trueBox)
        const other = truth.find(({ image, bbox }) => image === error.image && bbox[0]!.join() === error.wrongBox.join())
        expect(other!.phraseConcepts[0]!.split(' ').at(-1)).not.toBe(region.phraseConcepts[0]!.split(' ').at(-1))
      } else {
        expect(region).toEqual(truth[i])
      }
    }
    await rm(right, { recursive: true })
  })
  it('are told nowhere but in their file', async () => {
    const keys = new Set(regions.flatMap((region) => Object.keys(region)))
    expect([...keys]).toEqual(['image', 'caption', 'bbox', 'split', 'kind', 'phraseConcepts', 'imageConcepts'])
    const manifest = await readFile(join(dir, 'demo.json'), 'utf8')
    expect(manifest).not.toMatch(/trueBox|wrongBox/)
  })
})

describe('making it again', () => {
  it('gives the same bytes for the same seed and others for another', async () => {
    const options = { train: 12, closeUps: 4, heldOut: 4 }
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(root, name)) as [string, string, string]
    await generateDemo({ dir: a, seed: 1, ...options })
    await generateDemo({ dir: b, seed: 1, ...options })
    await generateDemo({ dir: c, seed: 2, ...options })
    const [first, second, third] = await Promise.all([a, b, c].map(bytesOf))
    expect(first!.size).toBe(24)
    expect(second).toEqual(first)
    const image = '/images/scene-00001.png'
    expect(first!.has(image)).toBe(true)
    expect(third!.get(image)).not.toBe(first!.get(image))
  })
  it('keeps the first images when more are asked for', async () => {
    const more = join(root, 'more')
    await generateDemo({ dir: more, seed: 1, train: 13, closeUps: 0, heldOut: 4 })
    const image = join('images', 'scene-00012.png')
    expect(await readFile(join(more, image))).toEqual(await readFile(join(root, 'a', image)))
  })
  it('skips what is there, and repairs what is damaged', async () => {
    const options = { dir: join(root, 'a'), seed: 1, train: 12, closeUps: 4, heldOut: 4 }
    const whole = await bytesOf(options.dir)
    expect((await generateDemo(options)).skipped).toBe(true)
    await rm(join(options.dir, 'images', 'scene-00003.png'))
    expect((await generateDemo(options)).skipped).toBe(false)
    await writeFile(join(options.dir, 'annotations.json'), '[]')
    expect((await generateDemo(options)).skipped).toBe(false)
    expect(await bytesOf(options.dir)).toEqual(whole)
  })
  it('leaves nothing behind when stopped, and keeps what was there before', async () => {
    const stop = new AbortController()
    const before = await bytesOf(dir)
    const stopped = generateDemo({ dir, ...small, seed: 9, signal: stop.signal, onProgress: () => stop.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
    expect(await bytesOf(dir)).toEqual(before)
    expect((await readdir(root)).filter((name) => name.startsWith('demo'))).toEqual(['demo'])
  })
  it('clears away what a killed process left', async () => {
    const leftover = join(root, 'fresh.making-999999999')
    await mkdir(leftover)
    await generateDemo({ dir: join(root, 'fresh'), seed: 1, train: 1, closeUps: 0, heldOut: 0 })
    expect((await readdir(root)).filter((name) => name.startsWith('fresh'))).toEqual(['fresh'])
  })
  it('never overwrites a folder that holds something else', async () => {
    const foreign = join(root, 'foreign')
    await mkdir(foreign)
    await writeFile(join(foreign, 'thesis.txt'), 'mine')
    const attempt = generateDemo({ dir: foreign, seed: 1, train: 1, closeUps: 0, heldOut: 0 })
    await expect(attempt).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('thesis.txt') as string })
    expect(await readdir(foreign)).toEqual(['thesis.txt'])
  })
  it('refuses counts that make no sense', async () => {
    await expect(generateDemo({ dir, seed: 0.5 })).rejects.toMatchObject({ code: 'usage' })
    await expect(generateDemo({ dir, seed: 0, train: -1 })).rejects.toMatchObject({ code: 'usage' })
    await expect(generateDemo({ dir, seed: 0, wrongShare: 2 })).rejects.toMatchObject({ code: 'usage' })
  })
})
