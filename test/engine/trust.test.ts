/** `amc trust` and `amc score --explainer` on a project, through the computing process. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { runCli } from '../../src/main/cli/run-cli.ts'
import { openEngine } from '../../src/main/engine/engine.ts'
import { createParams, disposeParams } from '../../src/main/model/params.ts'
import { saveCheckpoint } from '../../src/main/train/model-files.ts'
import { TRUST_FIGURES, type TrustResult } from '../../src/shared/contract/trust.ts'
import { writeDataset } from '../support/engine.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'
import { TINY } from '../support/tiny-runs.ts'

const TIMEOUT_MS = 600_000

async function amc(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(COMMANDS, [...args, '--json'], { stdout: { write: (t) => (out += t) }, stderr: { write: (t) => (err += t) } }, new AbortController().signal, '1')
  return { code, err, json: (out ? JSON.parse(out) : null) as TrustResult & { protocol: string; scored: number; splits: { regions: number; consistency: number }[] } }
}

describeWithTensorFlow('amc trust', () => {
  let [root, project] = ['', '']

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'amc-trust-'))
    project = join(root, 'project')
    const annotations = await writeDataset(join(root, 'data'), Array.from({ length: 6 }, (_, i) => ({ image: `${i}.png`, caption: 'the red square', bbox: [[i, 5, i + 12, 25]] as const, split: i < 4 ? 'train' : 'val' })))
    await rm(join(root, 'data', '5.png'))
    const imported = await amc('import', annotations, '--project', project, '--name', 'squares')
    expect(imported.err).not.toMatch(/fault/)
    const params = createParams(TINY, 5)
    await saveCheckpoint(join(root, 'best.safetensors'), params, { step: 1, metrics: {} }, 'fp32')
    disposeParams(params)
    return () => rm(root, { recursive: true, force: true })
  }, TIMEOUT_MS)

  test('measures, keeps the newest of each explainer, and gives the same figures again', async () => {
    const run = (...more: string[]) => amc('trust', '--project', project, '--dataset', 'squares', '--checkpoint', join(root, 'best.safetensors'), '--samples', '3', ...more)
    const { code, json } = await run()
    expect(code).toBe(0)
    expect(json).toMatchObject({ protocol: 'AMC strict', samples: 3, explainer: { name: 'gradcam', target: 'itm' } })
    expect(json.deletion.curve).toHaveLength(11)
    for (const value of [...json.deletion.curve, ...json.insertion.curve]) expect(value > 0 && value < 1).toBe(true)
    expect(json.randomisation[0]!.stage).toBe('the match head')
    expect(json.randomisation.at(-1)!.stage).toBe('the whole image encoder')
    for (const { correlation } of [...json.randomisation, json.shifts]) expect(Math.abs(correlation)).toBeLessThanOrEqual(1 + 1e-12)

    const again = await amc('trust', '--project', project, '--checkpoint', 'best', '--samples', '3')
    expect({ ...again.json, measuredAt: json.measuredAt }).toEqual(json)
    const other = await amc('trust', '--project', project, '--checkpoint', 'best', '--samples', '3', '--explainer', 'gradient-rollout', '--split', 'train')
    expect(other.json.protocol).toBe('AMC strict, gradient-rollout itm layer 1')
    expect(other.json.of).toBe(4)

    const engine = await openEngine({ projectDir: project })
    const [dataset] = await engine.handlers.datasets.list({})
    const kept = await engine.handlers.trust.list({ datasetId: dataset!.id })
    await engine.close()
    expect(kept.map(({ protocol, split }) => [protocol, split])).toEqual([['AMC strict', null], ['AMC strict, gradient-rollout itm layer 1', 'train']])
    expect(kept[0]!.deletion).toEqual(json.deletion)
  }, TIMEOUT_MS)

  test('on a view and by another explainer: its words, its JSON and what is kept for Compare say the same numbers', async () => {
    const kept = async (before?: (engine: Awaited<ReturnType<typeof openEngine>>, datasetId: string) => unknown) => {
      const engine = await openEngine({ projectDir: project })
      const [dataset] = await engine.handlers.datasets.list({})
      await before?.(engine, dataset!.id)
      const list = await engine.handlers.trust.list({ datasetId: dataset!.id })
      await engine.close()
      return list.filter((one) => one.viewId === 'held')
    }
    expect(await kept((engine, datasetId) => engine.handlers.views.save({ id: 'held', name: 'held out', filter: { datasetId, splits: ['val'] }, sort: 'file-order', descending: false }))).toEqual([])
    const args = ['trust', '--project', project, '--checkpoint', 'best', '--samples', '1', '--view', 'held out', '--explainer', 'hirescam']
    let out = ''
    expect(await runCli(COMMANDS, args, { stdout: { write: (text) => (out += text) }, stderr: { write: () => {} } }, new AbortController().signal, '1')).toBe(0)
    const [said] = await kept()
    expect(said).toMatchObject({ viewId: 'held', split: null, explainer: { name: 'hirescam', target: 'itm' }, samples: 1, of: 1 })
    for (const { title, of } of TRUST_FIGURES) expect(out).toContain(`${title.padEnd(15)} ${of(said!).toFixed(3)} `)
    for (const { stage, correlation } of said!.randomisation) expect(out).toMatch(new RegExp(`random down to ${stage} +${correlation.toFixed(3).replace('.', '\\.')}`))
    const { json } = await amc(...args)
    const { measuredAt, ...figures } = said!
    expect(json).toMatchObject(figures)
    expect(await kept()).toHaveLength(1)
    expect((await kept())[0]!.measuredAt > measuredAt).toBe(true)
  }, TIMEOUT_MS)

  test('refuses a view and an explainer that are not there, in words', async () => {
    expect(await amc('trust', '--project', project, '--checkpoint', 'best', '--view', 'none')).toMatchObject({ code: 3, err: expect.stringMatching(/no view none/) as string })
    expect(await amc('trust', '--project', project, '--checkpoint', 'best', '--explainer', 'attention', '--target', 'itc')).toMatchObject({ code: 2, err: expect.stringMatching(/same for every phrase/) as string })
  }, TIMEOUT_MS)

  test('scores by another explainer are kept beside the usual ones', async () => {
    const usual = await amc('score', '--project', project, '--checkpoint', 'best')
    const rollout = await amc('score', '--project', project, '--checkpoint', 'best', '--explainer', 'rollout')
    expect([usual.json.protocol, rollout.json.protocol]).toEqual(['AMC strict', 'AMC strict, rollout itm layer 1'])
    expect([usual.json.scored, rollout.json.scored]).toEqual([5, 5])
    expect(rollout.json.splits).not.toEqual(usual.json.splits)
    expect((await amc('score', '--project', project, '--checkpoint', 'best')).json.splits).toEqual(usual.json.splits)
    expect((await amc('score', '--project', project, '--checkpoint', 'best', '--explainer', 'layercam')).json).toMatchObject({ protocol: 'AMC strict', scored: 0 })
  }, TIMEOUT_MS)
})
