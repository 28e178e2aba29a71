import { describe, expect, it } from 'vitest'
import type { Checkpoint, Region } from '../../../shared/domain.ts'
import { joined, pastedShape } from './clipboard.ts'
import { defaultCheckpoint } from './default-checkpoint.ts'
import { readMarks } from './marks.ts'
import { bestGrid } from './pane-grid.ts'
import { readPrefs } from './prefs.ts'
import { proposeBoxes } from './propose.ts'
import { BUILT_IN, chips, sameView, toQuery } from './queue-views.ts'
import { reason } from './reason.ts'
import { otherRegions, sceneBoxes } from './scene-boxes.ts'
import { mintId, moveLabel, px, quote, tone } from './words.ts'

describe('proposals', () => {
  const blob = (cells: readonly (readonly [number, number, number])[], n = 16) => {
    const values = new Float32Array(n * n)
    for (const [cx, cy, strength] of cells) {
      for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) values[y * n + x]! += strength * Math.exp(-0.5 * (((x + 0.5 - cx) / 1.2) ** 2 + ((y + 0.5 - cy) / 1.2) ** 2))
    }
    return { width: n, height: n, values }
  }
  const image = { width: 320, height: 160 }

  it('is one box around the strongest part, in image px', () => {
    const [box, ...more] = proposeBoxes(blob([[4, 4, 1], [12, 12, 0.6]]), image, 0.4)
    expect(more).toEqual([])
    expect(box![0]).toBeGreaterThan(40)
    expect(box![2]).toBeLessThan(120)
    expect(box![1]).toBeGreaterThan(15)
    expect(box![3]).toBeLessThan(65)
    expect((box![0] + box![2]) / 2).toBeCloseTo(80, -0.5)
    expect((box![1] + box![3]) / 2).toBeCloseTo(40, -0.5)
  })

  it('is several boxes when the phrase has several, the strongest first, and no noise', () => {
    const boxes = proposeBoxes(blob([[4, 4, 1], [12, 12, 0.8], [12, 3, 0.5]]), image, 0.45, 2)
    expect(boxes).toHaveLength(2)
    expect(boxes[0]![0]).toBeLessThan(boxes[1]![0])
  })

  it('grows as the threshold falls, and is none for a flat map', () => {
    const area = (threshold: number) => proposeBoxes(blob([[8, 8, 1]]), image, threshold).map((box) => (box[2] - box[0]) * (box[3] - box[1]))[0]!
    expect(area(0.2)).toBeGreaterThan(area(0.5))
    expect(area(0.5)).toBeGreaterThan(area(0.8))
    expect(proposeBoxes({ width: 2, height: 2, values: [0, 0, 0, 0] }, image, 0.4)).toEqual([])
  })
})

describe('why a region is suspected', () => {
  it('says so in words, with the numbers', () => {
    expect(reason(0.2, 0.95, 1, 1).text).toBe('80 % of the heat lies outside the box. The proposed box would raise consistency from 0.20 to 0.95.')
    expect(reason(0.2, 0.95, 2, 2).text).toBe('80 % of the heat lies outside the boxes. The 2 proposed boxes would raise consistency from 0.20 to 0.95.')
    expect(reason(0.9, 0.5, 1, 1).text).toBe('10 % of the heat lies outside the box. The proposed box would not raise consistency: 0.90 against 0.50.')
    expect(reason(0, 0.8, 0, 1).text).toBe('This phrase has no box yet. The proposed box would hold 80 % of the heat.')
    expect(reason(0.3, null, 1, 0).text).toBe('70 % of the heat lies outside the box. The heat is too flat for a proposal.')
  })
})

describe('canvases', () => {
  it('stand side by side or stacked, whichever draws the image larger', () => {
    expect(bestGrid(2, { width: 840, height: 600 }, 72, 1)).toEqual({ columns: 2, rows: 1 })
    expect(bestGrid(2, { width: 840, height: 900 }, 72, 3)).toEqual({ columns: 1, rows: 2 })
    expect(bestGrid(4, { width: 840, height: 840 }, 72, 1)).toEqual({ columns: 2, rows: 2 })
    expect(bestGrid(1, { width: 100, height: 100 }, 72, 1)).toEqual({ columns: 1, rows: 1 })
  })
})

describe('boxes of an image', () => {
  const region = (id: string, boxes: Region['boxes']): Region => ({ id, imageId: 'i', datasetId: 'd', revision: 1, split: 's', flags: [], assignee: null, review: null, second: null, phrase: id, boxes, outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false })
  const shown = (showOthers = true, hidden: string[] = [], locked: string[] = []) => ({ showOthers, hidden: new Set(hidden), locked: new Set(locked) })
  const regions = [region('a', [[0, 0, 1, 1]]), region('b', [[1, 1, 2, 2], [3, 3, 4, 4]]), region('c', [])]

  it('puts the phrase in hand last and lets only its boxes be changed', () => {
    expect(sceneBoxes(regions, 'b', shown()).map((box) => [box.key, box.editable])).toEqual([['a/0', false], ['b/0', true], ['b/1', true]])
    expect(sceneBoxes(regions, 'b', shown(false)).map((box) => box.key)).toEqual(['b/0', 'b/1'])
  })

  it('draws large boxes first, so that small ones lie on top, and colours them by their place in the list', () => {
    const three = [region('small', [[5, 5, 6, 6]]), region('large', [[0, 0, 9, 9]]), region('middle', [[2, 2, 6, 6]])]
    expect(sceneBoxes(three, null, shown()).map((box) => box.key)).toEqual(['large/0', 'middle/0', 'small/0'])
    expect(sceneBoxes(three, null, shown()).map((box) => box.color)).toEqual(['#16e070', '#ffe9a8', '#ff9200'])
  })

  it('leaves out hidden phrases, but keeps the boxes of the one in hand for its score', () => {
    expect(sceneBoxes(regions, 'b', shown(true, ['a'])).map((box) => box.key)).toEqual(['b/0', 'b/1'])
    expect(sceneBoxes(regions, 'b', shown(true, ['b'], ['b']))).toMatchObject([{ key: 'a/0' }, { key: 'b/0', hidden: true, locked: true }, { key: 'b/1', hidden: true }])
  })

  it('gives the list the colours of the canvas', () => {
    expect(otherRegions(regions, 'b').map((entry) => entry.color)).toEqual(['#ff9200', '#16e070'])
    expect(sceneBoxes(regions, 'b', shown())[0]!.color).toBe('#ff9200')
  })
})

describe('words', () => {
  it('names what a gesture did', () => {
    expect(moveLabel([0, 0, 10, 10], [14, 0, 24, 10])).toBe('Box moved 14 px right')
    expect(moveLabel([0, 0, 10, 10], [-2.5, 3, 7.5, 13])).toBe('Box moved 2.5 px left, 3 px down')
    expect(moveLabel([0, 0, 10, 10], [0, 0, 12.25, 10])).toBe('Box resized to 12.3 × 10')
  })

  it('shortens phrases, writes true minus, and names levels', () => {
    expect(quote('short')).toBe('“short”')
    expect(quote('a very long phrase about many things')).toBe('“a very long phrase abou…”')
    expect(px(-3.04)).toBe('−3')
    expect([0.1, 0.5, 0.9].map(tone)).toEqual(['negative', 'warning', 'positive'])
  })

  it('mints ids that differ and look like UUIDs', () => {
    expect(mintId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(new Set(Array.from({ length: 1000 }, mintId)).size).toBe(1000)
  })
})

describe('views of a dataset', () => {
  it('shows each part of a filter as a chip that can be taken off', () => {
    const filter = { statuses: ['unreviewed' as const], splits: ['train'], consistencyMax: 0.4, hit: false }
    expect(chips(filter).map((chip) => `${chip.name} ${chip.value}`)).toEqual(['status to review', 'split train', 'score < 0.40', 'pointing miss'])
    expect(chips(filter)[2]!.without).toEqual({ statuses: ['unreviewed'], splits: ['train'], hit: false })
    expect(chips({ consistencyMin: 0.2, consistencyMax: 0.4 })[0]!.value).toBe('0.20–0.40')
  })

  it('knows whether a view was changed', () => {
    const view = BUILT_IN[1]!
    expect(sameView(view, { ...view, filter: { ...view.filter, text: undefined } })).toBe(true)
    expect(sameView(view, { ...view, descending: true })).toBe(false)
  })

  it('asks for scores only with a checkpoint', () => {
    expect(toQuery(BUILT_IN[0]!, 'd', null, 1).filter).toEqual({ datasetId: 'd' })
    expect(toQuery(BUILT_IN[2]!, 'd', 'c', 1)).toMatchObject({ filter: { datasetId: 'd', checkpointId: 'c' }, sort: 'suspect', descending: true })
  })
})

describe('the checkpoint to begin with', () => {
  const checkpoint = (id: string, over: Partial<Checkpoint>): Checkpoint => ({
    id, name: id, origin: 'shipped', runId: null, step: null, modelName: 'm', parameters: 1, sizeBytes: 1, createdAt: '2026-01-01', metrics: {}, best: false, ...over,
  })
  const weak = checkpoint('weak', { createdAt: '2026-02-01', metrics: { 'pointing game, AMC strict, demo val': 0.3 } })
  const strong = checkpoint('strong', { metrics: { 'pointing game, AMC strict, demo val': 0.8 } })
  const trained = checkpoint('trained', { origin: 'run', best: true })

  it('is the best of the newest run, else the one that points best, else the newest', () => {
    expect(defaultCheckpoint([weak, strong, trained])?.id).toBe('trained')
    expect(defaultCheckpoint([weak, strong])?.id).toBe('strong')
    expect(defaultCheckpoint([checkpoint('old', {}), checkpoint('new', { createdAt: '2026-03-01' })])?.id).toBe('new')
    expect(defaultCheckpoint([])).toBeUndefined()
  })
})

describe('kept preferences', () => {
  it('fall back field by field', () => {
    const fresh = readPrefs(null)
    expect(fresh).toMatchObject({ layout: 'side-by-side', map: 'inferno', opacity: 0.8, peak: true })
    expect(readPrefs('{broken')).toEqual(fresh)
    expect(readPrefs(JSON.stringify({ map: 'rainbow', opacity: 9, layout: 'overlay', peak: 'yes' }))).toEqual({ ...fresh, opacity: 1, layout: 'overlay' })
  })
})

describe('copy and paste', () => {
  const image = { width: 200, height: 100 }
  const clip = (boxes: Region['boxes'], size = image) => ({ phrase: 'a cup', boxes, outlines: [] as readonly (readonly number[])[], size })

  const pasted = (...args: Parameters<typeof pastedShape>) => pastedShape(...args).boxes

  it('comes to an end at the far edge too: each of many copies finds a place of its own', () => {
    const box = [170, 70, 200, 100] as const
    const there: (readonly [number, number, number, number])[] = [box]
    for (let i = 0; i < 8; i++) there.push(...pasted(clip([box]), image, there))
    expect(new Set(there.map(String)).size).toBe(9)
  })

  it('puts boxes with the same numbers on another image', () => {
    const boxes = [[10.125, 20.5, 50.0625, 60]] as const
    expect(pasted(clip(boxes), image, [])).toEqual(boxes)
    expect(pasted(clip(boxes, { width: 999, height: 999 }), image, [])).toEqual(boxes)
  })

  it('keeps what reaches out of its own image, and moves in, uncut, what does not fit on a smaller one', () => {
    expect(pasted(clip([[-5, 0, 20, 20]]), image, [])).toEqual([[-5, 0, 20, 20]])
    expect(pasted(clip([[300, 150, 340, 180]], { width: 400, height: 400 }), image, [])).toEqual([[160, 70, 200, 100]])
  })

  it('takes outlines along, and joins shapes with and without them', () => {
    const copied = { ...clip([[300, 150, 340, 180]], { width: 400, height: 400 }), outlines: [[300, 150, 340, 150, 320, 180]] }
    const put = pastedShape(copied, image, [])
    expect(put).toEqual({ boxes: [[160, 70, 200, 100]], outlines: [[160, 70, 200, 70, 180, 100]] })
    expect(joined({ boxes: [[0, 0, 1, 1]], outlines: [] }, put).outlines).toEqual([[], put.outlines[0]])
    expect(joined({ boxes: [[0, 0, 1, 1]], outlines: [] }, { boxes: [[2, 2, 3, 3]], outlines: [] }).outlines).toEqual([])
  })

  it('stands aside from a box it would lie on', () => {
    expect(pasted(clip([[10, 10, 20, 20]]), image, [[10, 10, 20, 20]])).toEqual([[13, 13, 23, 23]])
    expect(pasted(clip([[180, 80, 200, 100]]), image, [[180, 80, 200, 100]])).toEqual([[177, 77, 197, 97]])
  })
})

describe('hidden and locked phrases', () => {
  it('are read back, and what cannot be read marks nothing', () => {
    expect(readMarks('{"hidden":["a"],"locked":["b",3]}')).toEqual({ hidden: new Set(['a']), locked: new Set(['b']) })
    for (const broken of [null, '{', '[]', 'null', '{"hidden":7}']) expect(readMarks(broken)).toEqual({ hidden: new Set(), locked: new Set() })
  })
})
