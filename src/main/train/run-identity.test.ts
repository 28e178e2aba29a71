import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseRunConfig, withOverrides } from '../../shared/config/run-config.ts'
import { changedFiles, differences, identityOf, refuseChanges, writePrints, type RunIdentity } from './run-identity.ts'
import { groupByImage, type SampleImage } from './samples.ts'
import { drawSamples, temporaryFolder, TINY } from '../../../test/support/tiny-runs.ts'

let folder: string
let manifestPath: string
beforeEach(async () => {
  folder = await temporaryFolder()
  manifestPath = join(folder, 'manifest.jsonl')
  await writeFile(manifestPath, '{"phrase":"a"}\n')
})

const WORDS = TINY.text.vocabulary as string[]
const identity = (overrides: Record<string, unknown> = {}, modelConfig = TINY, vocabulary = WORDS): Promise<RunIdentity> =>
  identityOf({ config: withOverrides(parseRunConfig({}), overrides), modelConfig, vocabulary, manifestPath })

describe('what changed between two parts of a run is named', () => {
  test('nothing', async () => {
    expect(differences(await identity(), await identity())).toEqual([])
  })

  test.each([
    { change: { 'optimizer.learningRate': 0.5 }, says: 'config.yaml: optimizer.learningRate is 0.5, was 0.00001' },
    { change: { 'data.flip': 0 }, says: 'config.yaml: data.flip is 0, was 0.5' },
    { change: { 'validation.every': 7 }, says: 'config.yaml: validation.every is 7, was 100' },
    { change: { steps: 2000 }, says: 'config.yaml: steps is 2000, was 1000' },
    { change: { freeze: 'image' }, says: 'config.yaml: freeze is image, was empty' },
  ])('$says', async ({ change, says }) => {
    expect(differences(await identity(), await identity(change))).toEqual([says])
  })

  test('settings that change nothing in what is computed may change', async () => {
    expect(differences(await identity(), await identity({ 'save.every': 7, 'save.keep': 9, title: 'Other', 'memory.recompute': true }))).toEqual([])
  })

  test('a setting that did not exist when the run was saved had its default', async () => {
    const before = await identity()
    const { 'curriculum.views': _, ...older } = before.settings
    expect(differences({ ...before, settings: older }, before)).toEqual([])
    expect(differences({ ...before, settings: older }, await identity({ 'curriculum.views': '* 1' }))).toEqual(['config.yaml: curriculum.views is * 1, was empty'])
  })

  test('the model, its vocabulary and the samples', async () => {
    const before = await identity()
    expect(differences(before, await identity({}, { ...TINY, gradcam_layer: 0, image: { ...TINY.image, heads: 4 } }))).toEqual([
      'run.json: image.heads of the model is 4, was 2', 'run.json: gradcam_layer of the model is 0, was 1',
    ])
    expect(differences(before, await identity({}, TINY, [...WORDS.slice(0, -1), 'other']))).toEqual(['the vocabulary of the model is another'])
    await writeFile(manifestPath, '{"phrase":"b"}\n')
    expect(differences(before, await identity())).toEqual(['manifest.jsonl: the list of samples is another'])
  })
})

describe('image files', () => {
  let images: SampleImage[]
  const prints = () => join(folder, 'data.jsonl')
  beforeEach(async () => {
    images = await groupByImage(await drawSamples(join(folder, 'images'), 40))
    await writePrints(prints(), images)
  })

  test('as they were', async () => {
    expect(await changedFiles(prints(), images)).toEqual([])
  })

  test('changed, missing and emptied ones are named', async () => {
    const bytes = await readFile(images[0]!.path)
    bytes[bytes.length - 20]! ^= 1 // of the same length
    await writeFile(images[0]!.path, bytes)
    await rm(images[17]!.path)
    await writeFile(images[33]!.path, '')
    expect(await changedFiles(prints(), images)).toEqual(['the image 0.png was changed', 'the image 17.png is missing', 'the image 33.png was changed'])
  })

  test('one that was missing when the run began is not to appear later', async () => {
    await rm(images[3]!.path)
    await writePrints(prints(), images)
    expect(await changedFiles(prints(), images)).toEqual([])
    await writeFile(images[3]!.path, 'x')
    expect(await changedFiles(prints(), images)).toEqual(['the image 3.png was missing'])
  })

  test('a run whose files were not written down is not held up', async () => {
    expect(await changedFiles(join(folder, 'none.jsonl'), images)).toEqual([])
  })
})

test('a refusal names the first few and counts the rest', () => {
  expect(() => refuseChanges(5, [], 'here')).not.toThrow()
  const told = Array.from({ length: 8 }, (_, i) => `the image ${i}.png was changed`)
  expect(() => refuseChanges(5, told, 'here')).toThrow(expect.objectContaining({ code: 'conflict', place: 'here', message: expect.stringMatching(/after step 5: the image 0\.png was changed; .*4\.png was changed; and 3 more\.$/) }))
})
