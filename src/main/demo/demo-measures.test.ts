import { expect, test } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import { groupByImage } from '../train/samples.ts'
import { scoreExplained, type ScoredSample } from '../train/scoring.ts'
import { demoTable, type DemoReport } from './demo-command.ts'
import { chanceLevels, findSuspects } from './demo-measures.ts'

test('suspects are the regions whose heat lies elsewhere, found among all of them', async () => {
  // Two objects an image, each phrase hot over its own; every tenth region has its box put where nothing is.
  const samples = Array.from({ length: 200 }, (_, i): ManifestSample => {
    const left = i % 2 === 0
    const boxes: Box[] = i % 10 === 0 ? [[5, 70, 35, 95]] : [left ? [5, 5, 35, 45] : [60, 5, 95, 45]]
    return { regionId: `r${i}`, imageId: `i${i >> 1}`, boxes, revision: 1, imagePath: `${i >> 1}.png`, width: 100, height: 100, phrase: left ? 'the cup' : 'the hat', split: 'train' }
  })
  const images = await groupByImage(samples)
  const scored = images.flatMap((image) => image.regions.map((region): ScoredSample => {
    const values = new Float32Array(64)
    for (let y = 0; y < 4; y++) for (let x = 0; x < 3; x++) values[y * 8 + x + (region.phrase === 'the cup' ? 0 : 5)] = 1 + 0.1 * x
    const grid = { width: 8, height: 8, values }
    return { regionId: region.regionId, revision: 1, grid, ...scoreExplained({ grid, matchProbability: 0.5 }, image, region, 96) }
  }))
  const wrong = new Set(samples.filter((_, i) => i % 10 === 0).map((sample) => sample.regionId))
  expect(findSuspects(scored, images, wrong)).toEqual({ auroc: 1, precisionAt50: 0.4, precisionAtHalf: 1 })
  expect(findSuspects(scored, images, new Set(['r1'])).auroc).toBeLessThan(0.9)
})

test('chance levels count area, centre and objects', async () => {
  const region = (regionId: string, imageId: string, boxes: Box[]): ManifestSample => ({
    regionId, imageId, boxes, revision: 1, imagePath: `${imageId}.png`, width: 100, height: 100, phrase: regionId, split: 'val',
  })
  const images = await groupByImage([
    region('a', 'one', [[0, 0, 100, 60]]), // holds the centre
    region('b', 'one', [[0, 60, 100, 100]]),
    region('c', 'two', [[0, 0, 50, 50]]), // the centre pixel lies on its border: outside
    region('d', 'two', [[60, 60, 70, 70]]),
    region('e', 'two', [[80, 60, 90, 70]]),
    region('f', 'two', [[80, 80, 90, 90]]),
  ])
  const { randomPixel, imageCentre, randomObject } = chanceLevels(images)
  expect(randomPixel).toBeCloseTo((0.6 + 0.4 + 0.25 + 0.03) / 6)
  expect(imageCentre).toBeCloseTo(1 / 6)
  expect(randomObject).toBeCloseTo((2 * 0.5 + 4 * 0.25) / 6)
})

test('the table says every figure of the report', () => {
  const report: DemoReport = {
    untrained: { pointingGame: 0.22 },
    withoutAmc: { pointingGame: 0.077, itmAuc: 0.932, minutes: 7.54 },
    withAmc: { pointingGame: 0.861, itmAuc: 0.927, minutes: 9.25 },
    suspects: { auroc: 0.978, precisionAt50: 0.98, precisionAtHalf: 0.943 },
    chance: { randomPixel: 0.117, imageCentre: 0.173, randomObject: 0.333, suspects: 0.05 },
    seed: 3,
    steps: 1000,
  }
  const table = demoTable(report)
  for (const figure of ['22.0 %', '7.7 %', '0.932', '7.5 min', '86.1 %', '0.927', '9.3 min', '0.978', '98.0 %', '94.3 %', '11.7 %', '17.3 %', '33.3 %', '5.0 %', 'seed 3', '1000 steps']) {
    expect(table).toContain(figure)
  }
  const lines = table.split('\n')
  const gameEnd = lines[1]!.indexOf('pointing game') + 'pointing game'.length
  for (const line of lines.slice(2, 8)) expect(line.slice(0, gameEnd)).toMatch(/\d %$/) // columns end together
})
