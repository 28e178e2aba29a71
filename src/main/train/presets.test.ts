import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { flattenConfig } from '../../shared/config/run-config.ts'
import { temporaryFolder } from '../../../test/support/tiny-runs.ts'
import { listPresets, loadModelConfig, loadRunConfig } from './presets.ts'

test('every shipped preset is valid and names a model that exists', async () => {
  const presets = await listPresets()
  expect(presets.map(({ name }) => name)).toEqual(['demo-amc', 'demo-continue', 'demo-without-amc', 'amc-one-gpu', 'amc-reference'])
  for (const { config } of presets) {
    expect(config.summary).not.toBe('')
    expect((await loadModelConfig(config.model)).name).toBe(config.model)
  }
})

test('the demo presets differ in AMC alone', async () => {
  const [withAmc, without] = [flattenConfig(await loadRunConfig('demo-amc')), flattenConfig(await loadRunConfig('demo-without-amc'))]
  const differing = Object.keys(withAmc).filter((key) => withAmc[key] !== without[key])
  expect(differing.toSorted()).toEqual(['loss.amc', 'summary', 'title'])
})

test('a mistyped preset or model names the nearest', async () => {
  await expect(loadRunConfig('demo-acm')).rejects.toMatchObject({ code: 'bad-input', cure: 'Did you mean "demo-amc"? There are: demo-amc, demo-continue, demo-without-amc, amc-one-gpu, amc-reference.' })
  await expect(loadRunConfig('zzzzzzzzzz')).rejects.toMatchObject({ cure: expect.stringMatching(/^There are: demo-amc, /) as string })
  await expect(loadModelConfig('albef-bse')).rejects.toMatchObject({ code: 'bad-input', cure: 'Did you mean "albef-base"?' })
})

test('settings that are not YAML name line and column', async () => {
  const path = join(await temporaryFolder(), 'mine.yaml')
  await writeFile(path, 'steps: 5\nloss: {amc: 1\n')
  await expect(loadRunConfig(path)).rejects.toMatchObject({ code: 'bad-input', place: expect.stringMatching(/mine\.yaml:\d+:\d+$/) })
})
