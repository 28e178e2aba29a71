import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { previewDataset } from './preview-dataset.ts'
import { datasetNameOf, readDataset } from './read-dataset.ts'
import type { ReadItem, ReadOptions, ReadSample, Skipped } from './types.ts'

const COCO128 = join(import.meta.dirname, '../../../../shared/data/coco128')

let dir: string
let photo: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'amc-formats-'))
  photo = join(dir, 'photo.jpg')
  await sharp({ create: { width: 200, height: 100, channels: 3, background: '#3a6' } }).jpeg().toFile(photo)
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function folder(name: string, files: Record<string, string | null>): Promise<string> {
  for (const [file, content] of Object.entries(files)) {
    const path = join(dir, name, file)
    await mkdir(dirname(path), { recursive: true })
    if (content === null) await copyFile(photo, path) // null: the photograph, 200 x 100
    else await writeFile(path, content)
  }
  return join(dir, name)
}

async function read(path: string, options?: ReadOptions): Promise<{ samples: ReadSample[]; skipped: Skipped[] }> {
  const items: ReadItem[] = []
  for await (const item of readDataset(path, options)) items.push(item)
  return {
    samples: items.filter((item) => 'image' in item),
    skipped: items.flatMap((item) => ('skipped' in item ? [item.skipped] : [])),
  }
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(() => null, (e: unknown) => e)
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

describe('AMC annotation JSON', () => {
  it('reads images, phrases and boxes as they are written', async () => {
    const path = await folder('plain', {
      'annotations.json': JSON.stringify([
        { image: 'a.jpg', caption: 'the green field', bbox: [[1.25, 2, 150, 80.5]] },
        { image: 'sub/b.jpg', caption: ['one', 'two'], bbox: [[1, 2, 3, 4], [5, 6, 7, 8]], split: 'val', kind: 'scene', phraseConcepts: ['cat'], imageConcepts: ['cat', 'dog'] },
        { image: 'images/c.jpg', caption: 'flat box', bbox: [1, 2, 3, 4] },
      ], null, 1),
      'a.jpg': null, 'sub/b.jpg': null, 'images/c.jpg': null,
    })
    const { samples, skipped } = await read(path)
    expect(skipped).toEqual([])
    expect(samples.map((s) => s.image)).toMatchObject([
      { name: 'a.jpg', path: join(path, 'a.jpg'), width: 200, height: 100, orientation: 1, split: 'train' },
      { name: 'sub/b.jpg', split: 'val', kind: 'scene', concepts: ['cat', 'dog'] },
      { name: 'images/c.jpg' },
    ])
    expect(samples[0]!.regions).toEqual([{ phrase: 'the green field', boxes: [[1.25, 2, 150, 80.5]], flags: [], source: 'annotations.json:2' }])
    expect(samples[1]!.regions.map((r) => [r.phrase, r.boxes, r.concepts])).toEqual([
      ['one', [[1, 2, 3, 4], [5, 6, 7, 8]], ['cat']], ['two', [[1, 2, 3, 4], [5, 6, 7, 8]], ['cat']],
    ])
    expect(samples[2]!.regions[0]!.boxes).toEqual([[1, 2, 3, 4]])
    expect(datasetNameOf(path)).toBe('plain')
    expect(datasetNameOf(join(path, 'annotations.json'))).toBe('plain')
  })

  it('returns any finite numbers bit for bit and any phrase letter for letter', async () => {
    const path = await folder('any', { 'a.jpg': null })
    const box = fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: 1e-3, max: 1e6 }), fc.double({ min: 1e-3, max: 1e6 }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string({ unit: 'binary', minLength: 1 }).filter((t) => t.trim() !== ''), box), { minLength: 1, maxLength: 6 }), async (drawn) => {
        const entries = drawn.map(([caption, [x, y, w, h]]) => ({ image: 'a.jpg', caption, bbox: [[x + 0, y + 0, x + w, y + h]] }))
        await writeFile(join(path, 'annotations.json'), JSON.stringify(entries))
        const kept = entries.filter((e) => e.bbox[0]![2]! > e.bbox[0]![0]! && e.bbox[0]![3]! > e.bbox[0]![1]!)
        const unique = [...new Map(kept.map((e) => [JSON.stringify(e), e])).values()]
        const regions = (await read(path)).samples.flatMap((s) => s.regions)
        expect(regions.map((r) => [r.phrase, r.boxes])).toEqual(unique.map((e) => [e.caption, e.bbox]))
      }),
      { numRuns: 60 },
    )
  })

  it('flags odd boxes and keeps them, leaves impossible ones out with file, line and reason', async () => {
    const path = await folder('boxes', {
      'a.jpg': null,
      'annotations.json': `[
        {"image": "a.jpg", "caption": "over the edge", "bbox": [[150, 50, 260.5, 120]]},
        {"image": "a.jpg", "caption": "far away", "bbox": [[500, 500, 600, 600]]},
        {"image": "a.jpg", "caption": "inverted", "bbox": [[90, 10, 20, 50]]},
        {"image": "a.jpg", "caption": "flat", "bbox": [[10, 10, 10, 50]]},
        {"image": "a.jpg", "caption": "one good", "bbox": [[90, 10, 20, 50], [1, 1, 9, 9]]},
        {"image": "a.jpg", "caption": "not boxes", "bbox": [[1, 2, 3], ["1", 2, 3, 4], null, [1, 2, 3, 4, 5]]},
        {"image": "a.jpg", "caption": "no list", "bbox": "1,2,3,4"},
        {"image": "a.jpg", "caption": "none"}
      ]`,
    })
    const { samples, skipped } = await read(path)
    expect(samples.flatMap((s) => s.regions).map((r) => [r.phrase, r.boxes, r.flags])).toEqual([
      ['over the edge', [[150, 50, 260.5, 120]], ['crosses-edge']],
      ['far away', [[500, 500, 600, 600]], ['outside-image']],
      ['one good', [[1, 1, 9, 9]], ['inverted']],
    ])
    expect(skipped.every((s) => s.file === 'annotations.json')).toBe(true)
    expect(skipped.map((s) => [s.line, s.reason.split(/[:;(]/)[0]!.trim()])).toEqual([
      [4, 'A box of "inverted" is inverted'], [5, 'A box of "flat" has no area'], [6, 'A box of "one good" is inverted'],
      [7, 'Box 1 is not four finite numbers [x1, y1, x2, y2]'], [7, 'Box 2 is not four finite numbers [x1, y1, x2, y2]'],
      [7, 'Box 3 is not four finite numbers [x1, y1, x2, y2]'], [7, 'Box 4 is not four finite numbers [x1, y1, x2, y2]'], [7, '"bbox" holds no usable box.'],
      [8, 'Box 1 is not four finite numbers [x1, y1, x2, y2]'], [8, '"bbox" holds no usable box.'],
      [9, 'The field "bbox" is missing.'],
    ])
  })

  it('leaves out what is not an entry, captions that are not text, and entries written twice', async () => {
    const entry = '{"image": "a.jpg", "caption": "twice", "bbox": [[1, 1, 9, 9]]}'
    const path = await folder('captions', {
      'a.jpg': null,
      'annotations.json': `[
        ${entry},
        ${entry},
        {"image": "a.jpg", "caption": 7, "bbox": [[1, 1, 9, 9]]},
        {"image": "a.jpg", "caption": ["fine", null, " "], "bbox": [[1, 1, 9, 9]]},
        {"image": "a.jpg", "caption": {"text": "x"}, "bbox": [[1, 1, 9, 9]]},
        {"image": 5, "caption": "x", "bbox": [[1, 1, 9, 9]]},
        {"image": "a\\u0000.jpg", "caption": "x", "bbox": [[1, 1, 9, 9]]},
        12, null, ["a.jpg"]
      ]`,
    })
    const { samples, skipped } = await read(path)
    expect(samples.flatMap((s) => s.regions).map((r) => r.phrase)).toEqual(['twice', 'fine'])
    expect(skipped.map((s) => s.line)).toEqual([3, 4, 5, 5, 6, 7, 8, 9, 9, 9])
    expect(skipped[0]!.reason).toBe('The same image, caption and boxes stand at annotations.json:2 already.')
    expect(skipped[1]!.reason).toBe('"caption" must be text; it is a number.')
    expect(skipped[2]!.reason).toBe('Caption 2 of 3 must be text; it is null.')
  })

  it('lists a missing or broken image once, with its line, and goes on', async () => {
    const path = await folder('images', { 'good.jpg': null, 'cut.jpg': null, 'text.png': 'hello', 'empty.png': '' })
    await truncate(join(path, 'cut.jpg'), 300)
    const names = ['gone.jpg', 'gone.jpg', 'cut.jpg', 'text.png', 'empty.png', 'good.jpg']
    await writeFile(join(path, 'annotations.json'), `[\n${names.map((image, i) => JSON.stringify({ image, caption: `c${i}`, bbox: [[0, 0, 9, 9]] })).join(',\n')}\n]`)
    const { samples, skipped } = await read(path)
    expect(samples.map((s) => s.image.name)).toEqual(['good.jpg'])
    expect(skipped.map((s) => [s.line, s.reason])).toEqual([
      [2, 'The image gone.jpg is missing; everything about it was left out.'],
      [4, 'The image cut.jpg was left out: The image file ends early or is damaged.'],
      [5, 'The image text.png was left out: The file is not an image.'],
      [6, 'The image empty.png was left out: The image file is empty.'],
    ])
  })

  it('finds images under a folder named by the person, whatever folders the file names', async () => {
    const path = await folder('elsewhere', {
      'pictures/VG_100K/1.jpg': null, 'pictures/2.jpg': null,
      'list/train.json': JSON.stringify([
        { image: '/data/old/machine/VG_100K/1.jpg', caption: 'a', bbox: [[0, 0, 9, 9]] },
        { image: 'C:\\data\\2.jpg', caption: 'b', bbox: [[0, 0, 9, 9]] },
      ]),
    })
    const { samples } = await read(join(path, 'list/train.json'), { imagesDir: join(path, 'pictures') })
    expect(samples.map((s) => s.image.path)).toEqual([join(path, 'pictures/VG_100K/1.jpg'), join(path, 'pictures/2.jpg')])
    expect((await failure(read(join(path, 'list'), { imagesDir: join(path, 'nowhere') }))).message).toMatch(/images folder .* does not exist/)
  })

  it('takes the split from file names, and an image into one split only', async () => {
    const entry = (image: string, caption: string) => JSON.stringify([{ image, caption, bbox: [[0, 0, 9, 9]] }])
    const path = await folder('splits', { 'a.jpg': null, 'b.jpg': null, 'vg_train.json': entry('a.jpg', 'a'), 'vg_val.json': entry('b.jpg', 'b'), 'z_test.json': entry('a.jpg', 'again') })
    const { samples, skipped } = await read(path)
    expect(samples.map((s) => [s.image.name, s.image.split])).toEqual([['a.jpg', 'train'], ['b.jpg', 'val'], ['a.jpg', 'train']])
    expect(skipped).toEqual([{ file: 'z_test.json', line: 1, reason: 'a.jpg is in the split train already; an image cannot be in test too. Its regions were kept in train.' }])
  })

  it('stops at malformed JSON with file, line and column, after what came before', async () => {
    const path = await folder('malformed', { 'a.jpg': null, 'annotations.json': '[\n{"image": "a.jpg", "caption": "x", "bbox": [[0, 0, 9, 9]]},\n{"image": "a.jpg" "caption": "y"}\n]' })
    const seen: ReadItem[] = []
    const error = await failure((async () => {
      for await (const item of readDataset(path)) seen.push(item)
    })())
    expect(error).toMatchObject({ code: 'bad-input', place: 'annotations.json:3:19' })
    expect(seen).toHaveLength(1)
  })

  it('can be cancelled, and says when nothing can be read', async () => {
    const path = await folder('cancel', { 'a.jpg': null, 'annotations.json': '[{"image": "a.jpg", "caption": "x", "bbox": [[0, 0, 9, 9]]}]' })
    expect((await failure(read(path, { signal: AbortSignal.abort() }))).code).toBe('cancelled')
    expect((await failure(read(join(dir, 'no-such-path')))).message).toMatch(/does not exist/)
    expect((await failure(read(await folder('empty', { 'notes.md': '#' })))).message).toMatch(/in no format that can be read/)
    expect(await failure(read(path, { format: 'amc-jsn' }))).toMatchObject({ code: 'bad-input', cure: expect.stringMatching(/^Did you mean amc-json\? Known are amc-jsonl, .*coco.*, amc-json\.$/) as string })
    expect(await failure(read(path, { format: 'coco' }))).toMatchObject({ code: 'bad-input', message: expect.stringMatching(/looks like AMC annotation JSON \(amc-json\); it is not COCO/) as string, cure: 'Choose amc-json, or let the format be recognised.' })
    expect(await failure(read(join(path, 'annotations.json'), { format: 'label-studio' }))).toMatchObject({ message: expect.stringMatching(/looks like AMC/) as string })
    expect((await failure(read(join(path, 'a.jpg'), { format: 'amc-json' }))).message).toMatch(/not valid JSON/)
  })

  it.skipIf(process.getuid?.() === 0)('says when a file may not be read (skipped for root, who may read all)', async () => {
    const path = await folder('secret', { 'annotations.json': '[]' })
    await chmod(join(path, 'annotations.json'), 0)
    expect((await failure(read(join(path, 'annotations.json'), { format: 'amc-json' }))).message).toMatch(/may not be read/)
  })
})

describe('YOLO folders', () => {
  const names = 'names:\n  0: cat\n  1: traffic light\n'
  it('makes one region of each class on an image, its boxes in pixels', async () => {
    const path = await folder('yolo', {
      'data.yaml': names, 'images/a.jpg': null, 'images/none.jpg': null,
      'labels/a.txt': '0 0.5 0.5 0.5 0.5\n1 0.25 0.25 0.1 0.1 0.93\n0 0.1 0.2 0.2 0.4\n1 0 0 0.5 0.1 0.4 0.8\n',
    })
    const { samples, skipped } = await read(path)
    expect(skipped).toEqual([])
    expect(samples.map((s) => [s.image.name, s.regions.length])).toEqual([['images/a.jpg', 2], ['images/none.jpg', 0]])
    const boxes = samples[0]!.regions.map((r) => [r.phrase, r.boxes.map((b) => b.map((v) => Math.round(v * 1e9) / 1e9))])
    expect(boxes).toEqual([['cat', [[50, 25, 150, 75], [0, 0, 40, 40]]], ['traffic light', [[40, 20, 60, 30], [0, 0, 100, 80]]]])
    expect((await read(join(path, 'data.yaml'))).samples).toHaveLength(2)
  })

  it('names lines that are wrong, labels without an image, and two images that share labels', async () => {
    const path = await folder('yolo-bad', {
      'classes.txt': 'cat\ntraffic light\n', 'images/a.jpg': null, 'images/a.png': null, 'labels/ghost.txt': '0 .5 .5 .1 .1',
      'labels/a.txt': '0 0.5 0.5 0.5\n7 0.5 0.5 0.5 0.5\ncat 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n0 nan 0 0 0\n0 0.5 0.5 0 0.2\n0 1.2 0.5 0.8 0.5\n',
    })
    const { samples, skipped } = await read(path)
    expect(samples[0]!.regions).toMatchObject([{ phrase: 'cat', flags: ['no-area', 'crosses-edge'] }])
    expect(samples[0]!.regions[0]!.boxes).toHaveLength(2)
    const told = skipped.map((s) => `${s.file}:${s.line} ${s.reason}`)
    for (const expected of [/^a\.txt:1 .*not "class cx cy w h"/, /^a\.txt:2 The class 7 has no name: names are given for 0 to 1/, /^a\.txt:3 /, /^a\.txt:5 The same box stands on line 4/, /^a\.txt:6 /, /has no area/, /^a\.png:null a\.jpg has the same name/, /^ghost\.txt:null There is no image/]) {
      expect(told.some((line) => expected.test(line)), `${expected} in ${told.join(' | ')}`).toBe(true)
    }
  })

  it('names a label file that cannot be read, and leaves its image out: what is on it is not known', async () => {
    const path = await folder('yolo-unreadable', { 'classes.txt': 'cat\n', 'images/a.jpg': null, 'images/b.jpg': null, 'labels/a.txt/inside.txt': 'x', 'labels/b.txt': '0 0.5 0.5 0.5 0.5' })
    const { samples, skipped } = await read(path)
    expect(samples.map((sample) => sample.image.name)).toEqual(['images/b.jpg'])
    expect(skipped).toContainEqual({ file: 'a.txt', line: null, reason: 'The labels cannot be read (it is a folder), so their image a.jpg was left out.' })
  })

  it.each([
    ['images/train', 'labels/train', 'images/val', 'labels/val'],
    ['train/images', 'train/labels', 'valid/images', 'valid/labels'],
  ])('reads the splits of %s and %s', async (trainImages, trainLabels, valImages, valLabels) => {
    const path = await folder(`yolo-${trainImages.replace('/', '-')}`, {
      'notes.json': '{"categories": [{"id": 0, "name": "cat"}]}', [`${trainImages}/a.jpg`]: null, [`${trainLabels}/a.txt`]: '0 .5 .5 .5 .5', [`${valImages}/b.jpg`]: null, [`${valLabels}/b.txt`]: '0 .5 .5 .5 .5',
    })
    expect((await read(path)).samples.map((s) => [s.image.split, s.regions[0]!.phrase])).toEqual([['train', 'cat'], ['val', 'cat']])
  })

  it('does not call it crossing the edge when six digits rounded over it', async () => {
    const path = await folder('yolo-edge', { 'data.yaml': 'names: [cat]', 'images/a.jpg': null, 'labels/a.txt': '0 0.500001 0.5 1.0 1.0' })
    expect((await read(path)).samples[0]!.regions[0]!.flags).toEqual([])
  })

  it('refuses classes without names and a yaml that cannot be read', async () => {
    const files = { 'images/a.jpg': null, 'labels/a.txt': '0 .5 .5 .5 .5' }
    expect((await failure(read(await folder('yolo-unnamed', files)))).message).toBe('The classes of yolo-unnamed have no names.')
    const broken = await failure(read(await folder('yolo-yaml', { ...files, 'data.yaml': 'names:\n  - cat\n - : [' })))
    expect(broken.place).toMatch(/^data\.yaml:\d+:\d+$/)
  })

  it.skipIf(!existsSync(COCO128))('reads 128 real photographs (skipped where the folder is absent)', async () => {
    const preview = await previewDataset(COCO128)
    expect(preview).toMatchObject({ format: 'yolo', images: 128, boxes: 929, flagged: {} })
    expect(preview.samples).toHaveLength(10)
    expect(preview.samples.every((s) => s.thumb.startsWith('data:image/webp;base64,') && s.boxes.length > 0)).toBe(true)
    expect(preview.skipped).toHaveLength(2) // labels of two images that are not part of the folder
  })
})
