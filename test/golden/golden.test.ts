import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { runGolden, type GoldenReport } from '../../src/main/golden/run-golden.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'

const TIMEOUT_MS = 1_200_000

/** Ours, and more beside the project where somebody keeps them (the same name is the same folder). */
const beside = join(import.meta.dirname, '../../../shared/golden')
const foldersOf = (root: string): string[] => (existsSync(root) ? readdirSync(root).filter((name) => existsSync(join(root, name, 'config.json'))) : [])
const own = foldersOf(import.meta.dirname)
const folders = [
  ...own.map((name) => join(import.meta.dirname, name)),
  ...foldersOf(beside).filter((name) => !own.includes(name)).map((name) => join(beside, name)),
]

/** Every case belongs to one of these. */
const GROUPS: Record<string, RegExp> = {
  'words are those of the published tokenizer and cleaning': /^(tokenizer|pre_caption|batch words|evaluation words)/,
  'checkpoints are read to the last value': /^(checkpoint|mixed_dtypes|training state|evaluation loading)/,
  'images and masks are prepared alike': /^(image preparation|colours|region masks|batch from)/,
  'queues, positions, rates and parameter groups': /^(queues|position embeddings|learning rates|optimizer groups)/,
  'the forward pass': /^forward/,
  'losses of every variant': /^losses/,
  'what the consistency loss is made of': /^amc /,
  'every gradient, through gradients too': /^gradients/,
  'steps, and the step after resuming': /^(steps|resume)/,
  'heatmaps of the evaluation': /^evaluation (it|image|flickr)/,
  'points, hits and shares of the evaluation sets': /^(pointing game|records|upsampled|points |detector's boxes|where the published code stops)/,
  'settings, and nothing that is not known': /^(settings|list of files|everything in the folder is known)/,
}

for (const dir of folders) {
  describeWithTensorFlow(`recorded values of ${dir.split('/').at(-1)}`, () => {
    let report: GoldenReport
    beforeAll(async () => void (report = await runGolden(dir)), TIMEOUT_MS)

    test.each(Object.entries(GROUPS))('%s', (_, pattern) => {
      const cases = Object.entries(report.cases).filter(([name]) => pattern.test(name))
      expect(Object.fromEntries(cases.filter(([, { ok }]) => !ok).map(([name, { faults }]) => [name, faults]))).toEqual({})
    })

    test('no case is forgotten by the groups above, and the layer below the last is among them', () => {
      const names = Object.keys(report.cases)
      expect(names.filter((name) => !Object.values(GROUPS).some((pattern) => pattern.test(name)))).toEqual([])
      expect(report.failed).toBe(0)
      expect(names.some((name) => /^gradients amc_layer/.test(name)) || names.includes('gradients amc')).toBe(true)
    })
  })
}

test('there is a folder to compare with', () => expect(own.length).toBeGreaterThan(0))
