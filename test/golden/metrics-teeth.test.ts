/** The recorded metrics can fail: one value of a copy is changed a little, and the case that compares it says so. No TensorFlow is needed. */
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { metricCases } from '../../src/main/golden/cases-metrics.ts'
import { openGoldenFolder } from '../../src/main/golden/folder.ts'

const recorded = join(import.meta.dirname, 'tiny-a')
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'amc-metrics-'))
  cpSync(join(recorded, 'metrics'), join(dir, 'metrics'), { recursive: true })
  cpSync(join(recorded, 'config.json'), join(dir, 'config.json'))
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) chmodSync(join(dir, name), 0o755)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Names of the cases that fail, and what nothing has compared. */
async function outcome(): Promise<{ failing: string[]; untouched: string[] }> {
  const folder = openGoldenFolder(dir)
  try {
    const failing: string[] = []
    for (const { name, run } of metricCases(folder)) {
      const checks = await Promise.resolve(run()).catch(() => [])
      if (checks.length === 0 || checks.some(({ ok }) => !ok)) failing.push(name)
    }
    return { failing, untouched: folder.untouched().filter((name) => name.startsWith('metrics/')) }
  } finally {
    folder.close()
  }
}

type Json = Record<string, unknown> & Record<number, unknown>

function change(file: string, path: readonly (string | number)[], to: (value: never) => unknown): void {
  const name = join(dir, 'metrics', file)
  const json = JSON.parse(readFileSync(name, 'utf8')) as Json
  let at = json
  for (const key of path.slice(0, -1)) at = at[key as string] as Json
  const last = path.at(-1) as string
  expect(at[last]).toBeDefined()
  at[last] = to(at[last] as never)
  writeFileSync(name, JSON.stringify(json))
}

const more = (by: number) => (value: number) => value + by
const firstKey = (file: string): string => Object.keys(JSON.parse(readFileSync(join(recorded, 'metrics', file), 'utf8')) as object)[0]!

describe('recorded metrics', () => {
  test('as they are, all agree and nothing is left over', async () => {
    expect(await outcome()).toEqual({ failing: [], untouched: [] })
  })

  test.each<[failing: string, file: string, path: (string | number)[], to: (value: never) => unknown]>([
    ["detector's boxes refcoco+, alpha 0.5", 'refcoco+/expected.json', ['on_bbox_true_alpha0.5', 'log', 5, 'scores', 1], more(1e-4)],
    ["detector's boxes refcoco+, alpha 0.5", 'refcoco+/expected.json', ['on_bbox_true_alpha0.5', 'log', 1, 'pred_box', 0], more(0.01)],
    ["detector's boxes refcoco+, alpha 1.0", 'refcoco+/expected.json', ['on_bbox_true_alpha1.0', 'log', 2, 'iou'], more(1e-9)],
    ["detector's boxes refcoco+, alpha 0.0", 'refcoco+/expected.json', ['on_bbox_true_alpha0.0', 'metrics', 'testB_d'], more(0.01)],
    ["detector's boxes refcoco+, alpha 0.0", 'refcoco+/expected.json', ['on_bbox_true_alpha0.0', 'log', 3, 'scores', 0], more(1)],
    ['pointing game refcoco+', 'refcoco+/expected.json', ['on_bbox_false', 'log', 4, 'up_sum'], (value: number) => value * 1.001],
    ['pointing game refcoco+', 'refcoco+/expected.json', ['result_order_ref_ids', 3], more(1)],
    ['records refcoco+', 'refcoco+/refs_unc_as_json.json', [2, 'sentences', 0, 'raw'], (value: string) => `${value}.`],
    ['records refcoco+', 'refcoco+/instances.json', ['annotations', 0, 'category_id'], more(1)],
    ['pointing game refcoco+', 'refcoco+/instances.json', ['annotations', 0, 'bbox', 2], more(0.5)],
    ['pointing game refclef', 'refclef/expected.json', ['log', 0, 'point', 1], more(1)],
    ['pointing game refclef', 'refclef/expected.json', ['splits_from_annotation_json', 1], () => 'train'],
    ['records refclef', 'refclef/expected.json', ['ref_splits', 0], () => 'test'],
    ['pointing game flickr', 'flickr/expected.json', ['log', 2, 'hit'], (value: boolean) => !value],
    ['records flickr', 'flickr/expected.json', ['processed', 1, 'phrase'], (value: string) => `${value}s`],
    ['records flickr', 'flickr/bounding_boxes_val.json', [firstKey('flickr/bounding_boxes_val.json'), 'width'], more(1)],
    ['records flickr', 'flickr/sentences_val.json', [firstKey('flickr/sentences_val.json'), 0, 'phrases', 0, 'phrase'], () => 'someone'],
    ['points and boxes', 'unit_cases.json', ['iou', 5, 'out'], more(1e-9)],
    ['pointing game flickr', 'unit_cases.json', ['flickr_only_test_split', 'test'], more(0.01)],
  ])('%s sees a change in %s', async (name, file, path, to) => {
    change(file, path, to)
    expect((await outcome()).failing).toContain(name)
  })

  test('what nobody knows is left over, by name', async () => {
    change('refcoco+/expected.json', ['on_bbox_false', 'metrics'], (value: object) => ({ ...value, other: 1 }))
    change('unit_cases.json', ['point'], (value: object[]) => [...value, { fn: 'point_in_box_xyxy', box: [0, 0, 1, 1], pt: [0, 0], out: false, more: 1 }])
    const { untouched, failing } = await outcome()
    expect(failing).toContain('pointing game refcoco+')
    expect(untouched).toEqual([expect.stringMatching(/^metrics\/unit_cases\.json: point\[\d+\]\.more$/)])
  })
})
