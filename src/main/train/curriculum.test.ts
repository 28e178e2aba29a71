import { describe, expect, test } from 'vitest'
import { parseRunConfig } from '../../shared/config/run-config.ts'
import { stageAt, stepsPerEpoch, totalSteps, viewStages } from './curriculum.ts'

test('the curriculum goes from close-ups to scenes and from uniform to hard negatives', () => {
  const config = parseRunConfig({ curriculum: { contrastOnly: 0.1, closeUps: 0.2, uniformNegatives: 0.4, hardNegatives: 0.5 } })
  const at = (share: number) => stageAt(config, [], share, () => true)
  expect(at(0)).toEqual({ pool: 'close-ups', contrastOnly: true, hardNegatives: 0 })
  expect(at(0.15)).toEqual({ pool: 'close-ups', contrastOnly: false, hardNegatives: 0 })
  expect(at(0.3)).toEqual({ pool: 'scenes', contrastOnly: false, hardNegatives: 0 })
  expect(at(0.4)).toEqual({ pool: 'scenes', contrastOnly: false, hardNegatives: 0.5 })
  expect(stageAt(config, [], 0, (pool) => pool !== 'close-ups').pool).toBe('all')
})

describe('views in turn', () => {
  test('each gets its part of the steps, to the step', () => {
    const views = viewStages('Easy ones 0.1; Easy and a bit more 2 0.2; * 0.7')
    expect(views).toEqual([{ view: 'Easy ones', share: 0.1 }, { view: 'Easy and a bit more 2', share: 0.2 }, { view: '*', share: 0.7 }].map((stage) => ({ ...stage, share: expect.closeTo(stage.share, 12) })))
    const config = parseRunConfig({})
    const pools = Array.from({ length: 30 }, (_, i) => stageAt(config, views, i / 30, () => true).pool)
    expect(pools).toEqual([...Array<string>(3).fill('view-0'), ...Array<string>(6).fill('view-1'), ...Array<string>(21).fill('all')])
  })

  test('parts that do not add up to 1 are taken in proportion', () => {
    expect(viewStages('a 1;b 3 ;')).toEqual([{ view: 'a', share: 0.25 }, { view: 'b', share: 0.75 }])
    expect(viewStages('  ')).toEqual([])
  })

  test.each(['easy', 'easy 0', 'easy 0.5; 0.5', 'easy -1', 'easy half'])('%j is refused with the form to write', (text) => {
    expect(() => viewStages(text)).toThrow(expect.objectContaining({ code: 'bad-input', place: 'curriculum.views', cure: expect.stringContaining('Easy ones 0.3') }))
  })
})

test.each([
  { images: 100, batch: 32, accumulate: 1, perEpoch: 3 }, // the last 4 images make no batch (drop_last)
  { images: 100, batch: 16, accumulate: 2, perEpoch: 3 },
  { images: 3, batch: 32, accumulate: 1, perEpoch: 1 },
])('$images images in batches of $batch, $accumulate a step: $perEpoch steps an epoch', ({ images, batch, accumulate, perEpoch }) => {
  const config = parseRunConfig({ steps: 0, epochs: 2.5, batch: { images: batch, accumulate } })
  const size = { images, regions: 5 * images }
  expect(stepsPerEpoch(config, size)).toBe(perEpoch)
  expect(totalSteps(config, size)).toBe(Math.round(2.5 * perEpoch))
  expect(totalSteps({ ...config, steps: 7 }, size)).toBe(7)
  expect(stepsPerEpoch({ ...config, data: { ...config.data, epoch: 'regions' } }, { images: 1, regions: images })).toBe(perEpoch)
})
