/** The protocol `view`: a project's own data, with heatmaps and scores kept where the screens find them. */
import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { runCli } from '../../src/main/cli/run-cli.ts'
import { openEngine } from '../../src/main/engine/engine.ts'
import type { EvaluationResult } from '../../src/main/eval/results.ts'
import { createParams, disposeParams } from '../../src/main/model/params.ts'
import { saveCheckpoint } from '../../src/main/train/model-files.ts'
import { writeDataset } from '../support/engine.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'
import { TINY } from '../support/tiny-runs.ts'

async function amc(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(COMMANDS, [...args, '--json'], { stdout: { write: (t) => (out += t) }, stderr: { write: (t) => (err += t) } }, new AbortController().signal, '1')
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`)
  return { err, json: JSON.parse(out) as { results: { checkpoint: string; file: string; computed: boolean; splits: EvaluationResult['splits']; published: EvaluationResult['published'] }[]; scored?: number } }
}

const samplesOf = async (file: string): Promise<EvaluationResult['samples']> => (JSON.parse(await readFile(file, 'utf8')) as EvaluationResult).samples

describeWithTensorFlow('amc evaluate --protocol view', () => {
  let [root, project, other, checkpoint] = ['', '', '', '']

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'amc-view-'))
    ;[project, other, checkpoint] = [join(root, 'project'), join(root, 'other'), join(root, 'best.safetensors')]
    const colours = ['red', 'green', 'blue']
    const annotations = await writeDataset(join(root, 'data'), Array.from({ length: 12 }, (_, i) => (
      { image: `${i % 6}.png`, caption: `the ${colours[i % 3]!} square`, bbox: [[i, 5, i + 12, 25]] as const, split: i % 6 < 4 ? 'train' : 'val' })))
    for (const one of [project, other]) {
      await amc('import', annotations, '--project', one, '--name', 'squares')
      // One region is not its box but a triangle in it.
      const { context, handlers, close } = await openEngine({ projectDir: one })
      const { id, boxes } = context.db.get<{ id: string; boxes: string }>('SELECT id, boxes FROM regions ORDER BY position LIMIT 1')!
      const [[x1, y1, x2, y2]] = JSON.parse(boxes) as [[number, number, number, number]]
      await handlers.regions.apply({ editId: 'triangle', label: 'Outline', edits: [{ regionId: id, revision: 1, diff: { outlines: { before: [], after: [[x1, y1, x2, y1, x1, y2]] } } }] })
      await close()
    }
    const params = createParams(TINY, 5)
    await saveCheckpoint(checkpoint, params, { step: 1, metrics: {} }, 'fp32')
    disposeParams(params)
    return () => rm(root, { recursive: true, force: true })
  }, 300_000)

  test('gives each region the scores that a scoring job gives it, and keeps them in the project', async () => {
    const { json } = await amc('evaluate', '--checkpoint', checkpoint, '--protocol', 'view', '--project', project)
    const [result] = json.results
    expect(result!.splits.map(({ split, samples }) => [split, samples])).toEqual([['train', 8], ['val', 4]])
    const samples = await samplesOf(result!.file)

    // The project knows them already.
    expect((await amc('score', '--project', project, '--checkpoint', 'best')).json.scored).toBe(0)
    const engine = await openEngine({ projectDir: project })
    const rows = engine.context.db.all<Record<string, number | string>>('SELECT region_id, pointing_hit, inside_energy, soft_iou, match_probability FROM scores')
    await engine.close()
    expect(rows).toHaveLength(12)
    for (const { id, scores } of samples) {
      expect(rows.find((row) => row['region_id'] === id)).toEqual({
        region_id: id, pointing_hit: scores['pointing'], inside_energy: scores['energyInside'], soft_iou: scores['softIou'], match_probability: scores['matchProbability'],
      })
    }

    expect(new Set(samples.map(({ scores }) => scores['energyInside'])).size).toBeGreaterThan(1)

    // Another project, scored by a job: the same figures.
    const job = await amc('score', '--project', other, '--checkpoint', checkpoint)
    expect(job.json.scored).toBe(12)
    const summary = (job.json as unknown as { splits: { split: string; pointingGame: number; consistency: number }[] }).splits
    for (const { split, pointingGame, consistency } of summary) {
      const { metrics } = result!.splits.find((one) => one.split === split)!
      expect(metrics['pointing']).toBeCloseTo(pointingGame, 12)
      expect(metrics['energyInside']).toBeCloseTo(consistency, 6)
    }
  }, 300_000)

  test('takes the heatmaps that are there, and the checkpoint that was imported, when it is asked again', async () => {
    const out = join(root, 'again')
    const before = (await amc('evaluate', '--checkpoint', checkpoint, '--protocol', 'view', '--project', project)).json.results[0]!
    expect(before.computed).toBe(false)
    await rm(join(root, 'data', '0.png')) // its heatmaps are kept
    const again = await amc('evaluate', '--checkpoint', checkpoint, '--protocol', 'view', '--project', project, '--out', out)
    expect(again.err).not.toMatch(/Importing/)
    expect(again.json.results[0]!.splits).toEqual(before.splits)
    expect(await samplesOf(again.json.results[0]!.file)).toEqual(await samplesOf(before.file))
  }, 300_000)

  test('a saved view or a split is a part; another mode is computed anew and leaves the scores of the screens alone', async () => {
    const engine = await openEngine({ projectDir: project })
    const [dataset] = await engine.handlers.datasets.list({})
    await engine.handlers.views.save({ id: 'view-1', name: 'Reds', filter: { datasetId: dataset!.id, text: 'red' }, sort: 'file-order', descending: false })
    const stored = engine.context.db.all('SELECT * FROM scores ORDER BY region_id')
    await engine.close()
    const out = join(root, 'parts')
    const reds = await amc('evaluate', '--checkpoint', 'best', '--protocol', 'view', '--project', project, '--view', 'Reds', '--out', out)
    expect(reds.json.results[0]!.splits.map(({ split, samples }) => [split, samples])).toEqual([['train', 4]])
    const val = await amc('evaluate', '--checkpoint', 'best', '--protocol', 'view', '--project', project, '--split', 'val', '--mode', 'itc', '--out', out)
    expect(val.json.results[0]!.splits.map(({ split, samples, metrics }) => [split, samples, metrics['matchProbability']])).toEqual([['val', 4, null]])
    const after = await openEngine({ projectDir: project })
    expect(after.context.db.all('SELECT * FROM scores ORDER BY region_id')).toEqual(stored)
    await after.close()
  }, 300_000)
})
