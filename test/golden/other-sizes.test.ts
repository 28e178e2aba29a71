import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runGolden } from '../../src/main/golden/run-golden.ts'
import { makeGoldenFolder } from '../support/golden-folder.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'

const TIMEOUT_MS = 900_000
const root = mkdtempSync(join(tmpdir(), 'amc-golden-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describeWithTensorFlow('a folder of other sizes is understood', () => {
  test('widths that differ, a heatmap below the last layer, an uneven batch, queues that wrap in the first step', async () => {
    await makeGoldenFolder(root, {
      image: { size: 48, patch: 8, width: 24, depth: 3, heads: 3 },
      text: { vocab_size: 70, width: 20, layers: 5, fusion_layer: 2, heads: 4, intermediate: 36, max_positions: 20 },
      embed: 12, queue: 7, pointer: 5, batch: 3, tokens: 7, layer: 3, otherLayer: 2, mask: 40, evaluationSize: 64,
    })
    writeFileSync(join(root, 'news.json'), '{}')
    const { cases, passed, failed, notCovered } = await runGolden(root)
    expect(Object.entries(cases).flatMap(([name, { ok, faults }]) => (ok ? [] : [[name, faults]]))).toEqual([
      ['everything in the folder is known', ['news.json: nothing here knows it']],
    ])
    expect([passed, failed]).toEqual([16, 1])
    expect(Object.keys(cases).sort()).toEqual([
      'amc layer2', 'evaluation image_embeds', 'evaluation itm_block3', 'evaluation loading', 'evaluation words', 'everything in the folder is known', 'forward',
      'gradients amc', 'gradients amc_layer2', 'gradients total', 'losses batch1', 'losses f32', 'losses gcam_layer2', 'queues after one forward pass', 'settings', 'steps',
      'training state of checkpoint_00.pth',
    ])
    expect(notCovered.filter((what) => !/^config\.json: (temp|mlm_probability) \(/.test(what))).toEqual([])
  }, TIMEOUT_MS)
})
