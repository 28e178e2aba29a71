import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outlineBounds } from '../../shared/shape.ts'
import { openDataset } from './read-dataset.ts'
import { FORMATS } from './registry.ts'
import { outlinesOf, runsOf } from './rle.ts'
import type { ReadItem, ReadRegion } from './types.ts'
import { writeDataset } from './write-dataset.ts'

/** Rows of text, # inside. */
type Picture = readonly string[]

function runs(picture: Picture): number[] {
  const [height, width] = [picture.length, picture[0]!.length]
  const counts = [0]
  let inside = false
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((picture[y]![x] === '#') !== inside) {
        inside = !inside
        counts.push(0)
      }
      counts[counts.length - 1]!++
    }
  }
  return counts
}

/** COCO's text, written by its published rule. */
function text(counts: readonly number[]): string {
  let out = ''
  for (const [i, count] of counts.entries()) {
    let value = i > 2 ? count - counts[i - 2]! : count
    for (let more = true; more;) {
      let bits = value & 31
      value >>= 5
      more = bits & 16 ? value !== -1 : value !== 0
      if (more) bits |= 32
      out += String.fromCharCode(bits + 48)
    }
  }
  return out
}

/** Whether the middle of a pixel lies inside a polygon, by the even-odd rule. */
function covers(outline: readonly number[], x: number, y: number): boolean {
  let inside = false
  for (let i = 0; i < outline.length; i += 2) {
    const [x1, y1, x2, y2] = [outline[i]!, outline[i + 1]!, outline[(i + 2) % outline.length]!, outline[(i + 3) % outline.length]!]
    if (y1 > y + 0.5 !== y2 > y + 0.5 && x + 0.5 < x1 + ((y + 0.5 - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside
  }
  return inside
}

/** Pieces of pixels that share a side, and holes: what is outside and cannot reach the border, by side or corner. Flooded pixel by pixel. */
function flooded(picture: Picture): { pieces: Set<string>[]; holes: number } {
  const [height, width] = [picture.length, picture[0]!.length]
  const at = (x: number, y: number): string => picture[y]?.[x] ?? '.'
  const seen = new Set<string>()
  const flood = (x: number, y: number, mark: string, corners: boolean): { cells: Set<string>; border: boolean } => {
    const cells = new Set<string>()
    let border = false
    const todo: [number, number][] = [[x, y]]
    for (let next = todo.pop(); next; next = todo.pop()) {
      const [cx, cy] = next
      const name = `${cx},${cy}`
      if (cx < 0 || cy < 0 || cx >= width || cy >= height) border = true
      else if (!seen.has(name) && at(cx, cy) === mark) {
        seen.add(name)
        cells.add(name)
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1], ...(corners ? [[1, 1], [1, -1], [-1, 1], [-1, -1]] : [])] as [number, number][]) todo.push([cx + dx, cy + dy])
      }
    }
    return { cells, border }
  }
  const pieces: Set<string>[] = []
  let holes = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (seen.has(`${x},${y}`)) continue
      const { cells, border } = flood(x, y, at(x, y), at(x, y) === '.')
      if (at(x, y) === '#') pieces.push(cells)
      else if (!border) holes++
    }
  }
  return { pieces, holes }
}

const pictures = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
  fc.array(fc.array(fc.constantFrom('#', '.'), { minLength: width, maxLength: width }).map((row) => row.join('')), { minLength: height, maxLength: height }))

describe('a run-length mask', () => {
  test('is outlined piece by piece along the edges of its pixels, with its holes counted', () => {
    fc.assert(fc.property(pictures, (picture) => {
      const height = picture.length
      const { pieces, holes } = outlinesOf(runs(picture), height)
      const wanted = flooded(picture)
      expect([pieces.length, holes]).toEqual([wanted.pieces.length, wanted.holes])
      for (const cells of wanted.pieces) {
        const places = [...cells].map((cell) => cell.split(',').map(Number) as [number, number])
        const bounds = [Math.min(...places.map(([x]) => x)), Math.min(...places.map(([, y]) => y)), Math.max(...places.map(([x]) => x)) + 1, Math.max(...places.map(([, y]) => y)) + 1]
        const own = pieces.filter((piece) => places.every(([x, y]) => covers(piece, x, y)) && JSON.stringify(outlineBounds(piece)) === JSON.stringify(bounds))
        expect(own.length, JSON.stringify(picture)).toBeGreaterThanOrEqual(1)
      }
      for (const piece of pieces) {
        // No point lies on the way between its neighbours, and none but pixels of the mask or of its holes is inside.
        for (let i = 0; i < piece.length; i += 2) {
          const [ax, ay, bx, by, cx, cy] = Array.from({ length: 6 }, (_, k) => piece[(i + k) % piece.length]!) as [number, number, number, number, number, number]
          expect((bx - ax) * (cy - by) - (by - ay) * (cx - bx)).not.toBe(0)
        }
      }
      if (holes === 0) picture.forEach((row, y) => [...row].forEach((mark, x) => expect(pieces.filter((piece) => covers(piece, x, y)).length, `${x},${y} of ${JSON.stringify(picture)}`).toBe(mark === '#' ? 1 : 0)))
    }), { numRuns: 500 })
  })

  test('in text is the one in numbers', () => {
    fc.assert(fc.property(pictures, (picture) => {
      expect(runsOf(text(runs(picture)), [picture.length, picture[0]!.length])).toEqual(runs(picture))
    }))
    const wide = [123_456, 7, 100_000, 65_537, 1_000_000]
    expect(runsOf(text(wide), [1289, 1000])).toEqual(wide)
  })

  test.each([
    ['of another size', [3, 4], [2, 2], /cover 7 pixels/], ['of numbers that are none', [1, -1, 4], [2, 2], /whole numbers/], ['of a text that ends early', 'q', [2, 2], /neither numbers nor/], ['of nothing', null, [2, 2], /neither/],
    ['without a height', [4], [0, 4], /not a height/], ['of more pixels than an image can have', [9], [1e6, 1e6], /not a height/],
    ['of more columns than an image can have', [0, 400_000_000], [1, 400_000_000], /not a height/], ['of more rows than an image can have', [0, 65_536], [65_536, 1], /not a height/],
  ] as const)('%s is refused in words', (_what, counts, size, message) => {
    expect(runsOf(counts, size as unknown as [number, number])).toMatch(message)
  })
})

describe('a COCO file with masks', () => {
  let dir: string
  const ring: Picture = ['........', '.####...', '.#..#.##', '.####.##', '........', '........']
  const annotation = (id: number, segmentation: unknown, more: object = {}) => ({ id, image_id: 1, category_id: 1, bbox: [1, 1, 3, 2], area: 4, iscrowd: 1, segmentation, 'a field of theirs': id, ...more })
  const ANNOTATIONS = [
    annotation(7, { size: [6, 8], counts: text(runs(ring)) }), annotation(8, { size: [6, 8], counts: runs(['........', '..##....', '..##....', '........', '........', '........']) }),
    annotation(9, { size: [6, 8], counts: [48] }), annotation(10, { size: [3, 4], counts: [12] }),
  ]
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'amc-rle-'))
    await sharp({ create: { width: 8, height: 6, channels: 3, background: '#567' } }).png().toFile(join(dir, 'a.png'))
    await writeFile(join(dir, 'instances_train.json'), JSON.stringify({ images: [{ id: 1, file_name: 'a.png', width: 8, height: 6 }], categories: [{ id: 1, name: 'cat' }], annotations: ANNOTATIONS }))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  async function read(path: string): Promise<{ regions: ReadRegion[]; told: string[]; items: ReadItem[] }> {
    const items: ReadItem[] = []
    for await (const item of (await openDataset(path)).items) items.push(item)
    return { items, regions: items.flatMap((item) => ('regions' in item ? item.regions : [])), told: items.flatMap((item) => ('skipped' in item ? [item.skipped.reason] : [])) }
  }

  test('is read as outlines with a box a piece, says what a region cannot hold, and goes back as it came', async () => {
    const { regions, told, items } = await read(join(dir, 'instances_train.json'))
    expect(regions.map(({ boxes }) => boxes)).toEqual([[[1, 1, 5, 4], [6, 2, 8, 4]], [[2, 1, 4, 3]], [[1, 1, 4, 3]], [[1, 1, 4, 3]]])
    expect(regions.map(({ outlines }) => outlines?.map((outline) => outline.length) ?? null)).toEqual([[8, 8], [8], null, null])
    expect(told).toEqual([expect.stringContaining('"cat" has a hole, which a region cannot hold'), expect.stringContaining('its box kept: it is empty'), expect.stringContaining('its box kept: it is 4 x 3, and the image 8 x 6')])
    const coco = FORMATS.find((format) => format.name === 'coco')!
    const image = (items.find((item) => 'image' in item) as Extract<ReadItem, { image: unknown }>).image
    const samples = (async function* () {
      yield { image: { id: 'i', name: image.name, path: image.path, width: 8, height: 6, split: 'train', kind: null, concepts: null, raw: image.raw }, regions: regions.map((region, i) => ({ id: `${i}`, phrase: region.phrase, boxes: region.boxes, outlines: region.outlines ?? [], status: 'unreviewed' as const, tags: [], note: '', flags: [], concepts: null, untouched: true, raw: region.raw })) }
    })()
    await writeDataset(coco, samples, { name: 'x', at: '2026-01-01T00:00:00.000Z', raw: { categories: [{ id: 1, name: 'cat' }] } }, { out: join(dir, 'out'), images: 'copy', replace: false })
    const { default: back } = (await import(join(dir, 'out', 'annotations', 'instances_train.json'), { with: { type: 'json' } })) as { default: { annotations: unknown } }
    expect(back.annotations).toEqual(ANNOTATIONS)
  })

  const python = process.env['AMC_PYTHON'] ?? 'python3'
  const hasTools = spawnSync(python, ['-c', 'import pycocotools.mask, numpy']).status === 0
  test.skipIf(!hasTools)(`agrees with pycocotools on areas, bounds and text${hasTools ? '' : ' (skipped: pycocotools is not installed)'}`, () => {
    const all = fc.sample(pictures, 200)
    const script = `
import json, sys, numpy as np
from pycocotools import mask
out = []
for rows in json.load(sys.stdin):
    rle = mask.encode(np.asfortranarray(np.array([[c == '#' for c in row] for row in rows], dtype=np.uint8)))
    out.append([rle["counts"].decode(), int(mask.area(rle)), [float(v) for v in mask.toBbox(rle)]])
print(json.dumps(out))
`
    const { stdout, status, stderr } = spawnSync(python, ['-c', script], { input: JSON.stringify(all), encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    for (const [i, [counts, area, [x, y, w, h]]] of (JSON.parse(stdout) as [string, number, [number, number, number, number]][]).entries()) {
      const picture = all[i]!
      const size = [picture.length, picture[0]!.length] as const
      const found = runsOf(counts, size)
      expect(found, counts).toEqual(runs(picture))
      expect((found as number[]).reduce((sum, run, k) => sum + (k % 2 === 1 ? run : 0), 0)).toBe(area)
      const { pieces } = outlinesOf(found as number[], size[0])
      const boxes = pieces.map(outlineBounds)
      if (area > 0) expect([Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])), Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3]))]).toEqual([x, y, x + w, y + h])
      else expect(boxes).toEqual([])
    }
  })
})
