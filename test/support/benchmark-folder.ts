/** Small benchmarks on disk, in the layouts of the published ones: two coloured squares an image, a phrase for each. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { pickled } from './pickle-writer.ts'

export const SIZE = { width: 48, height: 36 }
const COLOURS = { red: [220, 30, 30], green: [30, 180, 40], blue: [40, 60, 220] } as const
type Colour = keyof typeof COLOURS
const NAMES = Object.keys(COLOURS) as Colour[]

interface Scene {
  readonly id: string
  readonly left: Colour
  readonly right: Colour
}

const scene = (i: number): Scene => ({ id: String(1000 + i), left: NAMES[i % 3]!, right: NAMES[(i + 1 + (i % 2)) % 3]! })
export const LEFT = [4, 6, 20, 30] as const
export const RIGHT = [28, 6, 44, 30] as const

async function drawScene(path: string, { left, right }: Scene): Promise<void> {
  const pixels = Buffer.alloc(SIZE.width * SIZE.height * 3, 200)
  for (const [[x1, y1, x2, y2], colour] of [[LEFT, left], [RIGHT, right]] as const) {
    for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) pixels.set(COLOURS[colour], (y * SIZE.width + x) * 3)
  }
  await sharp(pixels, { raw: { ...SIZE, channels: 3 } }).jpeg({ quality: 95 }).toFile(path)
}

const json = (path: string, value: unknown): Promise<void> => writeFile(path, JSON.stringify(value))

/** `val` and `test` images as info-ground prepares them and, in Sentences/ and Annotations/, as they are published. */
export async function writeFlickr(dir: string, counts: { val: number; test: number }): Promise<void> {
  for (const folder of ['flickr30k-images', 'Sentences', 'Annotations']) await mkdir(join(dir, folder), { recursive: true })
  let next = 0
  for (const [split, count] of Object.entries(counts)) {
    const scenes = Array.from({ length: count }, () => scene(next++))
    await writeFile(join(dir, `${split}.txt`), scenes.map(({ id }) => `${id}\n`).join(''))
    await json(join(dir, `bounding_boxes_${split}.json`), Object.fromEntries(scenes.map(({ id }) => [id, { boxes: { 1: [LEFT], 2: [RIGHT] }, ...SIZE, scene: [], nobox: ['3'], depth: 3 }])))
    await json(join(dir, `sentences_${split}.json`), Object.fromEntries(scenes.map((one) => [one.id, sentencesOf(one)])))
    for (const one of scenes) {
      await drawScene(join(dir, 'flickr30k-images', `${one.id}.jpg`), one)
      await writeFile(join(dir, 'Sentences', `${one.id}.txt`), `[/EN#1/other The ${one.left} square] stands beside [/EN#2/other/vehicles a ${one.right} square] .\n[/EN#3/notvisual Nobody] sees [/EN#1/other it] .\n`)
      await writeFile(join(dir, 'Annotations', `${one.id}.xml`), annotationOf(one))
    }
  }
}

const phrase = (first: number, text: string, id: string, ...types: string[]) => ({ first_word_index: first, phrase: text, phrase_id: id, phrase_type: types })

export function sentencesOf({ left, right }: Scene) {
  return [
    { sentence: `The ${left} square stands beside a ${right} square .`, phrases: [phrase(0, `The ${left} square`, '1', 'other'), phrase(5, `a ${right} square`, '2', 'other', 'vehicles')] },
    { sentence: 'Nobody sees it .', phrases: [phrase(0, 'Nobody', '3', 'notvisual'), phrase(2, 'it', '1', 'other')] },
  ]
}

/** Boxes count from 1 in the published files. */
function annotationOf({ id }: Scene): string {
  const object = (name: number, [x1, y1, x2, y2]: readonly number[]): string =>
    `<object><name>${name}</name><bndbox><xmin>${x1! + 1}</xmin><ymin>${y1! + 1}</ymin><xmax>${x2! + 1}</xmax><ymax>${y2! + 1}</ymax></bndbox></object>`
  return `<annotation>\n<filename>${id}.jpg</filename>\n<size><width>${SIZE.width}</width><height>${SIZE.height}</height><depth>3</depth></size>\n${object(1, LEFT)}\n${object(2, RIGHT)}\n` +
    '<object>\n<name>3</name>\n<scene>0</scene>\n<nobndbox>1</nobndbox>\n</object>\n</annotation>\n'
}

const REFER_SPLITS = ['val', 'testA', 'testB', 'train']

/** Expressions in the four splits in turn, as pickle and instances; a detector that finds both squares; test files of val and test. */
export async function writeRefer(dir: string, count: number, options: { readonly tests?: boolean; readonly detections?: boolean } = {}): Promise<void> {
  await mkdir(join(dir, 'images'), { recursive: true })
  const scenes = Array.from({ length: count }, (_, i) => scene(i))
  const xywh = ([x1, y1, x2, y2]: readonly number[]): number[] => [x1!, y1!, x2! - x1!, y2! - y1!]
  const refs = scenes.map(({ id, left, right }, i) => {
    const colour = i % 2 === 0 ? left : right
    const sentences = [{ sent_id: i, sent: `the ${colour} square`, raw: `The ${colour} square.`, tokens: ['the', colour, 'square'] }]
    return { ref_id: 100 + i, ann_id: 500 + i, image_id: Number(id), category_id: 1, split: REFER_SPLITS[i % 4]!, file_name: `${id}_0.jpg`, sent_ids: [i], sentences }
  })
  await writeFile(join(dir, 'refs(unc).p'), pickled(refs))
  await json(join(dir, 'instances.json'), {
    images: scenes.map(({ id }) => ({ id: Number(id), file_name: `${id}.jpg`, ...SIZE })),
    annotations: scenes.map(({ id }, i) => ({ id: 500 + i, image_id: Number(id), category_id: 1, bbox: xywh(i % 2 === 0 ? LEFT : RIGHT), area: 1, iscrowd: 0, segmentation: [] })),
    categories: [{ id: 1, name: 'square' }],
  })
  if (options.detections !== false) await json(join(dir, 'dets.json'), Object.fromEntries(scenes.map(({ id }) => [id, [[...xywh(RIGHT), 0.9], [...xywh(LEFT), 0.8]]])))
  if (options.tests) {
    const entries = (wanted: string) => refs.filter(({ split }) => split.startsWith(wanted)).map((ref) => ({ image: `${ref.image_id}.jpg`, text: ref.sentences[0]!.raw, ref_id: ref.ref_id, split: ref.split }))
    for (const [name, wanted] of [['val', 'val'], ['test', 'test']] as const) await json(join(dir, `refcoco+_${name}.json`), entries(wanted))
  }
  for (const one of scenes) await drawScene(join(dir, 'images', `${one.id}.jpg`), one)
}
