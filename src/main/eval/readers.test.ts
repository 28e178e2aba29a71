import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SIZE, LEFT, RIGHT, sentencesOf, writeFlickr, writeRefer } from '../../../test/support/benchmark-folder.ts'
import { pickled } from '../../../test/support/pickle-writer.ts'
import { temporaryFolder } from '../../../test/support/tiny-runs.ts'
import { readBenchmark, type BenchmarkFiles } from './benchmark.ts'
import { readAnnotation, readSentences } from './flickr-original.ts'
import { publishedSplit, splitByName } from './flickr.ts'
import { loadProtocol, protocolNames, RESULT_KEYS } from './protocol.ts'
import { parseXml } from './xml.ts'

const read = async (protocol: string, dataDir: string, more: Partial<BenchmarkFiles> = {}) => readBenchmark(await loadProtocol(protocol), { dataDir, ...more })

describe('Flickr30k Entities', () => {
  test('ids, then sentences, then phrases; phrases without boxes are left out', async () => {
    const dir = await temporaryFolder()
    await writeFlickr(dir, { val: 1, test: 2 })
    const { samples, notes } = await read('flickr30k', dir)
    expect(samples.map(({ id, split, image, phrase }) => [id, split, image.key, phrase])).toEqual([
      ['0', 'val', '1000', 'The red square'], ['1', 'val', '1000', 'a green square'], ['2', 'val', '1000', 'it'],
      ['3', 'test', '1001', 'The green square'], ['4', 'test', '1001', 'a red square'], ['5', 'test', '1001', 'it'],
      ['6', 'test', '1002', 'The blue square'], ['7', 'test', '1002', 'a red square'], ['8', 'test', '1002', 'it'],
    ])
    expect(samples[0]).toMatchObject({ boxes: [LEFT], image: { path: join(dir, 'flickr30k-images', '1000.jpg'), size: null } })
    expect(samples[1]!.boxes).toEqual([RIGHT])
    expect(notes).toEqual([])
  })

  test('the folders Sentences and Annotations give the same samples', async () => {
    const dir = await temporaryFolder()
    await writeFlickr(dir, { val: 2, test: 2 })
    const [prepared, original] = [await read('flickr30k', dir), await read('flickr30k-original', dir)]
    expect(original.samples).toEqual(prepared.samples)
    expect(original.files.map(({ path }) => path).sort()).toEqual(['Annotations', 'Annotations', 'Sentences', 'Sentences', 'test.txt', 'val.txt'])
  })

  test('and those folders hold just what info-ground writes', async () => {
    const dir = await temporaryFolder()
    await writeFlickr(dir, { val: 1, test: 0 })
    expect(readSentences(await readFile(join(dir, 'Sentences', '1000.txt'), 'utf8'), 'x')).toEqual(sentencesOf({ id: '1000', left: 'red', right: 'green' }))
    expect(readAnnotation(await readFile(join(dir, 'Annotations', '1000.xml'), 'utf8'), 'x')).toEqual({ boxes: { 1: [LEFT], 2: [RIGHT] }, scene: [], nobox: ['3'], ...SIZE })
  })

  test("the published split is 'val' when the path has the letters anywhere; it is said, and can be changed", async () => {
    expect(publishedSplit('info-ground/flickr30k_downloads/val.txt')).toBe('val')
    expect(publishedSplit('intervals/test.txt')).toBe('val')
    expect(splitByName('intervals/test.txt')).toBe('test')
    const dir = join(await temporaryFolder(), 'data')
    await writeFlickr(dir, { val: 0, test: 1 })
    await mkdir(join(dir, 'carnival'))
    await rename(join(dir, 'test.txt'), join(dir, 'carnival', 'test.txt'))
    await rm(join(dir, 'val.txt'))
    const given = { ids: [join(dir, 'carnival', 'test.txt')] }
    const byPath = await read('flickr30k', dir, { given })
    expect(new Set(byPath.samples.map(({ split }) => split))).toEqual(new Set(['val']))
    expect(byPath.notes[0]).toMatch(/counts as val, by its whole path, as published/)
    const byName = await read('flickr30k', dir, { given, splitBy: 'name' })
    expect(new Set(byName.samples.map(({ split }) => split))).toEqual(new Set(['test']))
  })

  test.each<[what: string, file: string, text: string, message: RegExp]>([
    ['boxes and sentences exchanged', 'sentences_val.json', '{"1000": {"boxes": {}}}', /sentences_val\.json is not sentences with their phrases.*It holds the boxes of phrases/s],
    ['training annotations', 'bounding_boxes_val.json', '[{"image": "a.jpg", "caption": "a", "bbox": []}]', /is not the boxes of phrases.*It holds training annotations/s],
    ['COCO instances', 'bounding_boxes_val.json', '{"images": [], "annotations": []}', /It holds COCO instances/],
    ['an image that is not there', 'sentences_val.json', '{"7": [{"sentence": "", "phrases": []}]}', /does not have image 1000/],
    ['half a file', 'bounding_boxes_val.json', '{"1000": {"boxes": ', /is not JSON: a value is missing/],
    ['a box of three numbers', 'bounding_boxes_val.json', '{"1000": {"boxes": {"1": [[1, 2, 3]]}}}', /wrong entry at 1000, phrase 1: a box is not four numbers/],
  ])('%s: said in words', async (_, file, text, message) => {
    const dir = await temporaryFolder()
    await writeFlickr(dir, { val: 1, test: 0 })
    await writeFile(join(dir, file), text)
    await expect(read('flickr30k', dir)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringMatching(message) })
  })

  test('a missing file is named with the places where it was looked for', async () => {
    const dir = await temporaryFolder()
    await writeFlickr(dir, { val: 1, test: 0 })
    await rm(join(dir, 'sentences_val.json'))
    await expect(read('flickr30k', dir)).rejects.toMatchObject({ code: 'not-found', message: expect.stringMatching(/sentences of Flickr30k Entities.*sentences_val\.json, flickr30k_proc/), cure: 'Name it with --sentences.' })
  })
})

describe('sentences and annotations', () => {
  test.each([
    ['[/EN#1/people A man walks', /not closed/],
    ['[A man] walks', /does not begin a phrase/],
    ['[/EN#x/people A man]', /does not begin a phrase/],
  ])('%s', (line, message) => expect(() => readSentences(`fine\n${line}\n`, 's.txt')).toThrow(expect.objectContaining({ message: expect.stringMatching(message), place: 's.txt:2' })))

  test.each([
    ['<annotation><size><width>3</width><height>4</height></size><object><name>1</name><bndbox><xmin>1.5</xmin></bndbox></object></annotation>', /<xmin> is not a whole number/],
    ['<annotation><object/></annotation>', /not an annotation with a size/],
    ['<html><size/></html>', /not an annotation/],
    ['<annotation><size>', /<size> is not closed/],
    ['<annotation></size></annotation>', /closes what is not open/],
    ['{"a": 1}', /text stands outside/],
    ['', /holds no element/],
  ])('%s', (xml, message) => expect(() => readAnnotation(xml, 'a.xml')).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringMatching(message) })))

  test('an object of several names gives its box to the first; a phrase may have several boxes', () => {
    const object = (names: string, x: number) => `<object>${names}<bndbox><xmin>${x}</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>`
    const xml = `<annotation><size><width>10</width><height>10</height></size>${object('<name>5</name><name>6</name>', 1)}${object('<name>5</name>', 4)}</annotation>`
    expect(readAnnotation(xml, 'x').boxes).toEqual({ 5: [[0, 1, 8, 8], [3, 1, 8, 8]] })
  })
})

describe('XML', () => {
  test('text comes back as it was written, whatever it holds', () => {
    const escape = (text: string): string => text.replace(/[<&>]/g, (c) => ({ '<': '&lt;', '&': '&amp;', '>': '&#62;' })[c]!)
    fc.assert(fc.property(fc.string(), (text) => {
      expect(parseXml(`<?xml version="1.0"?>\n<a x="1"><!-- note --><b>${escape(text)}</b></a>\n`, 'x').children[0]!.text).toBe(text)
    }))
  })

  test('any text at all is read or refused in words, never stuck', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('<a>', '</a>', '<a/>', '<b x="1">', '</b>', '<!--', '-->', '&amp;', '&#99999999;', 'x', '<', '>', '<?', '<![CDATA[', ']]>'), { maxLength: 30 }), (parts) => {
      try {
        expect(parseXml(parts.join(''), 'x').name).toMatch(/[ab]/)
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-input' })
      }
    }))
  })

  test('deep nesting is refused', () => expect(() => parseXml('<a>'.repeat(1000), 'x')).toThrow(/nests too deeply/))
})

describe('RefCOCO+ and RefCLEF', () => {
  test('without test files every sentence in the splits that count, in the order of the pickle', async () => {
    const dir = await temporaryFolder()
    await writeRefer(dir, 5)
    const { samples, notes } = await read('refcoco+', dir)
    expect(samples.map(({ id, split, phrase }) => [id, split, phrase])).toEqual([['100', 'val', 'the red square'], ['101', 'testA', 'the red square'], ['102', 'testB', 'the blue square'], ['104', 'val', 'the green square']])
    expect(samples[0]).toMatchObject({ boxes: [LEFT], referred: [4, 6, 16, 24], detections: [[28, 6, 16, 24], [4, 6, 16, 24]], image: { key: '1000', size: SIZE, path: join(dir, 'images', '1000.jpg') } })
    expect(notes[0]).toMatch(/no test files/)
  })

  test('test files say which phrases, and their order; further phrases of an expression are samples of their own', async () => {
    const dir = await temporaryFolder()
    await writeRefer(dir, 4, { tests: true, detections: false })
    const path = join(dir, 'refcoco+_val.json')
    const entries = JSON.parse(await readFile(path, 'utf8')) as object[]
    await writeFile(path, JSON.stringify([...entries, { ...entries[0], text: 'left' }]))
    const { samples, notes } = await read('refcoco+', dir)
    expect(samples.map(({ id, phrase, split, detections }) => [id, phrase, split, detections])).toEqual([
      ['100', 'The red square.', 'val', null], ['100/2', 'left', 'val', null], ['101', 'The red square.', 'testA', null], ['102', 'The blue square.', 'testB', null],
    ])
    expect(notes).toEqual(["There are no detector's boxes, so only the pointing game is evaluated."])
  })

  test("RefCLEF counts by the test file's split: anything with 'test' in it", async () => {
    const dir = await temporaryFolder()
    await writeRefer(dir, 2)
    const file = join(dir, 'own.json')
    await writeFile(file, JSON.stringify([{ image: '1000.jpg', text: 'a', ref_id: 100, split: 'other_test' }, { image: '1001.jpg', text: 'b', ref_id: 101, split: 'val' }]))
    const { samples } = await read('refclef', dir, { given: { tests: [file] } })
    expect(samples.map(({ split }) => RESULT_KEYS.refclef(split))).toEqual(['test', 'val_d'])
    expect(['val', 'train', 'testC', 'validation'].map(RESULT_KEYS.refclef)).toEqual(['val_d', null, 'test', null])
    await writeFile(file, JSON.stringify([{ image: '1000.jpg', text: 'a', ref_id: 100 }]))
    await expect(read('refclef', dir, { given: { tests: [file] } })).rejects.toThrow(/has no split/)
  })

  test.each<[what: string, file: string, content: string | Buffer, message: RegExp]>([
    ['a pickle that would run something', 'refs(unc).p', Buffer.from('cos\nsystem\n(S\'echo\'\ntR.'), /names os\.system, which is not on the list/],
    ['half a pickle', 'refs(unc).p', pickled([{ ref_id: 1 }]).subarray(0, 20), /pickle .* is damaged/],
    ['a pickle of something else', 'refs(unc).p', pickled([1, 2]), /is not referring expressions/],
    ['expressions instead of instances', 'instances.json', '[{"ref_id": 1, "ann_id": 2, "sentences": []}]', /is not COCO instances.*It holds referring expressions/s],
    ['an object that is missing', 'instances.json', '{"images": [{"id": 1000, "width": 48, "height": 36, "file_name": "1000.jpg"}], "annotations": []}', /annotation 500: it is missing, but expression 100 refers to it/],
    ['results of a detector instead of boxes by image', 'dets.json', '[{"image_id": 1, "bbox": [0, 0, 1, 1], "score": 1}]', /is not boxes of a detector by image id/],
    ['a box of two numbers', 'dets.json', '{"1000": [[1, 2]]}', /wrong entry at 1000\[0\]: a box is not x, y, w, h/],
    ['training annotations as a test file', 'refcoco+_val.json', '[{"image": "a", "caption": "b", "bbox": []}]', /is not a test file.*It holds training annotations/s],
    ['an unknown expression', 'refcoco+_val.json', '[{"image": "a", "text": "b", "ref_id": 7}]', /entry 0: there is no expression 7/],
  ])('%s: said in words', async (_, file, content, message) => {
    const dir = await temporaryFolder()
    await writeRefer(dir, 1)
    await writeFile(join(dir, file), content)
    await expect(read('refcoco+', dir)).rejects.toMatchObject({ code: expect.stringMatching(/bad-input|forbidden/), message: expect.stringMatching(message) })
  })
})

describe('protocols', () => {
  test('all of configs/eval can be read, and a mistyped one is named', async () => {
    expect(await protocolNames()).toEqual(['flickr30k-original', 'flickr30k', 'refclef', 'refcoco+', 'view'].sort((a, b) => (a === 'view' ? 1 : b === 'view' ? -1 : a < b ? -1 : 1)))
    for (const name of await protocolNames()) if (name !== 'view') expect((await loadProtocol(name)).name).toBe(name)
    await expect(loadProtocol('refcoco')).rejects.toMatchObject({ code: 'usage', cure: 'Did you mean "refcoco+"?' })
  })

  test('a key that does not exist is refused', async () => {
    const path = join(await temporaryFolder(), 'own.yaml')
    await writeFile(path, 'title: x\nreader: refer\ncount: refclef\n')
    await expect(loadProtocol(path)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringMatching(/"count"/) })
  })
})
